"""Price lists over scalar operations: what makes MACCs, FLOPs or any other amount of work of a vector of them."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from tcost.conventions import Convention
from tcost.exact import Size
from tcost.kinds import Scalars


class PriceList(NamedTuple):
    """What a scalar operation counts under a convention, by its name; what is not in the list counts nothing."""

    meaning: str
    of: Callable[[Convention], Mapping[str, int]]


WORK: Mapping[str, PriceList] = {
    "macc": PriceList("Multiply-accumulate operations.", lambda _: {"macc": 1}),
    "flop": PriceList(
        "Floating-point operations, as many for a MACC as the convention says.", lambda convention: convention.prices
    ),
}
"""The amounts of work, by name: each is a measure, a field of rows and totals, and a column."""


class Priced:
    """Work: a vector of scalar operations, and the convention that prices it."""

    __slots__ = ()
    scalars: Scalars
    convention: Convention

    def amount(self, measure: str) -> Size:
        """Return the amount of a measure of WORK."""
        prices = WORK[measure].of(self.convention)
        return sum(prices[name] * number for name, number in self.scalars.items() if name in prices)

    @property
    def amounts(self) -> dict[str, Size]:
        """Every amount of work, by name."""
        return {measure: self.amount(measure) for measure in WORK}

    @property
    def macc(self) -> Size:
        """Multiply-accumulate operations."""
        return self.amount("macc")

    @property
    def flop(self) -> Size:
        """Floating-point operations."""
        return self.amount("flop")


def sum_of(vectors: Iterable[Scalars]) -> Scalars:
    """Return the sum of vectors of scalar operations."""
    found: dict[str, Size] = {}
    for vector in vectors:
        for name, number in vector.items():
            found[name] = found[name] + number if name in found else number
    return found
