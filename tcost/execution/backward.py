"""Backpropagation, executed."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tcost.execution.execution import Execution
from tcost.execution.kernels import Call, kernel_of
from tcost.execution.numbers import Array
from tcost.execution.plan import layer_of
from tcost.execution.step import Step
from tcost.loss import loss_of
from tcost.tracing import Op, Tensor


class Segment:
    """Operations whose calls are not kept: what they read from outside, with which they can run again.

    One that has `chunks` runs in so many, each of some `rows` of the loss, forward and again.
    """

    def __init__(self, ops: range, rows: slice, chunks: int = 0) -> None:
        """Start with nothing read."""
        self.ops, self.rows, self.chunks = ops, rows, chunks
        self.read: dict[Tensor, Array] = {}
        self.done: list[Op] = []

    def chunk(self, number: int) -> "tuple[Segment, dict[Tensor, Tensor]]":
        """Return a chunk, of tensors of fewer rows, and which tensor each of these is a part of."""
        size = (self.rows.stop - self.rows.start) // self.chunks
        part = Segment(self.ops, slice(number * size, (number + 1) * size))
        parts = {x: replace(x, shape=(size, *x.shape[1:])) for op in self.done for x in (*op.inputs, op.output)}
        part.read = {parts[x]: value[part.rows] for x, value in self.read.items()}
        part.done = [
            replace(op, inputs=tuple(parts[x] for x in op.inputs), output=parts[op.output]) for op in self.done
        ]
        return part, {own: whole for whole, own in parts.items()}


class Kept(Execution):
    """A forward pass that keeps, of each call, what its gradients need; its caller holds what it gives."""

    def __init__(self, step: Step) -> None:
        """Prepare the pass."""
        super().__init__(step, readers=step.plan.readers)
        self.loss = loss_of(step.settings.loss)
        self.segments = [Segment(ops, self.rows) for ops in step.plan.segments]
        if self.loss.is_chunked:
            self.segments[-1].chunks = self.loss.chunks
        self.kept: list[Call | Segment] = []
        self.given: list[Array] = []
        self.gradients: dict[Tensor, Array] = {}
        self.wholes: dict[Tensor, Tensor] = {}
        """What the tensors of the chunk that is at work are parts of."""

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
            if op.kind == "cross_entropy" and self.loss.is_fused:
                return self._make_gradient(op, inputs)
            kept: list[Call] = []
            y = self.run_and_keep(op, inputs, kept)
            self.kept += kept
            return y
        if number == segment.ops.start:
            self.kept.append(segment)
        own = {done.output for done in segment.done}
        segment.read |= {x: value for x, value in zip(op.inputs, inputs, strict=True) if x not in own}
        segment.done.append(op)
        if not segment.chunks:
            return super().run(op, inputs)
        if number == segment.ops[-1]:
            for chunk in range(segment.chunks):
                self._run_all(segment.chunk(chunk)[0], super().run)
        return None

    def _make_gradient(self, op: Op, inputs: Sequence[Array]) -> None:
        """Make the loss and the gradient of the logits, row by row, which takes their place."""
        (logits,) = inputs
        loss = Segment(range(0), self.rows, chunks=len(logits))
        loss.done = [op]
        for number in range(len(logits)):
            row, _ = loss.chunk(number)
            self.rows = row.rows
            call, _ = self.forward(row.done[0], [logits[row.rows]])
            with self.step.tally.label(layer_of(op), op.name, "backward"):
                (logits[row.rows],) = kernel_of(op).backward(call, None)
        self.step.tracker.note()
        self.gradients[op.inputs[0]] = logits

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
        self._run_all(segment, lambda op, inputs: self.run_and_keep(op, inputs, calls))
        return calls

    def _run_all(self, segment: Segment, run: Callable[[Op, Sequence[Array]], Array]) -> None:
        """Run the operations of a segment, forgetting each value when nothing in it reads it any more."""
        self.rows = segment.rows
        left = Counter(x for op in segment.done for x in op.inputs)
        values, segment.read = segment.read, {}
        for op in segment.done:
            values[op.output] = run(op, [values[x] for x in op.inputs])
            left.subtract(op.inputs)
            for tensor in (*op.inputs, op.output):
                if not left[tensor]:
                    values.pop(tensor, None)

    def gradient_label(self, tensor: Tensor) -> tuple[str, str]:
        """Return what gradients are filed under that meet at a tensor, or at a chunk of one."""
        return super().gradient_label(self.wholes.get(tensor, tensor))


def backpropagation(step: Step) -> None:
    """Run the model, then differentiate its operations in reverse."""
    run = Kept(step)
    step.build(run)
    gradients = run.gradients
    while run.kept:
        last = run.kept.pop()
        if isinstance(last, Call):
            _differentiate(run, last, gradients)
        elif last.chunks:
            _differentiate_chunks(run, last, gradients)
        else:
            _differentiate_all(run, last, gradients)
    step.finish()


def _differentiate_all(run: Kept, segment: Segment, gradients: dict[Tensor, Array]) -> None:
    """Run a segment once more, and differentiate its operations in reverse."""
    calls = run.run_again(segment)
    while calls:
        _differentiate(run, calls.pop(), gradients)


def _differentiate_chunks(run: Kept, segment: Segment, gradients: dict[Tensor, Array]) -> None:
    """Differentiate a segment chunk by chunk, from the last one to the first, and join the gradients of their rows."""
    found: dict[Tensor, list[Array]] = {}
    for number in reversed(range(segment.chunks)):
        chunk, run.wholes = segment.chunk(number)
        if not number:
            segment.read = {}
        _differentiate_all(run, chunk, gradients)
        for part, whole in run.wholes.items():
            if part in gradients:
                found.setdefault(whole, []).insert(0, gradients.pop(part))
    for whole, parts in found.items():
        gradients[whole] = np.concatenate(parts)
        run.step.tracker.track(gradients[whole])
        run.step.tracker.note()
        parts.clear()


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
