"""What the data flow of a trace says of memory: which tensors are one, who reads them last, and who keeps them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from tcost.exact import Size, exact_div, same
from tcost.kinds import Keep, Kept, Passing, keeps, kind_of, nothing_passing
from tcost.learning_rules import operations_of_logits
from tcost.loss import operations_of_loss
from tcost.tracing import Op, Repeat, Tensor
from tcost.training_step import TrainingStep

INDICES = ("tokens", "buckets")
"""What the names of inputs end in that are integers; the others are numbers."""


class Part(NamedTuple):
    """Operations of a trace that follow each other: of a repeated block, or of what is between blocks.

    `own` are their outputs, and what a block reads in each of its copies. The outputs of a segment are not
    kept, but computed again in the backward.
    """

    ops: range
    repeat: Repeat | None
    own: frozenset[Tensor]
    is_segment: bool


class Kernels(NamedTuple):
    """Kernels that execute a step otherwise than PyTorch: what they keep, and what is passing in their backward.

    They add to the gradient of a weight as they make it, where PyTorch makes one for each use and adds them.
    """

    keeps: Mapping[str, Keep]
    passing: Mapping[str, Passing]


class Facts:
    """What the data flow of a step's trace says of memory.

    Elements are those of all sequences of the step, of one copy of a block, of one chunk of a loss in chunks.
    """

    def __init__(self, step: TrainingStep, kernels: Kernels | None = None) -> None:
        """Read the facts off a step, which other kernels than those of PyTorch may execute."""
        self.kernels = kernels
        self.step, self.trace, self.ops = step, step.model.trace, step.model.trace.ops
        self.in_chunks = operations_of_loss(self.ops) if step.loss.is_chunked else range(0)
        """The operations that are executed chunk by chunk."""
        self._of_chunk = frozenset(self.ops[index].output for index in self.in_chunks)
        self._elements: dict[Tensor, Size] = {}
        self._homes: dict[Tensor, Tensor] = {}
        for op in self.ops:
            if kind_of(op).is_view:
                self._homes[op.output] = self.home(op.inputs[0])
        self.kept = [self._for_sequences(self._keep(op)(op)) for op in self.ops]
        """What every operation keeps for its gradients."""
        first: dict[Tensor, int] = {}
        for index, kept in enumerate(self.kept):
            for tensor in kept.copies:
                first.setdefault(tensor, index)
        self._copies = [
            sum(size for tensor, size in kept.copies.items() if first[tensor] == index)
            for index, kept in enumerate(self.kept)
        ]

    def _keep(self, op: Op) -> Keep:
        """Return what says what an operation keeps; where the loss is fused, that is the gradient in its input."""
        if self.is_fused_loss(op):
            return keeps(input=True)
        keeps_by_kernels = self.kernels.keeps if self.kernels else {}
        return keeps_by_kernels.get(op.kind, self.step.convention.kept)

    def is_fused_loss(self, op: Op) -> bool:
        """Tell whether an operation is a loss that makes the gradient of the logits in their place."""
        return self.step.loss.is_fused and op is self.ops[-1]

    def _for_sequences(self, kept: Kept) -> Kept:
        """Return what is kept with what is broadcast as copies or, of a single sequence, as it is."""
        if not kept.broadcast:
            return kept
        if same(self.step.batch, 1):
            return replace(kept, tensors=(*kept.tensors, *kept.broadcast), broadcast={})
        return replace(kept, copies={**kept.copies, **kept.broadcast}, broadcast={})

    def home(self, tensor: Tensor) -> Tensor:
        """Return the tensor whose memory a tensor is: a view is what it sees."""
        return self._homes.get(tensor, tensor)

    def elements(self, tensor: Tensor) -> Size:
        """Return the elements of a tensor in memory."""
        if tensor not in self._elements:
            self._elements[tensor] = self._elements_of(tensor)
        return self._elements[tensor]

    def _elements_of(self, tensor: Tensor) -> Size:
        if tensor.is_fused or (self.step.loss.is_fused and tensor is self.ops[-1].output):
            return 0
        elements = self.step.batch * tensor.elements
        return self.of_chunk(elements) if tensor in self._of_chunk else elements

    def of_chunk(self, elements: Size) -> Size:
        """Return a chunk's share of elements."""
        return exact_div(elements, self.step.loss.chunks)

    def own(self, index: int) -> Size:
        """Return the elements that an operation keeps beside tensors, copies that are shared with the first one."""
        kept = self.kept[index]
        own = self.step.batch * (kept.own + self._copies[index])
        return (self.of_chunk(own) if index in self.in_chunks else own) + kept.single

    def passing(self, op: Op) -> Size:
        """Return the elements that the backward of an operation has for a moment beside gradients and what is kept."""
        if self.is_fused_loss(op):
            return 0
        passing = self.kernels.passing.get(op.kind, nothing_passing) if self.kernels else kind_of(op).passing
        elements = self.step.batch * passing(op)
        return self.of_chunk(elements) if op.output in self._of_chunk else elements

    def read(self, op: Op) -> dict[Tensor, None]:
        """Return the tensors of numbers that an operation reads, each once."""
        return dict.fromkeys(self.home(x) for x in op.inputs if x not in self.indices)

    @cached_property
    def indices(self) -> set[Tensor]:
        """The inputs of the model that are integers."""
        return {tensor for name, tensor in self.trace.inputs.items() if name.endswith(INDICES)}

    @cached_property
    def data(self) -> list[Tensor]:
        """The inputs of the model that are numbers: images, audio."""
        return [tensor for tensor in self.trace.inputs.values() if tensor not in self.indices]

    @cached_property
    def constants(self) -> dict[str, Size]:
        """What is made once in a step and held throughout: the angles of rotations."""
        return {name: elements for kept in self.kept for name, elements in kept.constants.items()}

    @cached_property
    def constant_users(self) -> dict[str, int]:
        """The first operation that keeps each constant."""
        users: dict[str, int] = {}
        for index, kept in enumerate(self.kept):
            for name in kept.constants:
                users.setdefault(name, index)
        return users

    @cached_property
    def parts(self) -> list[Part]:
        """The parts of the trace, in order."""
        repeats, segments = {repeat.ops: repeat for repeat in self.trace.repeats}, self.step.segments
        cuts = {0, len(self.ops)} | {end for ops in (*repeats, *segments) for end in (ops.start, ops.stop)}
        found = [range(start, stop) for start, stop in pairwise(sorted(cuts))]
        return [self._part(ops, repeats.get(ops), is_segment=ops in segments) for ops in found]

    def _part(self, ops: range, repeat: Repeat | None, *, is_segment: bool) -> Part:
        outputs = {self.ops[index].output for index in ops}
        return Part(ops, repeat, frozenset(outputs | ({repeat.entry} if repeat else set())), is_segment)

    @cached_property
    def last_user(self) -> dict[Tensor, int]:
        """The last operation that reads each tensor; what a block begins with is read before its operations."""
        users = {tensor: index for index, op in enumerate(self.ops) for tensor in self.read(op)}
        for repeat in self.trace.repeats:
            before = self.home(repeat.before)
            users[before] = max(users.get(before, -1), repeat.ops.start - 1)
        return users

    @cached_property
    def waiting(self) -> dict[Tensor, int]:
        """What waits for the backward, each with the first operation that needs it.

        It is what operations keep, and of a segment what it reads from outside.
        """
        waiting: dict[Tensor, int] = {}
        for part in self.parts:
            entry = part.repeat.entry if part.repeat else None
            for index in part.ops:
                needed = self.read(self.ops[index]) if part.is_segment else map(self.home, self.kept[index].tensors)
                for tensor in needed:
                    if not part.is_segment or tensor is entry or tensor not in part.own:
                        waiting.setdefault(tensor, index)
        return waiting

    @cached_property
    def given(self) -> frozenset[Tensor]:
        """What the caller of a step that has a backward holds until its end, beside the loss."""
        is_held = self.step.rule.runs["backward"] > 0 and self.step.loss.form == "held"
        return frozenset(map(self.home, self.step.model.given)) if is_held else frozenset()

    @cached_property
    def outputs(self) -> dict[Tensor, int]:
        """What waits for PEPITA's second pass: outputs of what learns, with the operation that makes each.

        What gives the logits learns from the error, for which the probabilities are kept.
        """
        logits = set(self.logits)
        learned = {
            self.home(op.output): index for index, op in enumerate(self.ops) if op.is_trained and index not in logits
        }
        return learned | self.embedded

    @cached_property
    def embedded(self) -> dict[Tensor, int]:
        """What waits for the error: the embeddings that it is added to, and the probabilities that it is made of."""
        tensors = {*map(self.home, self.step.model.embedded), self.step.model.output}
        return {op.output: index for index, op in enumerate(self.ops) if op.output in tensors}

    @cached_property
    def logits(self) -> list[int]:
        """The operations that give the logits and learn, by their numbers."""
        found = set(operations_of_logits(self.ops))
        return [index for index, op in enumerate(self.ops) if op.is_trained and op in found]

    @cached_property
    def weight_users(self) -> dict[str, list[int]]:
        """The operations that train each weight, by their numbers."""
        users: dict[str, list[int]] = {}
        for index, op in enumerate(self.ops):
            if op.weight and op.is_trained:
                users.setdefault(op.weight, []).append(index)
        return users

    def held(self, waiting: Mapping[Tensor, int], *, own: bool) -> Iterator[tuple[str, Size]]:
        """Yield the elements that wait in every layer, of all copies, and what its operations keep of their `own`."""
        for tensor, index in waiting.items():
            yield self.ops[index].layer, tensor.copies * self.elements(tensor)
        for part in self.parts if own else ():
            for index in part.ops if not part.is_segment else ():
                yield self.ops[index].layer, self.ops[index].repeats * self.own(index)
        found: set[str] = set()
        for op, kept in zip(self.ops, self.kept, strict=True) if own else ():
            for name in kept.constants.keys() - found:
                found.add(name)
                yield op.layer, kept.constants[name]

    def held_indices(self) -> Iterator[tuple[str, Size, Size]]:
        """Yield the integers that wait in every layer, for each sequence and for all together, those of a name once."""
        found: dict[str, tuple[str, Size, Size]] = {}
        for op, kept in zip(self.ops, self.kept, strict=True):
            for name, numbers in kept.indices.items():
                found.setdefault(name, (op.layer, *numbers))
        yield from found.values()
