"""What a kernel is: the three functions of a kind, and what one call has at hand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from tcost.execution.numbers import Array, einsum
from tcost.tracing import Band, Op, Tensor


@dataclass
class Call:
    """One operation at work: its inputs, its weights, what it was told and what it keeps for its gradients.

    `chosen` has, for each row, the row of a table that it takes, the word that is right or the experts
    that it goes through. Of a tensor with a band, the last two axes are one, of its pairs. What a backward makes
    beside the gradients that it gives is `passing`. A loss is the mean of `rows`, of which a call may have some.
    """

    op: Op
    inputs: tuple[Array, ...]
    weights: tuple[Array, ...]
    zeros: Callable[[tuple[int, ...]], Array]
    chosen: Any = None
    rows: int = 0
    kept: dict[str, Array] = field(default_factory=dict)
    passing: Array = None

    def zeros_like_input(self, place: int = 0) -> Array:
        """Return zeros in the shape of an input, which need not be at hand any more."""
        return self.zeros(shape_of(self.op.inputs[place]))


Forward: TypeAlias = Callable[[Call], Array]
Backward: TypeAlias = Callable[[Call, Array], tuple[Array, ...]]
Needs: TypeAlias = Callable[[Op], tuple[bool, ...]]
Update: TypeAlias = Callable[[Call, Array, tuple[Array, ...]], tuple[Array, ...]]


def no_gradient(_call: Call, _dy: Array) -> tuple[Array, ...]:
    """Inputs have no gradient."""
    return ()


def no_update(_call: Call, _dy: Array, start: tuple[Array, ...]) -> tuple[Array, ...]:
    """Nothing is learned."""
    return start


def same_gradient(call: Call, dy: Array) -> tuple[Array, ...]:
    """Every input has the gradient of the output."""
    return (dy,) * len(call.op.inputs)


def no_input(op: Op) -> tuple[bool, ...]:
    """Tell that the gradients need none of the inputs."""
    return (False,) * len(op.inputs)


def every_input(op: Op) -> tuple[bool, ...]:
    """Tell that they need them all."""
    return (True,) * len(op.inputs)


def input_of_weight(op: Op) -> tuple[bool, ...]:
    """Tell that the gradient of a weight that is trained needs the input."""
    return (op.is_trained,)


def other_input(op: Op) -> tuple[bool, ...]:
    """Tell that the gradient of each of two inputs needs the other one."""
    a, b = op.inputs
    return b.has_gradient, a.has_gradient


@dataclass(frozen=True)
class Kernel:
    """The three functions of a kind; an update adds to the gradients that its weights have so far.

    `needs` says which inputs are at hand in the backward and the update, beside what the forward has kept.
    """

    forward: Forward
    backward: Backward = same_gradient
    update: Update = no_update
    needs: Needs = no_input


def row_dot(a: Array, b: Array, call: Call) -> Array:
    """Return the sum of products of each row."""
    axes = tuple(str(axis) for axis in range(a.ndim))
    total = einsum((a, axes), (b, axes), (call.zeros(a.shape[:-1]), axes[:-1]))
    return total[..., None]


def pairs_of(band: Band) -> list[tuple[int, int]]:
    """Return the pairs of a band, row by row."""
    return [(q, k) for q in range(band.rows) for k in range(max(0, q - band.window + 1), q + 1)]


def shape_of(tensor: Tensor) -> tuple[int, ...]:
    """Return the shape of a tensor's values."""
    return (*tensor.shape[:-2], tensor.band.pairs) if tensor.band else tensor.shape


def distances(tensor: Tensor) -> Any:
    """Return the distance of key and query for every point of the last two axes of scores."""
    if tensor.band:
        return np.array([q - k for q, k in pairs_of(tensor.band)])
    rows, keys = tensor.shape[-2:]
    return np.abs(np.arange(rows)[:, None] - np.arange(keys))
