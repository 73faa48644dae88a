"""The numbers of a chunk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from tcost.sweep.arithmetic import LANES, Box, Kept, lane_of, values_of
from tcost.sweep.axes import Axis
from tcost.sweep.forms import ClosedForms, Form
from tcost.sweep.grid import Chunk, IndexBox, Sweep
from tcost.sweep.values import Integers

FREED = 31 * 2**20
"""Bytes of a block that is freed once, less than 32 MiB: from then on glibc keeps blocks of up to so many."""

DTYPES = {"int64": np.int64, "pair": np.uint64, "object": object}


@dataclass(frozen=True, eq=False)
class Part:
    """The rows of a chunk, as columns: the values of the axes (int64), and each measure."""

    chunk: Chunk
    grid: Mapping[str, Any]
    """The values of each axis in the chunk, of which the rows are all combinations, the last fastest."""
    measures: Mapping[str, Integers]

    @property
    def axes(self) -> dict[str, Any]:
        """The value of each axis in every row."""
        columns = np.meshgrid(*self.grid.values(), indexing="ij", copy=False)
        return {name: column.ravel() for name, column in zip(self.grid, columns, strict=True)}


class Pricer:
    """Prices the chunks of a sweep; what it finds for one serves the next."""

    def __init__(self, sweep: Sweep) -> None:
        """Begin with nothing known."""
        self.sweep = sweep
        # Chunks free as much as they take. Were it given back to the system each time, getting it anew, page by page,
        # would take longer than the sums and products. Source: mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
        np.empty(FREED, dtype=np.uint8)
        self._kept: Kept = {}
        self._forms = {
            (convention, algo): ClosedForms(sweep, algo, convention)
            for convention in sweep.conventions
            for algo in sweep.algos
        }

    def price(self, chunk: Chunk) -> Part:
        """Return the rows of a chunk. Raises InputError for one that the model cannot have."""
        boxes = list(self._forms[chunk.convention, chunk.algo].within(chunk.box))
        axes = self.sweep.axes
        values = [_values(axis, indices) for axis, indices in zip(axes, chunk.box, strict=True)]
        measures = {
            name: self._filled([(box, forms[name]) for box, forms in boxes], chunk.box, values)
            for name in self.sweep.measures
        }
        return Part(chunk, {axis.name: each for axis, each in zip(axes, values, strict=True)}, measures)

    def _filled(self, forms: Sequence[tuple[IndexBox, Form]], box: IndexBox, values: Sequence[Any]) -> Integers:
        """Return a measure at every point of a box, from its forms in boxes that make it up."""
        pieces = []
        for part, form in forms:
            pairs = zip(part, box, strict=True)
            place = tuple(slice(a.start - whole.start, a.stop - whole.start) for a, whole in pairs)
            pieces.append((place, form, self._box(part, [each[of] for each, of in zip(values, place, strict=True)])))
        lane = max(
            (lane_of(form, [int(each.max()) for each in some.values]) for _, form, some in pieces), key=LANES.index
        )
        shape = [len(each) for each in values]
        if len(pieces) == 1:
            return _flat(values_of(pieces[0][1], pieces[0][2], lane), shape)
        low, high = np.empty(shape, dtype=DTYPES[lane]), np.empty(shape, dtype=np.int64) if lane == "pair" else None
        for place, form, some in pieces:
            found = values_of(form, some, lane)
            low[place] = found.low
            if high is not None:
                high[place] = found.high
        return _flat(Integers(low, high), shape)

    def _box(self, part: IndexBox, values: Sequence[Any]) -> Box:
        whole = frozenset(place for place, each in enumerate(part) if len(each) == self.sweep.shape[place])
        return Box(values, whole, self._kept)


_pricer_of = lru_cache(maxsize=1)(Pricer)


def price(sweep: Sweep, chunk: Chunk) -> Part:
    """Return the rows of one chunk of a sweep; see `Pricer`. What is found for the last sweep is kept."""
    return _pricer_of(sweep).price(chunk)


def _values(axis: Axis, indices: range) -> Any:
    """Return some of an axis's values as int64."""
    some = axis.values[indices.start : indices.stop]
    return np.arange(some.start, some.stop, some.step) if isinstance(some, range) else np.array(some, dtype=np.int64)


def _flat(found: Integers, shape: Sequence[int]) -> Integers:
    """Return integers of a box as one row after the other."""
    low, high = (None if each is None else np.broadcast_to(each, shape).ravel() for each in (found.low, found.high))
    return Integers(low, high)
