"""Break-even points for machines."""

from collections.abc import Sequence
from typing import Any

from tcost.breakeven import Beside, BreakEven
from tcost.cost import Result
from tcost.export.documents import csv_text, document, fields

POINT_FIELDS = ("first", "second", "measure", "axis", "start", "limit")
BESIDE_FIELDS = ("value", "first", "second")


def breakeven_to_json(found: Sequence[BreakEven], results: Sequence[Result]) -> str:
    """Return break-even points as JSON: `start` is null where there is none, `limit` a ratio of two integers.

    `cheaper` has the first and the last value of every run of values at which the first rule is cheaper, null where
    that goes on for ever.
    """
    return document(
        **_settings(results),
        not_counted=results[0].not_counted,
        points=[
            _point(each) | {"cheaper": each.cheaper, "at": _beside(each.at), "below": _beside(each.below)}
            for each in found
        ],
    )


def breakeven_to_csv(found: Sequence[BreakEven], results: Sequence[Result]) -> str:
    """Return break-even points as CSV, one line per measure and pair of rules."""
    settings = _settings(results)
    sides = [f"{place}_{name}" for place in ("at", "below") for name in BESIDE_FIELDS[1:]]
    return csv_text(
        (*settings, *POINT_FIELDS, *sides),
        (settings | _point(each) | _flat("at", each.at) | _flat("below", each.below) for each in found),
    )


def _settings(results: Sequence[Result]) -> dict[str, Any]:
    return fields(results[0], ("spec", "convention", "batch", "optimizer", "causal", "attention"))


def _point(each: BreakEven) -> dict[str, Any]:
    limit = None if each.limit is None else f"{each.limit.numerator}/{each.limit.denominator}"
    return fields(each, ("first", "second", "measure")) | {
        "axis": each.axis.name,
        "start": each.start,
        "limit": "infinity" if each.is_open and limit is None else limit,
    }


def _beside(beside: Beside | None) -> dict[str, int] | None:
    return fields(beside, BESIDE_FIELDS) if beside else None


def _flat(place: str, beside: Beside | None) -> dict[str, int]:
    return {f"{place}_{name}": getattr(beside, name) for name in BESIDE_FIELDS[1:]} if beside else {}
