"""The figure of Pau & Aymone 2024: MACCs, FLOPs and stored activations over the context, under each learning rule."""

from collections.abc import Sequence
from dataclasses import replace

from tcost.breakeven import break_even
from tcost.plot.curves import Mark, curves
from tcost.plot.page import Picture
from tcost.settings import Settings
from tcost.spec import ModelSpec
from tcost.sweep import Axis, Sweep

POINTS = 16
"""Contexts of the figure, evenly spaced."""

MEASURES = ("macc", "flop", "stored_activations_bytes")


def paper_figure(specs: Sequence[ModelSpec], algos: Sequence[str], settings: Settings, command: str) -> Picture:
    """Draw the figure of some models, with a mark at each context from which a rule is cheaper than the first one."""
    sweeps = [paper_sweep(spec, algos, settings) for spec in specs]
    return curves(sweeps, command, [_break_even_marks(sweep) for sweep in sweeps])


def paper_sweep(spec: ModelSpec, algos: Sequence[str], settings: Settings) -> Sweep:
    """Return what the figure shows: contexts up to that of the settings or, where there is none, the spec's own."""
    last = spec.at(settings.context).context_length
    contexts = dict.fromkeys(max(1, last * place // POINTS) for place in range(1, POINTS + 1))
    axis = Axis("context_length", tuple(contexts))
    return Sweep(
        spec=spec,
        axes=(axis,),
        algos=tuple(algos),
        conventions=(settings.convention,),
        measures=MEASURES,
        settings=replace(settings, context=None),
    )


def _break_even_marks(sweep: Sweep) -> list[Mark]:
    """Return where each rule becomes cheaper than the first one, between the first and the last context of a figure."""
    first, *others = sweep.algos
    (axis,) = sweep.axes
    found = [
        point
        for other in others
        for point in break_even(
            sweep.spec,
            [other, first],
            f"context_length=1:{axis.values[-1]}",
            sweep.measures,
            sweep.settings,
        )
    ]
    marks = (Mark(point.measure, point.at.value) for point in found if point.at and point.below)
    return list(dict.fromkeys(mark for mark in marks if mark.value >= axis.values[0]))
