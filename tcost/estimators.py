"""Published estimators of the FLOPs of a training step, as data.

Each is one formula for a whole model of one stack, as its authors wrote it: encoder-only or
decoder-only, under backpropagation, for one sequence. What they leave out is in their sources.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tcost.cost import Result, Row, evaluate
from tcost.exact import Size
from tcost.sizes import Sizes
from tcost.tracing import layer_name

if TYPE_CHECKING:
    from fractions import Fraction

UNDEFINED = "published estimators are for models of one stack; they are not defined for encoder-decoders"


TABLES = ("embedding", "added_table")
"""The kinds of operation that learn a table of rows: of words, positions or segments."""


class Parameters(NamedTuple):
    """The learned parameters of a model as convention `exact` counts them, by their symbols in formulas.

    `P` are all of them, `P_act` those that one token uses, which of experts are those that it chooses. `P_in` are
    these without the embeddings of words, positions and segments and without the vocabulary projection, tied or
    not. Source of the latter: Kaplan et al. 2020, arXiv 2001.08361, table 1, whose N has neither embed nor de-embed.
    """

    P: Size
    P_act: Size
    P_in: Size


PARAMETERS = {
    "P": "all parameters",
    "P_act": "those that a token uses, of experts the ones that it chooses",
    "P_in": "these without embeddings and vocabulary projection",
}
"""What each of the symbols of `Parameters` stands for."""


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """A published estimator of the FLOPs per sequence.

    The formula is Python in these symbols: context M, model width d, h heads of width e, feed-forward
    width f, vocabulary V, L layers, and those of `Parameters`.
    """

    name: str
    source: str
    formula: str

    def flop(self, s: Sizes, parameters: Parameters) -> Size:
        """Return what the formula gives for a model of one stack."""
        letters = {"M": s.context_length, "d": s.d_model, "h": s.n_heads, "e": s.d_head, "f": s.d_ff}
        letters |= {"V": s.vocab_size, "L": s.n_encoder_layers + s.n_decoder_layers}
        return eval(self.formula, {}, letters | parameters._asdict())  # noqa: S307  # it is our own


@dataclass(frozen=True)
class Estimate:
    """What an estimator gives for a model beside the FLOPs of convention `exact`, each per sequence."""

    estimator: Estimator
    flop: Size
    exact: Size

    @property
    def error(self) -> "Fraction":
        """The relative error against `exact`, exactly; -1/10 is a tenth too low."""
        from fractions import Fraction

        return Fraction(self.flop, self.exact) - 1


def estimates(s: Sizes) -> tuple[Estimate, ...]:
    """Return every estimator's FLOPs of a step under backpropagation; of an encoder-decoder there are none.

    The parameters, for estimators that take them, are those that convention `exact` counts.
    """
    if s.family == "encoder-decoder":
        return ()
    exact = evaluate(s, "bp", "exact")
    parameters = parameters_of(exact)
    return tuple(Estimate(each, each.flop(s, parameters), exact.totals.flop) for each in ESTIMATORS)


def parameters_of(result: Result) -> Parameters:
    """Return the parameters of a model, in all and those that count for estimators."""
    totals = result.totals
    embeddings = sum(row.active_parameters for row in result.rows if _is_embedding(row))
    return Parameters(totals.parameters, totals.active_parameters, totals.active_parameters - embeddings)


def _is_embedding(row: Row) -> bool:
    is_projection = row.operation == "projection" and layer_name(str(row.layer)) == "vocabulary_projection"
    return row.kind in TABLES or is_projection


ESTIMATORS: tuple[Estimator, ...] = (
    Estimator(
        name="Kaplan et al. 2020",
        source="arXiv 2001.08361, section 2.1: 6 FLOPs per token and non-embedding parameter of a plain transformer",
        formula="6*M*2*L*d*(2*h*e + f)",
    ),
    Estimator(
        name="Kaplan et al. 2020, with context",
        source="arXiv 2001.08361, section 2.1: three times C_forward, which has a term of the context",
        formula="6*M*(2*L*d*(2*h*e + f) + L*M*h*e)",
    ),
    Estimator(
        name="Hoffmann et al. 2022, Chinchilla",
        source="arXiv 2203.15556, appendix F: the embedding as a dense product, backward as twice the forward",
        formula="3*(4*M*V*d + L*(8*M*d*h*e + 4*M**2*h*e + 3*M**2*h + 4*M*d*f))",
    ),
    Estimator(
        name="Chowdhery et al. 2022, PaLM",
        source="arXiv 2204.02311, appendix B: 6 FLOPs per token and parameter, all P of them, and attention",
        formula="M*(6*P + 12*L*h*e*M)",
    ),
    Estimator(
        name="Narayanan et al. 2021, Megatron-LM",
        source="arXiv 2104.04473: assumes f = 4·d and h·e = d, and recomputes the layers' forward in the backward",
        formula="96*M*L*d**2 + 16*M**2*L*d + 6*M*V*d",
    ),
    Estimator(
        name="6·N·D, without embeddings",
        source="arXiv 2001.08361, sections 1.3 and 2.1: C = 6·N·D, with this model's own N",
        formula="6*P_in*M",
    ),
    Estimator(
        name="6·N·D, all parameters",
        source="arXiv 2203.15556, appendix F: compares with C = 6·N·D, N with embeddings; here this model's own",
        formula="6*P_act*M",
    ),
)
