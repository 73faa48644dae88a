"""Learning rules side by side."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Unpack

from tcost.cost.evaluation import evaluate_rules
from tcost.cost.rows import Result
from tcost.errors import InputError
from tcost.sizes import Size
from tcost.training_step import Options, Spec

if TYPE_CHECKING:
    from fractions import Fraction


MAX_RESULTS = 500
"""Of a comparison: all of them are in memory together, in up to two thirds of a megabyte each."""


@dataclass(frozen=True)
class Comparison:
    """A result beside the first rule's result for the same model and context."""

    result: Result
    baseline: Result

    @property
    def macc_change(self) -> "Fraction":
        """The relative change of the MACCs, exactly; -1/2 is half of them."""
        return _change(self.result.totals.macc, self.baseline.totals.macc)

    @property
    def flop_change(self) -> "Fraction":
        """The relative change of the FLOPs, exactly."""
        return _change(self.result.totals.flop, self.baseline.totals.flop)

    @property
    def stored_change(self) -> "Fraction":
        """The relative change of the bytes of stored activations, exactly."""
        stored, of_first = (each.memory.of("stored_activations").bytes for each in (self.result, self.baseline))
        return _change(stored, of_first)

    @property
    def peak_change(self) -> "Fraction":
        """The relative change of the peak, in bytes, exactly."""
        return _change(self.result.memory.peak.bytes, self.baseline.memory.peak.bytes)


@dataclass(frozen=True)
class Standing:
    """In how many of the models and contexts of a comparison a rule takes fewer MACCs than the first rule."""

    algo: str
    cheaper: int
    of: int


def standings(comparisons: Iterable[Comparison]) -> list[Standing]:
    """Return the standing of every rule but the first."""
    cheaper: dict[str, list[bool]] = {}
    for each in comparisons:
        if each.result is not each.baseline:
            cheaper.setdefault(each.result.algo, []).append(each.macc_change < 0)
    return [Standing(algo, sum(wins), len(wins)) for algo, wins in cheaper.items()]


def _change(amount: int, baseline: int) -> "Fraction":
    from fractions import Fraction

    return Fraction(amount, baseline) - 1


def compare(
    specs: Iterable[Spec],
    algos: Sequence[str] = ("bp", "pepita", "mempepita"),
    convention: str = "paper",
    *,
    contexts: Sequence[Size] = (None,),
    **options: Unpack[Options],
) -> list[Comparison]:
    """Price every spec at every context under every rule, each beside the first rule.

    The options are those of `tcost.training_step.training_step`, without its `context`: an encoder context
    is given to the models that have one, and `recompute` to the rules that run a backward. Raises
    InputError as it does, where no model or rule has a use for these, and for more than MAX_RESULTS results.
    """
    specs, encoder_context = list(specs), options.pop("encoder_context", None)
    number = len(specs) * len(contexts) * len(algos)
    if number > MAX_RESULTS:
        raise InputError(
            f"a comparison has at most {MAX_RESULTS:,} results, not {number:,}: one for each spec, context and rule\n"
            "leave some out, or give the contexts to tcost sweep, as in --over context_length=1:4096"
        )
    has_encoder = [spec.at().family == "encoder-decoder" for spec in specs]
    if encoder_context is not None and not any(has_encoder):
        raise InputError("an encoder context is for encoder-decoder models; none is among the specs")
    comparisons = []
    for (spec, encoder), context in product(zip(specs, has_encoder, strict=True), contexts):
        options |= {"context": context, "encoder_context": encoder_context if encoder else None}
        results = evaluate_rules(spec, algos, convention, **options)
        comparisons += [Comparison(result, results[0]) for result in results]
    return comparisons
