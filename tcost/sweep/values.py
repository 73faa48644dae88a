"""Exact integers of a chunk: what a sweep's columns of numbers are made of."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Integers:
    """Exact integers, none less than zero, one for each row of a chunk.

    `low` holds int64 where all fit, uint64 where `high` has what is above 2^64 of them (value = high·2^64 + low),
    and Python integers (dtype object) where they are beyond.
    """

    low: Any
    high: Any = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.low)

    def tolist(self) -> list[int]:
        """Return them as Python integers."""
        if self.high is None:
            return [int(value) for value in self.low.tolist()]
        return ((self.high.astype(object) << 64) + self.low.astype(object)).tolist()  # type: ignore[no-any-return]
