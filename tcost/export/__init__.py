"""Rows for machines: JSON and CSV, with the same fields and exact integers."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tcost.cost import BESIDE, By, Change, Comparison, Result, Row, group_by
from tcost.export.documents import AMOUNT_FIELDS, csv_text, document, fields
from tcost.memory import CATEGORIES
from tcost.units import percent

if TYPE_CHECKING:
    from tcost.memory import Memory
    from tcost.memory.budget import Budget

RESULT_FIELDS = ("spec", "algo", "convention", "context", "encoder_context", "batch")
OPTION_FIELDS = ("optimizer", "causal", "attention", "recompute")
HELD_FIELDS = ("elements", "bytes")
MEMORY_ROW_FIELDS = ("layer", "category", *HELD_FIELDS)
BUDGET_FIELDS = ("bytes", "fits", "spare", "largest_context", "largest_batch")
TOTAL_FIELDS = (*AMOUNT_FIELDS, "parameters", "active_parameters", "trained_parameters")
CHANGE_FIELDS = ("macc", "flop", "stored_activations", "peak")
ROW_FIELDS = (
    *("layer", "operation", "kind", "phase", "repeats", "runs", "macc", "flop"),
    *("parameters", "active_parameters", "trained_parameters"),
)


def to_json(results: Iterable[Result], by: By | None = None) -> str:
    """Return results as JSON, schema version 1: what they depend on, totals, phases and rows.

    Rows are those of `by`, operations when there is none; asked for by name, operations have their scalars.
    """
    return document(results=[_result(result, by) for result in results])


def comparison_to_json(comparisons: Iterable[Comparison]) -> str:
    """Return a comparison as JSON: results as in `to_json`, each with its changes against the first rule.

    `change` is under its own convention, `changes` are under others: null where a publication lacks what the model has.
    """
    return document(
        results=[
            _result(each.result, None)
            | {
                "change": _change(each),
                "changes": {
                    name: _change(change) if change and change.is_published else None
                    for name, change in each.changes.items()
                },
            }
            for each in comparisons
        ]
    )


def _change(change: Change) -> dict[str, Any]:
    return {"against": change.baseline.algo} | {
        f"{measure}_percent": percent(getattr(change, measure)) for measure in CHANGE_FIELDS
    }


def to_csv(results: Iterable[Result], by: By | None = None) -> str:
    """Return results as CSV, one line per row, of operations where nothing else is asked for."""
    return csv_text(
        (*RESULT_FIELDS, *ROW_FIELDS),
        (
            fields(result, RESULT_FIELDS) | fields(row, ROW_FIELDS)
            for result in results
            for row in group_by(result.rows, by or "operation")
        ),
    )


def comparison_to_csv(comparisons: Iterable[Comparison]) -> str:
    """Return a comparison as CSV, one line per result."""
    return csv_text(
        (
            *(*RESULT_FIELDS, *TOTAL_FIELDS[:-1], "against", "macc_change_percent", "flop_change_percent"),
            *(f"{name}_{field}" for name in (*CATEGORIES, "peak") for field in HELD_FIELDS),
            *("stored_activations_change_percent", "peak_change_percent"),
            *(f"{convention}_{name}_change_percent" for convention in BESIDE for name in CHANGE_FIELDS),
            TOTAL_FIELDS[-1],  # what is new stands behind what was there, so that columns keep their places
        ),
        (
            fields(each.result, RESULT_FIELDS)
            | fields(each.result.totals, TOTAL_FIELDS)
            | {"against": each.baseline.algo}
            | _changes("", each)
            | {
                name: number
                for convention, change in each.changes.items()
                if change and change.is_published
                for name, number in _changes(f"{convention}_", change).items()
            }
            | {
                f"{name}_{field}": number
                for name, held in _memory(each.result.memory)["memory"].items()
                for field, number in held.items()
            }
            for each in comparisons
        ),
    )


def _changes(prefix: str, change: Change) -> dict[str, float]:
    return {f"{prefix}{measure}_change_percent": percent(getattr(change, measure)) for measure in CHANGE_FIELDS}


def memory_to_json(results: Iterable[Result], budgets: Iterable["Budget | None"]) -> str:
    """Return what steps hold as JSON: what it depends on, sums and peak, rows, and the budget where there is one."""
    return document(
        results=[
            _step(result)
            | _memory(result.memory)
            | ({"budget": fields(budget, BUDGET_FIELDS)} if budget else {})
            | {
                "notes": list(result.notes),
                "errata": errata_of(result.memory.slips),
                "rows": _memory_rows(result.memory),
            }
            for result, budget in zip(results, budgets, strict=True)
        ]
    )


def memory_to_csv(results: Iterable[Result], _budgets: Iterable["Budget | None"] = ()) -> str:
    """Return what steps hold as CSV, one line per layer and category, and one for the peak."""
    return csv_text(
        (*RESULT_FIELDS, *MEMORY_ROW_FIELDS),
        (
            fields(result, RESULT_FIELDS) | line
            for result in results
            for line in (
                *(fields(row, MEMORY_ROW_FIELDS) for row in result.memory.rows),
                {"category": "peak"} | fields(result.memory.peak, HELD_FIELDS),
            )
        ),
    )


def _step(result: Result) -> dict[str, Any]:
    """Return what a result depends on."""
    return fields(result, (*RESULT_FIELDS, *OPTION_FIELDS))


def _memory(memory: "Memory") -> dict[str, Any]:
    """Return the sums of what a step holds, its peak, and the operation at work then where the convention has one.

    How many bytes a number takes comes first.
    """
    held = {category: memory.of(category) for category in CATEGORIES} | {"peak": memory.peak}
    at = memory.peak_moment
    return {
        "storage": asdict(memory.storage),
        "memory": {name: fields(amount, HELD_FIELDS) for name, amount in held.items()},
        "peak_at": None if at is None else fields(at, ("phase", "layer", "operation")),
    }


def _memory_rows(memory: "Memory") -> list[dict[str, Any]]:
    return [fields(row, MEMORY_ROW_FIELDS) for row in memory.rows]


def errata_of(errata: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Return the layer of each erratum, and what the slip is."""
    return [{"layer": layer, "slip": slip} for layer, slip in errata]


def _result(result: Result, by: By | None) -> dict[str, Any]:
    return {
        **_step(result),
        "has_errata": result.errata,
        **fields(result, ("overrides",)),
        "totals": fields(result.totals, TOTAL_FIELDS),
        "phases": {phase: fields(amount, AMOUNT_FIELDS) for phase, amount in result.phases.items()},
        **_memory(result.memory),
        "not_counted": result.not_counted,
        "priced_as_exact": list(result.priced_as_exact),
        "notes": list(result.notes),
        "errata": errata_of(result.slips),
        "rows": [_row(row, has_scalars=by == "operation") for row in group_by(result.rows, by or "operation")],
        "memory_rows": _memory_rows(result.memory),
    }


def _row(row: Row, *, has_scalars: bool) -> dict[str, Any]:
    """Return a row's fields, with its scalar operations where they are asked for and its note where it has one."""
    scalars = {"scalars": row.scalars} if has_scalars else {}
    return fields(row, ROW_FIELDS) | scalars | ({"note": row.note} if row.note else {})
