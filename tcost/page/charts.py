"""Charts: bars made of parts, as coordinates of a drawing. Amounts are exact until they become coordinates."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

WIDTH, BAR, GAP, HEAD = 440, 12, 6, 22
"""Of a panel, a bar, the space below it, and a panel's heading, in units of the drawing."""

NARROW, WIDE = frozenset(" .,:()-'fijlrt"), frozenset("mwMW")
"""Letters that are narrower, and wider, than the others in every font."""

LONGEST = 206
"""Width of a bar's label; of a longer one the beginning is left out."""


@dataclass(frozen=True)
class Part:
    """A part of a bar: the number of its fill, what it is called, and its amount."""

    fill: int
    name: str
    amount: int


@dataclass(frozen=True)
class Bar:
    """A bar: its label, its parts in order, what is written behind it, and where it has a mark."""

    label: str
    parts: tuple[Part, ...]
    amount: int
    mark: int | None = None


@dataclass(frozen=True)
class Piece:
    """A part as it is drawn; `text` is inside it."""

    fill: int
    x: float
    width: float
    words: str
    text: str


@dataclass(frozen=True)
class Line:
    """A bar as it is drawn."""

    label: str
    y: float
    pieces: tuple[Piece, ...]
    text: str
    x: float
    mark: float | None


@dataclass(frozen=True)
class Panel:
    """A drawing of bars: its heading, what it shows in words, its lines, and where they and zero are."""

    heading: str
    words: str
    lines: tuple[Line, ...]
    top: float
    left: float
    height: float
    bar: float
    zero: float


@dataclass(frozen=True)
class Scale:
    """Where amounts are on a panel: what is below zero is left of it."""

    low: int
    high: int
    left: float
    right: float

    def at(self, amount: int) -> float:
        """Return the coordinate of an amount."""
        return round(self.left + (self.right - self.left) * ((amount - self.low) / (self.high - self.low)), 2)


def scale_of(bars: Iterable[Bar], text: Callable[[int], str]) -> Scale:
    """Return the scale that all bars fit on, with room for their labels and for what is written behind them."""
    bars = list(bars)
    ends = [edge for bar in bars for edge in (*_edges(bar), bar.mark or 0)]
    label = max(_width(_shortened(bar.label)) for bar in bars)
    behind = max(_width(text(bar.amount)) for bar in bars)
    low, high = min(0, *ends), max(0, *ends)
    return Scale(low, max(high, low + 1), label + 8, WIDTH - behind - 8)


def panel(heading: str, bars: Sequence[Bar], text: Callable[[int], str], scale: Scale, bar: float = BAR) -> Panel:
    """Return a drawing of bars below each other, on a scale."""
    lines = []
    for place, each in enumerate(bars):
        pieces = tuple(_pieces(each, text, scale, has_text=bar > BAR))
        end = max([scale.at(edge) for edge in _edges(each)] + ([scale.at(each.mark)] if each.mark is not None else []))
        mark = None if each.mark is None else scale.at(each.mark)
        lines.append(Line(_shortened(each.label), HEAD + place * (bar + GAP), pieces, text(each.amount), end + 5, mark))
    words = "; ".join(f"{each.label} {text(each.amount)}{_in_words(each, text)}" for each in bars)
    return Panel(heading, words, tuple(lines), HEAD, scale.left, HEAD + len(bars) * (bar + GAP), bar, scale.at(0))


def _edges(bar: Bar) -> tuple[int, int]:
    """Return how far a bar goes to the left and to the right of zero."""
    amounts = [part.amount for part in bar.parts]
    return sum(min(amount, 0) for amount in amounts), sum(max(amount, 0) for amount in amounts)


def _pieces(bar: Bar, text: Callable[[int], str], scale: Scale, *, has_text: bool) -> Iterable[Piece]:
    start = end = 0
    for part in bar.parts:
        low, high = (start + part.amount, start) if part.amount < 0 else (end, end + part.amount)
        start, end = min(start, low), max(end, high)
        if not part.amount:
            continue
        width = round(scale.at(high) - scale.at(low), 2)
        inside = text(part.amount) if has_text and width > _width(text(part.amount)) else ""
        yield Piece(part.fill, scale.at(low), width, f"{bar.label}, {part.name}: {text(part.amount)}", inside)


def _width(text: str) -> float:
    """Return the width of a text, at most, in units of the drawing: a page is set in whatever font there is."""
    return sum(4.4 if letter in NARROW else 11 if letter in WIDE else 7.1 for letter in text)


def _shortened(label: str) -> str:
    shown = label
    while _width(shown) > LONGEST:
        shown = f"…{shown.removeprefix('…')[1:]}"
    return shown


def _in_words(bar: Bar, text: Callable[[int], str]) -> str:
    parts = [f"{part.name} {text(part.amount)}" for part in bar.parts if part.amount]
    return f" ({', '.join(parts)})" if parts else ""
