"""One training step under each learning rule, executed: what is priced is what is run here.

Backpropagation differentiates each operation in reverse. PEPITA (Dellaferrera & Kreiman, ICML 2022)
runs the model twice, the second time with the projected error added to the embedding output, and
updates each operation that learns from the difference of its two outputs and its modulated input.
MEMPEPITA (Srinivasan et al., arXiv 2302.05440) makes the same update, but recomputes the first pass
beside the modulated one and forgets both as it goes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from tcost.execution.kernels import KERNELS, Call
from tcost.execution.kernels.base import distances
from tcost.execution.numbers import Array, Tally
from tcost.kinds import DIFFERENCE
from tcost.learning_rules import project_error
from tcost.models import Model
from tcost.tracing import COPY, Band, Op, Tensor, Trace

Parameters: TypeAlias = dict[str, tuple[Array, ...]]
"""The weights of every operation that learns, under the name of the weight; LayerNorm has two."""

BuildModel: TypeAlias = Callable[[Trace], Model]

GAINS = ("layer_norm_without_bias", "rms_norm")
"""Norms whose one weight is a gain."""


@dataclass
class Step:
    """What a training step uses and makes: its numbers, the model, its data, and the gradient of every weight.

    `data` has the tokens of each stack and PEPITA's fixed random matrices, by the name of the trace's input.
    Weights are drawn when they are first used. `gradients` are what an update subtracts: those of the
    loss under backpropagation, those of PEPITA's rule under the others.
    """

    build: BuildModel
    data: dict[str, Array]
    targets: Sequence[int]
    tally: Tally = field(default_factory=Tally)
    seed: int = 0
    parameters: Parameters = field(default_factory=dict)
    owners: dict[str, tuple[str, str]] = field(default_factory=dict)
    gradients: Parameters = field(default_factory=dict)
    loss: float = 0.0

    def weights(self, op: Op) -> tuple[Array, ...]:
        """Return the weights of an operation, drawn around one for a gain and around zero else."""
        if not op.weight:
            return ()
        if op.weight not in self.parameters:
            draw = np.random.default_rng([self.seed, len(self.parameters)]).normal
            if op.kind == "layer_norm":
                drawn: list[Any] = [draw(1, 0.5, op.columns), draw(0, 0.5, op.columns)]
            elif op.kind in GAINS:
                drawn = [draw(1, 0.5, op.columns)]
            else:
                drawn = [draw(0, 0.5, tuple(op.einsum.sizes[axis] for axis in op.einsum.weight))]
            self.parameters[op.weight] = tuple(map(self.tally.array, drawn))
            self.owners[op.weight] = (layer_of(op), op.name)
        return self.parameters[op.weight]

    def update(self, call: Call, dy: Array) -> None:
        """Add to the gradients of the weights of a call."""
        name = str(call.op.weight)
        with self.tally.label(layer_of(call.op), call.op.name, "weight_update"):
            start = self.gradients.get(name) or tuple(self.tally.zeros(w.shape) for w in call.weights)
            self.gradients[name] = KERNELS[call.op.kind].update(call, dy, start)

    def update_from_difference(self, call: Call, y: Array, other: Array) -> None:
        """Add PEPITA's update: the difference of two outputs in the place of the gradient of the modulated one."""
        with self.tally.label(layer_of(call.op), f"{call.op.name}{DIFFERENCE}", "weight_update"):
            difference = y - other
        self.update(call, difference)


def layer_of(op: Op) -> str:
    """Return the layer of an operation as the trace of a model names it, for all copies alike."""
    return COPY.sub("", op.layer)


class Execution(Trace):
    """A trace that computes: its tensors have values, its operations run when they are called."""

    def __init__(self, step: Step, phase: str = "forward") -> None:
        """Prepare to run operations in one phase of a step."""
        super().__init__()
        self.step, self.phase = step, phase
        self.values: dict[Tensor, Array] = {}
        self.choices: dict[tuple[int, str], Sequence[Sequence[int]]] = {}
        self.lane = 0
        self._done, self._copy, self._group = 0, "", 0
        self.calls: list[Call] = []

    def input(self, name: str, *shape: int, band: Band | None = None) -> Tensor:
        """Return a tensor with the values that the step's data has under that name."""
        tensor = super().input(name, *shape, band=band)
        self.values[tensor] = self.step.data[name]
        return tensor

    def repeat(
        self, times: int, name: str, block: Callable[[Tensor], Tensor], x: Tensor, *, unique: int | None = None
    ) -> Tensor:
        """Run a block as often as it says, the first `unique` copies with weights that the others share."""
        for copy in range(times):
            self._copy, self._group = f"{name}[{self._done + copy}]", copy if unique is None else copy * unique // times
            with self.scope(self._copy):
                x = block(x)
        self._done += times
        return x

    def own_weight(self, name: str) -> str:
        """Return the name of a weight of this copy, or of the copies that share it."""
        if not self._copy:
            return self.path(name)
        return self.path(name).replace(self._copy, f"{self._copy.partition('[')[0]}[{self._group}]")

    def record(self, kind: str, name: str, inputs: tuple[Tensor, ...], shape: tuple[int, ...], **more: Any) -> Tensor:
        """Run an operation and return its output."""
        output = super().record(kind, name, inputs, shape, **more)
        self.values[output] = self.run(self.ops[-1], [self.values[x] for x in inputs])
        return output

    def run(self, op: Op, inputs: Sequence[Array]) -> Array:
        """Return the output of an operation, and remember the call."""
        return self.forward(op, inputs)[1]

    def forward(self, op: Op, inputs: Sequence[Array]) -> tuple[Call, Array]:
        """Execute an operation forward."""
        call = Call(op, tuple(inputs), self.step.weights(op), self.step.tally.zeros, self._chosen(op, inputs))
        self.calls.append(call)
        with self.step.tally.label(layer_of(op), op.name, self.phase):
            y = KERNELS[op.kind].forward(call)
        if op.kind == "top_k":
            self.choices[self.lane, op.layer] = call.chosen
        return call, y

    def _chosen(self, op: Op, inputs: Sequence[Array]) -> Sequence[Any]:
        """Return the row of a table, the word of the vocabulary or the experts that go with each row."""
        if op.kind == "embedding":
            return list(inputs[0])
        if op.kind == "added_table":
            return range(op.output.shape[0]) if op.name == "position" else [0] * op.output.shape[0]
        if op.kind == "relative_bias":
            return list(np.minimum(distances(op.output), op.einsum.sizes["bucket"] - 1))
        if op.kind == "expert_linear":
            everyone = [range(op.einsum.sizes["expert"])] * op.output.shape[0]
            return self.choices.get((self.lane, op.layer), everyone)
        return self.step.targets

    @property
    def loss(self) -> float:
        """The mean cross-entropy of the output, a report that is not counted."""
        return -float(self.calls[-1].kept["minus_loss"].value) / len(self.step.targets)

    def gradient_label(self, tensor: Tensor) -> tuple[str, str]:
        """Return the layer and the name that gradients which meet at a tensor are filed under."""
        uses = self._uses[tensor]
        return COPY.sub("", uses.layer), uses.gradient_sum


def backpropagation(step: Step) -> None:
    """Run the model, then differentiate its operations in reverse."""
    run = Execution(step)
    step.build(run)
    step.loss = run.loss
    gradients: dict[Tensor, Array] = {}
    for call in reversed(run.calls):
        dy = gradients.pop(call.op.output, None)  # none at the loss
        with step.tally.label(layer_of(call.op), call.op.name, "backward"):
            found = KERNELS[call.op.kind].backward(call, dy) if call.op.gradients else ()
        if call.op.is_trained:
            step.update(call, dy)
        for tensor, gradient in zip(call.op.inputs, found, strict=False):  # tokens have none
            if not tensor.has_gradient:
                continue
            if tensor in gradients:
                with step.tally.label(*run.gradient_label(tensor), "backward"):
                    gradients[tensor] = gradients[tensor] + gradient
            else:
                gradients[tensor] = gradient


class Modulated(Execution):
    """PEPITA's second pass: the embeddings are modulated, and each operation that learns meets its first output.

    What gives the logits learns from the error itself: the probabilities of the first pass less the targets.
    """

    def __init__(self, step: Step, first: Execution, model: Model, outputs: Iterable[Array]) -> None:
        """Prepare the pass, from the first one and its outputs of operations that learn, in order."""
        super().__init__(step)
        self.modulated = iter(modulated_inputs(step, first, model))
        self.outputs = iter(outputs)
        self.probabilities = first.values[model.output]
        self.embeddings = {(op.layer, op.name) for op in first.ops if op.output in model.embedded}
        self.logits = {(op.layer, op.name) for op in operations_of_logits(first.ops)}

    def run(self, op: Op, inputs: Sequence[Array]) -> Array:
        """Run an operation on the modulated pass and, where it learns, update from the difference."""
        call, y = self.forward(op, inputs)
        if (op.layer, op.name) in self.embeddings:
            y = next(self.modulated)
        if op.is_trained:
            stored = next(self.outputs)
            if (op.layer, op.name) in self.logits:
                targets = one_hot(self.step.targets, self.probabilities.shape)
                self.step.update_from_difference(call, self.probabilities, targets)
            else:
                self.step.update_from_difference(call, stored, y)
        return y


class SideBySide(Modulated):
    """MEMPEPITA's second and third pass: every tensor has its two values, and neither pass is stored."""

    def run(self, op: Op, inputs: Sequence[Array]) -> Array:
        """Run an operation on both passes and, where it learns, update from the difference."""
        first = [x[0] if isinstance(x, tuple) else x for x in inputs]
        second = [x[1] if isinstance(x, tuple) else x for x in inputs]
        self.lane = 0
        _, y = self.forward(op, first)
        self.outputs, self.lane = iter((y,)), 1
        return y, super().run(op, second)


def operations_of_logits(ops: Sequence[Op]) -> Iterator[Op]:
    """Return the operations that give the logits: the last projection and its bias, with no activation behind them."""
    made_by = {op.output: op for op in ops}
    op = made_by[ops[-1].inputs[0]]
    while op.kind in ("bias", "soft_cap"):
        yield op
        op = made_by[op.inputs[0]]
    yield op


def one_hot(targets: Sequence[int], shape: tuple[int, ...]) -> Array:
    """Return the targets as rows of zeros and a one."""
    rows = np.zeros(shape)
    rows[range(len(targets)), targets] = 1
    return rows.astype(object)


def modulated_inputs(step: Step, first: Execution, model: Model) -> list[Array]:
    """Return every embedding output with the projected error of the first pass added to it."""
    step.data["probabilities"] = first.values[model.output]
    for stack, embedded in enumerate(model.embedded):
        step.data[f"embedded {stack}"] = first.values[embedded]
    run = Execution(step, "error_projection")
    return [run.values[tensor] for tensor in project_error(model, run)]


def _first_pass(step: Step) -> tuple[Execution, Model]:
    first = Execution(step)
    model = step.build(first)
    step.loss = first.loss
    return first, model


def pepita(step: Step) -> None:
    """Run the model, then run it on modulated inputs and update from the differences to what was stored."""
    first, model = _first_pass(step)
    outputs = [first.values[call.op.output] for call in first.calls if call.op.is_trained]
    step.build(Modulated(step, first, model, outputs))


def mempepita(step: Step) -> None:
    """Run the model for its error alone, then run it twice side by side and update from the differences."""
    first, model = _first_pass(step)
    step.build(SideBySide(step, first, model, ()))


STEPS: Mapping[str, Callable[[Step], None]] = {"bp": backpropagation, "pepita": pepita, "mempepita": mempepita}
"""The training step of every learning rule, executed."""
