"""Backpropagation, executed."""

from collections import Counter
from collections.abc import Sequence

from tcost.execution.execution import Execution
from tcost.execution.kernels import Call, kernel_of
from tcost.execution.numbers import Array
from tcost.execution.plan import layer_of
from tcost.execution.step import Step
from tcost.tracing import Op, Tensor


class Segment:
    """Operations whose calls are not kept: what they read from outside, with which they can run again."""

    def __init__(self, ops: range) -> None:
        """Start with nothing read."""
        self.ops = ops
        self.read: dict[Tensor, Array] = {}
        self.done: list[Op] = []


class Kept(Execution):
    """A forward pass that keeps, of each call, what its gradients need; its caller holds what it gives."""

    def __init__(self, step: Step) -> None:
        """Prepare the pass."""
        super().__init__(step, readers=step.plan.readers)
        self.segments = [Segment(ops) for ops in step.plan.segments]
        self.kept: list[Call | Segment] = []
        self.given: list[Array] = []

    def run(self, op: Op, inputs: Sequence[Array]) -> Array:
        """Run an operation and keep what is needed of it, and for the caller what he is given, and the loss."""
        y = self._run(op, inputs)
        if self.numbers[op.output] in self.step.plan.given:
            self.given.append(y)
        if op.kind == "cross_entropy":
            self.given.append(self.step.tally.array([self.step.loss, 1.0]))  # and its gradient
            self.step.tracker.track(self.given[-1])
        return y

    def _run(self, op: Op, inputs: Sequence[Array]) -> Array:
        """Run an operation and keep what is needed of it; of a segment, what it reads from outside."""
        number = len(self.ops) - 1
        segment = next((segment for segment in self.segments if number in segment.ops), None)
        if segment is None:
            kept: list[Call] = []
            y = self.run_and_keep(op, inputs, kept)
            self.kept += kept
            return y
        if number == segment.ops.start:
            self.kept.append(segment)
        own = {done.output for done in segment.done}
        segment.read |= {x: value for x, value in zip(op.inputs, inputs, strict=True) if x not in own}
        segment.done.append(op)
        return super().run(op, inputs)

    def run_and_keep(self, op: Op, inputs: Sequence[Array], kept: list[Call]) -> Array:
        """Run an operation and keep what is needed of it."""
        call, y = self.forward(op, inputs)
        self.step.tracker.track(y)
        if op.has_gradients:
            needs = kernel_of(op).needs(op)
            call.inputs = tuple(x if needed else None for x, needed in zip(inputs, needs, strict=True))
            self.step.tracker.track(*call.kept.values())
            kept.append(call)
        self.step.tracker.note()
        return y

    def run_again(self, segment: Segment) -> list[Call]:
        """Run the operations of a segment once more, keeping what is needed, and return the calls."""
        self.phase, calls = "recomputed_forward", list[Call]()
        left = Counter(x for op in segment.done for x in op.inputs)
        values, segment.read = segment.read, {}
        for op in segment.done:
            values[op.output] = self.run_and_keep(op, [values[x] for x in op.inputs], calls)
            left.subtract(op.inputs)
            for tensor in (*op.inputs, op.output):
                if not left[tensor]:
                    values.pop(tensor, None)
        return calls


def backpropagation(step: Step) -> None:
    """Run the model, then differentiate its operations in reverse."""
    run = Kept(step)
    step.build(run)
    gradients: dict[Tensor, Array] = {}
    while run.kept:
        last = run.kept.pop()
        calls = run.run_again(last) if isinstance(last, Segment) else [last]
        del last
        while calls:
            _differentiate(run, calls.pop(), gradients)
    step.finish()


def _differentiate(run: Kept, call: Call, gradients: dict[Tensor, Array]) -> None:
    """Make the gradients of a call's inputs and weights, let go what they were made of, and add those that meet."""
    step, op = run.step, call.op
    dy = gradients.pop(op.output, None)  # none at the loss
    with step.tally.label(layer_of(op), op.name, "backward"):
        found = kernel_of(op).backward(call, dy) if op.gradients else ()
    made = [(x, gradient) for x, gradient in zip(op.inputs, found, strict=False) if x.has_gradient]  # tokens have none
    step.tracker.track(*(gradient for _, gradient in made), call.passing)
    met = step.gradients.get(str(op.weight))  # the gradient so far, beside which its sum with this one is made
    if op.is_trained:
        step.update(call, dy)
    step.tracker.note()
    del dy, found, met
    call.inputs, call.kept, call.passing = (), {}, None
    while made:
        tensor, gradient = made.pop(0)
        if tensor in gradients:
            with step.tally.label(*run.gradient_label(tensor), "backward"):
                total = gradients[tensor] + gradient
            step.tracker.track(total)
            step.tracker.note()
            gradient = total
        gradients[tensor] = gradient
        total = gradient = None
