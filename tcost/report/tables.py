"""Tables of text, drawn by rich or as markdown."""

import io
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, zip_longest
from typing import TYPE_CHECKING, Literal

from tcost.text import markdown_cell, visible

if TYPE_CHECKING:
    from rich.table import Table as Grid

    from tcost.symbols import Symbol

NOTE_WIDTH = 80

WIDTH = 100
"""Columns of a terminal that tables with formulas keep to."""

GAP = 2
"""Columns between two columns of a table."""


@dataclass(frozen=True)
class Section:
    """Lines of cells under a heading, the last of them a total where `has_total`."""

    lines: tuple[tuple[str, ...], ...]
    heading: str = ""
    has_total: bool = False


@dataclass(frozen=True)
class Table:
    """What a person reads: a title, what the numbers depend on, columns of text, and notes.

    The first `text_columns` columns hold text, the others numbers. Drawn, a text of more than
    `text_width` characters goes on in the next lines, where there is one; only there may a text have line breaks.
    Where a terminal is too narrow, columns of numbers go, by their places: the first set of `goes` that is enough.
    """

    title: str
    settings: str
    columns: tuple[str, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...]
    text_columns: int = 1
    text_width: int | None = None
    goes: tuple[tuple[int, ...], ...] = ()


def in_turn(*places: int) -> tuple[tuple[int, ...], ...]:
    """Return what goes where one column goes after the other."""
    return tuple(accumulate((place,) for place in places))


def draw(tables: Iterable[Table], *, color: bool = False, width: int | None = None) -> str:
    """Return tables as a terminal of a width shows them, or as wide as their content."""
    from rich.console import Console
    from rich.text import Text

    text = io.StringIO()
    console = Console(file=text, width=10_000, force_terminal=color, color_system="standard" if color else None)
    wide = NOTE_WIDTH if width is None else min(width, NOTE_WIDTH)
    for table in tables:
        grid, hidden = _grid(table, width)
        settings = "\n".join(wrap(visible(line), wide) for line in table.settings.split("\n"))
        title = wrap(visible(table.title), width or NOTE_WIDTH, is_cut=width is not None)
        console.print(Text(f"{title}\n", "bold").append(f"{settings}\n", "not bold"))
        console.print(grid)
        unshown = [f"not shown for want of room: {', '.join(hidden)}; --format markdown has all"] if hidden else []
        notes = "".join(f"{wrap(visible(note), wide)}\n" for note in (*table.notes, *unshown))
        console.print(Text(f"\n{notes}" if notes else "", "dim"))
    return "\n".join(line.rstrip() for line in text.getvalue().rstrip().split("\n")) + "\n"


def _grid(table: Table, width: int | None) -> "tuple[Grid, tuple[str, ...]]":
    """Return the lines of a table as rich draws them, and the columns that have no room."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as Grid
    from rich.text import Text

    from tcost.report.layout import fold, layout

    sections = [list(_lines(section, table)) for section in table.sections]
    places, widths, hidden = layout(table, [cells for lines in sections for cells, _ in lines], width)
    grid = Grid(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for place in places:
        side: Literal["left", "right"] = "left" if place < table.text_columns else "right"
        grid.add_column(Text(table.columns[place].replace(" ", "\n")), justify=side, vertical="bottom", no_wrap=True)
    for lines in sections:
        for cells, style in lines:
            texts = [fold(cell, room) for cell, room in zip(cells, widths, strict=False)]
            rest = ([cells[place]] for place in places if place >= len(texts))
            for line in zip_longest(*texts, *rest, fillvalue=""):
                grid.add_row(*(Text(cell, style) for cell in line))
        grid.add_section()
    return grid, hidden


def _lines(section: Section, table: Table) -> Iterator[tuple[list[str], str]]:
    """Yield the cells of each line of a section, its heading first, and their style."""
    if section.heading:
        yield [_shown(section.heading), *[""] * (len(table.columns) - 1)], "bold"
    lines = list(_aligned(section, table.text_columns))
    for number, cells in enumerate(lines, start=1):
        yield list(map(_shown, cells)), "bold" if section.has_total and number == len(lines) else ""


def _shown(text: str) -> str:
    return "\n".join(map(visible, text.split("\n")))


def _aligned(section: Section, text_columns: int) -> Iterable[tuple[str, ...]]:
    """Give the units of a column of numbers the same room, so that digits stand below digits."""
    columns = list(zip(*section.lines, strict=True))
    for index in range(text_columns, len(columns)):
        parts = [cell.partition(" ")[::2] for cell in columns[index]]
        width = max(len(unit) for _, unit in parts)
        room = width + 1 if width else 0
        columns[index] = tuple(f"{number}{f' {unit}' if unit else '':<{room}}" for number, unit in parts)
    return zip(*columns, strict=True)


def markdown(tables: Iterable[Table]) -> str:
    """Return tables as GitHub markdown."""
    parts = []
    for table in tables:
        columns = len(table.columns)
        rules = [":--" if index < table.text_columns else "--:" for index in range(columns)]
        lines = [_markdown_line(table.columns), _markdown_line(rules)]
        for section in table.sections:
            if section.heading:
                lines.append(_markdown_line([f"**{section.heading}**", *[""] * (columns - 1)]))
            lines += [_markdown_line(markdown_cell(c.replace("\n", "; ")) for c in cells) for cells in section.lines]
        notes = "\n".join(f"- {markdown_cell(note.lstrip())}" for note in table.notes)
        title, settings = markdown_cell(table.title), "  \n".join(map(markdown_cell, table.settings.split("\n")))
        parts.append(f"### {title}\n\n{settings}\n\n" + "\n".join(lines) + f"\n\n{notes}\n")
    return "\n".join(parts)


def _markdown_line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def wrap(note: str, width: int = NOTE_WIDTH, *, is_cut: bool = True) -> str:
    """Return a note in lines of a width, further lines indented; words that are longer are cut, or stay whole."""
    return textwrap.fill(note, width, subsequent_indent="  ", break_long_words=is_cut, break_on_hyphens=False)


def legend(symbols: Iterable["Symbol"]) -> str:
    """Say what letters stand for: `M = 1024 (context), d = 768 (model width)`."""
    return ", ".join(
        f"{each.name} = {each.value} ({each.meaning})" if each.value is not None else f"{each.name}: {each.meaning}"
        for each in symbols
    )
