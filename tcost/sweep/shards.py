"""Shards: every n-th chunk of a sweep, so that n machines share it without speaking to each other."""

import re
from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

from tcost.errors import InputError

if TYPE_CHECKING:
    from tcost.sweep.grid import Sweep


@dataclass(frozen=True)
class Shard:
    """One of `of` shards, numbered from 1."""

    number: int = 1
    of: int = 1

    def __str__(self) -> str:
        """Return it as it is written on the command line."""
        return f"{self.number}/{self.of}"

    def chunks(self, sweep: "Sweep") -> range:
        """Return the numbers of its chunks: those of all shards together are those of the sweep, each once."""
        return range(self.number - 1, sweep.chunks, self.of)

    def overlaps(self, other: "Shard") -> bool:
        """Tell whether another one has any of its chunks, of a sweep without end."""
        return (self.number - other.number) % gcd(self.of, other.of) == 0

    def rows(self, sweep: "Sweep") -> int:
        """Return the number of its rows."""
        return sweep.rows if self == WHOLE else sum(sweep.chunk(number).rows for number in self.chunks(sweep))


WHOLE = Shard()
"""All chunks."""


def parse_shard(text: str) -> Shard:
    """Return the shard that a text means, as in `1/4`. Raises InputError for what is none."""
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise InputError(f"'{text}' is no shard\nexpected 1/4, 2/4, 3/4 or 4/4 for four of them")
    return Shard(int(found[1]), int(found[2]))
