"""Bars: the rows of one training step by layer, for pictures of whatever kind."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from tcost.cost import Result, Row
from tcost.exact import Size
from tcost.kinds import Phase
from tcost.report import WORK, layer_of

SMALL = 100
"""A layer is small that has less than one part in so many of every total."""


@dataclass(frozen=True)
class Bar:
    """A bar: its label, and the rows of its layers."""

    label: str
    rows: tuple[Row, ...]

    def amount(self, measure: str, phase: Phase | None = None) -> Size:
        """Return the sum of its rows, of one phase or all."""
        return sum(WORK[measure](row) for row in self.rows if phase in (None, row.phase))


def small_layers(results: Sequence[Result]) -> list[str]:
    """Return the layers with less than one percent of each total under each rule; none where it would be only one."""
    large: set[str] = set()
    for result, amount in product(results, WORK.values()):
        work: Counter[str] = Counter()
        for row in result.rows:
            work[str(row.layer)] += amount(row)
        large |= {layer for layer, part in work.items() if abs(part) * SMALL >= sum(work.values())}
    layers = dict.fromkeys(str(row.layer) for result in results for row in result.rows)
    small = [layer for layer in layers if layer not in large]
    return small if len(small) > 1 else []


def bars_of(result: Result, small: Sequence[str]) -> list[Bar]:
    """Return the bars of a result: its layers in order, the small ones as the last."""
    layers: dict[str, list[Row]] = {}
    for row in result.rows:
        layers.setdefault(str(row.layer), []).append(row)
    shown_apart = [Bar(layer_of(rows[0]), tuple(rows)) for layer, rows in layers.items() if layer not in small]
    merged = [rows for layer, rows in layers.items() if layer in small]
    if not merged:
        return shown_apart
    label = f"other ({len(merged)} layers)" if len(merged) > 1 else "other (1 layer)"
    return [*shown_apart, Bar(label, tuple(row for rows in merged for row in rows))]
