"""What `tcost diff` writes."""

from typing import Any

from tcost.cost.measures import MEASURES
from tcost.cost.prices import WORK
from tcost.diff import Change as Found
from tcost.diff import Difference as Pair
from tcost.diff import Differences
from tcost.documents.parts import Document, Step
from tcost.documents.writing import also, as_json, part
from tcost.units import percent

BY_LAYER = (*WORK, "parameters", "memory_bytes")
"""The measures whose changes by layer are written."""


EVER = (
    *("macc", "flop", "parameters", "active_parameters", "stored_activations_elements", "stored_activations_bytes"),
    *("peak_elements", "peak_bytes", "memory_bytes"),
)
"""The measures that results have which any version has saved."""


@part
class Change:
    """An amount before and after."""

    base: int | None
    """What was before; null where nothing was."""
    head: int | None
    """What is now; null where nothing is."""
    difference: int
    """What has been added, less than zero where there is less."""
    percent: float | None
    """The same of what was before, with three significant digits; null where nothing was."""


@part
class Cell:
    """What is measured, of a layer in one phase or category."""

    measure: str
    """An amount of work, `parameters`, or `memory_bytes`, everything that a step holds but its indices."""
    layer: str
    """Path of the layer, or the name of an erratum; `all layers` where a side was saved by phase."""
    part: str | None
    """Phase of work, category of memory, or null of parameters."""


@part
class CellChange(Change, Cell):
    """What has changed of a layer, in one phase or category."""


@part
@also(
    {name: each.meaning for name, each in MEASURES.items()}
    | {"memory_bytes": "All that a step holds but its indices."},
    of=Change,
    always=EVER,
)
class TotalChanges:
    """The change of every measure that both sides have."""


@part
class Difference:
    """Two training steps, of which one is held against the other."""

    base: Step
    """What was before."""
    head: Step
    """What is now."""
    totals: TotalChanges
    """Every measure, changed or not."""
    changes: list[CellChange]
    """What has changed, by layer and phase or category."""


@part
class DiffDocument(Document):
    """What `tcost diff` writes."""

    differences: list[Difference]
    """One for each pair of steps."""
    only_base: list[Step]
    """Steps that were and have no match now."""
    only_head: list[Step]
    """Steps that are and had no match before."""


def to_json(found: Differences) -> str:
    """Return differences as JSON: what each side depends on, every total, and what has changed by layer and phase."""
    return as_json(
        DiffDocument,
        differences=list(map(_difference, found.pairs)),
        only_base=found.only_base,
        only_head=found.only_head,
    )


def _difference(pair: Pair) -> dict[str, Any]:
    return {
        "base": pair.base,
        "head": pair.head,
        "totals": {measure: change_of(pair.total(measure)) for measure in pair.measures},
        "changes": [
            change_of(each) | {"measure": measure, "layer": each.layer, "part": each.part or None}
            for measure in BY_LAYER
            if measure in pair.measures
            for each in pair.changes(measure)
        ],
    }


def change_of(each: Found) -> dict[str, Any]:
    """Return an amount before and after, None where nothing has it, and its change."""
    ratio = each.ratio
    return {
        "base": each.base,
        "head": each.head,
        "difference": each.difference,
        "percent": None if ratio is None else percent(ratio),
    }
