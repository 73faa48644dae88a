"""Budgets: how much a training step may cost, and how much more than before; whether steps stay within them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby, product

from tcost.cost.measures import MEASURES, amount_of
from tcost.diff import Asked, Change, Difference, Side, Snapshot, differences, price_both
from tcost.diff.sides import steps_of
from tcost.errors import InputError, unknown
from tcost.units import parse_percent


@dataclass(frozen=True)
class Limit:
    """The most of a measure that is allowed, or how much more than before; `written` as it was."""

    measure: str
    written: str
    is_growth: bool = False

    def allowed(self, base: Snapshot | None) -> int:
        """Return the largest whole amount that is allowed."""
        if not self.is_growth:
            return amount_of(self.measure, self.written)
        before = base.totals[self.measure] if base else 0
        return int(before * (1 + parse_percent(self.written)))


@dataclass(frozen=True)
class Outcome:
    """A limit, the step that is held against it, and the step before, where there is one."""

    limit: Limit
    step: Snapshot
    base: Snapshot | None

    @property
    def amount(self) -> int:
        """What the step takes."""
        return self.step.totals[self.limit.measure]

    @property
    def before(self) -> int | None:
        """What the step before took, where there is one."""
        return self.base.totals[self.limit.measure] if self.base else None

    @property
    def allowed(self) -> int:
        """The most that is allowed."""
        return self.limit.allowed(self.base)

    @property
    def excess(self) -> int:
        """How much is too much; less than zero is what is left."""
        return self.amount - self.allowed

    @property
    def holds(self) -> bool:
        """Whether the step is within the limit."""
        return self.excess <= 0

    @property
    def layer(self) -> Change | None:
        """The layer that grew most, or the largest where there is no step before; None where no layer did."""
        changes = Difference(self.base or self.step, self.step).by_layer(self.limit.measure)
        if self.base is None:
            return max(changes, key=lambda each: each.head or 0, default=None)
        return max((each for each in changes if each.difference > 0), key=lambda each: each.difference, default=None)


def by_step(outcomes: Iterable[Outcome]) -> list[list[Outcome]]:
    """Return the outcomes of each step together, in their order."""
    return [list(of_step) for _, of_step in groupby(outcomes, key=lambda outcome: id(outcome.step))]


def parse_limits(settings: Iterable[str], what: str) -> dict[str, str]:
    """Return settings `MEASURE=VALUE` by their measure. Raises InputError for what is none, or is given twice."""
    found: dict[str, str] = {}
    for setting in settings:
        measure, equals, value = setting.partition("=")
        if not equals:
            raise InputError(f"{what} takes MEASURE=VALUE, not {setting!r}\nmeasures: {', '.join(MEASURES)}")
        if measure not in MEASURES:
            raise unknown("measure", measure, MEASURES)
        if measure in found:
            raise InputError(f"{what} has {measure} twice: {found[measure]} and {value}\nkeep one of them")
        found[measure] = value
    return found


def limits_of(maxima: Mapping[str, str], growths: Mapping[str, str]) -> list[Limit]:
    """Return the limits that are written by measure. Raises InputError for one that is no amount or percentage."""
    limits = [Limit(*each) for each in maxima.items()]
    for limit in limits:
        limit.allowed(None)
    for text in growths.values():
        parse_percent(text)
    return [*limits, *(Limit(*each, is_growth=True) for each in growths.items())]


def check(spec: Side, against: Side | None, asked: Asked, limits: Iterable[Limit]) -> list[Outcome]:
    """Hold every step of a spec, or of a saved result, against limits.

    Raises InputError where there is no limit, for a growth without what was before, for a step that has none, for
    a measure that a saved result does not have, and as `tcost.diff.differences` does.
    """
    limits = list(limits)
    if not limits:
        raise InputError("there is no limit to check\ngive one, such as --max flop=2.4T or --max-growth flop=5%")
    if against is None:
        if any(limit.is_growth for limit in limits):
            raise InputError("a growth is against something\ngive a saved result or a spec, as in --against base.json")
        steps = steps_of(spec, (), asked)
        _check_known(limits, steps)
        return [Outcome(limit, step, None) for step in steps for limit in limits]
    found = differences(*price_both(against, spec, asked))
    if found.only_head:
        names = ", ".join(f"{each.spec} under {each.algo}" for each in found.only_head)
        raise InputError(f"{against.where} has nothing to hold {names} against\nsave it anew with tcost compute")
    _check_known(limits, [step for pair in found.pairs for step in (pair.head, pair.base)])
    return [Outcome(limit, pair.head, pair.base) for pair in found.pairs for limit in limits]


def _check_known(limits: Iterable[Limit], steps: Iterable[Snapshot]) -> None:
    """Raise InputError for a limit of what a saved result does not say, because an earlier version has written it."""
    for limit, step in product(limits, steps):
        if limit.measure not in step.totals:
            raise InputError(
                f"the saved result of {step.spec} under {step.algo} has no {limit.measure}\n"
                "save it anew with tcost compute"
            )
