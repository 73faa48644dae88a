"""What is alive at each moment of a step: a tensor from the operation that makes it to the last that needs it.

Every operation makes a tensor of its own, views apart, and what nobody needs any more is gone after it. Of a block
that is repeated only those copies are followed in which a peak can be: what is alive at one operation is linear in
the number of the copy, so that a peak is in the first or the last of the copies that do the same.
"""

import operator
from collections.abc import Callable, Collection
from typing import TypeAlias

from tcost.errors import InputError
from tcost.exact import Size
from tcost.kinds import Phase, kind_of
from tcost.memory.facts import Facts, Part
from tcost.memory.ledger import Ledger
from tcost.tracing import Op, Repeat, Tensor

Ends: TypeAlias = Callable[[Tensor, int], bool]
"""Whether a tensor is gone after the operation of that number has read or made it."""


class Liveness:
    """A forward pass, and the gradients of weights that come and go: what every rule has."""

    def __init__(self, facts: Facts) -> None:
        """Begin a step with nothing but its data and its constants alive."""
        self.facts, self.ops = facts, facts.ops
        self.ledger = Ledger()
        self.updating = 0
        """The number of the first moment of the pass that updates, where there is one."""
        self.learned: set[str] = set()
        self.named_twice: set[Tensor] = set()
        for tensor in facts.data:
            self.ledger.hold(("data", tensor), facts.elements(tensor))
        for name, elements in facts.constants.items():
            self.ledger.hold(("constant", name), elements)

    def forward(self, waiting: Collection[Tensor], *, keeps_own: bool = False) -> None:
        """Run the forward pass, after which what is `waiting` is alive, and what operations keep of their own."""
        for part in self.facts.parts:
            is_kept = keeps_own and not part.is_segment
            if part.repeat is None:
                self.run(part, "forward", self._ends_of_forward(waiting, part), keeps_own=is_kept)
            else:
                self._forward_copies(part, part.repeat, waiting, keeps_own=is_kept)

    def _forward_copies(self, part: Part, repeat: Repeat, waiting: Collection[Tensor], *, keeps_own: bool) -> None:
        """Run the last two copies of a block: the last lets go what all share, the one before it has it still."""
        before, given, times = self.facts.home(repeat.before), self.facts.home(repeat.exit), copies_of(repeat)
        is_gone = before not in {*waiting, *self.named_twice} and self.facts.last_user[before] < repeat.ops.start
        if repeat.entry in waiting and (given in waiting or not is_gone):
            raise NotImplementedError("a block that keeps both its input and its output, or what others need, too")
        if is_gone:
            self.ledger.release(before)
        each = self._of_each_copy(part, waiting, keeps_own=keeps_own)
        for number in range(max(0, times - 2), times):
            self._clear_copy(part)
            is_elsewhere = given in waiting if number else not is_gone
            self.ledger.hold(repeat.entry, 0 if is_elsewhere else self.facts.elements(repeat.entry))
            self.ledger.hold((repeat, "copies"), number * each)
            ends = self._ends_of_forward(waiting, part, is_last=number == times - 1)
            self.run(part, "forward", ends, keeps_own=keeps_own)
        if given in waiting:
            self.named_twice.add(repeat.after)
        else:
            self.ledger.release(given)
        self.ledger.hold(repeat.after, 0 if given in waiting else self.facts.elements(given))

    def _clear_copy(self, part: Part) -> None:
        """Let go what is known of a copy by itself, before the next one is looked at."""
        for index in part.ops:
            self.ledger.release(self.ops[index].output)
            self.ledger.release(("own", index))

    def run(self, part: Part, phase: Phase, ends: Ends, *, keeps_own: bool) -> None:
        """Run the operations of a part, forward."""
        facts, ledger = self.facts, self.ledger
        for index in part.ops:
            op = self.ops[index]
            output = facts.home(op.output)
            if output is op.output:
                ledger.hold(output, facts.elements(output))
            if keeps_own:
                ledger.hold(("own", index), facts.own(index))
            ledger.note(phase, op)
            for tensor in (*facts.read(op), output):
                if ends(tensor, index):
                    self.let_go(tensor)

    def let_go(self, tensor: Tensor) -> None:
        """Let a tensor go that nothing in the step needs any more; what is given to the caller stays, once."""
        name = "given", tensor
        if tensor in self.facts.given and name not in self.ledger.alive:
            self.ledger.hold(name, self.facts.elements(tensor))
        self.ledger.release(tensor)

    def _ends_of_forward(self, waiting: Collection[Tensor], part: Part, *, is_last: bool = True) -> Ends:
        last_user = self.facts.last_user
        result = self.facts.home(part.repeat.exit) if part.repeat else None

        def ends(x: Tensor, index: int) -> bool:
            is_free = x not in waiting and x is not result and (is_last or x in part.own)
            return is_free and last_user.get(x, index) <= index

        return ends

    def _of_each_copy(self, part: Part, waiting: Collection[Tensor], *, keeps_own: bool) -> Size:
        tensors = sum(self.facts.elements(x) for x in part.own if x in waiting)
        return tensors + (sum(self.facts.own(index) for index in part.ops) if keeps_own else 0)

    def hold_copy(self, part: Part, others: int, waiting: Collection[Tensor], *, keeps_own: bool = False) -> None:
        """Let a copy be alive as it was after the forward pass, and so many others below or above it."""
        each = self._of_each_copy(part, waiting, keeps_own=keeps_own)
        self.ledger.hold((part.repeat, "copies"), others * each)
        for tensor in part.own:
            if tensor in waiting:
                self.ledger.hold(tensor, self.facts.elements(tensor))
        for index in part.ops if keeps_own else ():
            self.ledger.hold(("own", index), self.facts.own(index))

    def learn(self, op: Op) -> None:
        """Let the gradient of a weight be alive, from the first operation on that adds to it."""
        if op.weight and op.weight not in self.learned:
            self.learned.add(op.weight)
            self.ledger.hold(("gradient", op.weight), kind_of(op).parameters(op), "gradients")

    def optimize(self, op: Op) -> None:
        """Let an optimizer be at work on the weight of an operation, with what it has at hand of its own.

        Kernels other than PyTorch's have nothing.
        """
        passing = 0 if self.facts.kernels else self.facts.step.optimizer.passing
        if passing:
            self.ledger.hold("updates", passing * kind_of(op).parameters(op), "updates")
            self.ledger.note("optimizer_step", op)
            self.ledger.release("updates")

    def forget(self, weight: str) -> None:
        """Let the gradient of a weight go."""
        self.learned.discard(weight)
        self.ledger.release(("gradient", weight))

    def own_weights(self, part: Part) -> dict[str, Op]:
        """Return the weights that are trained in a repeated block alone and not shared by all of its copies."""
        if part.repeat is None or part.repeat.unique in (0, 1):
            return {}
        users = self.facts.weight_users.items()
        return {weight: self.ops[of[0]] for weight, of in users if all(index in part.ops for index in of)}

    def begin_copy(self, part: Part, number: int, *, is_held: bool) -> None:
        """Let the gradients of a block's weights be alive as they are when its copy of that number begins.

        Copies are numbered as they come. Groups of copies share weights; those of groups that are done stay
        alive where they are held.
        """
        weights = self.own_weights(part)
        group = copies_of(part.repeat) // part.repeat.unique if weights and part.repeat else 1
        done, begun = divmod(number, group)
        for weight in weights:
            self.forget(weight)
        if begun:
            for op in weights.values():
                self.learn(op)
        each = sum(kind_of(op).parameters(op) for op in weights.values())
        self.ledger.hold((part.repeat, "gradients"), done * each if is_held else 0, "gradients")

    def copies_to_follow(self, part: Part) -> list[int]:
        """Return the numbers of the copies, in the order that they come, in which a peak can be.

        The first finds nothing of what copies share, and the last lets it go. Of those between them that do the
        same the ends are followed: of all, of the first ones of groups that share their weights, of the
        second ones, which find what the first have left, and of the third ones, which find a sum.
        """
        times = copies_of(part.repeat)
        group = times // part.repeat.unique if self.own_weights(part) and part.repeat else 1
        last = (times - 2) // group * group
        between = {start + step for start in (0, group, last - group, last) for step in (0, 1, 2)} | {times - 2}
        return sorted({0, times - 1} | {number for number in between if 0 < number < times})


def copies_of(repeat: Repeat | None) -> int:
    """Return how many copies a block has, or raise InputError where that is no whole number."""
    try:
        return operator.index(repeat.times if repeat else None)  # type: ignore[arg-type]  # None is refused, too
    except TypeError:
        raise InputError("the peak needs a whole number of layers") from None
