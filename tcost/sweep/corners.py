"""Single points of a grid, for what is said of all of them."""

from itertools import product

from tcost.cost import Result
from tcost.sweep.grid import Sweep


def corners(sweep: Sweep) -> list[Result]:
    """Return what `evaluate` gives where every axis has its first or its last value, under each rule and convention.

    Which slips and parts a model has depends on its sizes only by which of them are zero.
    """
    names = [axis.name for axis in sweep.axes]
    ends = [dict.fromkeys((axis.values[0], axis.values[-1])) for axis in sweep.axes]
    return [
        sweep.result(dict(zip(names, values, strict=True)), algo, convention)
        for convention in sweep.conventions
        for algo in sweep.algos
        for values in product(*ends)
    ]


def not_counted(sweep: Sweep) -> dict[str, tuple[str, ...]]:
    """Return what each convention leaves out, in words."""
    first = {axis.name: axis.values[0] for axis in sweep.axes}
    return {name: sweep.result(first, sweep.algos[0], name).not_counted for name in sweep.conventions}
