"""The numbers of a chunk."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from tcost.sweep.grid import Chunk, Sweep
from tcost.sweep.measures import MEASURES
from tcost.sweep.values import Integers


@dataclass(frozen=True, eq=False)
class Part:
    """The rows of a chunk, as columns: the values of the axes (int64), and each measure."""

    chunk: Chunk
    axes: dict[str, Any]
    measures: dict[str, Integers]


def price(sweep: Sweep, chunk: Chunk) -> Part:
    """Return the rows of a chunk."""
    values = [[axis.values[i] for i in indices] for axis, indices in zip(sweep.axes, chunk.box, strict=True)]
    names = [axis.name for axis in sweep.axes]
    points = list(product(*values))
    results = [sweep.point(chunk, dict(zip(names, point, strict=True))) for point in points]
    axes = {name: np.array([point[i] for point in points], dtype=np.int64) for i, name in enumerate(names)}
    measures = {
        name: Integers(np.array([MEASURES[name](result) for result in results], dtype=object))
        for name in sweep.measures
    }
    return Part(chunk, axes, measures)
