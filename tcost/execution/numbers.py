"""Numbers that count the scalar operations done with them.

An array of them is a NumPy object array: NumPy does its element-wise arithmetic by calling theirs.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import erf, exp, inf, log, sqrt, tanh
from typing import Any, TypeAlias

import numpy as np

Label: TypeAlias = tuple[str, str, str]
"""A layer, an operation in it, and a phase."""

Array: TypeAlias = Any
"""A NumPy object array of numbers."""

Named: TypeAlias = tuple[Array, tuple[str, ...]]
"""An array and the names of its axes."""


class Tally:
    """What has been executed: a number of each scalar operation, under the label that was set."""

    def __init__(self) -> None:
        """Start with nothing executed."""
        self.counts: dict[Label, Counter[str]] = {}
        self._current: Counter[str] = Counter()

    @contextmanager
    def label(self, layer: str, operation: str, phase: str) -> Iterator[None]:
        """Count what is executed inside under a label."""
        outer = self._current
        self._current = self.counts.setdefault((layer, operation, phase), Counter())
        try:
            yield
        finally:
            self._current = outer

    def one(self, operation: str) -> None:
        """Count one scalar operation."""
        self._current[operation] += 1

    def array(self, values: Any) -> Array:
        """Return numbers that count here, with the given values."""
        return np.frompyfunc(lambda value: Number(float(value), self), 1, 1)(np.asarray(values, dtype=float))

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Return an array of zeros."""
        return self.array(np.zeros(shape))


class Number:
    """A float whose arithmetic is counted."""

    __slots__ = ("tally", "value")

    def __init__(self, value: float, tally: Tally) -> None:
        """Hold a value, and where to count."""
        self.value, self.tally = value, tally

    def _done(self, operation: str, value: float) -> "Number":
        self.tally.one(operation)
        return Number(value, self.tally)

    def __add__(self, other: "Number | float") -> "Number":
        """Count an add."""
        return self._done("add", self.value + _value(other))

    def __sub__(self, other: "Number | float") -> "Number":
        """Count an add."""
        return self._done("add", self.value - _value(other))

    def __rsub__(self, other: float) -> "Number":
        """Count an add."""
        return self._done("add", other - self.value)

    def __mul__(self, other: "Number | float") -> "Number":
        """Count a mul."""
        return self._done("mul", self.value * _value(other))

    def __truediv__(self, other: "Number | float") -> "Number":
        """Count a div."""
        return self._done("div", self.value / _value(other))

    def __rtruediv__(self, other: float) -> "Number":
        """Count a div."""
        return self._done("div", other / self.value)

    def __ge__(self, other: "Number") -> bool:
        """Count a cmp; NumPy's maximum asks this."""
        self.tally.one("cmp")
        return self.value >= other.value

    def exp(self) -> "Number":
        """Count an exp."""
        return self._done("exp", exp(self.value))

    def log(self) -> "Number":
        """Count a log."""
        return self._done("log", log(self.value))

    def sqrt(self) -> "Number":
        """Count a sqrt."""
        return self._done("sqrt", sqrt(self.value))

    def tanh(self) -> "Number":
        """Count a tanh."""
        return self._done("tanh", tanh(self.value))

    def erf(self) -> "Number":
        """Count an erf."""
        return self._done("erf", erf(self.value))


def _value(number: Number | float) -> float:
    return number.value if isinstance(number, Number) else number


def values(array: Array) -> Any:
    """Return the floats of an array of numbers, as a NumPy array."""
    floats: Any = np.frompyfunc(_value, 1, 1)(array)
    return floats.astype(float)


def _macc(total: Number, a: Number, b: Number) -> Number:
    """Accumulate one product into a sum of products."""
    return total._done("macc", total.value + a.value * b.value)  # noqa: SLF001  # it is a number's arithmetic too


macc = np.frompyfunc(_macc, 3, 1)
erf_of = np.frompyfunc(Number.erf, 1, 1)


def row_sum(x: Array) -> Array:
    """Return the sum of each row, from zero: as many adds as elements."""
    return np.add.reduce(x, axis=-1, keepdims=True, initial=_constant(x, 0.0))


def row_maximum(x: Array) -> Array:
    """Return the maximum of each row, from minus infinity: as many comparisons as elements."""
    return np.maximum.reduce(x, axis=-1, keepdims=True, initial=_constant(x, -inf))


def _constant(x: Array, value: float) -> Number:
    return Number(value, x.flat[0].tally)


def einsum(a: Named, b: Named, start: Named) -> Array:
    """Return `start` plus the sum of products of `a` and `b` over the axes that `start` has not.

    One MACC is executed for each point of the index space.
    """
    (left, left_axes), (right, right_axes), (total, axes) = a, b, start
    summed = tuple(dict.fromkeys(axis for axis in (*left_axes, *right_axes) if axis not in axes))
    sizes = dict(zip((*left_axes, *right_axes), (*left.shape, *right.shape), strict=True))
    left, right = aligned(a, (*axes, *summed)), aligned(b, (*axes, *summed))
    for index in np.ndindex(*(sizes[axis] for axis in summed)):
        total = macc(total, _at(left, index), _at(right, index))
    return total


def paired_einsum(a: Named, b: Named, start: Named, pairs: Sequence[tuple[int, int]]) -> Array:
    """Return the same over some pairs of a query and a key, one MACC for each pair and point of the other axes.

    What has both axes has one in their place, the last, of the pairs.
    """
    total, axes = start[0].copy(), start[1]
    for pair, (query, key) in enumerate(pairs):
        at = {"q": query, "k": key, "pair": pair}
        where, rest = _where(axes, at)
        total[where] = einsum(taken(a, at), taken(b, at), (total[where], rest))
    return total


def taken(named: Named, at: Mapping[str, int]) -> Named:
    """Return an array at points of some of its axes, without them."""
    where, rest = _where(named[1], at)
    return named[0][where], rest


def _where(axes: tuple[str, ...], at: Mapping[str, int]) -> tuple[Any, tuple[str, ...]]:
    rest = tuple(axis for axis in axes if axis not in at)
    if "pair" in at and {"q", "k"} <= {*axes}:
        return (..., at["pair"]), rest
    return tuple(at.get(axis, slice(None)) for axis in axes), rest


def aligned(named: Named, axes: tuple[str, ...]) -> Array:
    """Return an array with all of the axes, in order; those that it has not are of size one."""
    x, own = named
    ordered = x.transpose([own.index(axis) for axis in axes if axis in own])
    return ordered.reshape([x.shape[own.index(axis)] if axis in own else 1 for axis in axes])


def _at(x: Array, index: tuple[int, ...]) -> Array:
    """Pick a point of the last axes; an axis of size one has only its first."""
    last = x.shape[x.ndim - len(index) :]
    return x[(..., *(i if size > 1 else 0 for i, size in zip(index, last, strict=True)))]
