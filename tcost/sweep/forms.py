"""Closed forms: what a measure is all over a box of the grid, found by one call of the layers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import lcm, prod

from tcost.cost.measures import MEASURES
from tcost.exact import Size
from tcost.spec import with_values
from tcost.sweep.grid import CHECKED, OF_STEP, IndexBox, Sweep
from tcost.sweep.swept import Frame, Largest, Swept, Undecided

MAX_CHECKED = 1000
"""Values that are checked at once; a box of more is cut."""


@dataclass(frozen=True)
class Polynomial:
    """A polynomial in the values of the axes: whole coefficients by the powers of the axes, over a denominator."""

    terms: Mapping[tuple[int, ...], int]
    denominator: int = 1

    def __call__(self, *point: int) -> int:
        """Return its value at a point."""
        total = sum(factor * prod(map(pow, point, powers)) for powers, factor in self.terms.items())
        return int(total // self.denominator)


Form = tuple[Polynomial, ...]
"""What a measure is in a box: the largest of some polynomials."""

Forms = Mapping[str, Form]
"""The form of each measure."""


@dataclass
class ClosedForms:
    """The closed forms of a sweep under one rule and convention, found where they are asked for.

    Where a box has none, it is cut in two; a box of one point has one, since all its sizes are numbers.
    """

    sweep: Sweep
    algo: str
    convention: str
    _known: dict[IndexBox, Forms | int] = field(default_factory=dict)

    def within(self, target: IndexBox) -> Iterator[tuple[IndexBox, Forms]]:
        """Yield boxes that together are the target, each with its forms.

        What is found of boxes that are larger than a chunk is kept for the next one. Raises InputError for a
        point that the model cannot have.
        """
        return self._within(tuple(map(range, self.sweep.shape)), target)

    def _within(self, box: IndexBox, target: IndexBox) -> Iterator[tuple[IndexBox, Forms]]:
        common = tuple(range(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(box, target, strict=True))
        if not all(common):
            return
        found = self._known[box] if box in self._known else self._found(box)
        if prod(map(len, box)) > self.sweep.chunk_rows:
            self._known[box] = found
        if not isinstance(found, int):
            yield common, found
            return
        for half in _halves(box, found, self._values(box)):
            yield from self._within(half, target)

    def _values(self, box: IndexBox) -> list[Sequence[int]]:
        return [axis.values[indices.start : indices.stop] for axis, indices in zip(self.sweep.axes, box, strict=True)]

    def _found(self, box: IndexBox) -> Forms | int:
        """Return the forms of a box, or the axis along which it has to be cut."""
        values, names = self._values(box), [axis.name for axis in self.sweep.axes]
        varying = [place for place, each in enumerate(values) if len(each) > 1]
        frame = Frame(tuple(names[place] for place in varying), tuple(values[place] for place in varying))
        fixed = {names[place]: each[0] for place, each in enumerate(values) if len(each) == 1}
        sizes: dict[str, Size] = {**fixed, **(frame.sizes() if varying else {})}
        try:
            self._check(frame, fixed)
            result = self.sweep.result(sizes, self.algo, self.convention)
            return {name: _form(MEASURES[name](result), varying, len(values)) for name in self.sweep.measures}
        except Undecided as undecided:
            return max((place for place in varying if names[place] in undecided.axes), key=lambda at: len(values[at]))

    def _check(self, frame: Frame, fixed: Mapping[str, int]) -> None:
        """Refuse values that the model cannot have: at the corners of a box, and along axes that need all."""
        of_spec = {name: value for name, value in fixed.items() if name not in OF_STEP}
        ends = zip(frame.names, frame.lows, frame.spans, strict=True)
        varying = {name: (low, low + span) for name, low, span in ends if name not in OF_STEP}
        corners = [dict(zip(varying, corner, strict=True)) for corner in product(*varying.values())]
        for name, each in zip(frame.names, frame.values, strict=True):
            if name in CHECKED and len(each) > MAX_CHECKED:
                raise Undecided([name])
            if name in CHECKED:
                corners += [{**corners[0], name: value} for value in each]
        for corner in corners:
            with_values(self.sweep.spec, {**of_spec, **corner})


def _form(size: Size, varying: Sequence[int], axes: int) -> Form:
    """Return the form that a size is."""
    candidates = size.candidates if isinstance(size, Largest) else [size]
    return tuple(_polynomial(each, varying, axes) for each in candidates)


def _polynomial(size: Size, varying: Sequence[int], axes: int) -> Polynomial:
    if not isinstance(size, Swept):
        return Polynomial({(0,) * axes: int(size)})
    found = dict(size.frame.at_zero(size.polynomial).terms()) or {(0,) * len(varying): 0}
    denominator = lcm(*(int(factor.denominator) for factor in found.values()))
    terms = {}
    for powers, factor in found.items():
        of = dict(zip(varying, powers, strict=True))
        terms[tuple(of.get(place, 0) for place in range(axes))] = int(factor * denominator)
    return Polynomial(terms, denominator)


def _halves(box: IndexBox, axis: int, values: Sequence[Sequence[int]]) -> Iterator[IndexBox]:
    """Yield the two parts of a box that is cut along an axis: behind a first 1, which is often unlike others."""
    indices = box[axis]
    at = indices.start + 1 if values[axis][0] <= 1 else (indices.start + indices.stop) // 2
    for half in (range(indices.start, at), range(at, indices.stop)):
        yield (*box[:axis], half, *box[axis + 1 :])
