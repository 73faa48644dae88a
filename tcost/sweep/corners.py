"""Single points of a grid, for what is said of all of them."""

from collections.abc import Sequence
from itertools import product

from tcost.cost import Result
from tcost.sweep.grid import Sweep


def corners(sweep: Sweep) -> list[Result]:
    """Return what `evaluate` gives where every axis has its first or its last value, under each rule and convention.

    Which slips and parts a model has depends on its sizes only by which of them are zero.
    """
    ends = [dict.fromkeys((axis.values[0], axis.values[-1])) for axis in sweep.axes]
    return [
        _result(sweep, convention, algo, values)
        for convention in sweep.conventions
        for algo in sweep.algos
        for values in product(*ends)
    ]


def not_counted(sweep: Sweep) -> dict[str, tuple[str, ...]]:
    """Return what each convention leaves out, in words."""
    first = [axis.values[0] for axis in sweep.axes]
    return {name: _result(sweep, name, sweep.algos[0], first).not_counted for name in sweep.conventions}


def _result(sweep: Sweep, convention: str, algo: str, values: Sequence[int]) -> Result:
    names = (axis.name for axis in sweep.axes)
    return sweep.result(dict(zip(names, values, strict=True)), algo, convention)
