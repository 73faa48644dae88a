"""What has changed between training steps, for machines."""

from dataclasses import asdict
from typing import Any

from tcost.diff import Change, Difference, Differences, Snapshot
from tcost.diff.snapshots import IDENTITY
from tcost.export.documents import document
from tcost.units import percent

BY_LAYER = ("macc", "flop", "parameters", "memory_bytes")
"""The measures whose changes by layer are written."""


def differences_to_json(found: Differences) -> str:
    """Return differences as JSON: what each side depends on, every total, and what has changed by layer and phase."""
    return document(
        differences=[_difference(pair) for pair in found.pairs],
        only_base=list(map(settings, found.only_base)),
        only_head=list(map(settings, found.only_head)),
    )


def settings(step: Snapshot) -> dict[str, Any]:
    """Return what the amounts of a step depend on."""
    return {name: getattr(step, name) for name in IDENTITY if name != "errata"} | {
        "has_errata": step.errata,
        "storage": asdict(step.storage),
    }


def _difference(pair: Difference) -> dict[str, Any]:
    return {
        "base": settings(pair.base),
        "head": settings(pair.head),
        "totals": {measure: change_fields(pair.total(measure)) for measure in pair.measures},
        "changes": [
            {"measure": measure, "layer": each.layer, "part": each.part or None} | change_fields(each)
            for measure in BY_LAYER
            for each in pair.changes(measure)
        ],
    }


def change_fields(each: Change) -> dict[str, Any]:
    """Return an amount before and after, null where nothing has it, and its change."""
    ratio = each.ratio
    return {
        "base": each.base,
        "head": each.head,
        "difference": each.difference,
        "percent": None if ratio is None else percent(ratio),
    }
