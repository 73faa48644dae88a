"""What a size may be, and exact arithmetic on it."""

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any, TypeAlias

from tcost.errors import InputError

Size: TypeAlias = Any
"""An `int`, a NumPy object array of them or a SymPy expression: whatever adds and multiplies exactly."""

MAX_SIZE = 10**18
"""No honest size is larger, and Python prints no integer of more than 4,300 digits."""


def same(a: Size, b: Size) -> bool:
    """Tell whether two sizes are equal: everywhere for arrays, by form for expressions."""
    equal = a == b
    return equal if isinstance(equal, bool) else bool(equal.all())


def check_size(what: str, size: Size) -> None:
    """Raise InputError for an integer that cannot be a size; arrays and expressions pass."""
    if isinstance(size, int) and not 1 <= size <= MAX_SIZE:
        raise InputError(f"{what} must be a whole number from 1 to 10^18, not {size}")


def exact_div(a: Size, b: Size) -> Size:
    """Return a quotient that is whole by construction."""
    return a // b if isinstance(a, int) or hasattr(a, "dtype") else a / b


def minimum(a: Size, b: Size) -> Size:
    """Return the smaller of two sizes, element by element for arrays, as an expression for expressions.

    A size may have a method of the name that knows better.
    """
    return _extreme(a, b, min, "minimum", "Min")


def maximum(a: Size, b: Size) -> Size:
    """Return the larger of two sizes, likewise."""
    return _extreme(a, b, max, "maximum", "Max")


def largest(sizes: Iterable[Size]) -> Size:
    """Return the largest of some sizes, as `maximum` does of two."""
    each = list(sizes)
    return max(each) if all(type(size) is int for size in each) else reduce(maximum, each)


def _extreme(a: Size, b: Size, of_integers: Callable[[int, int], int], of_arrays: str, of_expressions: str) -> Size:
    if isinstance(a, int) and isinstance(b, int):
        return of_integers(a, b)
    for size, other in ((a, b), (b, a)):
        if hasattr(size, of_arrays):
            return getattr(size, of_arrays)(other)
    if hasattr(a, "dtype") or hasattr(b, "dtype"):
        import numpy as np

        return getattr(np, of_arrays)(a, b)
    import sympy

    return getattr(sympy, of_expressions)(a, b)
