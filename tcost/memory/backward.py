"""What is alive under backpropagation."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tcost.kinds import kind_of
from tcost.memory.facts import Facts, Part
from tcost.memory.liveness import Ends, Liveness, copies_of
from tcost.tracing import Op, Repeat, Tensor

if TYPE_CHECKING:
    from tcost.exact import Size


@dataclass(eq=False)
class Buffer:
    """The memory of a gradient, and of how many tensors it is the gradient."""

    users: int = 1


class Backpropagation(Liveness):
    """A forward pass that keeps, and a backward that differentiates one operation after the other.

    The gradient of an operation's output is gone after it, as is what it kept. Gradients that meet become a
    new tensor. Gradients of weights are alive until the optimizer has run.
    """

    def __init__(self, facts: Facts) -> None:
        """Follow a step."""
        super().__init__(facts)
        self.gradients: dict[Tensor, Buffer] = {}
        self.views: set[str] = set()
        """Weights whose gradient is a view so far."""
        self.rows_of_chunk: dict[Tensor, Size] = {}
        """What a chunk's rows have of tensors that all chunks read, while the loss is differentiated chunk by chunk."""
        self.forward(facts.waiting, keeps_own=True)
        losses = int(self.ops[-1].kind == "cross_entropy")  # a model that ends in its pooler has none
        sums = int(facts.step.loss.is_chunked and not facts.kernels)  # of chunks, which is divided by their number
        self.ledger.hold("loss", 2 * losses + sums)  # the caller holds the loss, `backward` its gradient, a one
        for part in reversed(facts.parts):
            if part.ops == facts.in_chunks:
                self._chunks(part)
            elif part.repeat is None:
                self._back(part, is_bottom=True)
            else:
                self._copies(part, part.repeat)
        self.ledger.hold("loss", losses)
        for users in facts.weight_users.values():
            self.optimize(self.ops[users[0]])

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

    def _chunks(self, part: Part) -> None:
        """Go back through the chunks of the loss, from the last one to the first, and join the gradients of their rows.

        The second finds the gradients that the first has left, the third their sums; the last lets the input go.
        """
        times, each = self.facts.step.loss.chunks, self.rows_of_chunk
        each |= {x: self.facts.of_chunk(self.facts.elements(x)) for x in self._read_from_outside(part)}
        for number in sorted({0, 1, 2, times - 1} & set(range(times))):
            for x, elements in each.items():
                self.ledger.hold(("chunks", x), number * elements, "passing")
            if number == times - 1:
                self.ledger.hold("loss", 2)  # nothing but this chunk waits for the gradient of the sum
            self._back(part, is_bottom=number == times - 1)
            for x in each:
                self._drop(self.gradients.pop(x, None))
        while each:
            x, elements = each.popitem()
            self.ledger.hold(("chunks", x), times * elements, "passing")
            self.gradients[x] = self._new(x)
            self.ledger.note("backward", self.ops[part.ops.start])
            self.ledger.release(("chunks", x))

    def _read_from_outside(self, part: Part) -> list[Tensor]:
        """Return the tensors that have a gradient and that a part reads and has not made."""
        read = dict.fromkeys(x for index in part.ops for x in self.ops[index].inputs)
        return [x for x in read if x.has_gradient and x not in part.own]

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
        op, kind = self.ops[index], kind_of(self.ops[index])
        given = self.gradients.pop(op.output, None)
        inputs = [(place, x) for place, x in enumerate(op.inputs) if x.has_gradient and op.gradients]
        found = [(x, self._gradient(op, place, given)) for place, x in inputs]
        meets = op.weight in self.learned
        if op.is_trained:
            self.learn(op)
            self.ledger.hold("met", meets * kind.parameters(op), "gradients")
        if given is None:
            self.ledger.release(("own", index))  # at the loss the weights of its targets go before its input's gradient
        self.ledger.hold("passing", self.facts.passing(op), "passing")
        if op.has_gradients:
            self.ledger.note("backward" if op.gradients else "weight_update", op)
        self._drop(given)
        self.ledger.release("passing")
        self.ledger.release(("own", index))
        for tensor in map(self.facts.home, self.facts.kept[index].tensors):
            if first[tensor] == index and self._is_first_here(tensor, part, is_bottom=is_bottom):
                self.let_go(tensor)
        self._release_constants(index, is_bottom=is_bottom)
        if op.is_trained:
            self._meet(op, meets=meets)
        for tensor, buffer in found:
            self._give(tensor, buffer, op)

    def _meet(self, op: Op, *, meets: bool) -> None:
        """Add the gradient of a weight to the one that it has: in its place, unless that is a view.

        Source: accumulate in input_buffer.cpp of PyTorch, which adds in place to what nothing else refers to.
        """
        weight = str(op.weight)
        if meets and weight in self.views and not self.facts.kernels:
            self.ledger.hold("sum", kind_of(op).parameters(op), "gradients")
            self.ledger.note("weight_update", op)
            self.ledger.release("sum")
        self.ledger.release("met")
        (self.views.discard if meets or not kind_of(op).is_transposed else self.views.add)(weight)

    def begin_copy(self, part: Part, number: int, *, is_held: bool) -> None:
        """Let the gradients of a block's weights be alive as they are when its copy of that number begins."""
        super().begin_copy(part, number, is_held=is_held)
        weights = self.own_weights(part)
        begun = number % (copies_of(part.repeat) // part.repeat.unique) if weights and part.repeat else 0
        for weight, op in weights.items():
            (self.views.add if begun == 1 and kind_of(op).is_transposed else self.views.discard)(weight)

    def _release_constants(self, index: int, *, is_bottom: bool) -> None:
        """Let go the constants of which an operation is the first to need them."""
        for name in self.facts.kept[index].constants:
            if is_bottom and self.facts.constant_users[name] == index:
                self.ledger.release(("constant", name))

    def _gradient(self, op: Op, place: int, given: Buffer | None) -> Buffer:
        """Return the gradient of an input: that of the output where it is passed on, else a new one."""
        tensor = op.inputs[place]
        if self.facts.is_fused_loss(op):
            self.let_go(self.facts.home(tensor))  # in whose place its gradient is
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
        of_chunk = self.rows_of_chunk.get(tensor)
        self.ledger.hold(buffer, self.facts.elements(tensor) if of_chunk is None else of_chunk, "passing")
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
