"""What is compared of a training step: its amounts by layer and phase, whether it was priced here or saved before."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from tcost.conventions import Slip
from tcost.cost import Result
from tcost.cost.prices import WORK, Priced
from tcost.cost.rows import PARAMETERS
from tcost.memory import CATEGORIES
from tcost.settings import NAMES, Settings, Storage, values_of

Cell: TypeAlias = tuple[str, str]
"""A layer, and the phase of work, the category of memory, or nothing of parameters."""

ALL_LAYERS = "all layers"
"""What stands for the layer of rows that are saved by phase."""

IDENTITY = ("spec", *NAMES)
"""What amounts depend on."""


@dataclass(frozen=True, kw_only=True)
class Snapshot(Settings):
    """The amounts of one training step, and what they depend on.

    `totals` has every measure of `tcost.cost.measures`, but for those that a result which an earlier version has
    saved does not say, and `memory_bytes`, the sum of the categories but the indices.
    `cells` has by layer what adds up to them: work by phase, memory by category. A peak does not add up: its cells
    are those of everything that is held. `copies` are those of each layer.
    """

    spec: str
    overrides: Mapping[str, int]
    totals: Mapping[str, int]
    cells: Mapping[str, Mapping[Cell, int]]
    copies: Mapping[str, int | None]
    not_counted: tuple[str, ...]
    slips: tuple[Slip, ...]
    notes: tuple[str, ...]

    @property
    def has_layers(self) -> bool:
        """Whether the work is known by layer; it is not where rows were saved by phase."""
        return all(layer != ALL_LAYERS for layer, _ in self.cells["macc"])


def snapshot_of(result: Result) -> Snapshot:
    """Return what is compared of a result."""
    memory = result.memory
    slips = dict.fromkeys((*result.slips, *memory.slips))
    return _snapshot(result, memory.sums, memory.rows, slips)


def saved_snapshot(saved: Any) -> Snapshot:
    """Return what is compared of a saved result, which has the fields of the document of `tcost compute`."""
    slips = (Slip(each.layer, each.slip) for each in saved.slips)
    snapshot = _snapshot(saved, vars(saved.memory), saved.memory_rows, slips)
    return replace(snapshot, storage=Storage(**vars(saved.storage)))


def _snapshot(result: Any, held: Mapping[str, Any], memory_rows: Iterable[Any], slips: Iterable[Slip]) -> Snapshot:
    """Return a snapshot of a result whose rows have the same fields, priced or saved."""
    totals = {name: number for name in (*WORK, *PARAMETERS) if (number := _number(result.totals, name)) is not None}
    totals |= {
        f"{name}_{unit}": getattr(held[name], unit)
        for name in ("stored_activations", "peak")
        for unit in ("elements", "bytes")
    }
    totals["memory_bytes"] = sum(held[category].bytes for category in CATEGORIES if category != "indices")
    return Snapshot(
        **values_of(result),
        spec=result.spec,
        overrides={str(name): length for name, length in result.overrides.items()},
        totals=totals,
        cells=_work(result.rows, [name for name in (*WORK, *PARAMETERS) if name in totals]) | _held(memory_rows),
        copies=_copies(result.rows),
        not_counted=tuple(result.not_counted),
        slips=tuple(slips),
        notes=tuple(result.notes),
    )


def _layer(row: Any) -> str:
    return ALL_LAYERS if row.layer is None else str(row.layer)


def _number(item: Any, name: str) -> Any:
    """Return an amount of work, priced here or saved, or a number of parameters."""
    return item.amount(name) if isinstance(item, Priced) and name in WORK else getattr(item, name)


def _work(rows: Iterable[Any], names: Sequence[str]) -> dict[str, Mapping[Cell, int]]:
    cells: dict[str, Counter[Cell]] = {name: Counter() for name in names}
    for row in rows:
        for name in names:
            cells[name][_layer(row), row.phase if name in WORK else ""] += _number(row, name)
    return {name: dict(each) for name, each in cells.items()}


def _held(rows: Iterable[Any]) -> dict[str, Mapping[Cell, int]]:
    cells: dict[str, Counter[Cell]] = {
        f"{name}_{unit}": Counter()
        for name in ("stored_activations", "peak", "memory")
        for unit in ("elements", "bytes")
    }
    for row in rows:
        names = ["memory", "peak"] * (row.category != "indices")
        names += ["stored_activations"] * (row.category == "stored_activations")
        for name in names:
            for unit in ("elements", "bytes"):
                cells[f"{name}_{unit}"][row.layer, row.category] += getattr(row, unit)
    return {name: dict(each) for name, each in cells.items()}


def _copies(rows: Iterable[Any]) -> dict[str, int | None]:
    """Return the copies of each layer, which its first row has."""
    found: dict[str, int | None] = {}
    for row in rows:
        found.setdefault(_layer(row), row.repeats)
    return found
