"""Curves: measures of a training step over a size that varies, a line per learning rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, TypeAlias

from matplotlib.lines import Line2D

from tcost.cost import Result
from tcost.errors import InputError
from tcost.learning_rules import learning_rule
from tcost.plot.captions import AXES, caption
from tcost.plot.page import Picture, page, settle
from tcost.plot.style import POINTS, TICK, WIDTH, house_style, line_of, shown
from tcost.plot.ticks import amount_ticks, size, size_ticks, some_ticks
from tcost.report.words import format_of, heading
from tcost.sweep import Axis, Sweep
from tcost.sweep.pricing import price

MOST_POINTS = 1000
"""Values of the first axis: more than a line has pixels for."""

MOST_PANELS = 4
"""Values of the second axis, beside each other."""

MOST_MODELS = 6
"""Below each other."""

COLUMNS = 3
"""Panels beside each other where there is one axis."""

PANEL_HEIGHT = 2.1
"""Inches, with title and ticks."""

MARKERS = 8
"""Points of a line that are marked, at most: of rules whose lines lie on each other not the same ones."""

TITLES = {
    "stored_activations_elements": "stored activations, elements",
    "stored_activations_bytes": "stored activations",
    "peak_elements": "peak of memory, elements",
    "peak_bytes": "peak of memory",
}
"""What measures are called; the others as their columns are."""

Values: TypeAlias = Mapping[tuple[str, str], Sequence[int]]
"""The values of a sweep by rule and measure, in the order of its rows."""


@dataclass(frozen=True)
class Mark:
    """A value of the first axis that is marked in the panels of a measure, such as where two rules are equal."""

    measure: str
    value: int


@dataclass(frozen=True)
class Model:
    """What is drawn of one model: a sweep of it, its numbers, and what is marked."""

    sweep: Sweep
    values: Values
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Panel:
    """A measure of a model at one value of the second axis, or where there is only one axis."""

    model: Model
    measure: str
    title: tuple[str, ...]
    place: int
    """Which value of the second axis."""


MARKS = "ticks from above: from there on a rule is cheaper than {}"

ROOM = 0.2
"""The part of a panel's width that the label of a mark may take."""


def curves(sweeps: Sequence[Sweep], command: str, marks: Sequence[Sequence[Mark]] = ()) -> Picture:
    """Draw sweeps of some models, alike but for that, over one axis or two, under one convention.

    A panel per measure and, side by side, per value of the second axis; of several models, which have one axis, each
    is a row of panels. Axes are linear from zero, and logarithmic where an axis of the sweep is geometric; a mark is a
    tick with its exact value, `marks` has those of each model. `command` is said in the caption. Raises InputError for
    more values, models or measures than can be told apart.
    """
    first = sweeps[0]
    _check(sweeps)
    priced = [_priced(sweep) for sweep in sweeps]
    models = [
        Model(sweep, values, its)
        for sweep, (values, _), its in zip(sweeps, priced, marks or [()] * len(sweeps), strict=True)
    ]
    with house_style():
        panels = [panel for model in models for panel in _panels(model, of_many=len(models) > 1)]
        rows = _rows(models, len(panels))
        columns = ceil(len(panels) / rows)
        title = shown(f"{_listed([sweep.spec.name for sweep in sweeps])}: one training step against {_axis(first)}")
        said = [MARKS.format(first.algos[0])] * any(marks)
        ends = [result for _, its in priced for result in its]
        notes = caption(ends, command, first.measures, [axis.name for axis in first.axes], said)
        names = {algo: f"{algo} ({learning_rule(algo).title})" for algo in first.algos}
        entries = [Line2D([], [], **_look(algo) | {"label": name}) for algo, name in names.items()]
        figure = page(title, entries, notes, rows * PANEL_HEIGHT)
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for panel, axes in zip(panels, grid, strict=False):
            _draw(axes, panel)
            _scale_sizes(axes, panel.model.sweep.axes[0], columns)
            _mark(axes, [mark.value for mark in panel.model.marks if mark.measure == panel.measure])
        for axes in grid[len(panels) :]:
            axes.remove()
        settle(figure)
    words = [line for model in models for line in _in_words(model, of_many=len(models) > 1)]
    return Picture(figure, title, "\n".join((*words, *notes)))


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _axis(sweep: Sweep) -> str:
    return _called(sweep.axes[0].name)


def _rows(models: Sequence[Model], panels: int) -> int:
    """Return how many rows of panels there are."""
    sweep = models[0].sweep
    if len(models) > 1:
        return len(models)
    return len(sweep.measures) if len(sweep.axes) > 1 else ceil(panels / COLUMNS)


def _check(sweeps: Sequence[Sweep]) -> None:
    sweep = sweeps[0]
    if len(sweep.axes) > 2:  # noqa: PLR2004  # a plane has two
        raise InputError(f"curves have one axis or two, not {len(sweep.axes)}\nleave some of --over out")
    if sweep.shape[0] > MOST_POINTS:
        raise InputError(
            f"curves have at most {MOST_POINTS:,} points, not {sweep.shape[0]:,}\ngive a step, as in 32:8192:32"
        )
    if len(sweep.axes) > 1 and sweep.shape[1] > MOST_PANELS:
        name = sweep.axes[1].name
        raise InputError(
            f"a second axis has at most {MOST_PANELS} values, not {sweep.shape[1]:,} of {name}\n"
            f"give fewer, or {name} as the first axis"
        )
    if len(sweeps) > 1 and len(sweep.axes) > 1:
        raise InputError("models and the values of a second axis are both panels\ngive one model, or one axis")
    if len(sweeps) > 1 and len(sweep.measures) > MOST_PANELS:
        raise InputError(
            f"of several models at most {MOST_PANELS} measures are drawn, not {len(sweep.measures)}\n"
            "give fewer, or one model"
        )
    if len(sweeps) > MOST_MODELS:
        raise InputError(f"at most {MOST_MODELS} models are drawn, not {len(sweeps)}\ngive fewer, or a picture of each")


def _priced(sweep: Sweep) -> tuple[Values, list[Result]]:
    """Return the numbers of a sweep, and the results at both ends of it under each rule."""
    values: dict[tuple[str, str], list[int]] = {}
    ends: list[Result] = []
    for chunk in map(sweep.chunk, range(sweep.chunks)):
        part = price(sweep, chunk)
        for measure, integers in part.measures.items():
            values.setdefault((chunk.algo, measure), []).extend(integers.tolist())
        at = [{axis.name: axis.values[place] for axis in sweep.axes} for place in (0, -1)]
        ends += [sweep.point(chunk, each) for each in at]
    return values, ends


def _panels(model: Model, *, of_many: bool) -> list[Panel]:
    """Return the panels of a model, row by row; of one of many each says of which."""
    sweep = model.sweep
    at = [[f"{_called(axis.name)} {size(value)}"] for axis in sweep.axes[1:] for value in axis.values] or [[]]
    whose = (sweep.spec.name,) if of_many else ()
    return [
        Panel(model, measure, (*whose, _title(measure), *where), place)
        for measure in sweep.measures
        for place, where in enumerate(at)
    ]


def _draw(axes: Any, panel: Panel) -> None:
    sweep, values = panel.model.sweep, panel.model.values
    sizes, stride = sweep.axes[0].values, len(sweep.axes[1].values) if len(sweep.axes) > 1 else 1
    every = max(len(sweep.algos), ceil(len(sizes) / MARKERS)) if len(sizes) > MARKERS else 1
    for place, algo in enumerate(sweep.algos):
        points = sorted(zip(sizes, values[algo, panel.measure][panel.place :: stride], strict=True))
        start = place * every // len(sweep.algos)
        axes.plot(
            [float(x) for x, _ in points],
            [float(amount) for _, amount in points],
            markevery=(start, every),
            **_look(algo),
        )
    of_measure = [amount for algo in sweep.algos for amount in values[algo, panel.measure]]
    _scale_amounts(axes, panel.measure, min(of_measure), max(of_measure), is_log=any(map(is_geometric, sweep.axes)))
    axes.set_title("\n".join(map(shown, panel.title)))


def _mark(axes: Any, marked: Sequence[int]) -> None:
    """Draw ticks from the top of a panel, above its lines, and their values below them."""
    if not marked:
        return
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top * (top / bottom) ** 0.15 if bottom else top * 1.15)
    low, high = axes.get_xlim()
    for before, value in zip([-high, *sorted(marked)], sorted(marked), strict=False):
        end = 0.95 if value - before > ROOM * (high - low) else 0.86  # below the label beside it
        axes.axvline(value, ymin=end, color="black", linewidth=1)
        where = (value, end - 0.01)
        axes.annotate(size(value), where, xycoords=("data", "axes fraction"), ha="center", va="top", size=TICK)


def is_geometric(axis: Axis) -> bool:
    """Tell whether an axis of three values or more multiplies by the same factor in each step."""
    values = axis.values
    if isinstance(values, range):
        return False
    steps = zip(values, values[1:], values[2:], strict=False)
    return len(values) > 2 and values[0] < values[1] and all(a * c == b * b for a, b, c in steps)  # noqa: PLR2004


def _scale_amounts(axes: Any, measure: str, low: int, high: int, *, is_log: bool) -> None:
    is_log &= low > 0  # zero has no logarithm
    ticks = amount_ticks(low, high, is_bytes=measure.endswith("_bytes"), is_log=is_log)
    if is_log:
        axes.set_yscale("log")
        axes.set_ylim(float(ticks.values[0]), float(ticks.values[-1]))
    else:
        axes.set_ylim(0, high * 1.06 if high else 1)
    axes.set_yticks([float(value) for value in ticks.values], ticks.labels)
    axes.yaxis.minorticks_off()


def _scale_sizes(axes: Any, axis: Axis, columns: int) -> None:
    low, high = min(axis.values), max(axis.values)
    characters = int((WIDTH / columns - 0.8) * POINTS / (0.64 * TICK))
    if is_geometric(axis):
        axes.set_xscale("log")
        ticks = some_ticks(axis.values, characters)
    else:
        start = low if high / 2 <= low < high else 0
        axes.set_xlim(start - (high - start) * 0.02 if start else 0, high + (high - start) * 0.03)
        ticks = size_ticks(start, high, characters)
    axes.set_xticks([float(value) for value in ticks.values], ticks.labels)
    axes.xaxis.minorticks_off()
    axes.set_xlabel(shown(_called(axis.name)))


def _look(algo: str) -> dict[str, Any]:
    line = line_of(algo)
    return {
        "label": algo,
        "color": line.color,
        "linestyle": line.dashes,
        "marker": line.marker,
        "markeredgecolor": "white",
        "markeredgewidth": 0.4,
        "clip_on": False,
        "zorder": 3,
    }


def _called(name: str) -> str:
    return AXES.get(name, name)


def _title(measure: str) -> str:
    return TITLES.get(measure, heading(measure))


def _in_words(model: Model, *, of_many: bool) -> list[str]:
    """Say what the lines lead to."""
    sweep = model.sweep
    whose = f"{sweep.spec.name}: " if of_many else ""
    at = ", ".join(f"{_called(axis.name)} {axis.values[-1]}" for axis in sweep.axes)
    words = []
    for measure in sweep.measures:
        ends = ", ".join(f"{algo} {format_of(measure)(model.values[algo, measure][-1])}" for algo in sweep.algos)
        words.append(f"{whose}{_title(measure)} at {at}: {ends}.")
    return words
