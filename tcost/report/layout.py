"""How a table fits a terminal: which columns are shown, and where a text goes on in the next line."""

import re
from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

from rich.cells import cell_len

from tcost.report.tables import GAP, Table

COMFORT = 24
"""Columns of a text that is folded before a column of numbers goes."""

LEAST = 8
"""Columns of a text, however narrow the terminal."""

MAX_UNTORN = 32
"""Columns of the longest number in a text that is not torn."""

INDENT = "  "
"""What stands before the further lines of a text."""

ENDS = re.compile(r"(?<=[ ._·/])")
"""Where a text may be folded: behind these."""


class Layout(NamedTuple):
    """The columns that are shown, by place, the width of each column of text among them, and what is not shown."""

    places: tuple[int, ...]
    widths: tuple[int, ...]
    hidden: tuple[str, ...]


def layout(table: Table, lines: Sequence[Sequence[str]], width: int | None) -> Layout:
    """Return how a table of these lines, all of all sections, fits a width, or is as wide as its content.

    First long texts are folded, then columns go, then short texts are folded, too.
    """
    natural = [_natural(table, place, lines) for place in range(len(table.columns))]
    texts = natural[: table.text_columns]
    if width is None:
        return Layout(tuple(range(len(natural))), tuple(texts), ())
    untorn = [max(_heading(table, place), _untorn(line[place] for line in lines)) for place in range(len(texts))]
    for comfort, gone in product((COMFORT, LEAST), ((), *table.goes)):
        places = tuple(place for place in range(len(natural)) if place not in gone)
        room = width - sum(natural[place] for place in places[len(texts) :]) - GAP * len(places) + 1
        floor = [min(text, max(comfort, whole)) for text, whole in zip(texts, untorn, strict=True)]
        if sum(floor) <= room:
            break
    hidden = dict.fromkeys(table.columns[place] for place in sorted(gone))
    return Layout(places, _shared(texts, floor, room), tuple(hidden))


def _natural(table: Table, place: int, lines: Sequence[Sequence[str]]) -> int:
    """Return the width of a column: that of its longest line, which of a text is at most what the table allows."""
    is_text = place < table.text_columns
    longest = max((cell_len(part) for line in lines for part in line[place].split("\n")), default=0)
    if is_text and table.text_width is not None:
        longest = min(longest, max(table.text_width, _untorn(line[place] for line in lines)))
    return max(longest, _heading(table, place))


def _heading(table: Table, place: int) -> int:
    """Return the width of a heading, whose words stand in lines of their own."""
    return max(cell_len(word) for word in table.columns[place].split(" "))


def _untorn(texts: Iterable[str]) -> int:
    """Return the width of the longest number in texts."""
    numbers = (cell_len(piece) for text in texts for piece in ENDS.split(text) if any(map(str.isdigit, piece)))
    return min(MAX_UNTORN, max(numbers, default=0) + len(INDENT))


def _shared(natural: Sequence[int], floor: Sequence[int], room: int) -> tuple[int, ...]:
    """Return the widths of texts in a room: the widest gives way first, none below its floor."""
    widths = list(natural)
    while sum(widths) > room and any(width > low for width, low in zip(widths, floor, strict=True)):
        place = max((place for place in range(len(widths)) if widths[place] > floor[place]), key=widths.__getitem__)
        widths[place] -= 1
    return tuple(widths)


def fold(text: str, width: int) -> list[str]:
    """Return a text in lines of a width, further ones indented: behind a space or, in a longer word, where it ENDS.

    What is longer than a line between two of these is cut.
    """
    return [line for part in text.split("\n") for line in _folded(part, width)]


def _folded(text: str, width: int) -> list[str]:
    indent = " " * min(len(text) - len(text.lstrip(" ")), width // 2) + INDENT
    lines, pieces = [""], _pieces(text, width - len(indent))
    while pieces:
        piece, room = pieces.pop(0), width - cell_len(lines[-1])
        if cell_len(piece.rstrip(" ")) <= room:
            lines[-1] += piece
        elif lines[-1].strip():
            lines.append(indent)
            pieces.insert(0, piece)
        else:
            head = _cut(piece, room)
            lines[-1] += head
            pieces.insert(0, piece[len(head) :])
    return [line.rstrip(" ") for line in lines]


def _pieces(text: str, room: int) -> list[str]:
    """Return the words of a text, those that are longer than a line in parts, each with what it ends in."""
    words = re.split("(?<= )", text)
    return [part for word in words for part in (ENDS.split(word) if cell_len(word.rstrip(" ")) > room else [word])]


def _cut(text: str, room: int) -> str:
    """Return as many characters as have room, one at the least."""
    number = 1
    while number < len(text) and cell_len(text[: number + 1]) <= room:
        number += 1
    return text[:number]
