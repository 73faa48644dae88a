"""Convention `paper`: Pau & Aymone, Eng 2024, 5(1), 34-50, as in the authors' published implementation."""

from collections.abc import Mapping
from typing import Any

from tcost.conventions.base import SCALARS, Convention, Erratum, Override
from tcost.conventions.paper_memory import PUBLISHED_MEMORY
from tcost.kinds import Scalars, both, free, keeps, keeps_nothing, per_element
from tcost.models import Model
from tcost.sizes import Sizes
from tcost.tracing import Op


def _softmax_jacobian(op: Op) -> Scalars:
    return {"macc": op.row_squares}


def _norm_jacobian(op: Op) -> Scalars:
    products = op.elements * op.columns
    return {"macc": products, "other": 9 * products + 2 * op.elements}


def _dense_product(op: Op) -> Scalars:
    return {"macc": op.index_space}


def _cross_jacobian_slip(op: Op, _model: Model) -> Scalars:
    rows, keys = op.output.shape[-2:]
    return {"macc": op.elements * (rows - keys)}


def _projection_slip(op: Op, model: Model) -> Scalars:
    sizes, rows_of_error = op.einsum.sizes, model.output.shape[0]
    return {"macc": (rows_of_error - sizes["k"]) * sizes["vocab"] * sizes["d"]}


def _paper_parts(s: Sizes) -> Mapping[str, Any]:
    """Return what the paper's transformer has whatever a spec says, unless it has what the paper does not know."""
    parts: dict[str, Any] = {"tie_embeddings": False, "share_embeddings": False}
    if s.norm_position == "pre":
        parts |= {"norm_position": "post"}
    if s.activation in ("gelu", "relu") and not s.ffn_gated:
        parts |= {"activation": "gelu_tanh"}
    if s.activation in ("gelu", "gelu_tanh", "gelu_new", "relu") and not s.ffn_gated:
        parts |= {"ffn_bias": True}
    return parts


_PAPER_ERRATA = (
    Erratum(
        name="cross-attention",
        slip="published as M·N·M·h per cross-attention, where the softmax Jacobian is M·N·N·h",
        family="encoder-decoder",
        layers=frozenset({"cross_attention"}),
        operations=frozenset({"softmax"}),
        phase="backward",
        count=_cross_jacobian_slip,
    ),
    Erratum(
        name="map to encoder",
        slip="charged twice, 2·N·M·V MACCs, under PEPITA and once under MEMPEPITA for the same work",
        family="encoder-decoder",
        layers=frozenset({"encoder_error_projection"}),
        operations=frozenset({"mixing"}),
        phase="error_projection",
        rules=("pepita",),
        count=lambda op, _: _dense_product(op),
    ),
    Erratum(
        name="encoder rows",
        slip="published with the decoder's rows, M·V·d MACCs, where the encoder has N rows",
        family="encoder-decoder",
        layers=frozenset({"encoder_error_projection"}),
        operations=frozenset({"projection"}),
        phase="error_projection",
        count=_projection_slip,
    ),
    Erratum(
        name="parameters",
        slip="the encoder-only parameter total leaves out the softmax layer, d·V",
        family="encoder-only",
        layers=frozenset({"vocabulary_projection"}),
        leaves_out_parameters=True,
    ),
    Erratum(
        name="parameters",
        slip="the encoder-decoder parameter total leaves out both embeddings, V·d each",
        family="encoder-decoder",
        layers=frozenset({"embedding"}),
        leaves_out_parameters=True,
    ),
)

_GELU_BACKWARD = Override(
    both(per_element(mul=8, add=4), per_element(add=1)), "GELU gradient 12, bias gradient 1: 13Mf"
)

PAPER = Convention(
    name="paper",
    title="Pau & Aymone 2024: explicit softmax and LayerNorm Jacobians, dense one-hot embedding",
    source="Pau & Aymone, Eng 2024, 5(1), 34-50, as in the authors' published implementation",
    prices={"macc": 2, "other": 1, **dict.fromkeys(SCALARS, 1)},
    not_counted=(
        "loss and its gradient",
        "embedding weight update",
        "gradients that meet (residuals, q/k/v)",
        "PEPITA's differences",
        "optimizer step",
    ),
    assumes=_paper_parts,
    kinds=frozenset(
        (
            *("linear", "contract", "embedding", "bias", "add", "scale", "softmax", "cross_entropy", "layer_norm"),
            *("gelu_tanh", "gelu_new", "gradient_sum", "output_error", "difference", "added_table", "added_constant"),
            "end",
        )
    ),
    absent=frozenset(
        (
            *("positions", "segments", "embedding_norm", "final_norm", "head_transform", "projection_bias"),
            *("query_bias", "key_bias", "value_bias", "output_bias"),
        )
    ),
    overrides={
        ("embedding", "forward"): Override(_dense_product, "a dense product with one-hot rows: MVd MACCs"),
        ("embedding", "weight_update"): Override(free, "the embedding's weight update is not charged"),
        ("gradient_sum", "backward"): Override(free, "gradients that meet are not charged"),
        ("output_error", "error_projection"): Override(free, "the error itself is not charged"),
        ("add", "error_projection"): Override(free, "the addition to the embedding output is not charged"),
        ("difference", "weight_update"): Override(free, "the difference of the two passes is not charged"),
        ("bias", "weight_update"): Override(
            free, "bias gradients are not charged here: the hidden bias's is in the 13 per hidden unit of the backward"
        ),
        ("gelu_tanh", "backward"): _GELU_BACKWARD,
        ("gelu_new", "backward"): _GELU_BACKWARD,
        ("softmax", "backward"): Override(_softmax_jacobian, "an N x N Jacobian per query row and head: M·N·N·h MACCs"),
        ("cross_entropy", "forward"): Override(per_element(cmp=1, add=2, exp=1, div=1), "the softmax alone: 5MV"),
        ("cross_entropy", "backward"): Override(free, "the loss gradient is not charged"),
        ("layer_norm", "forward"): Override(per_element(other=8), "residual 1, norm 8: 9Md"),
        ("layer_norm", "backward"): Override(_norm_jacobian, "a d x d Jacobian per row: Md² MACCs, 11Md²+2Md FLOPs"),
    },
    errata=_PAPER_ERRATA,
    keeps={
        **dict.fromkeys(("gelu_tanh", "gelu_new"), keeps_nothing),  # the hidden units are stored once, as W2's input
        "layer_norm": keeps(input=True, elements=1),  # its input and the normalised rows
        "cross_entropy": keeps(output=True),
    },
    memory=PUBLISHED_MEMORY,
)
