"""A trace that computes: the layers that are priced, run on numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tcost.execution.kernels import Call, kernel_of
from tcost.execution.kernels.base import distances
from tcost.execution.numbers import Array
from tcost.execution.plan import Unrolled, layer_of
from tcost.execution.step import Step
from tcost.tracing import COPY, Band, Op, Tensor


class Execution(Unrolled):
    """A trace that computes: its tensors have values, its operations run when they are called.

    It remembers every value and every call. One that is told how many `readers` each tensor has forgets a
    value when the last of them has run, and remembers no call by itself.
    """

    def __init__(self, step: Step, phase: str = "forward", readers: dict[int, int] | None = None) -> None:
        """Prepare to run operations in one phase of a step."""
        super().__init__()
        self.step, self.phase = step, phase
        self.values: dict[Tensor, Array] = {}
        self.choices: dict[tuple[int, str], Sequence[Sequence[int]]] = {}
        self.lane = 0
        self.rows = slice(0, len(step.targets))
        """Those of the loss that are at work."""
        self.calls: list[Call] = []
        self._left = None if readers is None else dict(readers)

    def input(self, name: str, *shape: int, band: Band | None = None) -> Tensor:
        """Return a tensor with the values that the step's data has under that name."""
        tensor = super().input(name, *shape, band=band)
        self.values[tensor] = self.step.data[name]
        return tensor

    def record(self, kind: str, name: str, inputs: tuple[Tensor, ...], shape: tuple[int, ...], **more: Any) -> Tensor:
        """Run an operation and return its output."""
        output = super().record(kind, name, inputs, shape, **more)
        self.values[output] = self.run(self.ops[-1], [self.values[x] for x in inputs])
        if self._left is not None:
            for tensor in inputs:
                self._left[self.numbers[tensor]] -= 1
            for tensor in (*inputs, output):
                if not self._left.get(self.numbers[tensor]):
                    self.values.pop(tensor, None)
        return output

    def run(self, op: Op, inputs: Sequence[Array]) -> Array:
        """Return the output of an operation, and remember the call."""
        call, y = self.forward(op, inputs)
        if self._left is None:
            self.calls.append(call)
        self.step.tracker.track(y)
        self.step.tracker.note()
        return y

    def forward(self, op: Op, inputs: Sequence[Array]) -> tuple[Call, Array]:
        """Execute an operation forward."""
        step = self.step
        call = Call(op, tuple(inputs), step.weights(op), step.tally.zeros, self._chosen(op, inputs), len(step.targets))
        with step.tally.label(layer_of(op), op.name, self.phase):
            y = kernel_of(op).forward(call)
        if op.kind == "top_k":
            self.choices[self.lane, op.layer] = call.chosen
        if op.kind == "cross_entropy" and self.phase == "forward":
            of_rows_before = step.loss if self.rows.start else 0.0
            step.loss = of_rows_before - float(call.kept["minus_loss"].value) / len(step.targets)
        if op.kind == "end":
            step.loss = sum(number.value for number in y.flat)
        return call, y

    def _chosen(self, op: Op, inputs: Sequence[Array]) -> Sequence[Any]:
        """Return the row of a table, the word of the vocabulary or the experts that go with each row."""
        if op.kind == "embedding":
            return list(inputs[0])
        if op.kind == "added_table":
            return range(op.output.shape[0]) if op.name == "position" else [0] * op.output.shape[0]
        if op.kind == "relative_bias":
            return list(np.minimum(distances(op.output), op.einsum.sizes["bucket"] - 1))
        if op.kind in ("expert_linear", "expert_bias"):
            everyone = [range(op.einsum.sizes["expert"])] * op.output.shape[0]
            return self.choices.get((self.lane, op.layer), everyone)
        return self.step.targets[self.rows]

    def gradient_label(self, tensor: Tensor) -> tuple[str, str]:
        """Return the layer and the name that gradients which meet at a tensor are filed under."""
        uses = self._uses[tensor]
        return COPY.sub("", uses.layer), uses.gradient_sum
