"""From where on one learning rule is cheaper than another: the exact integer, by solving polynomials."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise, product

from tcost.errors import InputError
from tcost.exact import MAX_SIZE
from tcost.settings import Settings
from tcost.spec import ModelSpec
from tcost.sweep import Axis, Sweep, parse_axis
from tcost.sweep.forms import ClosedForms, Form, Forms, Polynomial
from tcost.sweep.grid import CHECKED

MEASURES = ("macc", "flop", "stored_activations_bytes")

MAX_PIECES = 128
"""Pieces of an axis with a closed form each; no honest model has more, and each takes some 20 milliseconds."""

Piece = tuple[int, int, Form]
"""The first and the last place of an axis where a form holds, and the form."""


@dataclass(frozen=True)
class Beside:
    """What two rules cost at one value of the axis."""

    value: int
    first: int
    second: int


@dataclass(frozen=True, kw_only=True)
class BreakEven:
    """Where a rule is cheaper than another in one measure, along one axis.

    `cheaper` has the first and the last value of every run of values at which the first rule is cheaper;
    None for the last where that goes on for ever. `start` is the first value of a run that reaches the end of
    the axis: from it on the first rule is cheaper. `limit` is where the ratio of the first to the second goes as the
    axis does to infinity: None for infinity, and where the axis ends. `at` and `below` are both rules at `start` and
    at the value before it.
    """

    first: str
    second: str
    measure: str
    axis: Axis
    is_open: bool
    cheaper: tuple[tuple[int, int | None], ...]
    limit: Fraction | None
    at: Beside | None
    below: Beside | None

    @property
    def start(self) -> int | None:
        """The value from which on the first rule is cheaper, None where there is none."""
        return self.at.value if self.at else None


def break_even(
    spec: ModelSpec,
    algos: Sequence[str],
    over: str = "context_length",
    measures: Sequence[str] = MEASURES,
    settings: Settings = Settings(),
) -> list[BreakEven]:
    """Return from where on the first of some rules is cheaper than each of the others, in every measure.

    `over` is the size that varies: its name, or an axis as `tcost.sweep.parse_axis` reads it, in increasing order.
    A name alone means all values from 1 to 10^18. Raises InputError as `Sweep` does, for an axis along which there is
    no closed form, and for fewer than two rules.
    """
    if len(algos) < len(("first", "second")):
        raise InputError("a break-even point is between two rules\nname both, as in --algos mempepita bp")
    axis, is_open = _axis(over)
    sweep = Sweep(
        spec=spec,
        axes=(axis,),
        algos=tuple(algos),
        conventions=(settings.convention,),
        measures=tuple(measures),
        settings=settings,
    )
    pieces = {algo: _pieces(ClosedForms(sweep, algo, settings.convention), axis) for algo in algos}
    return [
        _between(sweep, (algos[0], second), measure, pieces, is_open=is_open)
        for second in algos[1:]
        for measure in measures
    ]


def _axis(over: str) -> tuple[Axis, bool]:
    """Return an axis, and whether it goes on for ever."""
    if "=" in over:
        axis = parse_axis(over)
        if not _increases(axis):
            raise InputError(f"'{over}' does not increase\ngive the values of the axis in increasing order")
        return axis, False
    if over in CHECKED:
        raise InputError(f"not every {over} fits the model\ngive its values, as in --over {over}=64,128,256")
    return Axis(over, range(1, MAX_SIZE + 1)), True


def _increases(axis: Axis) -> bool:
    return isinstance(axis.values, range) or all(a < b for a, b in pairwise(axis.values))


def _pieces(forms: ClosedForms, axis: Axis) -> list[tuple[int, int, Forms]]:
    """Return the forms of a rule along an axis."""
    whole = (range(len(axis.values)),)
    found = [(box[0].start, box[0].stop - 1, each) for box, each in islice(forms.within(whole), MAX_PIECES + 1)]
    if len(found) > MAX_PIECES:
        raise InputError(
            f"there is no closed form along {axis.name}\n"
            f"give at most {MAX_PIECES} values, as in --over {axis.name}=1:128"
        )
    return found


def _between(
    sweep: Sweep,
    rules: tuple[str, str],
    measure: str,
    pieces: dict[str, list[tuple[int, int, Forms]]],
    *,
    is_open: bool,
) -> BreakEven:
    """Compare two rules: their order changes only beside a root of the difference of two of their polynomials."""
    first, second = ([(low, high, forms[measure]) for low, high, forms in pieces[rule]] for rule in rules)
    (axis,) = sweep.axes
    last = len(axis.values) - 1
    places = {0, last}
    for low, high, a, b in _overlaps(first, second):
        places |= {low, high}
        for one, other in product(a, b):
            places |= {place for root in _roots(one, other, axis, low, high) for place in range(root, root + 3)}
    known = sorted(place for place in places if 0 <= place <= last)

    def beside(place: int) -> Beside:
        value = axis.values[place]
        return Beside(value, *(max(form(value) for form in _at(of, place)) for of in (first, second)))

    wins = [(place, each.first < each.second) for place in known for each in (beside(place),)]
    runs = list(_runs(wins))
    start = runs[-1][0] if runs and runs[-1][1] == last else None
    return BreakEven(
        first=rules[0],
        second=rules[1],
        measure=measure,
        axis=axis,
        is_open=is_open,
        cheaper=tuple((axis.values[a], None if is_open and b == last else axis.values[b]) for a, b in runs),
        limit=_limit(first[-1][2], second[-1][2]) if is_open else None,
        at=None if start is None else beside(start),
        below=beside(start - 1) if start else None,
    )


def _overlaps(first: Sequence[Piece], second: Sequence[Piece]) -> Iterator[tuple[int, int, Form, Form]]:
    """Yield the pieces in which both rules have one form each."""
    ends = sorted({low for low, _, _ in (*first, *second)})
    last = first[-1][1]
    for low, after in pairwise([*ends, last + 1]):
        yield low, after - 1, _at(first, low), _at(second, low)


def _at(pieces: Iterable[Piece], place: int) -> Form:
    return next(form for low, high, form in pieces if low <= place <= high)


def _runs(wins: Sequence[tuple[int, bool]]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of places in a row that win; what is between two known places is like both."""
    start = None
    for (place, is_win), (_, was_win) in zip(wins, [(0, False), *wins], strict=False):
        if is_win and not was_win:
            start = place
        if was_win and not is_win and start is not None:
            yield start, place - 1
    if start is not None and wins[-1][1]:
        yield start, wins[-1][0]


def _roots(one: Polynomial, other: Polynomial, axis: Axis, low: int, high: int) -> Iterator[int]:
    """Yield, for every real root of a difference between two places of an axis, a place at most two before it.

    Between values that are not evenly spaced every place is one.
    """
    from sympy import QQ, Poly, Rational, Symbol

    if not isinstance(axis.values, range):
        yield from range(low, high + 1)
        return
    place = Symbol("place")
    value = axis.values.start + axis.values.step * place
    difference = sum(
        sign * Rational(factor, each.denominator) * value**power
        for sign, each in ((1, one), (-1, other))
        for (power,), factor in each.terms.items()
    )
    polynomial = Poly(difference, place, domain=QQ)
    if polynomial.degree() > 0:
        for (left, _), _ in polynomial.intervals(eps=Rational(1, 2), inf=low, sup=high):
            yield int(left // 1)


def _limit(first: Form, second: Form) -> Fraction | None:
    """Return the limit of the ratio of two forms at infinity, None where it has none."""
    (a, power_of_a), (b, power_of_b) = map(_leading, (first, second))
    if power_of_a != power_of_b:
        return Fraction(0) if power_of_a < power_of_b else None
    return a / b if b else None


def _leading(form: Form) -> tuple[Fraction, int]:
    """Return the leading coefficient of the polynomial that is the largest at infinity, and its power."""

    def by_growth(polynomial: Polynomial) -> list[tuple[int, Fraction]]:
        terms = sorted(((powers[0], factor) for powers, factor in polynomial.terms.items()), reverse=True)
        return [(power, Fraction(factor, polynomial.denominator)) for power, factor in terms]

    power, factor = max(map(by_growth, form))[0]
    return factor, power
