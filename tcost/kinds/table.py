"""Kinds of operation: the scalar operations of each in every phase, its learned parameters, and what it keeps.

The counts are those that an efficient implementation executes. One MACC is one product accumulated
into a sum of products; a sum of n terms starts from zero and takes n steps; copies, transposes and
look-ups are free. The backward of an einsum has one einsum over the same index space per operand
that is an activation, its weight update one per weight; element-wise and row-wise kinds state their
vector-Jacobian product. A convention may price a kind otherwise and says so (`conventions.py`).
What is kept for the gradients is what eager PyTorch keeps (`keeping.py`), as is what passes (`passing.py`).
"""

from collections.abc import Mapping
from dataclasses import replace

from tcost.errors import unknown
from tcost.kinds.activations import ACTIVATIONS
from tcost.kinds.base import Kind
from tcost.kinds.counts import (
    both,
    choices,
    combine_backward,
    einsums,
    einsums_per_gradient,
    free,
    gains_of,
    per_element,
    per_gradient,
    per_rotated,
    per_row,
    shared_gradient,
)
from tcost.kinds.keeping import (
    keeps,
    keeps_angles,
    keeps_factors,
    keeps_indices,
    keeps_input_of_weight,
    keeps_normalised,
    keeps_operands,
    keeps_row_constants,
    keeps_rows_and_weights,
    keeps_rows_of_experts,
    keeps_targets,
)
from tcost.kinds.passing import passing, passing_of_experts, passing_of_norm, passing_of_product, passing_of_rotation
from tcost.tracing import Op

_LEARNED_EINSUM = Kind(
    forward=einsums(1),
    backward=einsums(1),
    weight_update=einsums(1),
    keeps=keeps_input_of_weight,
    derivation="y = x W: dx = dy W', dW = x' dy, each over the index space of y",
    is_einsum=True,
)

_LAYER_NORM = Kind(
    forward=both(per_element(macc=1, mul=2, add=3), per_row(div=3, add=1, sqrt=1)),
    backward=both(per_element(macc=1, mul=3, add=3), per_row(div=2)),
    weight_update=per_element(macc=1, add=1),
    keeps=keeps(input=True, rows=2),
    parameters=lambda op: 2 * gains_of(op),
    derivation="sum, difference, variance, normalise, gain, bias; per row two means, epsilon, root and its inverse",
)

KINDS: Mapping[str, Kind] = {
    "linear": replace(_LEARNED_EINSUM, is_transposed=True),  # torch.nn.functional.linear reads weight.t()
    "contract": Kind(
        forward=einsums(1),
        backward=einsums_per_gradient,
        keeps=keeps_operands,
        passing=passing_of_product,
        is_einsum=True,
        derivation="y = a b: both are activations, so both gradients are backward",
    ),
    "expert_linear": replace(
        _LEARNED_EINSUM,
        keeps=keeps_rows_of_experts,
        passing=passing_of_experts,
        derivation="y = x W_e for each expert e that a token chose: as linear, over the choices",
    ),
    "expert_bias": Kind(
        forward=per_element(add=1),
        weight_update=per_element(add=1),
        passes_gradient=1,
        derivation="a row of a learned table for each choice; its gradient is scattered back",
    ),
    "convolution": replace(
        _LEARNED_EINSUM,
        keeps=keeps(input=True),
        derivation="as linear, over the windows of rows; products with the zeros beside the ends are executed",
    ),
    "embedding": Kind(
        forward=free,
        weight_update=per_element(add=1),
        keeps=keeps_indices,
        derivation="a look-up executes nothing; its gradient is scattered into the table, one addition per element",
    ),
    "relative_bias": Kind(
        forward=free,
        weight_update=per_element(add=1),
        keeps=keeps_indices,
        derivation="a look-up per pair of rows; gradients are scattered into the table",
    ),
    "bias": Kind(
        forward=per_element(add=1),
        weight_update=per_element(add=1),
        passes_gradient=1,
        derivation="its gradient is the sum of the gradient's rows",
    ),
    "added_table": Kind(
        forward=per_element(add=1),
        weight_update=per_element(add=1),
        keeps=keeps_indices,
        passes_gradient=1,
        derivation="one row of a learned table per row; its gradient is scattered back, one addition per element",
    ),
    "added_constant": Kind(forward=per_element(add=1), passes_gradient=1),
    "alibi": Kind(
        forward=per_element(add=1),
        passes_gradient=1,
        derivation="a slope per head times the distance of two rows, Press et al. 2022, arXiv 2108.12409, section 3",
    ),
    "add": Kind(
        forward=per_element(add=1),
        passes_gradient=2,
        derivation="the gradient passes to both sides unchanged",
    ),
    "scale": Kind(forward=per_element(mul=1), backward=per_element(mul=1)),
    "scaled_rows": Kind(
        forward=per_element(mul=1),
        backward=per_element(mul=1),
        keeps=keeps_row_constants,
        derivation="a constant per position; what makes the constants is no part of the step",
    ),
    "plus_one": Kind(
        forward=per_element(add=1),
        passes_gradient=1,
        derivation="x + 1, so that what gates a product leaves it as it is where x is nothing",
    ),
    "clip_above": Kind(
        forward=per_element(cmp=1),
        backward=per_element(mul=1),
        keeps=keeps(elements=1),
        derivation="the smaller of x and a constant; the gradient passes below it",
    ),
    "clip": Kind(
        forward=per_element(cmp=2),
        backward=per_element(mul=1),
        keeps=keeps(elements=1),
        derivation="the larger of x and a constant, the smaller of that and another; the gradient passes between them",
    ),
    "softmax": Kind(
        forward=per_element(cmp=1, add=2, exp=1, div=1),
        backward=per_element(macc=1, add=1, mul=1),
        keeps=keeps(output=True),
        derivation="row maximum, difference, exponential, row sum, quotient; dx = y (dy - sum(y dy))",
    ),
    "sink_softmax": Kind(
        forward=both(per_element(cmp=1, add=2, exp=1, div=1), per_row(cmp=1, add=2, exp=1, div=1)),
        backward=per_element(macc=1, add=1, mul=1),
        weight_update=both(both(per_element(macc=1), per_row(macc=1)), lambda op: {"add": op.weight_elements}),
        keeps=keeps(output=True, rows=1),
        derivation="the softmax of a row and a sink, whose probability p is left out: d sink = -p sum(y dy)",
    ),
    "cross_entropy": Kind(
        forward=both(per_element(cmp=1, add=2, exp=1, div=1), per_row(log=1, add=1)),
        backward=both(per_element(mul=1), per_row(add=1)),
        keeps=keeps_targets,
        passing=passing(1),  # the gradient of log-probabilities: nll_loss_backward of torch
        derivation="the softmax, then -log of one element per row, summed; dx = (y - target) / rows",
    ),
    "end": Kind(
        forward=free,
        is_view=True,
        derivation="the output of a model without a loss: the gradient comes from outside",
    ),
    "layer_norm": _LAYER_NORM,
    "layer_norm_without_bias": replace(
        _LAYER_NORM,
        forward=both(per_element(macc=1, mul=2, add=2), per_row(div=3, add=1, sqrt=1)),
        weight_update=per_element(macc=1),
        parameters=gains_of,
        derivation="as a LayerNorm, without the bias",
    ),
    "layer_norm_without_weight": replace(
        _LAYER_NORM,
        forward=both(per_element(macc=1, mul=1, add=2), per_row(div=3, add=1, sqrt=1)),
        backward=both(per_element(macc=1, mul=2, add=3), per_row(div=2)),
        weight_update=free,
        parameters=lambda _op: 0,
        derivation="as a LayerNorm, without gain and bias, Groeneveld et al. 2024, arXiv 2402.00838, section 2.1",
    ),
    # As operations of Python (LlamaRMSNorm of transformers) it keeps x and the inverse root, and for its gain the
    # normalised rows.
    "rms_norm": Kind(
        forward=both(per_element(macc=1, mul=2), per_row(div=2, add=1, sqrt=1)),
        backward=both(per_element(macc=1, mul=3, add=1), per_row(div=1)),
        weight_update=per_element(macc=1),
        keeps=keeps_normalised,
        passing=passing_of_norm,
        parameters=gains_of,
        derivation="x / sqrt(mean(x²) + epsilon) times a gain, Zhang & Sennrich 2019, section 4",
    ),
    "rms_norm_without_weight": Kind(
        forward=both(per_element(macc=1, mul=1), per_row(div=2, add=1, sqrt=1)),
        backward=both(per_element(macc=1, mul=2, add=1), per_row(div=1)),
        keeps=keeps(input=True, rows=1),
        passing=passing_of_norm,
        derivation="as an RMSNorm, without the gain",
    ),
    **ACTIVATIONS,
    "multiply": Kind(
        forward=per_element(mul=1),
        backward=per_gradient(mul=1),
        keeps=keeps_factors,
        derivation="a product of two activations: each one's gradient is a product with the other",
    ),
    "rotary": Kind(
        forward=per_rotated,
        backward=per_rotated,
        keeps=keeps_angles,
        passing=passing_of_rotation,
        derivation="x cos + (x turned) sin, Su et al. 2021, section 3.4.2; the gradient is turned back",
    ),
    "top_k": Kind(
        forward=choices,
        keeps=keeps_indices,
        derivation="the largest k of n, one after the other; the gradient goes back to where they were",
    ),
    "normalised_sum": Kind(
        forward=per_element(add=1, div=1),
        backward=per_element(macc=1, add=1, div=1),
        keeps=keeps(input=True, rows=1),
        derivation="y = x / sum(x): dx = (dy - sum(dy y)) / sum(x)",
    ),
    "combine": Kind(
        forward=einsums(1),
        backward=combine_backward,
        keeps=keeps_rows_and_weights,
        derivation="a sum of rows, each with its weight: weights' gradients are sums of products, rows' products",
    ),
    "weigh": Kind(
        forward=per_element(mul=1),
        backward=einsums_per_gradient,
        keeps=keeps_factors,
        derivation="a row times each of its weights, whose gradients are sums over the row; the row's is one over them",
    ),
    "join": Kind(
        forward=free,
        backward=shared_gradient,
        passes_gradient=1,
        derivation="a copy; what all heads share adds up their gradients",
    ),
    "split_heads": Kind(forward=free, is_view=True),
    "first_row": Kind(forward=free, is_view=True),
    "prepended_row": Kind(
        forward=free,
        weight_update=lambda op: {"add": op.columns},
        passes_gradient=1,
        derivation="a learned row set before the others; its gradient is added up over the sequences",
    ),
    "learned_row": Kind(
        forward=free,
        weight_update=lambda op: {"add": op.columns},
        derivation="a learned row by itself; its gradient is added up over the sequences",
    ),
    "gradient_sum": Kind(
        forward=free,
        backward=per_element(add=1),
        derivation="gradients that meet at a tensor: one addition per element for each but the first",
    ),
    "output_error": Kind(
        forward=per_row(add=1),
        derivation="y - target, of which one element per row is not zero",
    ),
    "difference": Kind(
        forward=free,
        weight_update=per_element(add=1),
        derivation="PEPITA's in the place of a gradient: an output of the first pass less that of the modulated one",
    ),
}


def kind_of(op: Op) -> Kind:
    """Return the kind of an operation, or raise InputError with the kinds that there are."""
    if op.kind not in KINDS:
        raise unknown("kind of operation", op.kind, KINDS)
    return KINDS[op.kind]
