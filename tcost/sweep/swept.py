"""Sizes that vary over a box of a grid, so that one call of the layers prices all of its points.

A size is a polynomial in the sizes that vary there, with exact rational coefficients. Layers add and multiply
sizes; where they ask for more (which of two sizes is larger, whether one is 1, a quotient), the answer is
given when it is the same all over the box. Else `Undecided` says along which axes the box has to be cut.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import lcm, prod
from typing import Any

from tcost.exact import Size
from tcost.extras import extra
from tcost.sweep.axes import ends

MAX_RESIDUES = 10_000
"""Combinations of remainders that are tried to tell whether a quotient is whole."""


class Undecided(Exception):  # noqa: N818  # nothing is wrong: the box is too large
    """Something that is not the same all over a box; it depends on the sizes of these `axes`."""

    def __init__(self, axes: Iterable[str]) -> None:
        """Name the axes."""
        super().__init__("a box of the grid has no closed form of its own")
        self.axes = frozenset(axes)


@dataclass(frozen=True, eq=False)
class Frame:
    """The axes that vary in a box, and their values there, in any order.

    The generators of the ring are how far each is above its smallest value.
    """

    names: tuple[str, ...]
    values: tuple[Sequence[int], ...]

    @cached_property
    def ring(self) -> Any:
        """The polynomials in the axes, of rational coefficients. Raises InputError without SymPy."""
        with extra("sweep"):
            from sympy import QQ, Symbol
            from sympy.polys.rings import PolyRing
        return PolyRing([Symbol(name) for name in self.names], QQ)

    @cached_property
    def lows(self) -> tuple[int, ...]:
        """The smallest value of each axis."""
        return tuple(low for low, _ in map(ends, self.values))

    @cached_property
    def spans(self) -> tuple[int, ...]:
        """How far the largest value of each axis is above its smallest."""
        return tuple(high - low for low, high in map(ends, self.values))

    def sizes(self) -> dict[str, "Swept"]:
        """Return the size of each axis."""
        each = zip(self.names, self.ring.gens, self.lows, strict=True)
        return {name: Swept(generator + low, self) for name, generator, low in each}

    def at_zero(self, polynomial: Any) -> Any:
        """Return a polynomial of this frame in the axes' own values rather than in what they are above the smallest."""
        gens = self.ring.gens
        shifts = [(gen, gen - low) for gen, low in zip(gens, self.lows, strict=True) if low]
        return polynomial.compose(shifts) if shifts else polynomial


class Swept:
    """A size all over a box: a polynomial of its frame."""

    __slots__ = ("frame", "polynomial")
    __hash__ = None  # type: ignore[assignment]  # equal sizes may look different

    def __init__(self, polynomial: Any, frame: Frame) -> None:
        """Take a polynomial of the frame's ring."""
        self.polynomial, self.frame = polynomial, frame

    def __add__(self, other: Size) -> Size:
        """Add a size."""
        if isinstance(other, Largest):
            return other + self
        return Swept(self.polynomial + _polynomial(other), self.frame)

    __radd__ = __add__

    def __mul__(self, other: Size) -> Size:
        """Multiply with a size."""
        if isinstance(other, Largest):
            return other * self
        return Swept(self.polynomial * _polynomial(other), self.frame)

    __rmul__ = __mul__

    def __neg__(self) -> "Swept":
        """Return what is added where it is subtracted."""
        return Swept(-self.polynomial, self.frame)

    def __sub__(self, other: Size) -> "Swept":
        """Subtract a size."""
        return Swept(self.polynomial - _polynomial(other), self.frame)

    def __rsub__(self, other: Size) -> "Swept":
        """Subtract it from a number."""
        return -self + other  # type: ignore[no-any-return]

    def __floordiv__(self, other: Size) -> "Swept":
        """Divide by a number where the quotient is whole all over the box, or by a polynomial that divides."""
        divisor = _polynomial(other)
        if isinstance(divisor, int):
            if not self._is_multiple(divisor):
                raise self.undecided()
            return Swept(self.polynomial.quo_ground(divisor), self.frame)
        quotient, rest = self.polynomial.div(divisor)
        if rest:
            raise Swept(divisor, self.frame).undecided()
        return Swept(quotient, self.frame)

    __truediv__ = __floordiv__

    def __rfloordiv__(self, other: int) -> int:
        """Return zero divided by a size; another number is no polynomial then."""
        if other == 0 and self:
            return 0
        raise self.undecided()

    def __eq__(self, other: object) -> bool:
        """Tell whether two sizes are equal, where it is so or not so all over the box."""
        if other is None or isinstance(other, Largest):
            return False
        difference = self - other
        if not difference.polynomial:
            return True
        return difference.sign() == 0

    def __gt__(self, other: Size) -> bool:
        """Tell whether it is larger, likewise."""
        return bool((self - other).sign() > 0)

    def __lt__(self, other: Size) -> bool:
        """Tell whether it is smaller, likewise."""
        return bool((self - other).sign() < 0)

    def __bool__(self) -> bool:
        """Tell whether it is not zero, likewise."""
        return self != 0

    def __index__(self) -> int:
        """Return the number that it is where it does not vary."""
        if not self.polynomial.is_ground:
            raise self.undecided()
        return int(self.polynomial.coeff(1))

    def least(self) -> Any:
        """Return a number that it is nowhere below."""
        return sum(min(0, each) if varies else each for each, varies in self._far_terms())

    def most(self) -> Any:
        """Return a number that it is nowhere above."""
        return sum(max(0, each) if varies else each for each, varies in self._far_terms())

    def _far_terms(self) -> Iterator[tuple[Any, bool]]:
        """Yield what each term is at the far end of the box, and whether it is another one, zero, at the near end."""
        for powers, coefficient in self.polynomial.terms():
            yield coefficient * prod(map(pow, self.frame.spans, powers)), any(powers)

    def sign(self) -> int:
        """Return 1, 0 or -1 where the sign is that all over the box. Raises Undecided where it is not known to be."""
        low, high = self.least(), self.most()
        if low > 0 or high < 0 or low == high:
            return int(low > 0) - int(high < 0)
        raise self.undecided()

    def minimum(self, other: Size) -> Size:
        """Return the smaller of two sizes where one is so all over the box."""
        difference = self - other
        if difference.most() <= 0:
            return self
        if difference.least() >= 0:
            return other
        raise difference.undecided()

    def maximum(self, other: Size) -> Size:
        """Return the larger of two sizes."""
        return other.maximum(self) if isinstance(other, Largest) else _largest([self], [other], self.frame)

    def _is_multiple(self, divisor: int) -> bool:
        """Tell whether its values are multiples of a number: they repeat with the remainders of the axes."""
        polynomial, frame = self.polynomial, self.frame
        denominator = lcm(*(int(coefficient.denominator) for coefficient in polynomial.coeffs()))
        whole, modulus = polynomial.mul_ground(denominator), denominator * divisor
        if all(int(coefficient) % modulus == 0 for coefficient in whole.coeffs()):
            return True
        remainders = [{0} for _ in frame.names]
        for axis, (values, low) in enumerate(zip(frame.values, frame.lows, strict=True)):
            if any(powers[axis] for powers in whole.monoms()):
                some = values[:modulus] if isinstance(values, range) else values
                remainders[axis] = {(value - low) % modulus for value in some}
        if prod(map(len, remainders)) > MAX_RESIDUES:
            return False
        return all(int(whole(*point)) % modulus == 0 for point in product(*remainders))

    def undecided(self) -> Undecided:
        """Return what says that something about it is not the same all over the box."""
        axes = {axis for powers in self.polynomial.monoms() for axis, power in enumerate(powers) if power}
        return Undecided(self.frame.names[axis] for axis in axes)


class Largest:
    """The largest of several sizes, of which each is so somewhere in the box; it adds and multiplies as they do."""

    __slots__ = ("candidates", "frame")

    def __init__(self, candidates: Sequence[Swept], frame: Frame) -> None:
        """Take sizes of the frame."""
        self.candidates, self.frame = tuple(candidates), frame

    def __add__(self, other: Size) -> Size:
        """Add a size to each."""
        if isinstance(other, Largest):
            return _largest([], (each + x for each in self.candidates for x in other.candidates), self.frame)
        return Largest([each + other for each in self.candidates], self.frame)

    __radd__ = __add__

    def __mul__(self, other: Size) -> Size:
        """Multiply each with a size that is nowhere less than zero."""
        least = other.least() if isinstance(other, Swept) else other
        if least < 0:
            raise ArithmeticError("the largest of several sizes, multiplied with less than zero")
        return Largest([each * other for each in self.candidates], self.frame)

    __rmul__ = __mul__

    def maximum(self, other: Size) -> Size:
        """Return the largest of these and another size."""
        others = other.candidates if isinstance(other, Largest) else (other,)
        return _largest(self.candidates, others, self.frame)


def _largest(known: Sequence[Swept], sizes: Iterable[Size], frame: Frame) -> Size:
    """Return the largest of sizes, without those that another one is nowhere below; the known ones are so already."""
    kept = list(known)
    for size in sizes:
        new = size if isinstance(size, Swept) else Swept(frame.ring(size), frame)
        if not any((old - new).least() >= 0 for old in kept):
            kept = [*(old for old in kept if (new - old).least() < 0), new]
    return kept[0] if len(kept) == 1 else Largest(kept, frame)


def _polynomial(size: Size) -> Any:
    """Return what a ring adds and multiplies with."""
    return size.polynomial if isinstance(size, Swept) else size
