"""Exact integers of a chunk: what a sweep's columns of numbers are made of."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Integers:
    """Exact integers, none less than zero, one for each row of a chunk.

    `low` holds int64 where all fit. Beyond, it is uint64 beside `high`, int64, and a value is high·2^64 + low.
    Where that does not hold all either, `low` has Python integers (dtype object).
    """

    low: Any
    high: Any = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.low)

    def tolist(self) -> list[int]:
        """Return them as Python integers."""
        if self.high is None:
            return self.low.tolist()  # type: ignore[no-any-return]
        pairs = zip(self.high.tolist(), self.low.tolist(), strict=True)
        return [(high << 64) | low for high, low in pairs]

    def maximum(self, other: "Integers") -> "Integers":
        """Return the larger of each two; both are held in the same way."""
        if self.high is None:
            return Integers(np.maximum(self.low, other.low))
        is_larger = (self.high > other.high) | ((self.high == other.high) & (self.low > other.low))
        return Integers(np.where(is_larger, self.low, other.low), np.where(is_larger, self.high, other.high))

    def divided(self, by: int) -> "Integers":
        """Return their quotients with a number that divides them all."""
        if by == 1:
            return self
        if self.high is None:
            return Integers(self.low // by)
        # Digit by digit in base 2^32, so that a remainder and the next digit fit into 64 bits.
        high, rest = np.divmod(self.high, by)
        upper, rest = np.divmod((rest.astype(np.uint64) << 32) | (self.low >> 32), np.uint64(by))
        lower = ((rest << 32) | (self.low & 0xFFFFFFFF)) // np.uint64(by)
        return Integers((upper << 32) + lower, high)
