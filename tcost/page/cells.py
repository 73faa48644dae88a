"""Numbers as cells of a table: what is read, and the exact value behind it."""

from dataclasses import dataclass

from tcost.report.words import bytes_of
from tcost.units import grouped, share, si


@dataclass(frozen=True)
class Cell:
    """A number: its text, its value as an integer, a fraction or a decimal, and the value in words where it says more.

    A text without a value stands where there is no number.
    """

    text: str
    value: str = ""
    exact: str = ""


NONE = Cell("")


def amount(number: int) -> Cell:
    """Return an amount in SI units."""
    return _cell(si(number), number, grouped(number))


def of_bytes(number: int) -> Cell:
    """Return bytes in binary units."""
    return _cell(bytes_of(number), number, f"{grouped(number)} B")


def size(number: int) -> Cell:
    """Return a size, which is written whole."""
    return Cell(str(number), str(number))


def share_of(part: int, whole: int) -> Cell:
    """Return a part of a whole; its value is the fraction as it stands."""
    return Cell(share(part, whole), f"{part}/{whole}") if whole else NONE


def _cell(text: str, number: int, exact: str) -> Cell:
    return Cell(text, str(number), "" if text in exact else exact)
