"""Kinds of operation: the scalar operations of each in every phase, and its learned parameters.

The counts are those that an efficient implementation executes. One MACC is one product accumulated
into a sum of products; a sum of n terms starts from zero and takes n steps; copies, transposes and
look-ups are free. The backward of an einsum has one einsum over the same index space per operand
that is an activation, its weight update one per weight; element-wise and row-wise kinds state their
vector-Jacobian product. A convention may price a kind otherwise and says so (`conventions.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal, TypeAlias

from tcost.errors import unknown
from tcost.sizes import Size
from tcost.tracing import Op

Phase: TypeAlias = Literal["forward", "backward", "weight_update", "error_projection", "optimizer_step"]
PHASES: tuple[Phase, ...] = ("forward", "backward", "weight_update", "error_projection", "optimizer_step")

MODEL_PHASES = PHASES[:3]
"""The phases in which a model's own operations run."""

Scalars: TypeAlias = Mapping[str, Size]
"""A number of each scalar operation: `{"macc": 8, "add": 2}`."""

DIFFERENCE = "_difference"
"""What the name of an operation ends in where it takes the difference of another one's two outputs."""

Count: TypeAlias = Callable[[Op], Scalars]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What one kind of operation costs: gradients of activations are `backward`, of weights `weight_update`.

    `parameters` is asked of operations that learn.
    """

    forward: Count
    backward: Count
    weight_update: Count
    parameters: Callable[[Op], Size] = attrgetter("weight_elements")
    is_einsum: bool = False

    def count(self, op: Op, phase: Phase) -> Scalars:
        """Return the scalar operations of one run of a phase; an error projection runs its operations forward.

        Nothing runs backward where no gradient is needed, and what is frozen is not updated.
        """
        if not runs(op, phase):
            return {}
        counts = {"forward": self.forward, "backward": self.backward, "weight_update": self.weight_update}
        return counts.get(phase, self.forward)(op)


def runs(op: Op, phase: Phase) -> bool:
    """Tell whether an operation has anything to do in a phase: a gradient that is needed, a weight that is trained."""
    if phase == "backward":
        return op.gradients > 0
    return op.is_trained or phase != "weight_update"


def kind_of(op: Op) -> Kind:
    """Return the kind of an operation, or raise InputError with the kinds that there are."""
    if op.kind not in KINDS:
        raise unknown("kind of operation", op.kind, KINDS)
    return KINDS[op.kind]


def free(_op: Op) -> Scalars:
    """Nothing is executed."""
    return {}


def einsums(number: int) -> Count:
    """So many einsums over the operation's index space."""
    return lambda op: {"macc": number * op.index_space}


def einsums_per_gradient(op: Op) -> Scalars:
    """One einsum over the operation's index space for each input that backward reaches."""
    return {"macc": op.gradients * op.index_space}


def per_gradient(**each: int) -> Count:
    """The given scalar operations for every element of the output and each input that backward reaches."""
    return lambda op: {name: number * op.gradients * op.elements for name, number in each.items()}


def per_element(**each: int) -> Count:
    """The given scalar operations for every element of the output."""
    return lambda op: {name: number * op.elements for name, number in each.items()}


def per_row(**each: int) -> Count:
    """The given scalar operations for every row of the output."""
    return lambda op: {name: number * op.rows for name, number in each.items()}


def both(first: Count, second: Count) -> Count:
    """The sum of two counts."""

    def count(op: Op) -> Scalars:
        a, b = first(op), second(op)
        return {name: a.get(name, 0) + b.get(name, 0) for name in {**a, **b}}

    return count


def _per_rotated(op: Op) -> Scalars:
    rotated = op.rows * op.einsum.sizes["rotated"]
    return {"mul": 2 * rotated, "add": rotated}


def _choices(op: Op) -> Scalars:
    return {"cmp": op.elements * op.einsum.sizes["from"]}


def _combine_backward(op: Op) -> Scalars:
    weights, rows = op.inputs
    return {"macc": op.index_space * int(weights.has_gradient), "mul": op.index_space * int(rows.has_gradient)}


def _shared_gradient(op: Op) -> Scalars:
    _, shared = op.inputs
    return {"add": op.rows * shared.shape[-1] * int(shared.has_gradient)}


KINDS: Mapping[str, Kind] = {
    # y = x W: the gradients are dx = dy W' and dW = x' dy, each over the index space of y.
    "linear": Kind(
        forward=einsums(1),
        backward=einsums(1),
        weight_update=einsums(1),
        is_einsum=True,
    ),
    # y = a b: both are activations, so both gradients are backward.
    "contract": Kind(
        forward=einsums(1),
        backward=einsums_per_gradient,
        weight_update=free,
        is_einsum=True,
    ),
    # y = x W_e for each expert e that a token chose: as linear, over the choices.
    "expert_linear": Kind(
        forward=einsums(1),
        backward=einsums(1),
        weight_update=einsums(1),
        is_einsum=True,
    ),
    # As linear, over the windows of rows; products with the zeros beside the ends are executed.
    "convolution": Kind(
        forward=einsums(1),
        backward=einsums(1),
        weight_update=einsums(1),
        is_einsum=True,
    ),
    # A look-up executes nothing; its gradient is scattered into the table, one addition per element.
    "embedding": Kind(
        forward=free,
        backward=free,
        weight_update=per_element(add=1),
    ),
    # A look-up per pair of rows; gradients are scattered into the table.
    "relative_bias": Kind(forward=free, backward=free, weight_update=per_element(add=1)),
    # The bias gradient is the sum of the gradient's rows.
    "bias": Kind(
        forward=per_element(add=1),
        backward=free,
        weight_update=per_element(add=1),
    ),
    # One row of a learned table per row; its gradient is scattered back, one addition per element.
    "added_table": Kind(
        forward=per_element(add=1),
        backward=free,
        weight_update=per_element(add=1),
    ),
    "added_constant": Kind(forward=per_element(add=1), backward=free, weight_update=free),
    # A slope per head times the distance of two rows, Press et al. 2022, arXiv 2108.12409, section 3.
    "alibi": Kind(forward=per_element(add=1), backward=free, weight_update=free),
    # The gradient passes to both sides unchanged.
    "add": Kind(forward=per_element(add=1), backward=free, weight_update=free),
    "scale": Kind(forward=per_element(mul=1), backward=per_element(mul=1), weight_update=free),
    # Row maximum, difference, exponential, row sum, quotient; dx = y (dy - sum(y dy)).
    "softmax": Kind(
        forward=per_element(cmp=1, add=2, exp=1, div=1), backward=per_element(macc=1, add=1, mul=1), weight_update=free
    ),
    # The softmax, then -log of one element per row, summed; dx = (y - target) / rows.
    "cross_entropy": Kind(
        forward=both(per_element(cmp=1, add=2, exp=1, div=1), per_row(log=1, add=1)),
        backward=both(per_element(mul=1), per_row(add=1)),
        weight_update=free,
    ),
    # Sum, difference, variance, normalise, gain, bias; per row two means, epsilon, root and its inverse.
    "layer_norm": Kind(
        forward=both(per_element(macc=1, mul=2, add=3), per_row(div=3, add=1, sqrt=1)),
        backward=both(per_element(macc=1, mul=3, add=3), per_row(div=2)),
        weight_update=per_element(macc=1, add=1),
        parameters=lambda op: 2 * op.columns,
    ),
    # The same without a bias.
    "layer_norm_without_bias": Kind(
        forward=both(per_element(macc=1, mul=2, add=2), per_row(div=3, add=1, sqrt=1)),
        backward=both(per_element(macc=1, mul=3, add=3), per_row(div=2)),
        weight_update=per_element(macc=1),
        parameters=attrgetter("columns"),
    ),
    # Zhang & Sennrich 2019, section 4: x / sqrt(mean(x²) + epsilon) times a gain.
    "rms_norm": Kind(
        forward=both(per_element(macc=1, mul=2), per_row(div=2, add=1, sqrt=1)),
        backward=both(per_element(macc=1, mul=3, add=1), per_row(div=1)),
        weight_update=per_element(macc=1),
        parameters=attrgetter("columns"),
    ),
    # x Phi(x), Hendrycks & Gimpel 2016, section 2; Phi(x) = 0.5 (1 + erf(c x)) is kept, dx = dy (Phi(x) + x phi(x)).
    "gelu": Kind(
        forward=per_element(mul=3, add=1, erf=1), backward=per_element(mul=5, add=1, exp=1), weight_update=free
    ),
    "relu": Kind(forward=per_element(cmp=1), backward=per_element(mul=1), weight_update=free),
    # max(x, 0)², So et al. 2021, arXiv 2109.08668, section 4.
    "relu2": Kind(forward=per_element(cmp=1, mul=1), backward=per_element(mul=2), weight_update=free),
    # x s(x) with s(x) = 1 / (1 + exp(-x)) kept: dx = dy (s + y (1 - s)).
    "silu": Kind(
        forward=per_element(mul=2, add=1, div=1, exp=1), backward=per_element(mul=2, add=2), weight_update=free
    ),
    # x s(1.702 x): dx = dy (s + 1.702 y (1 - s)).
    "quick_gelu": Kind(
        forward=per_element(mul=2, add=1, div=1, exp=1), backward=per_element(mul=3, add=2), weight_update=free
    ),
    # dx = dy y (1 - y).
    "sigmoid": Kind(
        forward=per_element(mul=1, add=1, div=1, exp=1), backward=per_element(mul=2, add=1), weight_update=free
    ),
    # dx = dy (1 - y²).
    "tanh": Kind(forward=per_element(tanh=1), backward=per_element(mul=2, add=1), weight_update=free),
    # c tanh(x / c): dx = dy (1 - t²).
    "soft_cap": Kind(forward=per_element(mul=2, tanh=1), backward=per_element(mul=2, add=1), weight_update=free),
    # A product of two activations: each one's gradient is a product with the other.
    "multiply": Kind(forward=per_element(mul=1), backward=per_gradient(mul=1), weight_update=free),
    # x cos + (x turned) sin, Su et al. 2021, section 3.4.2; the gradient is turned back. Signs are in the sine.
    "rotary": Kind(forward=_per_rotated, backward=_per_rotated, weight_update=free),
    # The largest k of n, one after the other; the gradient goes back to where they were.
    "top_k": Kind(forward=_choices, backward=free, weight_update=free),
    # y = x / sum(x): dx = (dy - sum(dy y)) / sum(x).
    "normalised_sum": Kind(
        forward=per_element(add=1, div=1), backward=per_element(macc=1, add=1, div=1), weight_update=free
    ),
    # A sum of rows, each with its weight: the weights' gradients are sums of products, the rows' products.
    "combine": Kind(forward=einsums(1), backward=_combine_backward, weight_update=free),
    # A copy; what all heads share adds up their gradients.
    "join": Kind(forward=free, backward=_shared_gradient, weight_update=free),
    "split_heads": Kind(forward=free, backward=free, weight_update=free),
    "first_row": Kind(forward=free, backward=free, weight_update=free),
    # A learned row set before the others; its gradient is added up over the sequences.
    "prepended_row": Kind(forward=free, backward=free, weight_update=lambda op: {"add": op.columns}),
    # 0.5 x (1 + tanh(c (x + a x^3))), Hendrycks & Gimpel 2016, section 2.
    "gelu_tanh": Kind(
        forward=per_element(mul=5, add=2, tanh=1), backward=per_element(mul=8, add=4), weight_update=free
    ),
    # Gradients that meet at a tensor: one addition per element for each but the first.
    "gradient_sum": Kind(forward=free, backward=per_element(add=1), weight_update=free),
    # y - target, of which one element per row is not zero.
    "output_error": Kind(forward=per_row(add=1), backward=free, weight_update=free),
    # What PEPITA's weight update takes for the gradient: an output of the first pass less that of the modulated one.
    "difference": Kind(forward=free, backward=free, weight_update=per_element(add=1)),
}
