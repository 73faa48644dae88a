"""Rows for machines: JSON and CSV, with the same fields and exact integers."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tcost import __version__
from tcost.cost import By, Comparison, Result, Row, group_by
from tcost.memory import CATEGORIES
from tcost.text import csv_cell
from tcost.units import percent

if TYPE_CHECKING:
    from tcost.memory import Memory
    from tcost.memory.budget import Budget
    from tcost.reconcile import Reconciliation
    from tcost.torch_check import TorchCheck
    from tcost.verify import Verification

SCHEMA_VERSION = 1

RESULT_FIELDS = ("spec", "algo", "convention", "context", "encoder_context", "batch")
OPTION_FIELDS = ("optimizer", "causal", "attention", "recompute")
AMOUNT_FIELDS = ("macc", "flop")
HELD_FIELDS = ("elements", "bytes")
MEMORY_ROW_FIELDS = ("layer", "category", *HELD_FIELDS)
BUDGET_FIELDS = ("bytes", "fits", "spare", "largest_context", "largest_batch")
TOTAL_FIELDS = (*AMOUNT_FIELDS, "parameters", "active_parameters")
LINE_FIELDS = ("layer", "phase", "scalar", "predicted", "executed", "difference")
ROW_FIELDS = ("layer", "operation", "kind", "phase", "repeats", "runs", "macc", "flop")
VERIFICATION_FIELDS = ("algo", "optimizer", "recompute", "holds", "predicted_peak", "executed_peak")
STEP_FIELDS = ("spec", "algo", "context", "encoder_context", "batch")
CHECK_FIELDS = (
    *("spec", "executed_class", "context", "encoder_context", "batch", "agrees"),
    *("predicted_parameters", "executed_parameters", "notes"),
)
GROUP_FIELDS = ("layer", "operation", "phase", "predicted", "executed", "difference")
TERM_FIELDS = ("title", "kind", "phase", "macc", "flop", "macc_formula", "flop_formula")


def to_json(results: Iterable[Result], by: By | None = None) -> str:
    """Return results as JSON, schema version 1: what they depend on, totals, phases and rows.

    Rows are those of `by`, operations when there is none; asked for by name, operations have their scalars.
    """
    return _document(results=[_result(result, by) for result in results])


def comparison_to_json(comparisons: Iterable[Comparison]) -> str:
    """Return a comparison as JSON: results as in `to_json`, each with its change against the first rule."""
    return _document(
        results=[
            _result(each.result, None)
            | {
                "change": {
                    "against": each.baseline.algo,
                    "macc_percent": percent(each.macc_change),
                    "flop_percent": percent(each.flop_change),
                    "stored_activations_percent": percent(each.stored_change),
                    "peak_percent": percent(each.peak_change),
                }
            }
            for each in comparisons
        ]
    )


def to_csv(results: Iterable[Result], by: By | None = None) -> str:
    """Return results as CSV, one line per row, of operations where nothing else is asked for."""
    return _csv(
        (*RESULT_FIELDS, *ROW_FIELDS),
        (
            _fields(result, RESULT_FIELDS) | _fields(row, ROW_FIELDS)
            for result in results
            for row in group_by(result.rows, by or "operation")
        ),
    )


def comparison_to_csv(comparisons: Iterable[Comparison]) -> str:
    """Return a comparison as CSV, one line per result."""
    return _csv(
        (
            *(*RESULT_FIELDS, *TOTAL_FIELDS, "against", "macc_change_percent", "flop_change_percent"),
            *(f"{name}_{field}" for name in (*CATEGORIES, "peak") for field in HELD_FIELDS),
            *("stored_activations_change_percent", "peak_change_percent"),
        ),
        (
            _fields(each.result, RESULT_FIELDS)
            | _fields(each.result.totals, TOTAL_FIELDS)
            | {
                "against": each.baseline.algo,
                "macc_change_percent": percent(each.macc_change),
                "flop_change_percent": percent(each.flop_change),
                "stored_activations_change_percent": percent(each.stored_change),
                "peak_change_percent": percent(each.peak_change),
            }
            | {
                f"{name}_{field}": number
                for name, held in _memory(each.result.memory)["memory"].items()
                for field, number in held.items()
            }
            for each in comparisons
        ),
    )


def memory_to_json(results: Iterable[Result], budgets: Iterable["Budget | None"]) -> str:
    """Return what steps hold as JSON: what it depends on, sums and peak, rows, and the budget where there is one."""
    return _document(
        results=[
            _step(result)
            | {"storage": asdict(result.memory.storage)}
            | _memory(result.memory)
            | ({"budget": _fields(budget, BUDGET_FIELDS)} if budget else {})
            | {
                "notes": list(result.notes),
                "errata": _errata(result.memory.errata),
                "rows": [_fields(row, MEMORY_ROW_FIELDS) for row in result.memory.rows],
            }
            for result, budget in zip(results, budgets, strict=True)
        ]
    )


def memory_to_csv(results: Iterable[Result], _budgets: Iterable["Budget | None"] = ()) -> str:
    """Return what steps hold as CSV, one line per layer and category, and one for the peak."""
    return _csv(
        (*RESULT_FIELDS, *MEMORY_ROW_FIELDS),
        (
            _fields(result, RESULT_FIELDS) | line
            for result in results
            for line in (
                *(_fields(row, MEMORY_ROW_FIELDS) for row in result.memory.rows),
                {"category": "peak"} | _fields(result.memory.peak, HELD_FIELDS),
            )
        ),
    )


def reconciliation_to_json(reconciliation: "Reconciliation") -> str:
    """Return a reconciliation as JSON: both totals, the terms between them, symbols and estimates."""
    before = reconciliation.from_
    sides = {"from": before, "to": reconciliation.to}
    return _document(
        reconciliation={
            **_fields(before, STEP_FIELDS),
            **{
                side: {"convention": each.convention, "totals": _fields(each.totals, AMOUNT_FIELDS)}
                for side, each in sides.items()
            },
            "difference": _fields(reconciliation.difference, AMOUNT_FIELDS),
            "symbols": [_fields(symbol, ("name", "meaning", "value")) for symbol in reconciliation.symbols],
            "terms": [_fields(term, TERM_FIELDS) for term in reconciliation.terms],
            "estimates": _estimates(reconciliation),
            "not_estimated": reconciliation.not_estimated,
        },
    )


def reconciliation_to_csv(reconciliation: "Reconciliation") -> str:
    """Return a reconciliation as CSV: a line for each total, term and estimate; `part` says which it is."""
    step = _fields(reconciliation.from_, STEP_FIELDS)
    lines: list[dict[str, Any]] = [
        {"part": part, "title": each.convention} | _fields(each.totals, AMOUNT_FIELDS)
        for part, each in (("from", reconciliation.from_), ("to", reconciliation.to))
    ]
    lines[1:1] = [{"part": "term"} | _fields(term, TERM_FIELDS) for term in reconciliation.terms]
    lines += [
        {"part": "estimate", "title": each["name"], "flop_formula": each["formula"]}
        | {name: each[name] for name in ("flop", "exact_flop", "error_percent")}
        for each in _estimates(reconciliation)
    ]
    return _csv((*STEP_FIELDS, "part", *TERM_FIELDS, "exact_flop", "error_percent"), (step | line for line in lines))


def _estimates(reconciliation: "Reconciliation") -> list[dict[str, Any]]:
    """Return what each estimator gives for one sequence; an encoder-decoder has none."""
    return [
        _fields(each.estimator, ("name", "source", "formula"))
        | {"flop": each.flop, "exact_flop": each.exact, "error_percent": percent(each.error)}
        for each in reconciliation.estimates
    ]


def verification_to_json(verifications: Iterable["Verification"]) -> str:
    """Return executed steps beside their predictions as JSON."""
    return _document(
        verifications=[
            {"spec": each.sizes.name}
            | _fields(each, VERIFICATION_FIELDS)
            | {"sizes": asdict(each.sizes), "lines": [_fields(line, LINE_FIELDS) for line in each.lines]}
            for each in verifications
        ]
    )


def verification_to_csv(verifications: Iterable["Verification"]) -> str:
    """Return executed steps beside their predictions as CSV, one line per layer, phase and scalar operation."""
    return _csv(
        ("spec", "algo", *LINE_FIELDS),
        (
            {"spec": each.sizes.name, "algo": each.algo} | _fields(line, LINE_FIELDS)
            for each in verifications
            for line in each.lines
        ),
    )


def torch_check_to_json(checks: Iterable["TorchCheck"]) -> str:
    """Return what torch executed beside the predictions as JSON."""
    return _document(
        torch_checks=[
            _fields(each, CHECK_FIELDS) | {"lines": [_fields(line, GROUP_FIELDS) for line in each.lines]}
            for each in checks
        ]
    )


def torch_check_to_csv(checks: Iterable["TorchCheck"]) -> str:
    """Return what torch executed beside the predictions as CSV, one line per group of operations and phase."""
    settings = CHECK_FIELDS[:5]
    return _csv(
        (*settings, *GROUP_FIELDS),
        (_fields(each, settings) | _fields(line, GROUP_FIELDS) for each in checks for line in each.lines),
    )


def _step(result: Result) -> dict[str, Any]:
    """Return what a result depends on."""
    return _fields(result, (*RESULT_FIELDS, *OPTION_FIELDS))


def _memory(memory: "Memory") -> dict[str, Any]:
    """Return the sums of what a step holds, its peak, and the operation at work then where the convention has one."""
    held = {category: memory.of(category) for category in CATEGORIES} | {"peak": memory.peak}
    at = memory.peak_moment
    return {
        "memory": {name: _fields(amount, HELD_FIELDS) for name, amount in held.items()},
        "peak_at": None if at is None else _fields(at, ("phase", "layer", "operation")),
    }


def _errata(errata: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"layer": layer, "slip": slip} for layer, slip in errata]


def _result(result: Result, by: By | None) -> dict[str, Any]:
    return {
        **_step(result),
        "totals": _fields(result.totals, TOTAL_FIELDS),
        "phases": {phase: _fields(amount, AMOUNT_FIELDS) for phase, amount in result.phases.items()},
        **_memory(result.memory),
        "not_counted": result.not_counted,
        "priced_as_exact": list(result.priced_as_exact),
        "notes": list(result.notes),
        "errata": _errata(result.errata),
        "rows": [_row(row, has_scalars=by == "operation") for row in group_by(result.rows, by or "operation")],
    }


def _row(row: Row, *, has_scalars: bool) -> dict[str, Any]:
    """Return a row's fields, with its scalar operations where they are asked for and its note where it has one."""
    scalars = {"scalars": row.scalars} if has_scalars else {}
    return _fields(row, ROW_FIELDS) | scalars | ({"note": row.note} if row.note else {})


def _fields(item: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(item, name) for name in names}


def _document(**content: Any) -> str:
    tool = {"name": "tcost", "version": __version__}
    document = {"schema_version": SCHEMA_VERSION, "tool": tool, **content}
    return json.dumps(document, indent=2, default=sorted) + "\n"


def _csv(columns: Sequence[str], lines: Iterable[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for line in lines:
        writer.writerow({name: csv_cell(cell) if isinstance(cell, str) else cell for name, cell in line.items()})
    return text.getvalue()
