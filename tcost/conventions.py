"""Counting conventions: the price of a scalar operation, which kinds are priced otherwise, and errata.

"How many FLOPs is that?" has several honest answers. A convention is one of them, by name and as data.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tcost.errors import unknown
from tcost.kinds import DIFFERENCE, Count, Phase, Scalars, both, free, kind_of, per_element, runs
from tcost.sizes import Family, Size, Sizes
from tcost.tracing import Op


@dataclass(frozen=True)
class Override:
    """A price of one kind in one phase that differs from what an efficient implementation executes.

    `citation` says what is charged and, after a colon, how much as it was published.
    """

    count: Count
    citation: str

    @property
    def what(self) -> str:
        """The citation without its formula."""
        return self.citation.partition(":")[0]


def _nothing(_s: Sizes) -> Scalars:
    return {}


def _no_parameters(_s: Sizes) -> Size:
    return 0


def _once(_s: Sizes) -> Size:
    return 1


@dataclass(frozen=True, kw_only=True)
class Erratum:
    """A slip in published totals: what was published minus what the convention's own formula gives."""

    name: str
    slip: str
    family: Family
    phase: Phase = "forward"
    rules: tuple[str, ...] = ()
    """The rules whose totals have the slip; all of them when empty."""
    count: Callable[[Sizes], Scalars] = _nothing
    parameters: Callable[[Sizes], Size] = _no_parameters
    repeats: Callable[[Sizes], Size] = _once

    @property
    def layer(self) -> str:
        """What stands for a layer in its row, so that a table by layer shows it apart."""
        return f"erratum: {self.name}"


@dataclass(frozen=True, kw_only=True)
class Convention:
    """A counting convention.

    `prices` has the FLOPs of each scalar operation that it knows. With `einsums_only` it counts
    the kinds that are einsums and no other. `not_counted` says in words what it leaves out.
    A convention for one kind of transformer `assumes` parts whatever the spec says, and prices
    layers and operations that are `absent` from it at nothing.
    """

    name: str
    title: str
    source: str
    prices: Mapping[str, int]
    not_counted: tuple[str, ...]
    einsums_only: bool = False
    overrides: Mapping[tuple[str, Phase], Override] = field(default_factory=dict)
    errata: tuple[Erratum, ...] = ()
    assumes: Callable[[Sizes], Mapping[str, Any]] = _nothing
    absent: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    """The kinds that its model has, where it is for one kind of transformer; others it prices as `exact` does."""

    def model(self, s: Sizes) -> Sizes:
        """Return the sizes and parts of the model that this convention prices.

        What it assumes takes the place of other plain forms, not of parts that it does not know.
        """
        return replace(s, **self.assumes(s))

    def is_foreign(self, op: Op) -> bool:
        """Tell whether an operation is of a kind that this convention's model does not have."""
        return bool(self.kinds) and op.kind not in self.kinds

    def is_absent(self, op: Op) -> bool:
        """Tell whether an operation is not in the model that this convention was published for."""
        names = {op.name.removesuffix(DIFFERENCE), op.layer.rpartition(".")[2]}
        return not self.is_foreign(op) and not names.isdisjoint(self.absent)

    def parameters(self, op: Op) -> Size:
        """Return the learned parameters of one copy of `op`."""
        return 0 if self.is_absent(op) else kind_of(op).parameters(op)

    def scalars(self, op: Op, phase: Phase) -> Scalars:
        """Return the scalar operations that this convention counts for one run of a phase of `op`."""
        kind = kind_of(op)
        if self.is_absent(op) or (self.einsums_only and not kind.is_einsum) or not runs(op, phase):
            return {}
        override = self.overrides.get((op.kind, phase))
        return override.count(op) if override else kind.count(op, phase)

    def flop(self, scalars: Scalars) -> Size:
        """Return the FLOPs of scalar operations; InputError names one that has no price."""
        if missing := [name for name in scalars if name not in self.prices]:
            raise unknown(f"scalar operation under convention {self.name}", missing[0], self.prices)
        return sum(self.prices[name] * number for name, number in scalars.items())

    def errata_of(self, s: Sizes, rule: str) -> list[Erratum]:
        """Return the errata that the published totals of such a model have under a learning rule."""
        return [e for e in self.errata if e.family == s.family and rule in (e.rules or (rule,))]


_SCALARS = ("mul", "add", "div", "exp", "log", "cmp", "sqrt", "tanh", "erf")


def _softmax_jacobian(op: Op) -> Scalars:
    return {"macc": op.row_squares}


def _norm_jacobian(op: Op) -> Scalars:
    products = op.elements * op.columns
    return {"macc": products, "other": 9 * products + 2 * op.elements}


def _dense_product(op: Op) -> Scalars:
    return {"macc": op.index_space}


def _cross_jacobian_slip(s: Sizes) -> Scalars:
    m, n = s.context_length, s.encoder_context_length
    return {"macc": (m - n) * m * n * s.n_heads}


def _mapping_slip(s: Sizes) -> Scalars:
    return {"macc": s.encoder_context_length * s.context_length * s.vocab_size}


def _projection_slip(s: Sizes) -> Scalars:
    return {"macc": (s.context_length - s.encoder_context_length) * s.vocab_size * s.d_model}


def _paper_parts(s: Sizes) -> Mapping[str, Any]:
    """Return what the paper's transformer has whatever a spec says, unless it has what the paper does not know."""
    parts: dict[str, Any] = {"tie_embeddings": False, "share_embeddings": False}
    if s.norm_position == "pre":
        parts |= {"norm_position": "post"}
    if s.activation in ("gelu", "relu") and not s.ffn_gated:
        parts |= {"activation": "gelu_tanh"}
    if s.activation in ("gelu", "gelu_tanh", "relu") and not s.ffn_gated:
        parts |= {"ffn_bias": True}
    return parts


_PAPER_ERRATA = (
    Erratum(
        name="cross-attention",
        slip="published as M·N·M·h per cross-attention, where the softmax Jacobian is M·N·N·h",
        family="encoder-decoder",
        phase="backward",
        count=_cross_jacobian_slip,
        repeats=lambda s: s.n_decoder_layers,
    ),
    Erratum(
        name="map to encoder",
        slip="charged twice, 2·N·M·V MACCs, under PEPITA and once under MEMPEPITA for the same work",
        family="encoder-decoder",
        phase="error_projection",
        rules=("pepita",),
        count=_mapping_slip,
    ),
    Erratum(
        name="encoder rows",
        slip="published with the decoder's rows, M·V·d MACCs, where the encoder has N rows",
        family="encoder-decoder",
        phase="error_projection",
        count=_projection_slip,
    ),
    Erratum(
        name="parameters",
        slip="the encoder-only parameter total leaves out the softmax layer, d·V",
        family="encoder-only",
        parameters=lambda s: -s.d_model * s.vocab_size,
    ),
    Erratum(
        name="parameters",
        slip="the encoder-decoder parameter total leaves out both embeddings, V·d each",
        family="encoder-decoder",
        parameters=lambda s: -2 * s.d_model * s.vocab_size,
    ),
)

_PAPER = Convention(
    name="paper",
    title="Pau & Aymone 2024: explicit softmax and LayerNorm Jacobians, dense one-hot embedding",
    source="Pau & Aymone, Eng 2024, 5(1), 34-50, as in the authors' published implementation",
    prices={"macc": 2, "other": 1, **dict.fromkeys(_SCALARS, 1)},
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
            *("gelu_tanh", "gradient_sum", "output_error", "difference", "added_table", "added_constant"),
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
        ("gelu_tanh", "backward"): Override(
            both(per_element(mul=8, add=4), per_element(add=1)), "GELU gradient 12, bias gradient 1: 13Mf"
        ),
        ("softmax", "backward"): Override(_softmax_jacobian, "an N x N Jacobian per query row and head: M·N·N·h MACCs"),
        ("cross_entropy", "forward"): Override(per_element(cmp=1, add=2, exp=1, div=1), "the softmax alone: 5MV"),
        ("cross_entropy", "backward"): Override(free, "the loss gradient is not charged"),
        ("layer_norm", "forward"): Override(per_element(other=8), "residual 1, norm 8: 9Md"),
        ("layer_norm", "backward"): Override(_norm_jacobian, "a d x d Jacobian per row: Md² MACCs, 11Md²+2Md FLOPs"),
    },
    errata=_PAPER_ERRATA,
)

_TORCH = Convention(
    name="torch",
    title="torch.utils.flop_counter.FlopCounterMode: matrix products only, 2 FLOPs per MACC",
    source="torch 2.13, torch/utils/flop_counter.py; full M x N scores whatever the mask",
    prices={"macc": 2},
    not_counted=("everything but matrix products", "optimizer step"),
    einsums_only=True,
)

_EXACT = Convention(
    name="exact",
    title="every scalar operation that an efficient implementation executes, a MACC as 2 FLOPs",
    source="counted on an executed training step: tcost verify",
    prices={"macc": 2, **dict.fromkeys(_SCALARS, 1)},
    not_counted=("dropout", "copies and look-ups", "optimizer step"),
)

CONVENTIONS: Mapping[str, Convention] = {convention.name: convention for convention in (_PAPER, _TORCH, _EXACT)}


def convention_of(name: str) -> Convention:
    """Return the convention of that name, or raise InputError with the names that there are."""
    if name not in CONVENTIONS:
        raise unknown("convention", name, CONVENTIONS)
    return CONVENTIONS[name]
