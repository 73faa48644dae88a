"""Tables fit the terminal: no line is wider, no number is torn, and what has no room is said."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import COMMANDS
from conftest import Tcost
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tcost.bundled import BUNDLED
from tcost.output import NARROWEST
from tcost.report.layout import fold
from tcost.report.tables import Section, Table, draw, in_turn

WIDTHS = (60, 80, 100, 120)

SPECS = ("gpt2", "t5-base", "whisper-tiny", "gemma-2-9b", "mixtral-8x7b", "deepseek-v2-lite")

LINES = {
    "compute": ["compute {}", "compute {} --algos bp pepita --integers --by operation", "compute {} --by phase"],
    "compare": ["compare {} gpt2", "compare {} --integers --convention paper"],
    "memory": ["memory {} --optimizer adamw --budget 24GiB", "memory {} --algos pepita mempepita --integers"],
    "sweep": ["sweep {} --over batch=1,2 context_length=128,256 --algos bp pepita --integers"],
    "explain": ["explain {} --integers"],
    "reconcile": ["reconcile {} --integers"],
    "explain --formula": ["explain --formula {} --integers"],
    "sweep --break-even": ["sweep --break-even {} --algos pepita bp --over batch"],
    "verify": ["verify {}"],
    "diff": ["diff {} gpt2", "diff {} {} --batch 2 --integers"],
    "check": ["check {} --max flop=1T peak_bytes=1GiB", "check {} --max macc=1 --integers"],
}
"""Command lines that print tables, by command."""

OTHERS = {"plot", "report", "import", "list"}
"""Commands whose output is for programs, or a list."""

NUMBER = re.compile(r"[0-9][0-9,]*(?:\.[0-9]+)?")


def lines() -> Iterator[object]:
    """Yield each line with each spec that it is run with: all of them where that is asked for."""
    for each in (line for of_command in LINES.values() for line in of_command):
        for name in BUNDLED:
            yield pytest.param(each.replace("{}", name), marks=() if name in SPECS else pytest.mark.slow)


@pytest.mark.parametrize("line", list(lines()))
def test_no_line_is_wider(line: str, tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a number torn or cut short: every number of a narrow terminal is one of the wide one."""
    drawn: list[list[Table]] = []

    def draw_once(tables: list[Table], **options: Any) -> str:
        drawn.append(tables)
        return draw(tables, **options)

    monkeypatch.setattr("tcost.report.tables.draw", draw_once)
    whole = tcost(*line.split()).out
    (tables,) = drawn
    for width in WIDTHS:
        fits(draw(tables, width=width), whole, width)


def fits(out: str, whole: str, width: int) -> None:
    """Check that an output has the numbers of the whole one in lines of a width."""
    assert max(map(cell_len, out.splitlines())) <= width
    assert "…" not in out
    assert set(NUMBER.findall(out)) <= set(NUMBER.findall(whole))


@pytest.mark.parametrize("line", ["compute gpt2", "list specs", "list algos", "list conventions", "list layers"])
def test_the_terminal_is_asked(line: str, tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """COLUMNS says how wide it is, to lists, too."""
    whole = tcost(*line.split()).out
    for width in WIDTHS:
        monkeypatch.setenv("COLUMNS", str(width))
        fits(tcost(*line.split()).out, whole, width)


def test_every_command_is_looked_at() -> None:
    """A command that is new is in one of the two lists."""
    assert set(COMMANDS) == LINES.keys() | OTHERS


def test_what_has_no_room_is_said(tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe has every column, a narrow terminal says which it leaves out, and the total is the last to go."""
    monkeypatch.setenv("COLUMNS", "60")
    narrow = tcost("memory", "gpt2", "--optimizer", "adam").out
    assert "not shown for want of room: weights, gradients; --format markdown has all" in " ".join(narrow.split())
    assert "stored" in narrow
    assert "total" in narrow
    monkeypatch.delenv("COLUMNS")
    assert "want of room" not in tcost("memory", "gpt2", "--optimizer", "adam").out


def test_files_are_as_wide_as_their_content(tcost: Tcost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The terminal is not where they are read."""
    monkeypatch.setenv("COLUMNS", "60")
    tcost("compare", "gpt2", "--output", tmp_path / "x")
    assert max(map(len, (tmp_path / "x").read_text().splitlines())) > 80


@given(text=st.text(alphabet=st.sampled_from("ab1,. _·漢\n"), max_size=60), width=st.integers(10, 40))
def test_folding_keeps_every_character(text: str, width: int) -> None:
    """No line is wider, and but for spaces and indents nothing is lost."""
    folded = fold(text, width)
    assert all(cell_len(line) <= width for line in folded)
    assert re.sub(r"\s", "", "".join(folded)) == re.sub(r"\s", "", text)


@given(
    cells=st.lists(st.integers(0, 10**20), min_size=1, max_size=6),
    label=st.text(alphabet="abc._ ", min_size=1, max_size=80),
    width=st.integers(NARROWEST, 120),
)
def test_any_table_fits(cells: list[int], label: str, width: int) -> None:
    """Whatever the label and the numbers, as long as all but one of them may go."""
    columns = ("", *(f"column {place}" for place in range(len(cells))))
    table = Table(
        "t",
        "s",
        columns,
        (Section(((label, *map(str, cells)),)),),
        (),
        goes=in_turn(*range(1, len(cells))),
    )
    out = draw([table], width=width)
    assert max(map(cell_len, out.splitlines())) <= width
    assert str(cells[-1]) in out
