"""`tcost report`: the numbers on the page, its charts, its command, and that it is one valid and harmless file."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import html5lib
import pytest
from conftest import Tcost
from pages import HOSTILE, RULES, SHOWN, hostile_spec, line_in, lines_of, summary_of, texts_of

from tcost import compare, load_spec
from tcost.conventions import convention_of
from tcost.cost import group_by
from tcost.kinds import PHASES
from tcost.learning_rules import LEARNING_RULES
from tcost.memory import CATEGORIES
from tcost.page import report_page
from tcost.page.charts import Bar, Part, panel, scale_of
from tcost.report.bars import small_layers
from tcost.units import binary, si

DOCUMENT = Path(__file__).parent.parent / "docs" / "report.md"

CASES = [
    ("gpt2",),
    ("gpt3-small", "alexatm-20b", "--batch", "3"),
    ("gpt2", "t5-base", "mixtral-8x7b", "--convention", "exact", "--optimizer", "adamw", "--context", "64"),
    ("bert-base", "--convention", "torch", "--attention", "flash", "--recompute", "block"),
    ("alexatm-20b", "--context", "32", "--no-errata"),
]


def parsed(text: str) -> Any:
    """Return the tree of a page; raise where it is not valid HTML."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def words(element: Any) -> str:
    """Return the text of an element, as it is read."""
    return " ".join("".join(element.itertext()).split())


def rows_of(root: Any, section: str) -> list[list[tuple[str, str]]]:
    """Return the lines of a section's table: the text of each cell and its value; spanned cells are in each line."""
    lines: list[list[tuple[str, str]]] = []
    for group in root.findall(f".//section[@id='{section}']//table/tbody"):
        spanned: list[tuple[str, str]] = []
        for row in group.findall("tr"):
            cells = [(words(cell), getattr(cell.find("data"), "attrib", {}).get("value", "")) for cell in row]
            spanning = [cell for cell, each in zip(cells, row, strict=True) if each.get("rowspan")]
            spanned = spanning or spanned
            lines.append(cells if spanning else [*spanned, *cells])
    return lines


@pytest.fixture(params=CASES, ids=" ".join)
def case(request: pytest.FixtureRequest, tcost: Tcost, tmp_path: Path) -> tuple[tuple[str, ...], str]:
    """Return words of a command line, and the page that they give."""
    path = tmp_path / "report.html"
    assert tcost("report", *request.param, "--output", path) == (0, "", "")
    return request.param, path.read_text()


def specs_in(args: tuple[str, ...]) -> Iterator[str]:
    """Yield the specs at the beginning of a command line."""
    for word in args:
        if word.startswith("--"):
            return
        yield word


# The numbers


def test_every_number(case: tuple[tuple[str, ...], str], tcost: Tcost) -> None:
    """The document in the page is that of `compare`; every table has its integers, and what `compute` has by layer."""
    args, text = case
    root = parsed(text)
    document = tcost("compare", *args, "--format", "json").out
    embedded = next(each for each in root.iter("script") if each.get("id") == "result").text
    assert embedded == document.translate({ord(c): f"\\u{ord(c):04x}" for c in "<>&"})
    results = json.loads(document)["results"]
    assert json.loads(embedded) == json.loads(document)
    has_active, has_trained = (
        any(each["totals"]["parameters"] != each["totals"][f"{which}_parameters"] for each in results)
        for which in ("active", "trained")
    )
    for result, (spec, context, rule, *cells) in zip(results, rows_of(root, "summary"), strict=True):
        encoder = f" ({result['encoder_context']:,})" if result["encoder_context"] else ""
        assert (spec[0], context[0], rule[0]) == (result["spec"], f"{result['context']:,}{encoder}", result["algo"])
        expected = summary_of(result, has_active=has_active, has_trained=has_trained)
        assert [float(v) if "%" in t else int(v) if v else None for t, v in cells] == expected
        for (shown, _), number, written in zip(cells, expected, texts_of(expected), strict=True):
            assert shown == written or number is None or float(shown.removesuffix(" %")) == number
    options = args[len(list(specs_in(args))) :]
    expected_lines = [line for spec in specs_in(args) for line in lines_of(tcost, spec, *options)]
    assert [line_in(cells, results[0]["spec"]) for cells in rows_of(root, "layers")] == expected_lines


def test_tables_of_phases_and_memory(case: tuple[tuple[str, ...], str], tcost: Tcost) -> None:
    """Phases are those of the JSON, with a dash where nothing runs; memory is there by category, with its peak."""
    args, text = case
    root = parsed(text)
    results = json.loads(tcost("compare", *args, "--format", "json").out)["results"]
    ran = [phase for phase in PHASES if any(row["phase"] == phase for each in results for row in each["rows"])]
    held = [name for name in CATEGORIES if any(each["memory"][name]["elements"] for each in results)]
    lines = zip(results, rows_of(root, "phases"), rows_of(root, "memory"), strict=True)
    for result, (_, rule, *phases), (_, same_rule, *memory) in lines:
        assert rule[0] == same_rule[0] == result["algo"]
        assert [text for text, _ in phases] == [
            si(result["phases"][phase][amount]) if any(row["phase"] == phase for row in result["rows"]) else "-"
            for amount in ("macc", "flop")
            for phase in ran
        ]
        amounts = [result["memory"][name]["bytes"] for name in (*held, "peak")]
        assert [int(value) for _, value in memory] == amounts
        assert [text for text, _ in memory] == [binary(amount) if amount else "0" for amount in amounts]


def test_rounded_numbers_have_their_exact_value_in_a_title(case: tuple[tuple[str, ...], str]) -> None:
    """Who has no scripts reads the exact integer in the title of a cell, wherever the text is not it."""
    _, text = case
    for data in parsed(text).iter("data"):
        value, shown = data.get("value"), words(data)
        if re.fullmatch(r"-?\d+", value) and data.get("title"):
            assert data.get("title").removesuffix(" B") == f"{int(value):,}"
        elif re.fullmatch(r"-?\d+", value) and shown:
            assert shown.removesuffix(" B").replace(",", "") == value


# The charts


def bars_in(svg: Any) -> list[tuple[float, float, int]]:
    """Return left, width and fill of each rectangle."""
    return [
        (float(rect.get("x")), float(rect.get("width")), int(rect.get("class")[-1]))
        for rect in svg.iter()
        if rect.tag.endswith("rect")
    ]


@pytest.mark.parametrize(("name", "context"), [("gpt2", None), ("alexatm-20b", 32), ("t5-base", None)])
def test_charts_of_layers(name: str, context: int | None) -> None:
    """The widths of a chart's parts are proportional to the work of layers in phases; below zero, to the left."""
    spec = load_spec(name)
    comparisons = compare([spec], context=[context])
    results = [each.result for each in comparisons]
    small = small_layers(results)
    section = parsed(report_page(comparisons, [spec], "")).find(".//section[@id='layers']")
    charts = [svg for svg in section.iter() if svg.get("class") == "panel"]
    expected = [(result, field) for result in results for field in ("macc", "flop")]
    scales: dict[str, set[float]] = {"macc": set(), "flop": set()}
    for svg, (result, field) in zip(charts, expected, strict=True):
        parts: dict[str, dict[str, int]] = {}
        for row in group_by(result.rows, "layer"):
            layer = "~" if row.layer in small else str(row.layer)
            parts.setdefault(layer, dict.fromkeys(PHASES, 0))[row.phase] += getattr(row, field)
        parts["~"] = parts.pop("~", {})
        amounts = [(PHASES.index(phase), n) for each in parts.values() for phase, n in each.items() if n]
        bars = bars_in(svg)
        assert [fill for *_, fill in bars] == [fill for fill, _ in amounts]
        unit = max(
            width / abs(n) for (_, width, _), (_, n) in zip(bars, amounts, strict=True) if abs(n) == top(amounts)
        )
        scales[field].add(round(unit * top(amounts), 1) / top(amounts))
        zero = float(next(each for each in svg.iter() if each.get("class") == "zero").get("d")[1:].split()[0])
        for (left, width, _), (_, n) in zip(bars, amounts, strict=True):
            assert abs(width - abs(n) * unit) < 0.05
            assert left >= zero - 0.01 if n > 0 else left + width <= zero + 0.01
        for (left, width, _), (after, _, _) in pairwise(bars):
            assert abs(after - left - width) < 0.05 or after <= zero + 0.05
    for units in scales.values():
        assert max(units) / min(units) < 1.01  # one scale for all rules


def top(amounts: list[tuple[int, int]]) -> int:
    """Return the largest amount, whatever its sign."""
    return max(abs(n) for _, n in amounts)


def test_charts_below_zero_and_beyond_64_bits() -> None:
    """A part below zero is left of zero, and amounts that no machine integer holds are drawn like others."""
    bars = [
        Bar("a", (Part(0, "x", 3 * 10**30), Part(1, "y", -(10**30)), Part(2, "z", 10**30)), 3 * 10**30),
        Bar("label that is much too long for a chart", (), 0, mark=2 * 10**30),
    ]
    scale = scale_of(bars, si)
    drawn = panel("heading", bars, si, scale)
    (x, y, z), nothing = drawn.lines[0].pieces, drawn.lines[1].pieces
    unit = scale.right - scale.left
    assert (x.x, z.x, z.x + z.width) == pytest.approx((drawn.zero, x.x + x.width, scale.right), abs=0.02)
    assert (y.x, y.x + y.width) == pytest.approx((scale.left, drawn.zero), abs=0.02)
    assert [each.width / unit for each in (x, y, z)] == pytest.approx([0.6, 0.2, 0.2], abs=0.001)
    assert nothing == ()
    assert drawn.lines[1].mark == pytest.approx(drawn.zero + 0.4 * unit, abs=0.02)
    assert re.fullmatch("….* too long for a chart", drawn.lines[1].label)
    assert drawn.words.startswith("a 3.000 Q (x 3.000 Q, y -1.000 Q, z 1.000 Q); label that is much too long for a")


def test_charts_have_words(case: tuple[tuple[str, ...], str]) -> None:
    """Each chart is an image with a title and a description, by identifiers that are there once."""
    _, text = case
    root = parsed(text)
    identifiers = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(identifiers) == len(set(identifiers))
    charts = [each for each in root.iter() if each.get("class") == "panel"]
    assert len(charts) == 9 * len(root.findall(".//figure[@class='layers']"))
    named = {each.get("id"): words(each) for each in root.iter() if each.get("id")}
    for svg in charts:
        title, description = svg.get("aria-labelledby").split()
        assert svg.get("role") == "img"
        assert named[title]
        assert all(rule in named[description] for rule in RULES) or " under " in named[title]
    links = [link.get("href") for link in root.iter("a")]
    assert {link.removeprefix("#") for link in links} <= set(identifiers)


# What is said


def test_what_is_said(tcost: Tcost, tmp_path: Path) -> None:
    """Convention, options, rules, sources, what is not counted, errata and the version are on the page."""
    path = tmp_path / "a.html"
    options = (
        "--convention",
        "paper",
        "--batch",
        3,
        "--optimizer",
        "adam",
        "--causal",
        "half",
        "--attention",
        "flash",
        "--recompute",
        "full",
    )
    tcost("report", "alexatm-20b", "mixtral-8x7b", "--context", 64, *options, "-o", path)
    text = words(parsed(path.read_text()).find("body"))
    paper = convention_of("paper")
    assert f"paper: {paper.title}" in text
    assert paper.source in text
    assert all(rule.source in text and rule.title in text for rule in LEARNING_RULES.values())
    assert "3 sequences per step, causal half, attention flash, recompute full" in text
    assert "adam: Kingma & Ba 2015, algorithm 1" in text
    assert "gradients that meet (residuals, q/k/v)" in text
    assert load_spec("alexatm-20b").source in text
    assert "not in the paper's model, priced as in exact: " in text
    assert "erratum: encoder rows: published with the decoder's rows" in text
    assert all(override.citation in text for override in paper.overrides.values())
    compared = tcost("compare", "alexatm-20b", "mixtral-8x7b", "--context", 64, *options).out
    for note in ("fewer MACCs than bp under exact: pepita in ", "fewer MACCs than bp under paper: pepita in "):
        assert note in text
        assert note in compared
    assert "optimizer step" not in words(parsed(path.read_text()).find(".//section[@id='notes']"))


def test_one_rule(tcost: Tcost, tmp_path: Path) -> None:
    """Where there is nothing to compare with, nothing is said of it."""
    path = tmp_path / "a.html"
    assert tcost("report", "gpt2", "--algos", "bp", "-o", path).status == 0
    root = parsed(path.read_text())
    assert [cells[0][0] for cells in rows_of(root, "summary")] == ["gpt2"]
    assert "under exact" not in words(root.find("body"))


def test_the_command_makes_the_same_page(tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says the command that writes it once more, to the byte, in whatever spelling it was asked for."""
    hostile_spec(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    spelled = (
        "report",
        "--algos=pepita,bp",
        "gpt2",
        "<b>&'.yaml",
        "--batch",
        "2",
        "--no-errata",
        "-o",
        "sub/it is.html",
    )
    assert tcost(*spelled) == (0, "", "")
    page = (tmp_path / "sub" / "it is.html").read_bytes()
    command = words(parsed(page.decode()).find(".//pre"))
    expected = "tcost report gpt2 '<b>&'\"'\"'.yaml' --algos pepita bp --batch 2 --no-errata --output 'it is.html'"
    assert command == expected
    subprocess.run(["bash", "-c", command.replace("tcost", f"{sys.executable} -m tcost", 1)], check=True)  # noqa: S607  # bash is on the path
    assert (tmp_path / "it is.html").read_bytes() == page


# One file, valid and harmless


def test_hostile_texts(tcost: Tcost, tmp_path: Path) -> None:
    """Texts of a spec are texts on the page, their controls as escapes; the JSON has them as they are."""
    path = tmp_path / "a.html"
    assert tcost("report", hostile_spec(tmp_path), "gpt2", "-o", path).status == 0
    text = path.read_text()
    root = parsed(text)
    assert not set("\u202e\x1b") & set(text)
    assert "<img" not in text
    assert [each.get("type") for each in root.iter("script")] == ["application/json", None]
    assert rows_of(root, "summary")[0][0][0] == SHOWN
    assert {cells[0][0] for cells in rows_of(root, "layers")} == {SHOWN, "gpt2"}
    assert words(root.find(".//h1")) == f"{SHOWN}, gpt2"
    assert words(root.find(".//section[@id='sources']")).count(SHOWN) == 3
    embedded = root.find(".//script[@id='result']").text
    assert json.loads(embedded)["results"][0]["spec"] == HOSTILE
    assert not set("<>&") & set(embedded)


def test_nothing_is_asked_for(case: tuple[tuple[str, ...], str]) -> None:
    """No element of a page refers to another file, and its policy lets nothing through but its own style and script."""
    _, text = case
    root = parsed(text)
    refers = [
        value for each in root.iter() for name, value in each.items() if name in ("src", "href", "srcset", "data")
    ]
    assert {value for value in refers if not value.startswith("#")} == {"data:,"}
    assert not any(each.get("style") or any(name.startswith("on") for name in each.keys()) for each in root.iter())  # noqa: SIM118  # of an element, not of a mapping
    policy = next(each for each in root.iter("meta") if each.get("http-equiv")).get("content")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"url\((?!\"#)|@import|https?:", "".join(each.text for each in root.iter("style")))


def test_landmarks_and_headings(case: tuple[tuple[str, ...], str]) -> None:
    """Headings follow each other by one level; tables have captions, and headers a scope; the language is said."""
    _, text = case
    root = parsed(text)
    assert root.get("lang") == "en"
    levels = [int(each.tag[1]) for each in root.iter() if re.fullmatch("h[1-6]", str(each.tag))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert [len(root.findall(f".//{name}")) for name in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    for table in root.iter("table"):
        assert words(table.find("caption"))
        assert all(head.get("scope") for head in table.iter("th"))


# The command


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("-o a.html", "Missing argument 'SPEC'"),
        ("gpt2", "Missing option '--output'"),
        ("gpt2 -o /no/such/folder/a.html", "cannot write /no/such/folder/a.html: No such file or directory"),
        ("gpt2 gtp2 -o a.html", "no spec 'gtp2'"),
        ("gpt2 --algos pb -o a.html", "'pb' is neither a learning rule nor a spec"),
        ("gpt2 --encoder-context 3 -o a.html", "an encoder context is for encoder-decoder models; none is"),
    ],
)
def test_bad_input(args: str, message: str, tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is said in two lines, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    outcome = tcost("report", *args.split())
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err
    assert len(outcome.err.splitlines()) <= 2
    assert list(tmp_path.iterdir()) == []


def test_without_jinja2(tcost: Tcost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the extra is not installed, the message says how to get it."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    outcome = tcost("report", "gpt2", "-o", tmp_path / "a.html")
    assert outcome == (2, "", "error: a report needs Jinja2\n       pip install 'tcost[report]'\n")


def test_the_documentation(tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of docs/report.md write pages, its Python runs, and it names every option of the command."""
    text = DOCUMENT.read_text()
    monkeypatch.chdir(tmp_path)
    commands = [line.split()[1:] for line in text.splitlines() if line.startswith("tcost report ")]
    assert len(commands) > 1
    assert all(tcost(*command) == (0, "", "") for command in commands)
    names: dict[str, Any] = {}
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    exec(code, names)  # noqa: S102  # it is our own
    assert unescape(words(parsed(names["page"]).find(".//pre"))) == "my script"
    options = set(re.findall(r"--[a-z-]+", tcost("report", "--help").out)) - {"--help", "--algo"}
    assert all(f"`{option}" in text for option in options), options


def test_the_library_takes_many_contexts() -> None:
    """A comparison over contexts is a model at each, with its context in the summary."""
    spec = load_spec("gpt2")
    comparisons = compare([spec], ["bp"], context=[8, 16])
    root = parsed(report_page(comparisons, [spec], "", ["a note"]))
    assert [cells[1][0] for cells in rows_of(root, "summary")] == ["8", "16"]
    assert "a note" in words(root.find(".//section[@id='notes']"))
