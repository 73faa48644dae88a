"""Learning rules side by side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from tcost.cost.evaluation import beside, results_of
from tcost.cost.rows import Result
from tcost.errors import InputError
from tcost.exact import Size
from tcost.settings import Settings, asking_of_rules
from tcost.training_step import Spec

if TYPE_CHECKING:
    from fractions import Fraction

BESIDE = ("exact", "paper")
"""The conventions of which a comparison has the changes, whatever its own is."""


MAX_RESULTS = 300
"""Of a comparison: all of them are in memory together, in up to two thirds of a megabyte each."""


@dataclass(frozen=True)
class Change:
    """A result beside the first rule's result for the same model and context, under the same convention.

    Every relative change is exact; -1/2 is half of what the first rule takes.
    """

    result: Result
    baseline: Result

    @property
    def is_published(self) -> bool:
        """Whether the convention's publication has all parts of the model; where not, its change says nothing."""
        return not self.result.priced_as_exact

    @property
    def macc(self) -> "Fraction":
        """The relative change of the MACCs."""
        return _change(self.result.totals.macc, self.baseline.totals.macc)

    @property
    def flop(self) -> "Fraction":
        """The relative change of the FLOPs."""
        return _change(self.result.totals.flop, self.baseline.totals.flop)

    @property
    def stored_activations(self) -> "Fraction":
        """The relative change of the bytes of stored activations."""
        stored, of_first = (each.memory.of("stored_activations").bytes for each in (self.result, self.baseline))
        return _change(stored, of_first)

    @property
    def peak(self) -> "Fraction":
        """The relative change of the peak, in bytes."""
        return _change(self.result.memory.peak.bytes, self.baseline.memory.peak.bytes)


@dataclass(frozen=True)
class Comparison(Change):
    """A change under the convention of a comparison, with the same under each convention of `BESIDE`.

    It is None under a convention whose model has not all layers that are to be trained.
    """

    changes: Mapping[str, Change | None]


class Standing(NamedTuple):
    """In how many of the models and contexts of a comparison a rule takes fewer MACCs than the first rule."""

    algo: str
    cheaper: int
    of: int


def standings(changes: Iterable[Change | None]) -> list[Standing]:
    """Return the standing of every rule but the first, among the models that the convention's publication has."""
    cheaper: dict[str, list[bool]] = {}
    for each in changes:
        if each and each.is_published and each.result is not each.baseline:
            cheaper.setdefault(each.result.algo, []).append(each.macc < 0)
    return [Standing(algo, sum(wins), len(wins)) for algo, wins in cheaper.items()]


def _change(amount: int, baseline: int) -> "Fraction":
    from fractions import Fraction

    return Fraction(amount, baseline) - 1


def comparisons_of(
    specs: Iterable[Spec], algos: Sequence[str], contexts: Sequence[Size], settings: Settings
) -> list[Comparison]:
    """Price every spec at every context under every rule, each beside the first rule.

    An encoder context is given to the models that have one, and what is of a backward to the rules that run one.
    Raises InputError as `tcost.training_step.step_of` does, where no model or rule has a use for these, and for more
    than MAX_RESULTS results.
    """
    specs = list(specs)
    number = len(specs) * len(contexts) * len(algos)
    if number > MAX_RESULTS:
        raise InputError(
            f"a comparison has at most {MAX_RESULTS:,} results, not {number:,}: one for each spec, context and rule\n"
            "leave some out, or give the contexts to tcost sweep, as in --over context_length=1:4096"
        )
    has_encoder = [spec.at().family == "encoder-decoder" for spec in specs]
    if settings.encoder_context is not None and not any(has_encoder):
        raise InputError("an encoder context is for encoder-decoder models; none is among the specs")
    comparisons = []
    for (spec, encoder), context in product(zip(specs, has_encoder, strict=True), contexts):
        own = replace(settings, context=context, encoder_context=settings.encoder_context if encoder else None)
        comparisons += _compared(spec, algos, own)
    return comparisons


def _compare(specs: Iterable[Spec], algos: Sequence[str], settings: Settings) -> list[Comparison]:
    """Price every spec under every rule, each beside the first rule, at one context or at each of several."""
    several = settings.context if isinstance(settings.context, list | tuple) else (settings.context,)
    return comparisons_of(specs, algos, several, settings)


compare = asking_of_rules(Settings, _compare)


def _compared(spec: Spec, algos: Sequence[str], settings: Settings) -> list[Comparison]:
    """Price one spec at one context under every rule and under each of the conventions."""
    results = results_of(spec, algos, settings)
    others = {name: results if name == settings.convention else beside(results, convention=name) for name in BESIDE}
    return [
        Comparison(
            result,
            results[0],
            {name: Change(other[place], other[0]) if other else None for name, other in others.items()},
        )
        for place, result in enumerate(results)
    ]
