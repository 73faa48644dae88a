"""`tcost plot`: the numbers that are drawn, how they can be read, and the files."""

import logging
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from bundling import few_first
from conftest import Tcost
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from tcost import InputError, evaluate, load_spec
from tcost.conventions import convention_of
from tcost.cost import evaluate_rules, group_by
from tcost.kinds import PHASES
from tcost.learning_rules import LEARNING_RULES
from tcost.plot import paper
from tcost.plot.bars import bars
from tcost.plot.curves import Mark, curves, is_geometric
from tcost.plot.files import ENDINGS, render
from tcost.plot.page import Picture
from tcost.plot.paper import paper_figure, paper_sweep
from tcost.plot.style import FILLS, LINES, house_style, shown, width_of, wrapped
from tcost.plot.ticks import amount_ticks, size_ticks, some_ticks
from tcost.report import WORK
from tcost.report.bars import small_layers
from tcost.settings import Settings
from tcost.sweep import MEASURES, Axis, Sweep, parse_axis
from tcost.units import parse_bytes

RULES = ("bp", "pepita", "mempepita")
DOCUMENT = Path(__file__).parent.parent / "docs" / "plots.md"
FIGURE = DOCUMENT.parent / "figures" / "gpt3-small.svg"
SVG = "{http://www.w3.org/2000/svg}"


def sweep_of(name: str, *axes: str, **own: Any) -> Sweep:
    """Return a sweep of a bundled model under the three rules."""
    return Sweep(spec=load_spec(name), axes=tuple(map(parse_axis, axes)), algos=RULES, **own)


def lines_of(axes: Any) -> dict[str, list[tuple[float, float]]]:
    """Return the points of a panel's lines."""
    return {
        line.get_label(): list(zip(*line.get_data(), strict=True)) for line in axes.lines if line.get_marker() != "None"
    }


def texts_of(picture: Picture) -> list[tuple[str, Any]]:
    """Lay a picture out; return every text that is to be seen, and its box in pixels."""
    FigureCanvasAgg(picture.figure)
    with house_style():
        picture.figure.draw_without_rendering()
    found = [text for text in picture.figure.findobj(Text) if isinstance(text, Text) and text.get_text()]
    return [(text.get_text(), text.get_window_extent()) for text in found if is_visible(text)]


def is_visible(text: Text) -> bool:
    """Tell whether a text and, of a tick label, its tick are drawn."""
    if not text.get_visible():
        return False
    axes = text.axes
    if axes is None:
        return True
    sides = ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim()))
    for side, limits in sides:
        for tick in side.get_major_ticks():
            if text in (tick.label1, tick.label2):
                return bool(min(limits) <= tick.get_loc() <= max(limits))
    return True


def check_layout(picture: Picture) -> None:
    """No text is outside the figure or over another one, and no panel is over the title, legend or caption."""
    texts, page = texts_of(picture), picture.figure.bbox
    for text, box in texts:
        assert page.x0 <= box.x0 < box.x1 <= page.x1, text
        assert page.y0 <= box.y0 < box.y1 <= page.y1, text
    for (text, box), (other, its) in combinations(texts, 2):
        width, height = min(box.x1, its.x1) - max(box.x0, its.x0), min(box.y1, its.y1) - max(box.y0, its.y0)
        assert width <= 0 or height <= 0, (text, other)
    around = [*picture.figure.texts, *picture.figure.legends]
    for axes, each in ((axes, each) for axes in picture.figure.axes for each in around):
        assert not axes.get_window_extent().overlaps(each.get_window_extent())


# The numbers


def test_the_figure_of_the_paper() -> None:
    """Three panels, three rules, sixteen contexts up to the model's own: each point is what `evaluate` gives."""
    spec = load_spec("gpt3-small")
    picture = paper_figure([spec], RULES, Settings(convention="paper"), "")
    assert [axes.get_title("left") for axes in picture.figure.axes] == ["MACCs", "FLOPs", "stored activations"]
    for measure, axes in zip(paper.MEASURES, picture.figure.axes, strict=True):
        found = lines_of(axes)
        assert tuple(found) == RULES
        for algo, points in found.items():
            assert [x for x, _ in points] == list(range(128, 2049, 128))
            results = [evaluate(spec, algo, "paper", context=int(x)) for x, _ in points]
            assert [y for _, y in points] == [float(MEASURES[measure](result)) for result in results]
        assert (axes.get_xscale(), axes.get_yscale(), axes.get_ylim()[0]) == ("linear", "linear", 0)
    assert lines_of(picture.figure.axes[0])["bp"][-1] == (2048, 2_335_935_823_872)  # published


def test_the_figure_of_several_models() -> None:
    """A row of panels of each model, each up to its own context: every point is what `evaluate` gives."""
    specs = [load_spec(name) for name in ("gpt3-small", "alexatm-20b", "distilbert")]
    picture = paper_figure(specs, RULES, Settings(convention="paper"), "")
    panels = [(spec, measure) for spec in specs for measure in paper.MEASURES]
    names = ("MACCs", "FLOPs", "stored activations")
    assert [axes.get_title("left") for axes in picture.figure.axes] == [
        f"{spec.name}\n{name}" for spec in specs for name in names
    ]
    for (spec, measure), axes in zip(panels, picture.figure.axes, strict=True):
        for algo, points in lines_of(axes).items():
            assert points[-1][0] == spec.context_length
            results = [evaluate(spec, algo, "paper", context=int(x)) for x, _ in points]
            assert [y for _, y in points] == [float(MEASURES[measure](result)) for result in results]
    assert "encoder context of alexatm-20b 100\n" in picture.description
    assert "distilbert: MACCs at context 512: bp " in picture.description
    check_layout(picture)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("gpt2 bert-base --kind bars", "bars are of one spec\n       draw a picture of each"),
        ("gpt2 bert-base --kind curves --over batch=1,2 d_ff=8,16", "models and the values of a second axis are both"),
        ("gpt2 bert-base --kind curves --over batch=1,2 --measures " + ",".join(MEASURES), "at most 4 measures"),
        ("gpt2 " * 7, "at most 6 models are drawn, not 7"),
    ],
)
def test_too_many_models(words: str, message: str, tcost: Tcost) -> None:
    """What several models cannot have is said."""
    outcome = tcost("plot", *words.split(), "-o", "x.svg")
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err


def test_two_axes() -> None:
    """A row of panels per measure, a panel per value of the second axis, one scale in a row; each point is right."""
    sweep = sweep_of(
        "t5-base", "batch=1,2,4", "context_length=64,16", conventions=("exact",), measures=("flop", "peak_bytes")
    )
    picture = curves([sweep], "")
    panels = [(measure, context) for measure in sweep.measures for context in (64, 16)]
    titles = [axes.get_title("left").split("\n") for axes in picture.figure.axes]
    assert titles == [[name, f"context {n}"] for name in ("FLOPs", "peak of memory") for n in (64, 16)]
    for (measure, context), axes in zip(panels, picture.figure.axes, strict=True):
        for algo, points in lines_of(axes).items():
            results = [evaluate(sweep.spec, algo, "exact", context=context, batch=n) for n in (1, 2, 4)]
            assert points == [(each.batch, float(MEASURES[measure](each))) for each in results]
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert picture.figure.axes[0].get_ylim() == picture.figure.axes[1].get_ylim()
    assert "encoder context as the context" in picture.description
    check_layout(picture)


def test_every_measure_over_sizes_in_any_order() -> None:
    """All measures, as panels of three; the points of a line are in the order of the axis on paper."""
    sweep = sweep_of("gpt2", "d_ff=96,32,64,128", measures=tuple(MEASURES))
    picture = curves([sweep], "")
    for measure, axes in zip(MEASURES, picture.figure.axes, strict=True):
        for algo, points in lines_of(axes).items():
            specs = [(x, sweep.step({"d_ff": x})[0]) for x in (32, 64, 96, 128)]
            assert points == [(x, float(MEASURES[measure](evaluate(spec, algo)))) for x, spec in specs]
        assert axes.get_yscale() == "linear"
    check_layout(picture)


def test_one_value() -> None:
    """An axis of one value is a point."""
    picture = curves([sweep_of("gpt2", "context_length=64")], "")
    assert lines_of(picture.figure.axes[0])["bp"] == [(64, float(evaluate(load_spec("gpt2"), context=64).totals.macc))]
    check_layout(picture)


def test_amounts_beyond_64_bits() -> None:
    """Amounts that no machine integer holds are drawn like others."""
    picture = curves([sweep_of("gpt2", "batch=1:1000000000000000000:x10")], "")
    macc = evaluate(load_spec("gpt2"), batch=10**18).totals.macc
    assert lines_of(picture.figure.axes[0])["bp"][-1] == (1e18, float(macc))
    check_layout(picture)


def bars_in(axes: Any, labels: Sequence[str]) -> dict[tuple[str, str], tuple[float, float]]:
    """Return where each part of a panel's bars begins, and its length, by label and phase."""
    return {
        (labels[round(part.get_y() + part.get_height() / 2)], bars.get_label()): (part.get_x(), part.get_width())
        for bars in axes.containers
        for part in bars
    }


@pytest.mark.parametrize(
    ("name", "convention", "options"),
    [
        ("gpt3-small", "paper", {}),
        ("whisper-tiny", "paper", {"recompute": "full", "optimizer": "adam"}),
        ("deepseek-v3", "exact", {"context": 4096, "batch": 2}),
    ],
)
def test_bars(name: str, convention: str, options: Any) -> None:
    """Each part of a bar is a layer's work in a phase, behind the parts before it; below zero, to the left."""
    results = evaluate_rules(load_spec(name), RULES, convention, **options)
    small = small_layers(results)
    picture = bars(results, "")
    panels = iter(picture.figure.axes)
    for result, left in zip(results, picture.figure.axes[:: len(WORK)], strict=True):
        labels = [label.get_text() for label in left.get_yticklabels()]
        rows = group_by(result.rows, "layer")
        number = len({row.layer for row in rows if row.layer in small})
        for measure in WORK.values():
            expected: dict[tuple[str, str], int] = {}
            for row in rows:
                repeats = next(each.repeats for each in result.rows if each.layer == row.layer)
                label = f"{row.layer} × {repeats}" if repeats != 1 else str(row.layer)
                label = f"other ({number} layers)" if row.layer in small else label
                expected[label, row.phase] = expected.get((label, row.phase), 0) + measure(row)
            found = bars_in(next(panels), labels)
            assert {key: length for key, (_, length) in found.items()} == {
                key: float(amount) for key, amount in expected.items() if amount
            }
            for (label, phase), (start, length) in found.items():
                before = [expected.get((label, each), 0) for each in PHASES[: PHASES.index(phase)]]
                assert start == float(sum(amount for amount in before if (amount > 0) == (length > 0)))
    check_layout(picture)


def test_small_layers() -> None:
    """What has less than one percent of MACCs and FLOPs under every rule is one bar, and named in the caption."""
    results = evaluate_rules(load_spec("t5-base"), RULES)
    small = small_layers(results)
    for result in results:
        for measure in WORK.values():
            whole = sum(map(measure, result.rows))
            for layer in small:
                assert 100 * sum(measure(row) for row in result.rows if row.layer == layer) < whole
    assert len(small) > 5
    assert f"other: layers with less than 1 % of every total: {', '.join(small)}" in bars(results, "").description
    assert "decoder.attention" not in small
    large = [replace(each, rows=tuple(row for row in each.rows if row.layer not in small[1:])) for each in results]
    assert small_layers(large) == []
    assert "other" not in bars(large, "").description


def test_marks() -> None:
    """A mark is a tick at its value in the panel of its measure, with the exact integer."""
    sweep = paper_sweep(load_spec("gpt3-small"), RULES, Settings(convention="paper"))
    picture = curves([sweep], "", [[Mark("macc", 1303)]])
    first, second, _ = picture.figure.axes
    marked: list[Any] = list(first.lines)
    assert [line.get_data()[0] for line in marked if line.get_marker() == "None"] == [[1303, 1303]]
    assert [text.get_text() for text in first.texts] == ["1303"]
    assert list(second.texts) == []


def test_break_even_points_are_marked() -> None:
    """The figure has the published break-even points: 1251 MACCs, 1064 FLOPs of MEMPEPITA against BP."""
    picture = paper_figure([load_spec("gpt3-small")], RULES, Settings(convention="paper"), "")
    macc, flop, stored = ([text.get_text() for text in axes.texts] for axes in picture.figure.axes)
    pepita = next(
        context
        for context in range(128, 2049)
        if evaluate(load_spec("gpt3-small"), "pepita", "paper", context=context).totals.macc
        < evaluate(load_spec("gpt3-small"), "bp", "paper", context=context).totals.macc
    )
    assert (macc, flop, stored) == ([str(pepita), "1251"], ["1064"], [])
    assert "ticks from above: from there on a rule is cheaper than bp" in picture.description


@given(st.integers(0, 10**36), st.booleans())
def test_linear_ticks(high: int, is_bytes: bool) -> None:  # noqa: FBT001  # hypothesis gives it
    """Ticks are evenly spaced from zero, not beyond what they are for, few, and their labels are exact."""
    ticks = amount_ticks(0, high, is_bytes=is_bytes)
    steps = {b - a for a, b in pairwise(ticks.values)}
    assert ticks.values[0] == 0
    assert ticks.values[-1] <= high
    assert len(steps) == (high > 0)
    assert len(ticks.values) <= 7
    assert len(set(ticks.labels)) == len(ticks.labels)
    units = {label.partition(" ")[2] for label in ticks.labels[1:]}
    assert len(units) <= 1
    if high < 10**33:
        assert tuple(map(amount_of, ticks.labels)) == ticks.values


@given(st.integers(1, 10**30), st.integers(1, 10**12), st.booleans())
def test_logarithmic_ticks(low: int, times: int, is_bytes: bool) -> None:  # noqa: FBT001  # as above
    """Ticks enclose what they are for, are few, and their labels are exact."""
    ticks = amount_ticks(low, low * times, is_bytes=is_bytes, is_log=True)
    assert ticks.values[0] <= low
    assert low * times <= ticks.values[-1]
    assert 2 <= len(ticks.values) <= 6
    assert list(ticks.values) == sorted(set(ticks.values))
    if ticks.values[-1] < 10**33:
        assert tuple(map(amount_of, ticks.labels)) == ticks.values


def amount_of(label: str) -> int:
    """Read a label back, exactly."""
    return parse_bytes(label if label.endswith("B") else f"{label}B")


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(10, 60))
def test_ticks_of_sizes(low: int, span: int, room: int) -> None:
    """Ticks of sizes are inside the axis, written whole, and have room."""
    ticks = size_ticks(low, low + span, room)
    assert all(low <= value <= low + span for value in ticks.values)
    assert len(ticks.values) <= 6
    assert [int(label.replace(",", "")) for label in ticks.labels] == list(ticks.values)


def test_ticks_of_contexts() -> None:
    """Contexts are read in quarters and halves; of a geometric axis, every n-th value with the last."""
    assert size_ticks(0, 2048, 30).labels == ("0", "512", "1024", "1536", "2048")
    assert size_ticks(0, 163840, 20).labels == ("0", "81920", "163840")
    assert some_ticks([32, 64, 128, 256, 512], 15).labels == ("32", "128", "512")
    assert is_geometric(parse_axis("batch=1,3,9"))
    assert not any(map(is_geometric, (parse_axis("batch=1:9"), Axis("batch", (1, 2)), Axis("batch", (4, 2, 1)))))


# Reading them


@pytest.mark.parametrize("name", few_first())
def test_every_model_is_drawn(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All models as curves and as bars: no warning, no text over another or outside, and the convention is said."""
    monkeypatch.setattr(paper, "POINTS", 3)
    spec = load_spec(name)
    pictures = {
        "paper": paper_figure([spec], RULES, Settings(convention="paper"), ""),
        "exact": bars(evaluate_rules(spec, RULES, "exact"), ""),
    }
    for convention, picture in pictures.items():
        check_layout(picture)
        said = picture.figure.texts[1].get_text()
        assert said.startswith(f"convention {convention}, 1 sequence per step")
        assert f"not counted: {convention_of(convention).not_counted[0]}" in said


def luminance(color: str) -> float:
    """Return the relative luminance of a colour. Source: WCAG 2.1."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def test_black_and_white() -> None:
    """Rules differ by dashes, marker and grey, phases by grey and hatch."""
    assert len(LINES) >= len(LEARNING_RULES)
    assert len({line.marker for line in LINES}) == len({str(line.dashes) for line in LINES}) == len(LINES)
    contrasts = [(luminance(a.color) + 0.05, luminance(b.color) + 0.05) for a, b in combinations(LINES[:3], 2)]
    assert all(max(pair) / min(pair) > 1.4 for pair in contrasts)
    assert len({grey for grey, _ in FILLS}) == len(FILLS) == len(PHASES)


def test_captions() -> None:
    """The caption says what the numbers depend on and how to draw them again; errata where they are drawn."""
    spec = load_spec("alexatm-20b")
    options: Any = {"batch": 4, "optimizer": "adam", "causal": "half", "attention": "flash", "recompute": "block"}
    said = bars(evaluate_rules(spec, RULES, "paper", **options), "tcost plot it").description
    assert (
        "convention paper, 4 sequences per step, optimizer adam, causal half, attention flash, recompute block" in said
    )
    assert "context 2,048, encoder context 100" in said
    assert "tcost 0.1.0: tcost plot it" in said
    assert "leaves out: cross-attention, parameters, map to encoder" in said
    assert "attention map" not in said
    held = curves(
        [sweep_of("alexatm-20b", "batch=1,2", conventions=("paper",), measures=("peak_bytes",))], ""
    ).description
    assert "leaves out: parameters, attention map, softmax layer, encoder output" in held
    assert "memory: numbers in fp32" in held
    assert "--no-errata" not in bars(evaluate_rules(spec, RULES, errata=False), "").description


LONG = {
    "words": ["word " * 40_000],
    "a word": ["x" * 200_000],
    "notes": [f"note {number}" for number in range(20_000)],
    "both": ["y" * 1500, *["z " * 5000] * 20],
}
"""Notes of 200 kB, which a spec may have."""


@pytest.mark.parametrize("name", LONG)
def test_long_notes(name: str) -> None:
    """A figure has the beginning of what is said of a model, says how much more there is, and keeps its size."""
    spec = load_spec("gpt2").model_copy(update={"notes": LONG[name]})
    for command in ("tcost plot it", "tcost plot " + "z" * 100_000):
        picture = bars(evaluate_rules(spec, ["bp"], convention="exact"), command)
        assert picture.figure.get_size_inches()[1] < 15
        assert len(picture.description) < 15_000
        assert re.search(r"and [0-9,]+ (characters|notes) more", picture.description)
        assert ("z" * 900 in picture.description) == ("z" * 900 in command)
    assert LONG[name][0][:900] in picture.description


def test_what_matplotlib_says(tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its warnings and what it logs, of a cache that cannot be written for one, are not said by a command."""
    path = tmp_path / "x.png"
    command = [sys.executable, "-m", "tcost", "plot", "gpt2", "--kind", "bars", "--algos", "bp", "-o", str(path)]
    environment = {**os.environ, "MPLCONFIGDIR": "/proc/nowhere"}
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")

    def said(*_args: object, **_options: object) -> None:
        warnings.warn("Glyph 1 missing from font", UserWarning, stacklevel=1)
        logging.getLogger("matplotlib.font_manager").critical("findfont: not found")

    monkeypatch.setattr("tcost.plot.bars.settle", said)
    assert tcost("plot", "gpt2", "--kind", "bars", "--algos", "bp", "-o", path) == (0, "", "")
    with pytest.warns(UserWarning, match="missing"):  # to who calls the library, they are
        bars(evaluate_rules(load_spec("gpt2"), ["bp"]), "")


@pytest.mark.parametrize("name", ["$x$ \\frac", "漢字 and 🤖", "a\u202eb\nc\x1b[1m", "W" * 100, "<b>&amp;"])
def test_hostile_names(name: str) -> None:
    """A name is text: no formula, no markup, nothing invisible, nothing outside the page."""
    spec = load_spec("gpt2").model_copy(update={"name": name, "notes": [f"note of {name}"]})
    picture = curves([Sweep(spec=spec, axes=(parse_axis("batch=1,2"),))], f"tcost plot {name}")
    check_layout(picture)
    for ending in ENDINGS:
        data = render(picture, ending)
    svg = ET.fromstring(render(picture, ".svg"))
    assert svg.findtext(f"{SVG}title") == f"{shown(name)}: one training step against batch"
    assert data.startswith(b"%PDF")


def test_wrapping() -> None:
    """Lines are no longer than asked for, no word is lost, and what is longer than a line is cut."""
    text = "the quick brown fox jumps over the lazy " + "w" * 60
    lines = wrapped(text, 8, 120)
    assert max(width_of(line, 8) for line in lines) <= 120
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


# The files


def sub_command(args: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run tcost in a process of its own; the modules that it loaded go to standard error."""
    code = f"import sys; from tcost.__main__ import run; run({list(args)!r}); print(*sys.modules, file=sys.stderr)"
    path = {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **path, **environment}
    )


SMALL = ("--context", "64")


@pytest.mark.parametrize("ending", ENDINGS)
def test_files(ending: str, tcost: Tcost, tmp_path: Path) -> None:
    """Each format is what its name says, without pixels where it is drawn in lines, and the same bytes every time."""
    path = tmp_path / f"picture{ending}"
    command = ("plot", "gpt2", "--kind", "bars", *SMALL, "--output", str(path))
    assert tcost(*command) == (0, "", "")
    data = path.read_bytes()
    assert list(tmp_path.iterdir()) == [path]
    check = {".png": is_png, ".svg": is_svg, ".pdf": is_pdf}[ending]
    check(data)
    outcome = sub_command(command, PYTHONHASHSEED="7", TZ="Asia/Tokyo", SOURCE_DATE_EPOCH="1000000000")
    assert path.read_bytes() == data
    loaded = outcome.stderr.split()
    assert not {"matplotlib.pyplot", "rich", "tcost.documents", "tcost.execution"} & set(loaded)


def is_png(data: bytes) -> None:
    """Check the signature and the last chunk, and that there is no date."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert data[-8:-4] == b"IEND"
    assert b"tIME" not in data


def is_svg(data: bytes) -> None:
    """Parse it; title and description are there, and nothing is a raster."""
    root = ET.fromstring(data)
    assert root.tag == f"{SVG}svg"
    assert root.findtext(f"{SVG}title") == "gpt2: one training step by layer and phase"
    assert "convention exact" in str(root.findtext(f"{SVG}desc"))
    assert root.find(f".//{SVG}image") is None
    assert b"dc:date" not in data


def is_pdf(data: bytes) -> None:
    """Check the signature; fonts are embedded as TrueType, nothing is a raster, and there is no date."""
    assert data.startswith(b"%PDF-")
    assert b"/CIDFontType2" in data
    assert b"/FontFile2" in data
    assert not any(word in data for word in (b"/Type3", b"/Subtype /Image", b"/CreationDate"))


def test_settings_of_the_user_do_not_matter(tcost: Tcost, tmp_path: Path) -> None:
    """A matplotlibrc changes nothing."""
    path = tmp_path / "a.svg"
    command = ("plot", "gpt2", "--kind", "curves", "--over", "batch=1,2", *SMALL, "-o", str(path))
    tcost(*command)
    data = path.read_bytes()
    (tmp_path / "matplotlibrc").write_text("font.size: 20\naxes.facecolor: red\nsavefig.bbox: tight\n")
    sub_command(command, MATPLOTLIBRC=str(tmp_path / "matplotlibrc"))
    assert path.read_bytes() == data


def test_command_line(tcost: Tcost, tmp_path: Path) -> None:
    """The caption has the command that draws the picture again, without the folder; rules and axes in any spelling."""
    path = tmp_path / "it is.svg"
    words = "plot --algos bp,pepita gpt2 --kind curves --over d_ff=64,128 batch=1:3 --measures macc --no-errata"
    assert tcost(*words.split(), "-o", path) == (0, "", "")
    described = str(ET.parse(path).getroot().findtext(f"{SVG}desc"))
    command = (
        "tcost plot gpt2 --kind curves --over d_ff=64,128 batch=1:3 --measures macc --algos bp pepita --no-errata "
        "--output 'it is.svg'"
    )
    assert described.endswith(command)
    again = tmp_path / "again"
    again.mkdir()
    tcost(*command.split()[1:-2], again / "it is.svg")
    assert (again / "it is.svg").read_bytes() == path.read_bytes()
    assert "MACCs at d_ff 128, batch 3: bp " in described


def test_the_figure_in_the_documentation() -> None:
    """What docs/figures shows is what the command draws now, in words and so in numbers."""
    command = "tcost plot gpt3-small --convention paper --output gpt3-small.svg"
    picture = paper_figure([load_spec("gpt3-small")], RULES, Settings(convention="paper"), command)
    root = ET.fromstring(FIGURE.read_bytes())
    assert root.findtext(f"{SVG}desc") == picture.description
    assert "MACCs at context 2048: bp 2.336 T, pepita 1.151 T, mempepita 1.560 T." in picture.description


def test_the_documentation(tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of docs/plots.md draw, its Python runs, it names every measure, and the help has an example."""
    text = DOCUMENT.read_text()
    monkeypatch.chdir(tmp_path)
    commands = [line.split()[1:] for line in text.splitlines() if line.startswith("tcost plot ")]
    assert [tcost(*command) for command in commands] == [(0, "", "")] * 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bars.pdf", "curves.svg", "figure.pdf", "sizes.svg"]
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102  # it is our own
    is_svg(names["data"])
    assert all(f"`{measure}`" in text for measure in MEASURES)
    assert "Example: tcost plot" in tcost("plot", "--help").out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("gpt2", "Missing option '--output'"),
        (
            "gpt2 -o a.jpg",
            "'a.jpg' does not say which picture to write\n       expected a name that ends in .png, .svg",
        ),
        ("gpt2 -o png", "'png' does not say which picture to write"),
        ("gpt2 -o /no/such/folder/a.png", "cannot write /no/such/folder/a.png: No such file or directory"),
        ("gpt2 -o a.png --kind pie", "'pie' is not one of 'paper', 'curves', 'bars'"),
        ("gpt2 -o a.png --over batch=1,2", "--over and --measures are for curves\n       write --kind curves"),
        ("gpt2 -o a.png --kind bars --measures macc", "--over and --measures are for curves"),
        ("gpt2 -o a.png --kind curves", "a sweep needs an axis\n       give one, as in --over"),
        ("gpt2 -o a.png --kind curves --over batch=1:2 d_ff=1,2 d_model=12,24", "one axis or two, not 3"),
        ("gpt2 -o a.png --kind curves --over batch=1:2000", "at most 1,000 points, not 2,000\n       give a step"),
        ("gpt2 -o a.png --kind curves --over batch=1:2 d_ff=1:5", "at most 4 values, not 5 of d_ff"),
        ("gpt2 -o a.png --kind curves --over batch=1:2 --batch 2", "batch is an axis of the sweep and an option"),
        ("gpt2 -o a.png --kind curves --over batch=1:2 --measures mac", "unknown measure 'mac'; did you mean 'macc'?"),
        ("gpt2 -o a.png --kind curves --over widht=1:2", "unknown size to vary 'widht'"),
        ("gpt2 -o a.png --batch 0", "the batch must be a whole number"),
    ],
)
def test_bad_input(args: str, message: str, tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is said in two lines, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    outcome = tcost("plot", *args.split())
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err
    assert len(outcome.err.splitlines()) <= 2
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib(tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is not installed, the message says how to get it."""
    monkeypatch.setattr("tcost.plot.find_spec", lambda name: None if name == "matplotlib" else name)
    outcome = tcost("plot", "gpt2", "-o", "a.png")
    assert outcome.status == 2
    assert outcome.err == "error: pictures need matplotlib\n       pip install 'tcost[plot]'\n"


def test_library_refuses_what_it_cannot_write() -> None:
    """Three axes are refused by the library as by the command."""
    with pytest.raises(InputError, match="one axis or two"):
        curves([sweep_of("gpt2", "batch=1,2", "d_ff=1,2", "vocab_size=8,9")], "")
