"""What an executed training step uses and makes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from tcost.errors import part_of
from tcost.execution.kernels import Call, kernel_of
from tcost.execution.numbers import Array, Tally
from tcost.execution.optimizing import UPDATES
from tcost.execution.plan import Plan, layer_of
from tcost.execution.tracking import Tracker
from tcost.kinds import DIFFERENCE
from tcost.learning_rules import FIXED_MATRICES
from tcost.models import Model
from tcost.optimizers import OPTIMIZERS
from tcost.settings import Settings
from tcost.tracing import Op, Trace

Parameters: TypeAlias = dict[str, tuple[Array, ...]]
"""The weights of every operation that learns, under the name of the weight; LayerNorm has two."""

BuildModel: TypeAlias = Callable[[Trace], Model]

GAINS = ("layer_norm_without_bias", "rms_norm")
"""Norms whose one weight is a gain."""


def shape_of_gains(op: Op) -> tuple[int, ...]:
    """Return the shape of a norm's gain: that of a row, or of one row for each head."""
    return (*op.output.shape[:-2], 1, op.columns) if "gains" in op.einsum.sizes else (op.columns,)


@dataclass
class Step:
    """What a training step uses and makes: its numbers, the model, its data, and the gradient of every weight.

    `data` has the tokens of each stack and PEPITA's fixed random matrices, by the name of the trace's input.
    Weights are drawn when they are first used. `gradients` are what an update subtracts: those of the
    loss under backpropagation, those of PEPITA's rule under the others. An optimizer's `state` begins at zero.
    """

    build: BuildModel
    data: dict[str, Array]
    targets: Sequence[int]
    tally: Tally = field(default_factory=Tally)
    seed: int = 0
    settings: Settings = Settings()
    parameters: Parameters = field(default_factory=dict)
    owners: dict[str, tuple[str, str]] = field(default_factory=dict)
    gradients: Parameters = field(default_factory=dict)
    state: dict[str, list[tuple[Array, ...]]] = field(default_factory=dict)
    tracker: Tracker = field(default_factory=Tracker)
    loss: float = 0.0

    def __post_init__(self) -> None:
        """Look ahead: run the model on shapes alone."""
        self.plan = Plan.of(self.build, self.settings)

    @property
    def peak(self) -> int:
        """The elements that were alive at once at the most: what was tracked, the weights, and what is fixed."""
        weights = [array for arrays in self.parameters.values() for array in arrays]
        state = [array for each in self.state.values() for arrays in each for array in arrays]
        fixed = [array for name, array in self.data.items() if name.startswith(FIXED_MATRICES)]
        return self.tracker.peak + sum(int(array.size) for array in (*weights, *state, *fixed))

    def weights(self, op: Op) -> tuple[Array, ...]:
        """Return the weights of an operation, drawn around one for a gain and around zero else."""
        if not op.weight:
            return ()
        if op.weight not in self.parameters:
            draw = np.random.default_rng([self.seed, len(self.parameters)]).normal
            if op.kind == "layer_norm":
                drawn: list[Any] = [draw(1, 0.5, shape_of_gains(op)), draw(0, 0.5, shape_of_gains(op))]
            elif op.kind in GAINS:
                drawn = [draw(1, 0.5, shape_of_gains(op))]
            else:
                drawn = [draw(0, 0.5, tuple(op.einsum.sizes[axis] for axis in op.einsum.weight))]
            self.parameters[op.weight] = tuple(map(self.tally.array, drawn))
            self.owners[op.weight] = (layer_of(op), op.name)
        if op.is_trained and op.weight not in self.state:
            numbers = range(OPTIMIZERS[self.settings.optimizer].state)
            self.state[op.weight] = [
                tuple(self.tally.zeros(w.shape) for w in self.parameters[op.weight]) for _ in numbers
            ]
        return self.parameters[op.weight]

    def update(self, call: Call, dy: Array) -> None:
        """Add to the gradients of the weights of a call."""
        name = str(call.op.weight)
        with self.tally.label(layer_of(call.op), call.op.name, "weight_update"):
            start = self.gradients.get(name) or tuple(self.tally.zeros(w.shape) for w in call.weights)
            self.gradients[name] = kernel_of(call.op).update(call, dy, start)
        self.tracker.track(*self.gradients[name])

    def update_from_difference(self, call: Call, y: Array, other: Array) -> None:
        """Add PEPITA's update: the difference of two outputs in the place of the gradient of the modulated one.

        Where an optimizer ends the step, an update that is whole is applied at once.
        """
        with self.tally.label(layer_of(call.op), f"{call.op.name}{DIFFERENCE}", "weight_update"):
            difference = y - other
        self.tracker.track(difference)
        self.update(call, difference)
        self.tracker.note()
        name = str(call.op.weight)
        self.plan.updates_left[name] -= 1
        if self.settings.optimizer != "none" and not self.plan.updates_left[name]:
            self.optimize(name)
            del self.gradients[name]

    def optimize(self, name: str) -> None:
        """Replace the parameters of one weight by those after the optimizer's first step."""
        each = zip(self.parameters[name], self.gradients[name], *self.state[name], strict=True)
        optimizer = self.settings.optimizer
        update = part_of(UPDATES, "optimizer", optimizer, "executed step", "UPDATES of execution/optimizing.py")
        with self.tally.label(*self.owners[name], "optimizer_step"):
            updated = [update(*arrays) for arrays in each]
        self.parameters[name], *self.state[name] = zip(*updated, strict=True)

    def finish(self) -> None:
        """End the step with what the optimizer does to the weights whose gradients are still held."""
        if self.settings.optimizer != "none":
            for name in [name for name in self.parameters if name in self.gradients]:  # the others are frozen
                self.optimize(name)
