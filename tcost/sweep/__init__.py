"""Sweeps: all combinations of some sizes, priced exactly."""

from tcost.cost.measures import MEASURES
from tcost.extras import extra
from tcost.sweep.axes import Axis, parse_axis
from tcost.sweep.grid import CHUNK_ROWS, Chunk, Sweep

with extra("sweep"):
    from tcost.sweep.values import Integers

__all__ = ["CHUNK_ROWS", "MEASURES", "Axis", "Chunk", "Integers", "Sweep", "parse_axis"]
