"""Why two conventions differ, and what published estimators say, as tables."""

from collections.abc import Iterable, Sequence

from tcost.estimators import PARAMETERS
from tcost.reconcile import Reconciliation, Term
from tcost.report import of_models, settings_of, slips_of, title_of
from tcost.report.tables import GAP, WIDTH, Section, Table, legend
from tcost.report.words import Format, format_of
from tcost.text import pretty
from tcost.units import change

NARROWEST = 16
"""Columns of text that hold the longest single symbol of a formula and word of a title; wider numbers pass WIDTH."""


def reconciliation_tables(reconciliation: Reconciliation, *, integers: bool = False) -> list[Table]:
    """Return the terms with both totals as one table and, where they are defined, the estimators as another."""
    amount = format_of(integers=integers)
    tables = [_terms(reconciliation, amount)]
    return [*tables, _estimates(reconciliation, amount)] if reconciliation.estimates else tables


def _terms(reconciliation: Reconciliation, amount: Format) -> Table:
    before, after, difference = reconciliation.from_, reconciliation.to, reconciliation.difference
    lines = [
        (term.title, _formulas(term), _signed(term.macc, amount), _signed(term.flop, amount))
        for term in reconciliation.terms
    ]
    totals = [
        (f"total under {each.convention}", "", amount(each.totals.macc), amount(each.totals.flop))
        for each in (before, after)
    ]
    totals.append(("difference", "", _signed(difference.macc, amount), _signed(difference.flop, amount)))
    return Table(
        title=f"{title_of(before)}: from {before.convention} to {after.convention}",
        settings=settings_of(before, ["convention"]),
        columns=("term", "formula", "MACCs", "FLOPs"),
        sections=(*([Section(tuple(lines))] if lines else []), Section(tuple(totals), has_total=True)),
        notes=tuple(_notes(reconciliation)),
        text_columns=2,
        text_width=_text_width([*lines, *totals]),
        goes=((2,),),
    )


def _notes(reconciliation: Reconciliation) -> Iterable[str]:
    yield legend(reconciliation.symbols)
    yield from of_models([reconciliation.to])
    results = {each.convention: each for each in (reconciliation.from_, reconciliation.to)}
    for name, result in results.items():
        yield f"not counted under {name}: {', '.join(result.not_counted)}"
    yield from slips_of(results.values())
    if reconciliation.not_estimated:
        yield reconciliation.not_estimated


def _estimates(reconciliation: Reconciliation, amount: Format) -> Table:
    estimates = reconciliation.estimates
    lines = [
        (each.estimator.name, pretty(each.estimator.formula), amount(each.flop), change(each.error))
        for each in estimates
    ]
    return Table(
        title="Published estimators",
        settings=f"of one sequence under backpropagation: FLOPs, against {amount(estimates[0].exact)} under exact",
        columns=("estimator", "formula", "FLOPs", "off exact"),
        sections=(Section(tuple(lines)),),
        notes=(
            "; ".join(f"{letter}: {meaning}" for letter, meaning in PARAMETERS.items()),
            *(f"{each.estimator.name}: {each.estimator.source}" for each in estimates),
        ),
        text_columns=2,
        text_width=_text_width(lines),
        goes=((2,),),
    )


def _signed(difference: int, amount: Format) -> str:
    return f"{'+' if difference > 0 else ''}{amount(difference)}"


def _formulas(term: Term) -> str:
    """Return the formulas of what is not zero: that of the MACCs, then that of the FLOPs."""
    flops = f"{pretty(term.flop_formula)} FLOPs"
    return flops if term.macc_formula == "0" else f"{pretty(term.macc_formula)} MACCs\n{flops}"


def _text_width(lines: Sequence[tuple[str, ...]]) -> int:
    """Return the width that the numbers leave to each of the two columns of text."""
    _, _, *numbers = zip(*lines, strict=True)
    return max(NARROWEST, (WIDTH - sum(max(map(len, cells)) + GAP for cells in numbers)) // 2 - GAP)
