"""Whether steps stay within their budgets, as tables, and what is said of those that do not."""

from collections.abc import Iterable, Sequence

from tcost.budgets import Limit, Outcome, by_step
from tcost.diff import Change
from tcost.report import of_models, settings_of, title_of
from tcost.report.diff import change_of
from tcost.report.tables import Section, Table, in_turn
from tcost.report.words import NOTHING, format_of, heading
from tcost.text import visible
from tcost.units import grouped


def budget_tables(outcomes: Iterable[Outcome], *, integers: bool = False, has_reasons: bool = False) -> list[Table]:
    """Return a table per step: a line per limit, with what it takes, what is allowed and what is left.

    With `has_reasons` the lines of `failures_of` stand below it.
    """
    return [_table(of_step, integers=integers, has_reasons=has_reasons) for of_step in by_step(outcomes)]


def failures_of(outcomes: Iterable[Outcome]) -> list[str]:
    """Return a line for each limit that does not hold: by how much, and which layer is why."""
    return [failure_of(outcome) for outcome in outcomes if not outcome.holds]


def failure_of(outcome: Outcome) -> str:
    """Say by how much a limit is passed, in exact integers, and which layer grew most or is the largest."""
    limit, layer = outcome.limit, outcome.layer
    step = f"{visible(outcome.step.spec)} under {outcome.step.algo}, convention {outcome.step.convention}"
    over = f"{grouped(outcome.excess)} over {_limit(limit)}"
    if limit.is_growth:
        grown = change_of(Change("", "", outcome.before, outcome.amount))
        said = f"{grouped(outcome.before or 0)} to {grouped(outcome.amount)} ({grown}) is {over}"
    else:
        said = f"{grouped(outcome.amount)} is {over}"
    if layer is None:
        return f"{step}: {heading(limit.measure)} {said}"
    if outcome.base is None:
        why = f"the largest layer is {visible(layer.layer)}, {grouped(layer.head or 0)}"
    else:
        why = f"{visible(layer.layer)} grew most, by {grouped(layer.difference)} ({change_of(layer)})"
    return f"{step}: {heading(limit.measure)} {said}; {why}"


def _table(outcomes: Sequence[Outcome], *, integers: bool, has_reasons: bool) -> Table:
    step, failed = outcomes[0].step, sum(not outcome.holds for outcome in outcomes)
    verdict = f"{failed} of {len(outcomes)} limits exceeded" if failed else "within budget"
    has_memory = any(outcome.limit.measure.startswith(("stored", "peak")) for outcome in outcomes)
    reasons = failures_of(outcomes) if has_reasons else ()
    types = (f"memory: numbers in {step.storage}",) if has_memory else ()
    return Table(
        title=f"{title_of(step)}: {verdict}",
        settings=settings_of(step),
        columns=("", "limit", "", "before", "now", "allowed", "left"),
        sections=(Section(tuple(_line(outcome, integers=integers) for outcome in outcomes)),),
        notes=(*reasons, *of_models([step]), *types, f"not counted: {', '.join(map(visible, step.not_counted))}"),
        text_columns=3,
        goes=in_turn(3, 6, 5),
    )


def _line(outcome: Outcome, *, integers: bool) -> tuple[str, ...]:
    amount = format_of(outcome.limit.measure, integers=integers)
    before = NOTHING if outcome.before is None else amount(outcome.before)
    verdict = "ok" if outcome.holds else "over"
    numbers = (before, *map(amount, (outcome.amount, outcome.allowed, -outcome.excess)))
    return (heading(outcome.limit.measure), _limit(outcome.limit), verdict, *numbers)


def _limit(limit: Limit) -> str:
    return f"{'growth' if limit.is_growth else 'max'} {limit.written.strip()}"
