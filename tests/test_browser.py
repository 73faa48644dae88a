"""The page of `tcost report` in a real browser: it opens, sorts, filters, adds up, and asks for nothing."""

import json
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import Tcost
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import RULES, SHOWN, Line, hostile_spec, line_in, lines_of
from playwright.sync_api import Browser, Page, sync_playwright

from tcost import compare, load_spec
from tcost.page import report_page
from tcost.units import si

NAMES = ("chromium", "chromium-browser", "google-chrome")

QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]

NO_BROWSER = f"no browser: none of {', '.join(NAMES)} is on the PATH; on Debian: apt install chromium"

CELLS = """rows => rows.filter(row => row.checkVisibility()).map(row => [...row.cells].map(cell => [
    cell.innerText.trim(), cell.querySelector("data")?.value ?? ""
]))"""
"""Each cell that is to be seen: its text, and its value where it has one."""

SPECS = ("gpt2", "t5-base")

A4 = 695
"""Dots of a sheet without its margins, at 96 an inch."""


@dataclass
class Opened:
    """A page in the browser, and what it said and asked for since it was opened."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def lines(self, spec: str = "") -> list[Line]:
        """Return the lines of the table of layers that are to be seen."""
        return [line_in(cells, spec) for cells in self.page.eval_on_selector_all("#table tbody tr", CELLS)]

    def sums(self) -> list[tuple[str, int]]:
        """Return the sums below the table: their text, and their value."""
        cells = self.page.eval_on_selector_all("#sums tr", CELLS)[0]
        return [(text, int(value)) for text, value in cells if value]


Open = Callable[..., Opened]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the Chromium of this machine; a gate, which sets CI, fails where there is none."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(NO_BROWSER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open a page from a file, in a profile of its own; afterwards it has said nothing, and asked for no other one."""
    every: list[Opened] = []

    def open_(text: str, **options: Any) -> Opened:
        path = tmp_path / f"page {len(every)}.html"
        path.write_text(text)
        opened = Opened(browser.new_context(**options).new_page())
        opened.page.on("console", lambda message: opened.said.append(message.text))
        opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
        opened.page.on("dialog", lambda dialog: opened.said.append(dialog.message))
        opened.page.context.on("request", lambda request: opened.asked.append(request.url))
        opened.page.context.on(
            "requestfailed", lambda request: opened.refused.append(f"{request.failure} {request.url}")
        )
        opened.page.goto(path.as_uri())
        every.append(opened)
        return opened

    yield open_
    for each in every:
        url = each.page.url.partition("#")[0]
        each.page.context.close()
        assert each.said == []
        assert [asked for asked in each.asked if not asked.startswith("blob:file:")] == [url]


@pytest.fixture(scope="module")
def text() -> str:
    """Return the page of two models."""
    return text_of(*SPECS)


def text_of(*names: str) -> str:
    """Return the page of some bundled models under the three rules."""
    specs = [load_spec(name) for name in names]
    return report_page(compare(specs), specs, "the command")


def test_it_opens(open_page: Open, text: str, tcost: Tcost) -> None:
    """The page opens without a word and without a request; each number is that of the JSON and of `compute`."""
    opened = open_page(text)
    assert opened.page.title() == "gpt2, t5-base: what one training step costs"
    assert opened.lines() == [line for spec in SPECS for line in lines_of(tcost, spec)]
    document = json.loads(opened.page.evaluate("document.getElementById('result').textContent"))
    assert document == json.loads(tcost("compare", *SPECS, "--format", "json").out)
    cells = opened.page.eval_on_selector_all("#summary tbody tr", CELLS)
    integers = [[int(value) for _, value in row if re.fullmatch(r"\d+", value)] for row in cells]
    assert integers == [
        [
            *(each["totals"][name] for name in ("macc", "flop", "parameters")),
            *(each["memory"][name]["bytes"] for name in ("stored_activations", "peak")),
        ]
        for each in document["results"]
    ]


def test_hostile_texts_do_nothing(open_page: Open, tcost: Tcost, tmp_path: Path) -> None:
    """A name that would run a script and load a picture is shown; the page stays as narrow as it was."""
    path = tmp_path / "report.html"
    assert tcost("report", hostile_spec(tmp_path), "-o", path).status == 0
    opened = open_page(path.read_text(), viewport={"width": 390, "height": 800})
    assert opened.page.inner_text("h1") == SHOWN
    assert opened.page.locator("img").count() == 0
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_policy_holds(open_page: Open, text: str, tmp_path: Path) -> None:
    """Were there a picture, a script or a request in it, the browser would not let it out."""
    (tmp_path / "x.png").write_bytes(b"")
    hole = (
        '<img src="x.png"><script>document.title = "ran"</script><link rel="stylesheet" href="https://example.com/a">'
    )
    opened = open_page(text.replace("</main>", f"{hole}</main>"))
    assert opened.page.title() != "ran"
    assert all("Content Security Policy" in message for message in opened.said)
    assert len(opened.said) == 3
    assert opened.refused == [f"csp {url}" for url in opened.asked[1:]]
    del opened.said[:], opened.asked[1:]


# Sorting, filtering, sums


def test_sorting_is_exact(open_page: Open) -> None:
    """Integers that no float tells apart are in order, both ways; a third time all is as it was."""
    spec, draw = load_spec("gpt2"), random.Random(1)  # noqa: S311  # an order, not a secret
    comparisons = compare([spec], ["bp"])
    rows = comparisons[0].result.rows
    amounts = draw.sample(range(2**62, 2**62 + len(rows)), len(rows))
    result = replace(
        comparisons[0].result,
        rows=tuple(
            replace(row, scalars={"macc": each, "add": -(2**70) - 3 * each})
            for row, each in zip(rows, amounts, strict=True)
        ),
    )
    opened = open_page(report_page([replace(comparisons[0], result=result, baseline=result)], [spec], ""))
    before = opened.lines("gpt2")
    assert len({float(line.macc) for line in before}) < len({line.macc for line in before}) / 2
    for name, key in {
        "layer": lambda line: line.layer,
        "phase": lambda line: line.phase,
        "copies": lambda line: line.copies,
        "MACCs": lambda line: line.macc,
        "FLOPs": lambda line: line.flop,
        "parameters": lambda line: line.parameters,
        "share of MACCs": lambda line: line.share,
    }.items():
        head = opened.page.locator("#table").get_by_role("columnheader", name=name, exact=True)
        for order, lines in (
            ("ascending", sorted(before, key=key)),
            ("descending", sorted(before, key=key, reverse=True)),
            (None, before),
        ):
            head.get_by_role("button").click()
            assert head.get_attribute("aria-sort") == order
            assert opened.lines("gpt2") == lines
    assert opened.page.locator("[aria-sort]").count() == 0


def test_sorting_from_the_keyboard(open_page: Open, text: str) -> None:
    """A header is reached by Tab and works by Enter and space; only one column is the sorted one."""
    opened = open_page(text)
    opened.page.focus("#phase")
    for key in ("Tab", "Tab", "Tab", "Enter", "Tab", "Space"):  # the table's box, then its headers
        opened.page.keyboard.press(key)
    sorted_ = opened.page.locator("[aria-sort]")
    assert [sorted_.count(), sorted_.inner_text().strip(), sorted_.get_attribute("aria-sort")] == [
        *(1, "layer", "ascending")
    ]
    assert [line.layer for line in opened.lines()] == sorted(line.layer for line in opened.lines())


def test_filters(open_page: Open, text: str, tcost: Tcost) -> None:
    """The rows shown are those that have the words, rule and phase; their number and their sums are exact."""
    opened = open_page(text)
    every = [line for spec in SPECS for line in lines_of(tcost, spec)]
    for words, rule, phase, exact in (
        ("ATTENTION", "", "", False),
        ("t5-base mempepita decoder.cross", "", "", True),
        ("embedding", "pepita", "", True),
        ("  norm ", "bp", "weight update", False),
        ("", "", "error projection", False),
        ("", "mempepita", "backward", True),
        ("no such layer", "", "", False),
        ("", "", "", True),
    ):
        opened.page.set_checked("#exact", exact)
        opened.page.fill("#text", words)
        opened.page.select_option("#rule", rule)
        opened.page.select_option("#phase", phase)
        lines = [
            line
            for line in every
            if words.strip().lower() in line.text and rule in ("", line.algo) and phase in ("", line.phase)
        ]
        sums = [sum(getattr(line, name) for line in lines) for name in ("macc", "flop", "parameters")]
        assert opened.page.inner_text("#count") == f"{len(lines)} of {len(every)} rows"
        assert opened.sums() == [(f"{number:,}" if exact else si(number), number) for number in sums]
        opened.page.uncheck("#exact")
        assert opened.lines() == lines
        assert opened.sums() == [(si(number), number) for number in sums]


def test_amounts_are_written_as_elsewhere(browser: Browser, text: str) -> None:
    """What the page's script makes of an integer is what `tcost.units.si` makes of it."""
    page = browser.new_page()
    page.set_content(text)

    @settings(max_examples=20)
    @given(st.lists(st.integers(-(10**40), 10**40) | st.integers(0, 40).map(lambda n: 10**n - 1), min_size=50))
    def check(numbers: list[int]) -> None:
        written = page.evaluate("numbers => numbers.map(each => si(BigInt(each)))", [str(each) for each in numbers])
        assert written == [si(each) for each in numbers]

    check()
    page.close()


def test_exact_integers(open_page: Open, text: str) -> None:
    """The checkbox shows every integer in groups of three, bytes with their unit, and back; the page stays as wide."""
    opened = open_page(text, viewport={"width": 1180, "height": 800})
    numbers = "all => all.map(each => [each.textContent, each.value])"
    before = opened.page.eval_on_selector_all("data", numbers)
    opened.page.check("#exact")
    after = opened.page.eval_on_selector_all("data", numbers)
    assert any("," in shown for shown, _ in after)
    for shown, value in after:
        if re.fullmatch(r"-?\d+", value) and int(value) >= 1000:
            plain = shown == value and int(value) < 10**6  # a size
            assert plain or shown.removesuffix(" B") == f"{int(value):,}"
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 1180
    opened.page.uncheck("#exact")
    assert opened.page.eval_on_selector_all("data", numbers) == before


def test_saving(open_page: Open, text: str, tcost: Tcost) -> None:
    """The button saves the JSON of the page."""
    opened = open_page(text, accept_downloads=True)
    with opened.page.expect_download() as saved:
        opened.page.click("#save")
    assert saved.value.suggested_filename == "result.json"
    assert saved.value.path().read_text() == tcost("compare", *SPECS, "--format", "json").out


def test_without_scripts(open_page: Open, text: str, tcost: Tcost) -> None:
    """Where scripts are off, every row is there, and no control that would do nothing."""
    page = open_page(text, java_script_enabled=False).page
    lines = [line for spec in SPECS for line in lines_of(tcost, spec)]
    rows = page.locator("#table tbody tr")
    assert rows.count() == len(lines)
    assert [row.split("\t")[6] for row in rows.all_inner_texts()] == [si(line.macc) for line in lines]
    assert all(rule in page.inner_text("#summary") for rule in RULES)
    assert not any(each.is_visible() for each in page.locator("input, select, button, output, tfoot").all())


# How it looks


CONTRASTS = """() => {
    const light = color => {
        const parts = color.match(/[0-9.]+/g).slice(0, 3).map(each => each / 255);
        const [r, g, b] = parts.map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = element => {
        for (let each = element; each; each = each.parentElement) {
            const color = getComputedStyle(each).backgroundColor;
            if (!color.endsWith(", 0)")) return color;
        }
    };
    const found = {};
    for (const selector of ["h1", "p", "dt", "dd", "a", "caption", "th", "td", "code", "output", "footer p",
                            "button", ".panel text:not(.inside)"]) {
        const element = document.querySelector(`main ${selector}, body > ${selector}, header ${selector}`);
        const style = getComputedStyle(element);
        const [a, b] = [light(element instanceof SVGElement ? style.fill : style.color), light(behind(element))];
        found[selector] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    }
    for (const text of document.querySelectorAll(".inside")) {
        const style = getComputedStyle(text);
        const [a, b] = [light(style.fill), light(style.stroke)];
        found[text.getAttribute("class")] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    }
    return found;
}"""
"""The contrast of texts of each sort against what is behind them, as WCAG 2 defines it."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(scheme: Any, open_page: Open, text: str) -> None:
    """Texts have a contrast of 4.5 to 1 at least, those inside bars against the bar."""
    found = open_page(text, color_scheme=scheme).page.evaluate(CONTRASTS)
    assert len(found) > 14
    assert min(found.values()) >= 4.5, found


def test_schemes_and_print(open_page: Open, text: str) -> None:
    """Light is light, dark is dark, and paper is white, without controls, whatever the scheme; a PDF has pages."""
    opened = open_page(text, color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    colors = [opened.page.evaluate(background)]
    opened.page.emulate_media(color_scheme="dark")
    colors.append(opened.page.evaluate(background))
    assert opened.page.is_visible("#text")
    opened.page.emulate_media(color_scheme="dark", media="print")
    colors.append(opened.page.evaluate(background))
    assert colors == ["rgb(255, 255, 255)", "rgb(20, 25, 31)", "rgb(255, 255, 255)"]
    assert not any(opened.page.is_visible(each) for each in ("#text", "#save", "nav", "#exact"))
    assert opened.page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") > 3


BOXES = """panels => panels.map(panel => [panel, ...panel.querySelectorAll("text")].map(each => {
    const { left, top, right, bottom } = each.getBoundingClientRect();
    return { left, top, right, bottom, text: each.nodeName === "text" ? each.textContent : "" };
}))"""
"""Where each chart is, then where its texts are."""


@pytest.mark.parametrize(("width", "media"), [(390, "screen"), (1180, "screen"), (A4, "print")])
def test_layout(width: int, media: Any, open_page: Open) -> None:
    """No text of a chart is cut off or over another one, and no page is wider than its window, or its paper."""
    specs = [load_spec(name) for name in ("alexatm-20b", "deepseek-v2-lite")]
    comparisons = compare(specs, convention="exact", optimizer="adamw", recompute="block")
    opened = open_page(report_page(comparisons, specs, ""), viewport={"width": width, "height": 800})
    opened.page.emulate_media(media=media)
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    panels = opened.page.eval_on_selector_all(".panel", BOXES)
    assert len(panels) == 2 * 9
    for panel, *texts in panels:
        for place, box in enumerate(texts):
            assert panel["left"] <= box["left"] < box["right"] <= panel["right"], box
            for other in texts[:place]:
                overlap = min(box["right"], other["right"]) - max(box["left"], other["left"])
                height = min(box["bottom"], other["bottom"]) - max(box["top"], other["top"])
                assert overlap <= 0 or height <= 2, (box, other)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility(scheme: Any, open_page: Open, text: str) -> None:
    """Nothing is found by axe-core (https://github.com/dequelabs/axe-core), with sorting and filtering in use."""
    page = open_page(text, color_scheme=scheme).page
    page.get_by_role("button", name="layer", exact=True).click()
    page.fill("#text", "attention")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
