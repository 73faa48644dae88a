"""Tensors that are only shapes, the operations that made them, and the axes of an einsum."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from tcost.exact import Size, exact_div, minimum, same

if TYPE_CHECKING:
    from tcost.tracing.trace import Trace

Axes: TypeAlias = tuple[str, ...]

PAIR = ("q", "k")
"""The axes that a band restricts, by the names that patterns give them."""


class AxisError(ValueError):
    """A pattern or a shape that does not fit the tensors it was given."""


@dataclass(frozen=True, eq=False, slots=True)
class Band:
    """The pairs of a query row and a key row that a causal kernel computes, of `rows` rows each.

    A query sees itself and the keys before it, `window` in all at most.
    """

    rows: Size
    window: Size

    @property
    def pairs(self) -> Size:
        """The number of pairs: the sum of min(i, w) over the rows i = 1 to M, w·M - w(w-1)/2 with w at most M."""
        w = minimum(self.window, self.rows)
        return w * self.rows - exact_div(w * (w - 1), 2)

    @property
    def squares(self) -> Size:
        """The sum of min(i, w)² over the rows: w(w+1)(2w+1)/6 of the first w, then w² for each."""
        w = minimum(self.window, self.rows)
        return exact_div(w * (w + 1) * (2 * w + 1), 6) + (self.rows - w) * w * w


@dataclass(frozen=True, eq=False, slots=True)
class Tensor:
    """A tensor of which only the shape is known; layers are functions of these.

    `copies` is how many of it the model has, `depth` how many repetitions it was made in;
    `has_gradient` tells whether backward reaches it. Of the last two axes of a tensor with a `band`
    there are only the pairs in the band. One that `is_fused` exists inside a kernel alone, and takes no memory.
    """

    shape: tuple[Size, ...]
    trace: "Trace"
    copies: Size = 1
    depth: int = 0
    has_gradient: bool = False
    band: Band | None = None
    is_fused: bool = False

    def __add__(self, other: "Tensor") -> "Tensor":
        """Record the residual addition of two tensors of one shape."""
        return self.trace.add("residual", self, other)

    @property
    def elements(self) -> Size:
        """The number of elements."""
        return prod(self.shape[:-2]) * self.band.pairs if self.band else prod(self.shape)


@dataclass(frozen=True, eq=False, slots=True)
class Einsum:
    """The axes of each operand and of the output, in the order of the pattern, and the size of every axis.

    `weight` has the axes of a learned weight, in alphabetical order. An axis of the weight alone is
    chosen by the data, not summed over; `band` restricts the axes `q` and `k` to its pairs.
    """

    operands: tuple[Axes, ...] = ()
    output: Axes = ()
    sizes: Mapping[str, Size] = field(default_factory=dict)
    weight: Axes = ()
    band: Band | None = None

    @property
    def index_space(self) -> Size:
        """The number of points of the index space: one MACC each."""
        axes = {*self.output, *(axis for operand in self.operands for axis in operand)}
        if self.band:
            return prod(self.sizes[axis] for axis in axes.difference(PAIR)) * self.band.pairs
        return prod(self.sizes[axis] for axis in axes)


NO_AXES = Einsum()


@dataclass(frozen=True, eq=False, slots=True)
class Op:
    """One operation of the forward pass, in the layer that called it.

    `repeats` is how many copies of it the model has; `einsum` is empty for row-wise operations;
    `weight` names what it learns, and operations that share a weight share its name. Copies share
    weights where `weight_copies` are fewer. A weight that is not `is_trained` is frozen.
    """

    layer: str
    name: str
    kind: str
    inputs: tuple[Tensor, ...]
    output: Tensor
    repeats: Size
    einsum: Einsum = NO_AXES
    weight: str | None = None
    weight_copies: Size = 1
    is_trained: bool = False

    @property
    def gradients(self) -> int:
        """The number of inputs that backward reaches."""
        return sum(x.has_gradient for x in self.inputs)

    @property
    def has_gradients(self) -> bool:
        """Whether it does anything in the backward: passes a gradient on, or learns."""
        return self.is_trained or self.gradients > 0

    @property
    def elements(self) -> Size:
        """The number of elements of the output."""
        return self.output.elements

    @property
    def rows(self) -> Size:
        """The number of rows of the output: all its axes but the last."""
        return prod(self.output.shape[:-1])

    @property
    def columns(self) -> Size:
        """The length of a row of the output."""
        return self.output.shape[-1]

    @property
    def row_squares(self) -> Size:
        """The sum over the rows of the squared length of a row."""
        band = self.output.band
        return prod(self.output.shape[:-2]) * band.squares if band else self.elements * self.columns

    @property
    def index_space(self) -> Size:
        """The number of points of an einsum's index space: one MACC each."""
        return self.einsum.index_space

    @property
    def weight_elements(self) -> Size:
        """The number of elements of an einsum's learned weight."""
        return prod(self.einsum.sizes[axis] for axis in self.einsum.weight)

    def active(self, parameters: Size) -> Size:
        """Return how many of the parameters one token uses: those of the experts that it chooses, where it does."""
        sizes = self.einsum.sizes
        if "expert" not in self.einsum.weight or "choice" not in sizes:
            return parameters
        return exact_div(parameters * sizes["choice"], sizes["expert"])


def same_shape(a: Tensor, b: Tensor) -> bool:
    """Tell whether two tensors have equal shapes."""
    return len(a.shape) == len(b.shape) and all(map(same, a.shape, b.shape))
