"""A sweep is `evaluate` at every point, exactly, whatever the grid, the rule, the convention and the numbers."""

from typing import Any

import pytest
from drawn import MODERN
from hypothesis import given, settings
from hypothesis import strategies as st

from tcost import ModelSpec, evaluate, load_spec
from tcost.conventions import CONVENTIONS
from tcost.learning_rules import LEARNING_RULES
from tcost.sweep import MEASURES, Axis, Sweep, parse_axis
from tcost.sweep.pricing import Pricer

RULES, NAMES = [*LEARNING_RULES], [*CONVENTIONS]


def assert_equals_compute(sweep: Sweep) -> list[dict[str, Any]]:
    """Check every row of a sweep against `evaluate` by itself, and return the rows."""
    pricer, found = Pricer(sweep), []
    for number in range(sweep.chunks):
        chunk = sweep.chunk(number)
        part = pricer.price(chunk)
        columns = {name: each.tolist() for name, each in (*part.axes.items(), *part.measures.items())}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        assert len(rows) == chunk.rows
        for row in rows:
            result = sweep.point(chunk, {axis.name: row[axis.name] for axis in sweep.axes})
            assert {name: MEASURES[name](result) for name in sweep.measures} == {m: row[m] for m in sweep.measures}, row
        found += [{"algo": chunk.algo, "convention": chunk.convention, **row} for row in rows]
    assert len(found) == sweep.rows
    return found
