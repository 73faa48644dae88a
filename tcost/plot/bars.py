"""Bars: where the work of one training step is, by layer and phase."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from matplotlib.patches import Patch

from tcost.cost import Result
from tcost.kinds import PHASES, Phase
from tcost.plot.captions import caption
from tcost.plot.page import Picture, page, settle
from tcost.plot.style import TICK, fill_of, house_style, shown
from tcost.plot.ticks import amount_ticks
from tcost.report import WORK
from tcost.report.bars import Bar, bars_of, small_layers
from tcost.report.words import words_of
from tcost.units import si

BAR_HEIGHT, PANEL_HEIGHT = 0.17, 0.5
"""Inches of a bar with the space below it, and of a panel's title and ticks."""


def bars(results: Sequence[Result], command: str) -> Picture:
    """Draw the MACCs and FLOPs of each rule's step: a bar per layer, a part of it per phase, in the model's order.

    Layers that are small under every rule are one bar. An amount below zero, which an erratum may have, goes
    to the left. `command` is said in the caption.
    """
    small = small_layers(results)
    groups = [bars_of(result, small) for result in results]
    phases = [phase for phase in PHASES if any(row.phase == phase for result in results for row in result.rows)]
    with house_style():
        title = shown(f"{results[0].spec}: one training step by layer and phase")
        other = [f"other: layers with less than 1 % of every total: {', '.join(small)}"] if small else []
        notes = caption(results, command, ("macc", "flop"), notes=other)
        entries = [Patch(label=words_of(phase), **fill_of(phase)) for phase in phases]
        heights = [len(group) * BAR_HEIGHT + PANEL_HEIGHT for group in groups]
        figure = page(title, entries, notes, sum(heights))
        grid = figure.subplots(
            len(results),
            len(WORK),
            squeeze=False,
            sharex="col",
            sharey="row",
            height_ratios=[len(group) for group in groups],
        )
        for result, group, line in zip(results, groups, grid, strict=True):
            for measure, axes in zip(WORK, line, strict=True):
                _draw(axes, group, measure, phases)
                whole = sum(bar.amount(measure) for bar in group)
                axes.set_title(f"{measure} under {result.algo}: {si(whole)}")
        for column, measure in enumerate(WORK):
            _scale(grid[-1][column], measure, groups)
        settle(figure)
    return Picture(figure, title, "\n".join((*_in_words(results, groups), *notes)))


def _draw(axes: Any, group: Sequence[Bar], measure: str, phases: Sequence[Phase]) -> None:
    """Draw bars from top to bottom, and the amount of each behind it."""
    ends = [0] * len(group)
    starts = [0] * len(group)
    for phase in phases:
        amounts = {place: amount for place, bar in enumerate(group) if (amount := bar.amount(measure, phase))}
        lefts = [starts[place] if amount < 0 else ends[place] for place, amount in amounts.items()]
        axes.barh(
            list(amounts),
            [float(amount) for amount in amounts.values()],
            left=[float(left) for left in lefts],
            height=0.72,
            label=phase,
            **fill_of(phase),
        )
        for place, amount in amounts.items():
            starts[place] += min(amount, 0)
            ends[place] += max(amount, 0)
    for place, bar in enumerate(group):
        axes.annotate(
            si(bar.amount(measure)),
            (float(ends[place]), place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            size=TICK - 1,
        )
    axes.set_yticks(range(len(group)), [shown(bar.label) for bar in group])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(group) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.axvline(0, color="black", linewidth=0.6)
    axes.spines["left"].set_visible(False)


def _scale(axes: Any, measure: str, groups: Sequence[Sequence[Bar]]) -> None:
    """Scale a column of panels, with room for the amount behind the longest bar."""
    parts = [[bar.amount(measure, phase) for phase in PHASES] for group in groups for bar in group]
    low = min(sum(min(amount, 0) for amount in each) for each in parts)
    high = max(sum(max(amount, 0) for amount in each) for each in parts)
    ticks = amount_ticks(0, max(high, 1))
    axes.set_xlim(low * 1.1, max(high, 1) * 1.22)
    axes.set_xticks([float(value) for value in ticks.values], ticks.labels)


def _in_words(results: Sequence[Result], groups: Sequence[Sequence[Bar]]) -> Iterator[str]:
    """Say how long the bars are."""
    for measure, (result, group) in product(WORK, zip(results, groups, strict=True)):
        lengths = ", ".join(f"{bar.label} {si(bar.amount(measure))}" for bar in group)
        yield f"{measure} under {result.algo}: {lengths}."
