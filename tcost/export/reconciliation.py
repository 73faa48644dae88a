"""A reconciliation for machines."""

from typing import TYPE_CHECKING, Any

from tcost.export.documents import AMOUNT_FIELDS, STEP_FIELDS, csv_text, document, fields
from tcost.units import percent

if TYPE_CHECKING:
    from tcost.reconcile import Reconciliation

TERM_FIELDS = ("title", "kind", "phase", "macc", "flop", "macc_formula", "flop_formula")


def reconciliation_to_json(reconciliation: "Reconciliation") -> str:
    """Return a reconciliation as JSON: both totals, the terms between them, symbols and estimates."""
    before = reconciliation.from_
    sides = {"from": before, "to": reconciliation.to}
    return document(
        reconciliation={
            **fields(before, STEP_FIELDS),
            **{
                side: {"convention": each.convention, "totals": fields(each.totals, AMOUNT_FIELDS)}
                for side, each in sides.items()
            },
            "difference": fields(reconciliation.difference, AMOUNT_FIELDS),
            "symbols": [fields(symbol, ("name", "meaning", "value")) for symbol in reconciliation.symbols],
            "terms": [fields(term, TERM_FIELDS) for term in reconciliation.terms],
            "estimates": _estimates(reconciliation),
            "not_estimated": reconciliation.not_estimated,
        },
    )


def reconciliation_to_csv(reconciliation: "Reconciliation") -> str:
    """Return a reconciliation as CSV: a line for each total, term and estimate; `part` says which it is."""
    step = fields(reconciliation.from_, STEP_FIELDS)
    lines: list[dict[str, Any]] = [
        {"part": part, "title": each.convention} | fields(each.totals, AMOUNT_FIELDS)
        for part, each in (("from", reconciliation.from_), ("to", reconciliation.to))
    ]
    lines[1:1] = [{"part": "term"} | fields(term, TERM_FIELDS) for term in reconciliation.terms]
    lines += [
        {"part": "estimate", "title": each["name"], "flop_formula": each["formula"]}
        | {name: each[name] for name in ("flop", "exact_flop", "error_percent")}
        for each in _estimates(reconciliation)
    ]
    return csv_text(
        (*STEP_FIELDS, "part", *TERM_FIELDS, "exact_flop", "error_percent"), (step | line for line in lines)
    )


def _estimates(reconciliation: "Reconciliation") -> list[dict[str, Any]]:
    """Return what each estimator gives for one sequence; an encoder-decoder has none."""
    return [
        fields(each.estimator, ("name", "source", "formula"))
        | {"flop": each.flop, "exact_flop": each.exact, "error_percent": percent(each.error)}
        for each in reconciliation.estimates
    ]
