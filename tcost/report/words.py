"""What measures and names are called, and how amounts are written."""

from collections.abc import Callable
from typing import TypeAlias

from tcost.units import binary, grouped, si

Format: TypeAlias = Callable[[int], str]

NOTHING = "-"
"""The cell of a phase in which nothing is executed; what is executed but not counted is 0."""

HEADINGS = {"macc": "MACCs", "flop": "FLOPs"}
"""What amounts of work are called; other measures are called by their names."""


def heading(measure: str) -> str:
    """Return what a measure is called: its name in words, but for amounts of work."""
    return HEADINGS.get(measure, words_of(measure))


def words_of(name: str) -> str:
    """Return the name of a phase, a kind or a column as it is read."""
    return name.replace("_", " ")


def format_of(measure: str = "", *, integers: bool = False) -> Format:
    """Return how amounts of a measure are written: as exact integers, else bytes in binary and all others in SI units.

    Where no measure is said, it is one that is not of bytes.
    """
    if integers:
        return grouped
    return binary if measure.endswith("bytes") else si


def bytes_of(amount: int) -> str:
    """Return bytes in binary units, of which none is no amount of a unit."""
    return binary(amount) if amount else "0"


def bytes_in_words(*, integers: bool = False) -> Format:
    """Return how bytes are written in a sentence: with their unit, in binary ones or as an exact integer."""
    return _exact_bytes if integers else binary


def _exact_bytes(amount: int) -> str:
    return f"{grouped(amount)} bytes"
