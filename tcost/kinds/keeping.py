"""What an operation keeps for its gradients: which of its inputs and outputs, and what else.

A kind keeps what eager PyTorch keeps for it: what `torch.autograd.graph.saved_tensors_hooks` shows of the
functions that the classes of transformers call. An input gradient that nothing below needs and the update of a
weight that is frozen keep nothing, unless a function of torch keeps the same for all of its gradients together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import TypeAlias

from tcost.exact import Size, same
from tcost.kinds.passing import copies_of
from tcost.tracing import COPY, Op, Tensor


@dataclass(frozen=True, slots=True)
class Kept:
    """What one copy of an operation keeps.

    `tensors` are inputs or its output, which others may keep too and which are then held once, as are
    `copies` of inputs, in other shapes; of the `broadcast` ones there are copies only where there are
    several sequences. Beside them it keeps `own` elements for every sequence and `single`
    ones for all together. `constants` are made elsewhere and held once in a step, whatever reads them.
    `indices` are integers, held once under a name: their number for every sequence, and for all together.
    """

    tensors: tuple[Tensor, ...] = ()
    copies: Mapping[Tensor, Size] = field(default_factory=dict)
    broadcast: Mapping[Tensor, Size] = field(default_factory=dict)
    own: Size = 0
    single: Size = 0
    constants: Mapping[str, Size] = field(default_factory=dict)
    indices: Mapping[str, tuple[Size, Size]] = field(default_factory=dict)


Keep: TypeAlias = Callable[[Op], Kept]

NOTHING = Kept()


def keeps_nothing(_op: Op) -> Kept:
    """Nothing is kept."""
    return NOTHING


def keeps(*, input: bool = False, output: bool = False, elements: int = 0, rows: int = 0) -> Keep:  # noqa: A002  # the word
    """Return what keeps the first input, the output, and so many numbers for every element and row of the output.

    Inside a fused kernel nothing of that is written.
    """

    def keep(op: Op) -> Kept:
        if not op.has_gradients or op.output.is_fused:
            return NOTHING
        tensors = (op.inputs[0],) * input + (op.output,) * output
        return Kept(tensors, own=elements * op.elements + rows * op.rows)

    return keep


def keeps_input_of_weight(op: Op) -> Kept:
    """The gradient of a weight is a product with the input."""
    return Kept(op.inputs) if op.is_trained else NOTHING


def keeps_normalised(op: Op) -> Kept:
    """The gradient of a gain is a product with the normalised rows; that of the input needs it and its inverse roots.

    So it is where a norm is written as operations of Python; LayerNorm, one function, keeps the same for either.
    """
    tensors, rows = (op.inputs, op.rows) if op.gradients else ((), 0)
    return Kept(tensors, own=rows + op.is_trained * op.elements)


def keeps_rows_of_experts(op: Op) -> Kept:
    """Experts read copies of the rows that chose them: once for every choice, where the input has not that axis."""
    (axes,), sizes = op.einsum.operands, op.einsum.sizes
    if not op.is_trained or "choice" in axes:
        return keeps_input_of_weight(op)
    return Kept(copies={op.inputs[0]: sizes["choice"] * op.inputs[0].elements})


def keeps_operands(op: Op) -> Kept:
    """The gradient of each factor is a product with the other one.

    A batched product copies what it broadcasts: keys and values that several query heads share are kept once
    for each of them, unless a single head and a single sequence can be read again and again. A fused attention
    keeps what it does as a whole.
    """
    a, b = op.inputs
    if a.is_fused or op.output.is_fused:
        return _kept_by_fused(op)
    kept: list[Tensor] = []
    copies: dict[bool, dict[Tensor, Size]] = {True: {}, False: {}}
    for place, factor, other in ((0, a, b), (1, b, a)):
        times = copies_of(op, place)
        if other.has_gradient and same(times, 1):
            kept.append(factor)
        elif other.has_gradient:
            copies[same(prod(factor.shape[:-2]), 1)][factor] = times * factor.elements
    return Kept(tuple(kept), copies[False], copies[True])


def _kept_by_fused(op: Op) -> Kept:
    """A fused attention, whose last product is `op`, keeps all that it reads, its output and a number for every row.

    It copies nothing, and keeps the same whichever of queries, keys and values needs a gradient. The number is the
    logarithm of the row's sum of exponentials. Source: Dao et al. 2022, arXiv 2205.14135, algorithm 2.
    """
    if op.output.is_fused or not op.has_gradients:
        return NOTHING
    weights, values = op.inputs
    scores, made = weights, {each.output: each for each in weights.trace.ops}
    while made[scores].kind != "contract":
        scores = made[scores].inputs[0]
    return Kept((*made[scores].inputs, values, op.output), own=prod(weights.shape[:-1]))


def keeps_factors(op: Op) -> Kept:
    """The gradient of each factor is a product with the other one, element by element."""
    a, b = op.inputs
    return Kept((a,) * b.has_gradient + (b,) * a.has_gradient)


def keeps_rows_and_weights(op: Op) -> Kept:
    """As for factors; weights of choices are kept in the order of the experts, a copy of what made them.

    Source: grouped_mm_experts_forward in integrations/moe.py of transformers 5.
    """
    if "choice" not in op.einsum.sizes:
        return keeps_factors(op)
    weights, rows = op.inputs
    return Kept((rows,) * weights.has_gradient, copies={weights: weights.elements} if rows.has_gradient else {})


def keeps_targets(op: Op) -> Kept:
    """The loss keeps the probabilities, the targets, and the sum of their weights that it divides by."""
    return Kept((op.output,), single=1, indices={"targets": (op.rows, 0)}) if op.has_gradients else NOTHING


def keeps_indices(op: Op) -> Kept:
    """A look-up keeps what was looked up: tokens and choices of every sequence, positions that all of them share.

    Of a table that is frozen nothing is kept, even if what the row is added to needs a gradient.
    """
    if not (op.is_trained or (op.gradients and not op.weight)):
        return NOTHING
    shared = {"added_table": op.rows, "relative_bias": prod(op.output.shape[-2:])}
    own = {"embedding": op.rows, "top_k": op.elements}
    return Kept(indices={f"{op.layer}.{op.name}": (own.get(op.kind, 0), shared.get(op.kind, 0))})


def keeps_row_constants(op: Op) -> Kept:
    """The gradient of a row is a product with its constant, which every layer makes anew for all sequences."""
    return Kept(single=op.output.shape[-2]) if op.gradients else NOTHING


def keeps_angles(op: Op) -> Kept:
    """A rotation keeps the cosines and sines of its positions, which all layers of a stack share."""
    if not op.has_gradients:
        return NOTHING
    rows, width, stack = op.output.shape[-2], op.einsum.sizes["rotated"], COPY.sub("", op.layer).partition(".")[0]
    return Kept(constants={f"{stack} {which} {rows} x {width}": rows * width for which in ("cosines", "sines")})
