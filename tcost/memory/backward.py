"""What is alive under backpropagation."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tcost.kinds import kind_of
from tcost.memory.facts import Facts, Part
from tcost.memory.liveness import Ends, Liveness, copies_of
from tcost.tracing import Op, Repeat, Tensor


@dataclass(eq=False)
class Buffer:
    """The memory of a gradient, and of how many tensors it is the gradient."""

    users: int = 1


class Backpropagation(Liveness):
    """A forward pass that keeps, and a backward that differentiates one operation after the other.

    The gradient of an operation's output is gone after it, as is what it kept. Gradients that meet become a
    new tensor. Gradients of weights are alive until the optimizer has run, which needs nothing more.
    """

    def __init__(self, facts: Facts) -> None:
        """Follow a step."""
        super().__init__(facts)
        self.gradients: dict[Tensor, Buffer] = {}
        self.forward(facts.waiting, keeps_own=True)
        self.ledger.hold("loss", 1)
        for part in reversed(facts.parts):
            if part.repeat is None:
                self._back(part, is_bottom=True)
            else:
                self._copies(part, part.repeat)

    def _copies(self, part: Part, repeat: Repeat) -> None:
        """Go back through the copies of a block, from the last one to the first."""
        top, bottom = self.ops[repeat.ops[-1]], self.ops[repeat.ops[0]]
        self._move(repeat.after, repeat.exit, top)
        for number in self.copies_to_follow(part):
            others = copies_of(repeat) - 1 - number
            self.hold_copy(part, others, self.facts.waiting, keeps_own=not part.is_segment)
            self.begin_copy(part, number, is_held=True)
            self._back(part, is_bottom=others == 0)
            self._move(repeat.entry, repeat.exit if others else repeat.before, bottom)

    def _back(self, part: Part, *, is_bottom: bool) -> None:
        """Go back through the operations of a part, in the copy nearest to the input where `is_bottom`."""
        first: dict[Tensor, int] = {}
        for index in part.ops:
            for tensor in map(self.facts.home, self.facts.kept[index].tensors):
                first.setdefault(tensor, index)
        if part.is_segment:
            ends = self._ends_of_segment(part, first, is_bottom=is_bottom)
            self.run(part, "recomputed_forward", ends, keeps_own=True)
        for index in reversed(part.ops):
            self._differentiate(index, part, first, is_bottom=is_bottom)

    def _ends_of_segment(self, part: Part, needed: Collection[Tensor], *, is_bottom: bool) -> Ends:
        last = {tensor: index for index in part.ops for tensor in self.facts.read(self.ops[index])}

        def ends(tensor: Tensor, index: int) -> bool:
            is_free = tensor not in needed and self._is_first_here(tensor, part, is_bottom=is_bottom)
            return is_free and last.get(tensor, index) == index

        return ends

    def _is_first_here(self, tensor: Tensor, part: Part, *, is_bottom: bool) -> bool:
        """Tell whether nothing before a part needs a tensor, nor a copy of the part that is still to come."""
        return tensor in part.own or (is_bottom and self.facts.waiting.get(tensor) in part.ops)

    def _differentiate(self, index: int, part: Part, first: Mapping[Tensor, int], *, is_bottom: bool) -> None:
        """Make the gradients of an operation's inputs and weight, and let go what they were made of."""
        op = self.ops[index]
        given = self.gradients.pop(op.output, None)
        inputs = [(place, x) for place, x in enumerate(op.inputs) if x.has_gradient and op.gradients]
        found = [(x, self._gradient(op, place, given)) for place, x in inputs]
        if op.is_trained:
            self.learn(op)
        self.ledger.hold("passing", kind_of(op).passing * self.facts.elements(op.output), "passing")
        if op.has_gradients:
            self.ledger.note("backward" if op.gradients else "weight_update", op)
        self._drop(given)
        self.ledger.release("passing")
        self.ledger.release(("own", index))
        for tensor in map(self.facts.home, self.facts.kept[index].tensors):
            if first[tensor] == index and self._is_first_here(tensor, part, is_bottom=is_bottom):
                self.let_go(tensor)
        for tensor, buffer in found:
            self._give(tensor, buffer, op)

    def _gradient(self, op: Op, place: int, given: Buffer | None) -> Buffer:
        """Return the gradient of an input: that of the output where it is passed on, else a new one."""
        tensor = op.inputs[place]
        if given and place < kind_of(op).passes_gradient and tensor.is_fused == op.output.is_fused:
            given.users += 1
            return given
        return self._new(tensor)

    def _give(self, tensor: Tensor, buffer: Buffer, op: Op) -> None:
        """Give a tensor a gradient; where it has one already, their sum is a new one."""
        other = self.gradients.get(tensor)
        if other is None:
            self.gradients[tensor] = buffer
            return
        self.gradients[tensor] = self._new(tensor)
        self.ledger.note("backward", op)
        self._drop(other)
        self._drop(buffer)

    def _new(self, tensor: Tensor) -> Buffer:
        buffer = Buffer()
        self.ledger.hold(buffer, self.facts.elements(tensor), "passing")
        return buffer

    def _drop(self, buffer: Buffer | None) -> None:
        if buffer:
            buffer.users -= 1
            if not buffer.users:
                self.ledger.release(buffer)

    def _move(self, from_: Tensor, to: Tensor, op: Op) -> None:
        """Let the gradient of a copy's input be that of the output of the copy before it."""
        buffer = self.gradients.pop(from_, None)
        if buffer:
            self._give(to, buffer, op)
