"""The figure of Pau & Aymone 2024: MACCs, FLOPs and stored activations over the context, under each learning rule."""

from collections.abc import Sequence

from tcost.breakeven import break_even
from tcost.plot.curves import Mark, curves
from tcost.plot.page import Picture
from tcost.spec import ModelSpec
from tcost.sweep import Axis, Sweep
from tcost.training_step import Options

POINTS = 16
"""Contexts of the figure, evenly spaced."""

MEASURES = ("macc", "flop", "stored_activations_bytes")


def paper_figure(spec: ModelSpec, algos: Sequence[str], convention: str, options: Options, command: str) -> Picture:
    """Draw the figure, with a mark at each context from which on a rule is cheaper than the first one."""
    sweep = paper_sweep(spec, algos, convention, options)
    return curves(sweep, command, _break_even_marks(sweep))


def paper_sweep(spec: ModelSpec, algos: Sequence[str], convention: str, options: Options) -> Sweep:
    """Return what the figure shows: contexts up to that of the options or, where there is none, the spec's own."""
    last = spec.at(options.get("context")).context_length
    contexts = dict.fromkeys(max(1, last * place // POINTS) for place in range(1, POINTS + 1))
    rest: Options = {**options, "context": None}
    axis = Axis("context_length", tuple(contexts))
    return Sweep(
        spec=spec, axes=(axis,), algos=tuple(algos), conventions=(convention,), measures=MEASURES, options=rest
    )


def _break_even_marks(sweep: Sweep) -> list[Mark]:
    """Return where each rule becomes cheaper than the first one, between the first and the last context of a figure."""
    first, *others = sweep.algos
    (convention,), (axis,) = sweep.conventions, sweep.axes
    found = [
        point
        for other in others
        for point in break_even(
            sweep.spec,
            [other, first],
            f"context_length=1:{axis.values[-1]}",
            convention,
            sweep.measures,
            **sweep.options,
        )
    ]
    marks = (Mark(point.measure, point.at.value) for point in found if point.at and point.below)
    return list(dict.fromkeys(mark for mark in marks if mark.value >= axis.values[0]))
