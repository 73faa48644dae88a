"""Numbers as cells of a table: what is read, and the exact value behind it."""

from dataclasses import dataclass
from fractions import Fraction

from tcost.units import binary, change, grouped, percent, share, si


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
    return _cell(binary(number) if number else "0", number, f"{grouped(number)} B")


def size(number: int) -> Cell:
    """Return a size, which is written whole."""
    return Cell(str(number), str(number))


def share_of(part: int, whole: int) -> Cell:
    """Return a part of a whole; its value is the fraction as it stands."""
    return Cell(share(part, whole), f"{part}/{whole}") if whole else NONE


def change_of(ratio: Fraction) -> Cell:
    """Return a relative change, with the value that JSON gives it."""
    return Cell(change(ratio), str(percent(ratio)))


def _cell(text: str, number: int, exact: str) -> Cell:
    return Cell(text, str(number), "" if text in exact else exact)
