"""What `tcost compare` writes: the results of `tcost compute`, each with its changes."""

from collections.abc import Iterable
from typing import Any

from tcost.cost import BESIDE, Change, Comparison
from tcost.documents.compute import Change as Described
from tcost.documents.compute import ComputeDocument, described
from tcost.documents.parts import Memory, Step, Totals
from tcost.documents.writing import as_csv, as_json, content
from tcost.settings import flat
from tcost.units import percent

MEASURES = ("macc", "flop", "stored_activations", "peak")


def to_json(comparisons: Iterable[Comparison]) -> str:
    """Return a comparison as JSON.

    `change` is under its own convention, `changes` are under others: null where a publication lacks what the model has.
    """
    return as_json(
        ComputeDocument,
        results=(
            described(
                each.result,
                None,
                change=_percent(each),
                changes={name: _percent(change) for name, change in each.changes.items()},
            )
            for each in comparisons
        ),
    )


def to_csv(comparisons: Iterable[Comparison]) -> str:
    """Return a comparison as CSV, one line per result."""
    return as_csv(
        content(Step, each.result)
        | content(Totals, each.result.totals)
        | {"against": each.baseline.algo}
        | _columns("", each)
        | dict(flat(content(Memory, each.result.memory.sums)))
        | {name: cell for under in BESIDE for name, cell in _columns(f"{under}_", each.changes[under]).items()}
        for each in comparisons
    )


def _percent(change: Change | None) -> dict[str, Any] | None:
    """Return a change; nothing where the convention's publication lacks what the model has."""
    if change is None or not (isinstance(change, Comparison) or change.is_published):
        return None
    amounts = {f"{measure}_percent": percent(getattr(change, measure)) for measure in MEASURES}
    return content(Described, {"against": change.baseline.algo} | amounts)


def _columns(before: str, change: Change | None) -> dict[str, Any]:
    found = _percent(change)
    return {f"{before}{measure}_change_percent": found and found[f"{measure}_percent"] for measure in MEASURES}
