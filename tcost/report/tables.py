"""Tables of text, drawn by rich or as markdown."""

import io
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

from tcost.text import markdown_cell, visible

if TYPE_CHECKING:
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
    """

    title: str
    settings: str
    columns: tuple[str, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...]
    text_columns: int = 1
    text_width: int | None = None


def draw(tables: Iterable[Table], *, color: bool = False) -> str:
    """Return tables as a terminal shows them, as wide as their content whatever the terminal's width."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    def shown(text: str, style: str = "") -> Text:
        return Text("\n".join(map(visible, text.split("\n"))), style)

    text = io.StringIO()
    console = Console(file=text, width=10_000, force_terminal=color, color_system="standard" if color else None)
    for table in tables:
        grid = Grid(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        for index, heading in enumerate(table.columns):
            side: Literal["left", "right"] = "left" if index < table.text_columns else "right"
            grid.add_column(Text(heading.replace(" ", "\n")), justify=side, vertical="bottom", no_wrap=True)
        for section in table.sections:
            if section.heading:
                grid.add_row(shown(section.heading, "bold"))
            for index, cells in enumerate(_aligned(section, table.text_columns), start=1):
                is_total = section.has_total and index == len(section.lines)
                for line in _folded(cells, table):
                    grid.add_row(*(shown(cell, "bold" if is_total else "") for cell in line))
            grid.add_section()
        settings = "\n".join(map(wrap, table.settings.split("\n")))
        console.print(shown(f"{table.title}\n", "bold").append(shown(f"{settings}\n", "not bold")))
        console.print(grid)
        notes = "".join(f"{wrap(visible(note))}\n" for note in table.notes)
        console.print(Text(f"\n{notes}" if notes else "", "dim"))
    return "\n".join(line.rstrip() for line in text.getvalue().rstrip().split("\n")) + "\n"


def _aligned(section: Section, text_columns: int) -> Iterable[tuple[str, ...]]:
    """Give the units of a column of numbers the same room, so that digits stand below digits."""
    columns = list(zip(*section.lines, strict=True))
    for index in range(text_columns, len(columns)):
        parts = [cell.partition(" ")[::2] for cell in columns[index]]
        width = max(len(unit) for _, unit in parts)
        room = width + 1 if width else 0
        columns[index] = tuple(f"{number}{f' {unit}' if unit else '':<{room}}" for number, unit in parts)
    return zip(*columns, strict=True)


def _folded(cells: Sequence[str], table: Table) -> Iterable[tuple[str, ...]]:
    """Return the lines that hold a line of cells, each text no wider than the table allows."""
    if table.text_width is None:
        return [tuple(cells)]
    fold = textwrap.TextWrapper(table.text_width, subsequent_indent="  ", break_on_hyphens=False)
    texts = [[line for part in cell.split("\n") for line in fold.wrap(part)] for cell in cells[: table.text_columns]]
    return zip_longest(*texts, *([cell] for cell in cells[table.text_columns :]), fillvalue="")


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


def wrap(note: str) -> str:
    """Return a note in lines of NOTE_WIDTH, further lines indented."""
    return textwrap.fill(note, NOTE_WIDTH, subsequent_indent="  ")


def legend(symbols: Iterable["Symbol"]) -> str:
    """Say what letters stand for: `M = 1024 (context), d = 768 (model width)`."""
    return ", ".join(
        f"{each.name} = {each.value} ({each.meaning})" if each.value is not None else f"{each.name}: {each.meaning}"
        for each in symbols
    )
