"""Kinds of operation: the scalar operations of each in every phase, its learned parameters, and what it keeps.

The counts are those that an efficient implementation executes. One MACC is one product accumulated
into a sum of products; a sum of n terms starts from zero and takes n steps; copies, transposes and
look-ups are free. The backward of an einsum has one einsum over the same index space per operand
that is an activation, its weight update one per weight; element-wise and row-wise kinds state their
vector-Jacobian product. A convention may price a kind otherwise and says so (`conventions.py`).
What is kept for the gradients is what eager PyTorch keeps (`keeping.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Literal, TypeAlias

from tcost.errors import unknown
from tcost.kinds.counts import (
    Count,
    Scalars,
    both,
    choices,
    combine_backward,
    einsums,
    einsums_per_gradient,
    free,
    per_element,
    per_gradient,
    per_rotated,
    per_row,
    shared_gradient,
)
from tcost.kinds.keeping import (
    Keep,
    keeps,
    keeps_angles,
    keeps_factors,
    keeps_indices,
    keeps_input_of_weight,
    keeps_nothing,
    keeps_operands,
    keeps_probabilities,
    keeps_rows_of_experts,
    keeps_targets,
)
from tcost.sizes import Size
from tcost.tracing import Op

Phase: TypeAlias = Literal[
    "forward", "backward", "weight_update", "error_projection", "recomputed_forward", "optimizer_step"
]
PHASES: tuple[Phase, ...] = (
    *("forward", "backward", "weight_update", "error_projection", "recomputed_forward", "optimizer_step"),
)
"""Those that learning rules have, then those that options add."""

MODEL_PHASES = PHASES[:3]
"""The phases in which all of a model's own operations run."""

DIFFERENCE = "_difference"
"""What the name of an operation ends in where it takes the difference of another one's two outputs."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What one kind of operation costs: gradients of activations are `backward`, of weights `weight_update`.

    `parameters` is asked of operations that learn; `keeps` says what waits for the gradients. The output of
    a view is its input, seen otherwise. The gradient of the output, or a part of it, is that of the first
    inputs as it stands, of as many as `passes_gradient` says.
    """

    forward: Count
    backward: Count = free
    weight_update: Count = free
    keeps: Keep = keeps_nothing
    parameters: Callable[[Op], Size] = attrgetter("weight_elements")
    is_einsum: bool = False
    is_view: bool = False
    passes_gradient: int = 0

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


# y = x W: the gradients are dx = dy W' and dW = x' dy, each over the index space of y.
_LEARNED_EINSUM = Kind(
    forward=einsums(1), backward=einsums(1), weight_update=einsums(1), keeps=keeps_input_of_weight, is_einsum=True
)

# Sum, difference, variance, normalise, gain, bias; per row two means, epsilon, root and its inverse.
_LAYER_NORM = Kind(
    forward=both(per_element(macc=1, mul=2, add=3), per_row(div=3, add=1, sqrt=1)),
    backward=both(per_element(macc=1, mul=3, add=3), per_row(div=2)),
    weight_update=per_element(macc=1, add=1),
    keeps=keeps(input=True, rows=2),
    parameters=lambda op: 2 * op.columns,
)

# 0.5 x (1 + tanh(c (x + a x^3))), Hendrycks & Gimpel 2016, section 2.
_GELU_TANH = Kind(
    forward=per_element(mul=5, add=2, tanh=1), backward=per_element(mul=8, add=4), keeps=keeps(input=True)
)

KINDS: Mapping[str, Kind] = {
    "linear": _LEARNED_EINSUM,
    # y = a b: both are activations, so both gradients are backward.
    "contract": Kind(forward=einsums(1), backward=einsums_per_gradient, keeps=keeps_operands, is_einsum=True),
    # y = x W_e for each expert e that a token chose: as linear, over the choices.
    "expert_linear": replace(_LEARNED_EINSUM, keeps=keeps_rows_of_experts),
    # As linear, over the windows of rows; products with the zeros beside the ends are executed.
    "convolution": _LEARNED_EINSUM,
    # A look-up executes nothing; its gradient is scattered into the table, one addition per element.
    "embedding": Kind(forward=free, weight_update=per_element(add=1), keeps=keeps_indices),
    # A look-up per pair of rows; gradients are scattered into the table.
    "relative_bias": Kind(forward=free, weight_update=per_element(add=1), keeps=keeps_indices),
    # The bias gradient is the sum of the gradient's rows.
    "bias": Kind(forward=per_element(add=1), weight_update=per_element(add=1), passes_gradient=1),
    # One row of a learned table per row; its gradient is scattered back, one addition per element.
    "added_table": Kind(
        forward=per_element(add=1), weight_update=per_element(add=1), keeps=keeps_indices, passes_gradient=1
    ),
    "added_constant": Kind(forward=per_element(add=1), passes_gradient=1),
    # A slope per head times the distance of two rows, Press et al. 2022, arXiv 2108.12409, section 3.
    "alibi": Kind(forward=per_element(add=1), passes_gradient=1),
    # The gradient passes to both sides unchanged.
    "add": Kind(forward=per_element(add=1), passes_gradient=2),
    "scale": Kind(forward=per_element(mul=1), backward=per_element(mul=1)),
    # Row maximum, difference, exponential, row sum, quotient; dx = y (dy - sum(y dy)).
    "softmax": Kind(
        forward=per_element(cmp=1, add=2, exp=1, div=1),
        backward=per_element(macc=1, add=1, mul=1),
        keeps=keeps_probabilities,
    ),
    # The softmax, then -log of one element per row, summed; dx = (y - target) / rows.
    "cross_entropy": Kind(
        forward=both(per_element(cmp=1, add=2, exp=1, div=1), per_row(log=1, add=1)),
        backward=both(per_element(mul=1), per_row(add=1)),
        keeps=keeps_targets,
    ),
    "layer_norm": _LAYER_NORM,
    "layer_norm_without_bias": replace(
        _LAYER_NORM,
        forward=both(per_element(macc=1, mul=2, add=2), per_row(div=3, add=1, sqrt=1)),
        weight_update=per_element(macc=1),
        parameters=attrgetter("columns"),
    ),
    # Zhang & Sennrich 2019, section 4: x / sqrt(mean(x²) + epsilon) times a gain. As operations of Python (LlamaRMSNorm
    # of transformers) it keeps x, the inverse root and the normalised rows.
    "rms_norm": Kind(
        forward=both(per_element(macc=1, mul=2), per_row(div=2, add=1, sqrt=1)),
        backward=both(per_element(macc=1, mul=3, add=1), per_row(div=1)),
        weight_update=per_element(macc=1),
        keeps=keeps(input=True, elements=1, rows=1),
        parameters=attrgetter("columns"),
    ),
    # x Phi(x), Hendrycks & Gimpel 2016, section 2; Phi(x) = 0.5 (1 + erf(c x)), dx = dy (Phi(x) + x phi(x)).
    "gelu": Kind(
        forward=per_element(mul=3, add=1, erf=1), backward=per_element(mul=5, add=1, exp=1), keeps=keeps(input=True)
    ),
    "gelu_tanh": _GELU_TANH,
    # The same as operations of Python (NewGELUActivation of transformers): x, the tanh, x / 2 and 1 + tanh are kept.
    "gelu_new": replace(_GELU_TANH, keeps=keeps(input=True, elements=3)),
    "relu": Kind(forward=per_element(cmp=1), backward=per_element(mul=1), keeps=keeps(output=True)),
    # max(x, 0)², So et al. 2021, arXiv 2109.08668, section 4; the ReLU is kept.
    "relu2": Kind(forward=per_element(cmp=1, mul=1), backward=per_element(mul=2), keeps=keeps(elements=1)),
    # x s(x) with s(x) = 1 / (1 + exp(-x)): dx = dy (s + y (1 - s)).
    "silu": Kind(
        forward=per_element(mul=2, add=1, div=1, exp=1), backward=per_element(mul=2, add=2), keeps=keeps(input=True)
    ),
    # x s(1.702 x): dx = dy (s + 1.702 y (1 - s)). As operations of Python it keeps x and s.
    "quick_gelu": Kind(
        forward=per_element(mul=2, add=1, div=1, exp=1),
        backward=per_element(mul=3, add=2),
        keeps=keeps(input=True, elements=1),
    ),
    # dx = dy y (1 - y).
    "sigmoid": Kind(
        forward=per_element(mul=1, add=1, div=1, exp=1), backward=per_element(mul=2, add=1), keeps=keeps(output=True)
    ),
    # dx = dy (1 - y²).
    "tanh": Kind(forward=per_element(tanh=1), backward=per_element(mul=2, add=1), keeps=keeps(output=True)),
    # c tanh(x / c): dx = dy (1 - t²); t is kept.
    "soft_cap": Kind(forward=per_element(mul=2, tanh=1), backward=per_element(mul=2, add=1), keeps=keeps(elements=1)),
    # A product of two activations: each one's gradient is a product with the other.
    "multiply": Kind(forward=per_element(mul=1), backward=per_gradient(mul=1), keeps=keeps_factors),
    # x cos + (x turned) sin, Su et al. 2021, section 3.4.2; the gradient is turned back. Signs are in the sine.
    "rotary": Kind(forward=per_rotated, backward=per_rotated, keeps=keeps_angles),
    # The largest k of n, one after the other; the gradient goes back to where they were.
    "top_k": Kind(forward=choices, keeps=keeps_indices),
    # y = x / sum(x): dx = (dy - sum(dy y)) / sum(x).
    "normalised_sum": Kind(
        forward=per_element(add=1, div=1),
        backward=per_element(macc=1, add=1, div=1),
        keeps=keeps(input=True, rows=1),
    ),
    # A sum of rows, each with its weight: the weights' gradients are sums of products, the rows' products.
    "combine": Kind(forward=einsums(1), backward=combine_backward, keeps=keeps_factors),
    # A copy; what all heads share adds up their gradients.
    "join": Kind(forward=free, backward=shared_gradient, passes_gradient=1),
    "split_heads": Kind(forward=free, is_view=True),
    "first_row": Kind(forward=free, is_view=True),
    # A learned row set before the others; its gradient is added up over the sequences.
    "prepended_row": Kind(forward=free, weight_update=lambda op: {"add": op.columns}, passes_gradient=1),
    # Gradients that meet at a tensor: one addition per element for each but the first.
    "gradient_sum": Kind(forward=free, backward=per_element(add=1)),
    # y - target, of which one element per row is not zero.
    "output_error": Kind(forward=per_row(add=1)),
    # What PEPITA's weight update takes for the gradient: an output of the first pass less that of the modulated one.
    "difference": Kind(forward=free, weight_update=per_element(add=1)),
}
