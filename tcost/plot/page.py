"""A page: a title, a legend and a caption around the panels, none over another."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from matplotlib.figure import Figure

from tcost.plot.style import CAPTION, LABEL, POINTS, TICK, TITLE, WIDTH, wrapped

MARGIN = 0.1
"""Inches between the edge and what is next to it."""

DPI = 200
"""Pixels of an inch, where there are pixels."""

DIGITS = 5
"""Of the places of panels, in parts of the page: less than can be seen."""

LEADING = 1.25
"""Lines of text are so much higher than their letters."""

MOST_IN_LINE = 4
"""Entries of a legend beside each other."""


@dataclass(frozen=True)
class Picture:
    """A figure, and what it shows in words, for who does not see it."""

    figure: Figure
    title: str
    description: str


def page(title: str, entries: Sequence[Any], caption: Sequence[str], panels: float) -> Figure:
    """Return a figure with a title, a legend of some entries and a caption, and room between them for panels.

    The texts are as `tcost.plot.style.shown` returns them, `panels` is the height of the room in inches. What
    is put into the figure is laid out inside the room.
    """
    room = (WIDTH - 3 * MARGIN) * POINTS  # letters on pixels are a little wider than they are measured
    heading = wrapped(title, TITLE, room, weight="bold")
    notes = [line for note in caption for line in wrapped(note, CAPTION, room)]
    rows = ceil(len(entries) / MOST_IN_LINE)
    top = MARGIN + _height(len(heading), TITLE) + 0.06
    head = top + rows * _height(1, LABEL) + 0.02
    foot = _height(len(notes), CAPTION) + 2 * MARGIN
    height = head + panels + foot
    figure = Figure(figsize=(WIDTH, height), layout="constrained", dpi=DPI)
    layout: Any = figure.get_layout_engine()
    layout.set(rect=(MARGIN / WIDTH, foot / height, 1 - 2 * MARGIN / WIDTH, panels / height), w_pad=0.04, h_pad=0.04)
    left = MARGIN / WIDTH
    figure.text(left, 1 - MARGIN / height, "\n".join(heading), size=TITLE, weight="bold", va="top", linespacing=LEADING)
    figure.text(
        left, (foot - MARGIN) / height, "\n".join(notes), size=CAPTION, va="top", color="0.25", linespacing=LEADING
    )
    legend = figure.legend(
        handles=list(entries),
        loc="upper left",
        bbox_to_anchor=(left, 1 - top / height),
        ncols=min(len(entries), ceil(len(entries) / rows)),
        fontsize=TICK,
    )
    legend.set_in_layout(False)  # its place is outside the room that is laid out
    return figure


def settle(figure: Figure) -> None:
    """Lay the panels of a page out and leave them where they are.

    The solver of a constrained layout adds in the order of addresses in memory: its results differ in their last
    digits from run to run, and names in an SVG are made of all digits.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = (round(each, DIGITS) for each in axes.get_position().bounds)
        axes.set_position((left, bottom, width, height))


def _height(lines: int, size: float) -> float:
    return lines * size * LEADING / POINTS
