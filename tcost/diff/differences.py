"""The difference of two training steps: what has changed, by layer and phase, and by how much."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tcost.diff.snapshots import ALL_LAYERS, IDENTITY, Cell, Snapshot
from tcost.errors import InputError

if TYPE_CHECKING:
    from fractions import Fraction

KEYS = (("algo",), ("spec", "algo"), ("spec", "algo", "context", "encoder_context"))
"""What makes two steps a pair: as little as tells the steps of each side apart."""


@dataclass(frozen=True)
class Change:
    """An amount before and after; None where there is nothing that has it."""

    layer: str
    part: str
    """The phase of work, the category of memory; empty of parameters and of whole layers."""
    base: int | None
    head: int | None

    @property
    def difference(self) -> int:
        """What has been added, less than zero where there is less."""
        return (self.head or 0) - (self.base or 0)

    @property
    def ratio(self) -> "Fraction | None":
        """The relative change, exactly; None where there was nothing before."""
        return relative(self.base or 0, self.head or 0)


@dataclass(frozen=True)
class Difference:
    """Two steps of which one is to be compared with the other."""

    base: Snapshot
    head: Snapshot

    @cached_property
    def settings(self) -> dict[str, tuple[Any, Any]]:
        """What the amounts depend on and is not the same on both sides."""
        pairs = {name: (getattr(self.base, name), getattr(self.head, name)) for name in IDENTITY}
        return {name: (before, after) for name, (before, after) in pairs.items() if before != after}

    @property
    def measures(self) -> list[str]:
        """The measures that both sides have."""
        return [measure for measure in self.head.totals if measure in self.base.totals]

    def total(self, measure: str) -> Change:
        """Return the change of a whole measure."""
        return Change("total", "", self.base.totals[measure], self.head.totals[measure])

    def changes(self, measure: str) -> list[Change]:
        """Return the cells of a measure that are not the same, layer by layer: those of the head, then what is gone."""
        base, head = self._cells(measure)
        cells = dict.fromkeys((*head, *base))
        layers = {layer: place for place, layer in enumerate(dict.fromkeys(layer for layer, _ in cells))}
        ordered = sorted(cells, key=lambda cell: layers[cell[0]])
        changes = [Change(*cell, base.get(cell), head.get(cell)) for cell in ordered]
        return [each for each in changes if each.difference]

    def by_layer(self, measure: str) -> list[Change]:
        """Return the changes of whole layers, the phases or categories of each together."""
        base, head = map(_by_layer, self._cells(measure))
        return [Change(layer, "", base.get(layer), head.get(layer)) for layer in dict.fromkeys((*head, *base))]

    def copies(self, layer: str) -> tuple[int | None, int | None]:
        """Return the copies of a layer before and after."""
        return self.base.copies.get(layer), self.head.copies.get(layer)

    def _cells(self, measure: str) -> tuple[Mapping[Cell, int], Mapping[Cell, int]]:
        """Return the cells of both sides, those of all layers together where one side has no others."""
        base, head = self.base.cells[measure], self.head.cells[measure]
        is_work = not measure.startswith(("stored", "peak", "memory"))
        if is_work and not (self.base.has_layers and self.head.has_layers):
            return _by_part(base), _by_part(head)
        return base, head


@dataclass(frozen=True)
class Differences:
    """Pairs of steps, and the steps of each side that the other has no match for."""

    pairs: tuple[Difference, ...]
    only_base: tuple[Snapshot, ...]
    only_head: tuple[Snapshot, ...]


def relative(base: int, head: int) -> "Fraction | None":
    """Return a relative change exactly: 1/2 is half as much again; None where there was nothing before."""
    from fractions import Fraction

    return Fraction(head - base, base) if base else None


def differences(base: Sequence[Snapshot], head: Sequence[Snapshot]) -> Differences:
    """Pair the steps of two sides by their learning rule, and by model and context where a side has several.

    Raises InputError where steps cannot be told apart, where no step has a match, and where two of a pair were priced
    under different conventions, which a difference would mix up.
    """
    for names in KEYS:
        before, after = ({_key(each, names): each for each in side} for side in (base, head))
        if len(before) == len(base) and len(after) == len(head):
            break
    else:
        raise InputError(
            "a side has several results of the same model, context and rule\nsave each in a file of its own"
        )
    pairs = [Difference(before[key], after[key]) for key in after if key in before]
    if not pairs:
        raise InputError(f"nothing to compare: base has {_named(base)}; head has {_named(head)}")
    for pair in pairs:
        if "convention" in pair.settings:
            conventions = f"{pair.base.convention}, head under {pair.head.convention}"
            raise InputError(f"base is under {conventions}\na difference needs one convention; see: tcost reconcile")
    only_base = tuple(each for key, each in before.items() if key not in after)
    only_head = tuple(each for key, each in after.items() if key not in before)
    return Differences(tuple(pairs), only_base, only_head)


def _key(step: Snapshot, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(step, name) for name in names)


def _named(steps: Sequence[Snapshot]) -> str:
    return ", ".join(dict.fromkeys(f"{each.spec} under {each.algo}" for each in steps)) or "nothing"


def _by_layer(cells: Mapping[Cell, int]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for (layer, _), amount in cells.items():
        sums[layer] += amount
    return sums


def _by_part(cells: Mapping[Cell, int]) -> Mapping[Cell, int]:
    sums: Counter[Cell] = Counter()
    for (_, part), amount in cells.items():
        sums[ALL_LAYERS, part] += amount
    return sums
