"""One training step under each learning rule, executed: what is priced is what is run here.

Backpropagation differentiates each operation in reverse. PEPITA (Dellaferrera & Kreiman, ICML 2022)
runs the model twice, the second time with the projected error added to the embedding output, and
updates each operation that learns from the difference of its two outputs and its modulated input.
MEMPEPITA (Srinivasan et al., arXiv 2302.05440) makes the same update, but recomputes the first pass
beside the modulated one and forgets both as it goes.

Each holds on to what it needs and to nothing else: Python lets the rest go, and the tracker sees it.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tcost.execution.backward import backpropagation
from tcost.execution.execution import Execution
from tcost.execution.numbers import Array
from tcost.execution.plan import Unrolled, readers_of
from tcost.execution.step import Step
from tcost.learning_rules import project_error
from tcost.models import Model
from tcost.tracing import Op

__all__ = ["STEPS", "modulated_inputs"]


class FirstPass(Execution):
    """The pass without the error, which holds the embeddings, the probabilities and, if asked to, outputs."""

    def __init__(self, step: Step, *, stores: bool) -> None:
        """Prepare the pass; with `stores` it holds the outputs of operations that learn."""
        super().__init__(step, readers=step.plan.readers)
        self.stores = stores
        self.outputs: list[Array] = []
        self.embedded: list[Array] = []
        self.probabilities: Array = None

    def run(self, op: Op, inputs: Sequence[Array]) -> Array:
        """Run an operation, and hold its output where it is one of these."""
        y, number = super().run(op, inputs), len(self.ops) - 1
        if number in self.step.plan.embedded:
            self.embedded.append(y)
        if self.stores and op.is_trained and number not in self.step.plan.logits:
            self.outputs.append(y)
        if op.kind == "cross_entropy":
            self.probabilities = y
        return y


class Modulated(Execution):
    """PEPITA's second pass: the embeddings are modulated, and each operation that learns meets its first output.

    What gives the logits learns from the error itself: the probabilities of the first pass less the targets.
    """

    def __init__(self, step: Step, first: FirstPass, model: Model) -> None:
        """Prepare the pass, from what the first one holds, which is taken from it."""
        super().__init__(step, readers=step.plan.readers)
        self.modulated = modulated_inputs(step, model, first.probabilities, first.embedded)
        self.outputs = first.outputs
        self.logits_left = {number for number in step.plan.logits if first.ops[number].is_trained}
        self.probabilities: Array = first.probabilities if self.logits_left else None
        first.embedded, first.probabilities = [], None

    def run(self, op: Op, inputs: Sequence[Array]) -> Array:
        """Run an operation on the modulated pass and, where it learns, update from the difference."""
        call, y = self.forward(op, inputs)
        self.step.tracker.track(y, *(call.kept.values() if op.is_trained else ()))
        self.step.tracker.note()
        number = len(self.ops) - 1
        if number in self.step.plan.embedded:
            y = self.modulated.pop(0)
        if number in self.logits_left:
            targets = one_hot(self.step.targets, self.probabilities.shape)
            self.step.update_from_difference(call, self.probabilities, targets)
            self.logits_left.remove(number)
            if not self.logits_left:
                self.probabilities = None
        elif op.is_trained:
            self.step.update_from_difference(call, self.outputs.pop(0), y)
        return y


class SideBySide(Modulated):
    """MEMPEPITA's second and third pass: every tensor has its two values, and neither pass is stored."""

    def run(self, op: Op, inputs: Sequence[Array]) -> Array:
        """Run an operation on both passes and, where it learns, update from the difference."""
        first = [x[0] if isinstance(x, tuple) else x for x in inputs]
        second = [x[1] if isinstance(x, tuple) else x for x in inputs]
        self.lane = 0
        _, y = self.forward(op, first)
        self.step.tracker.track(y)
        self.outputs, self.lane = [y], 1
        return y, super().run(op, second)


def one_hot(targets: Sequence[int], shape: tuple[int, ...]) -> Array:
    """Return the targets as rows of zeros and a one."""
    rows = np.zeros(shape)
    rows[range(len(targets)), targets] = 1
    return rows.astype(object)


def modulated_inputs(step: Step, model: Model, probabilities: Array, embedded: Sequence[Array]) -> list[Array]:
    """Return every embedding output with the projected error of the first pass added to it."""
    ahead = Unrolled()
    project_error(model, ahead)
    given = {"probabilities": probabilities} | {f"embedded {stack}": x for stack, x in enumerate(embedded)}
    step.data |= given
    run = _Projection(step, ahead)
    project_error(model, run)
    for name in given:
        del step.data[name]
    return run.results


class _Projection(Execution):
    """The projection of the error, which holds its results: what no operation of it reads."""

    def __init__(self, step: Step, ahead: Unrolled) -> None:
        readers = readers_of(ahead)
        super().__init__(step, "error_projection", readers)
        self.readers = readers
        self.results: list[Array] = []

    def run(self, op: Op, inputs: Sequence[Array]) -> Array:
        """Run an operation, and hold its output where it is a result."""
        y = super().run(op, inputs)
        if not self.readers.get(self.numbers[op.output]):
            self.results.append(y)
        return y


def pepita(step: Step) -> None:
    """Run the model, then run it on modulated inputs and update from the differences to what was stored."""
    first = FirstPass(step, stores=True)
    model = step.build(first)
    step.build(Modulated(step, first, model))
    step.finish()


def mempepita(step: Step) -> None:
    """Run the model for its error alone, then run it twice side by side and update from the differences."""
    first = FirstPass(step, stores=False)
    model = step.build(first)
    step.build(SideBySide(step, first, model))
    step.finish()


STEPS: Mapping[str, Callable[[Step], None]] = {"bp": backpropagation, "pepita": pepita, "mempepita": mempepita}
"""The training step of every learning rule, executed."""
