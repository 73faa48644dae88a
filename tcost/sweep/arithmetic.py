"""Polynomials over many points at once, exactly.

Wrap-around of uint64 is exact modulo 2^64, so a value below 2^63 is right as it comes. A larger one is found from
its remainder modulo 2^64 and its value in float64: what is above 2^64 is their difference, rounded, over 2^64, as
long as the error of the float is less than half of that. Beyond, values are Python integers.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from typing import Any, Literal, TypeAlias

import numpy as np

from tcost.sweep.forms import Form, Polynomial
from tcost.sweep.values import Integers

Lane: TypeAlias = Literal["int64", "pair", "object"]
"""How integers are computed and held: in one machine word, in two, or as Python integers."""

Terms: TypeAlias = Mapping[tuple[int, ...], int]
"""Coefficients by the powers of the axes."""

LANES: tuple[Lane, ...] = ("int64", "pair", "object")

WORD = 2**64

MAX_DENOMINATOR = 2**31

ROUNDING = 1.5 * 2**52
"""The sum of so much and a float64 below 2^51 is rounded to whole numbers, and has them in its lowest bits."""

BITS_OF_ROUNDING = np.float64(ROUNDING).view(np.int64)


def lane_of(form: Form, largest: Sequence[int]) -> Lane:
    """Return how a form has to be computed up to the largest value of each axis."""
    return max((_lane_of(polynomial, largest) for polynomial in form), key=LANES.index)


def _lane_of(polynomial: Polynomial, largest: Sequence[int]) -> Lane:
    """Bound the value of a polynomial, and the error of its value in float64.

    A term passes at most three roundings for each factor (of the axis's value, the product, the sum) and one of
    its coefficient, so that the error is below (roundings)·2^-53 of the sum of the absolute terms (Higham, Accuracy
    and Stability of Numerical Algorithms, 2002, section 5.1); two more are those of what is taken from it.
    """
    bound = sum(abs(factor) * prod(map(pow, largest, powers)) for powers, factor in polynomial.terms.items())
    roundings = 3 * sum(map(max, zip(*polynomial.terms, strict=True))) + len(largest) + 4
    if bound < WORD // 2:
        return "int64"
    return "pair" if bound * roundings < 2**115 and polynomial.denominator < MAX_DENOMINATOR else "object"


MAX_KEPT = 2**22
"""Numbers that are kept from one chunk to the next: 32 MiB."""


Kept: TypeAlias = dict[tuple[int, int, Any], tuple[Polynomial, Any]]
"""What powers of an axis are multiplied with, by polynomial, power and type, with the polynomial."""


class Box:
    """The values of each axis of a box, int64, and which axes are there whole.

    Boxes of a grid that is cut have the same whole axes: what polynomials are in these alone is `kept` for the next.
    """

    def __init__(self, values: Sequence[Any], whole: frozenset[int] = frozenset(), kept: Kept | None = None) -> None:
        """Take what is known of a box."""
        self.values, self.whole, self.kept = values, whole, {} if kept is None else kept

    def axis(self, axis: int, dtype: Any) -> Any:
        """Return the values of an axis in a type, as long as the others in their own dimension alone."""
        shape = [-1 if place == axis else 1 for place in range(len(self.values))]
        return self.values[axis].reshape(shape).astype(dtype)

    def shares(self, axes: Sequence[int]) -> bool:
        """Tell whether other boxes have the same values of some axes; a box that is the grid has no others."""
        return 0 < len(self.whole) < len(self.values) and self.whole.issuperset(axes)


def values_of(form: Form, box: Box, lane: Lane) -> Integers:
    """Return a form at every point of a box.

    The arrays have an axis for each axis of the box, of length one where the form does not depend on it.
    """
    first, *others = (_values_of(polynomial, box, lane) for polynomial in form)
    for other in others:
        first = first.maximum(other)
    return first


def _values_of(polynomial: Polynomial, box: Box, lane: Lane) -> Integers:
    if lane == "object":
        return Integers(_evaluated(polynomial, box, object)).divided(polynomial.denominator)
    low = _evaluated(polynomial, box, np.uint64)
    if lane == "int64":
        return Integers(low.view(np.int64)).divided(polynomial.denominator)
    high = _evaluated(polynomial, box, np.float64)
    high -= low
    high *= 1 / WORD
    high += ROUNDING
    whole = high.view(np.int64)
    whole -= BITS_OF_ROUNDING
    return Integers(low, whole).divided(polynomial.denominator)


def _evaluated(polynomial: Polynomial, box: Box, dtype: Any) -> Any:
    """Return a polynomial at every point of a box, in the arithmetic of a type.

    It is one of the powers of an axis, whose factors are kept where they are those of other boxes, too.
    """
    lengths = [len(each) for each in box.values]
    powers = [max(each) for each in zip(*polynomial.terms, strict=True)]
    used = sorted((axis for axis in range(len(lengths)) if powers[axis]), key=lambda axis: -powers[axis])
    orders = [[axis for axis in used if axis != last] + [last] for last in used]

    def is_kept(order: Sequence[int]) -> bool:
        return dtype is not object and box.shares(order[:-1])

    def work(order: Sequence[int]) -> int:
        return _work(polynomial.terms, order, lengths, is_inner_there=is_kept(order))

    order = min(orders, key=work, default=[])
    values = [box.axis(axis, dtype) for axis in range(len(lengths))]
    if not order or not is_kept(order):
        return _horner(polynomial.terms, values, order, dtype)
    *inner, axis = order
    of_power = _by_power(polynomial.terms, axis)
    factors = {
        power: _kept(box.kept, polynomial, (power, dtype), partial(_horner, terms, values, inner, dtype))
        for power, terms in of_power.items()
    }
    return _in_powers(factors, values[axis])


def _kept(kept: Kept, polynomial: Polynomial, which: tuple[int, Any], make: Callable[[], Any]) -> Any:
    """Return an array that is kept, or make it; the oldest go where there are too many numbers."""
    name = (id(polynomial), *which)
    if name not in kept:
        array = make()
        kept[name] = polynomial, array  # which keeps its number from another polynomial
        while sum(each.size for _, each in kept.values()) > MAX_KEPT:
            del kept[next(iter(kept))]
        return array
    return kept[name][1]


def _work(terms: Terms, order: Sequence[int], lengths: Sequence[int], *, is_inner_there: bool = False) -> int:
    """Return how many sums and products of numbers a polynomial takes, of all axes or of the last one alone."""
    if not order:
        return 0
    *inner, axis = order
    of_power = _by_power(terms, axis)
    last = 2 * max(of_power) * prod(lengths[each] for each in order)
    return last if is_inner_there else last + sum(_work(each, inner, lengths) for each in of_power.values())


def _by_power(terms: Terms, axis: int) -> dict[int, Terms]:
    """Return the terms of each power of an axis."""
    found: dict[int, dict[tuple[int, ...], int]] = {}
    for powers, factor in terms.items():
        found.setdefault(powers[axis], {})[powers] = factor
    return dict(found)


def _horner(terms: Terms, values: Sequence[Any], order: Sequence[int], dtype: Any) -> Any:
    """Return a polynomial in the axes of `order` by Horner's rule in the last of them."""
    if not order:
        (factor,) = terms.values()
        number = factor % WORD if dtype is np.uint64 else factor
        return np.array(number, dtype=dtype).reshape([1] * len(values))
    *inner, axis = order
    of_power = _by_power(terms, axis)
    return _in_powers({power: _horner(each, values, inner, dtype) for power, each in of_power.items()}, values[axis])


def _in_powers(factors: Mapping[int, Any], values: Any) -> Any:
    """Return the sum of the products of powers of some values and their factors, which stay as they are."""
    highest = max(factors)
    result = factors[highest]
    for power in reversed(range(highest)):
        result = result * values if result is factors[highest] else _into(np.multiply, result, values)
        if power in factors:
            result = _into(np.add, result, factors[power])
    return result


def _into(operation: Any, a: Any, b: Any) -> Any:
    """Return the sum or product of two arrays, in the place of the first where it has room."""
    return operation(a, b, out=a) if np.broadcast_shapes(a.shape, b.shape) == a.shape else operation(a, b)
