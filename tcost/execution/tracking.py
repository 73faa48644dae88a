"""What is alive while a step is executed: elements of arrays, counted as they come and as Python lets them go."""

import weakref
from typing import Any

import numpy as np

from tcost.execution.numbers import Array


class Tracker:
    """The elements of the arrays that are alive, and the most that were at any moment that was noted.

    An array is alive from when it is tracked until nothing refers to it any more: Python itself says when.
    What several arrays see of one memory counts once.
    """

    def __init__(self) -> None:
        """Start with nothing alive."""
        self.alive = 0
        self.peak = 0
        self._known: set[int] = set()

    def track(self, *arrays: Array) -> None:
        """Count arrays from now on; what is no array is no tensor of its own."""
        for array in arrays:
            if isinstance(array, np.ndarray):
                self._count(array if array.base is None else array.base)

    def note(self) -> None:
        """Note a moment."""
        self.peak = max(self.peak, self.alive)

    def _count(self, owner: Any) -> None:
        if id(owner) not in self._known:
            self._known.add(id(owner))
            self.alive += owner.size
            weakref.finalize(owner, self._gone, id(owner), owner.size)

    def _gone(self, identity: int, size: int) -> None:
        self._known.discard(identity)
        self.alive -= size
