"""Sizes that vary over a box: what they answer is so at every point of it, or they do not answer."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from operator import floordiv
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcost.exact import exact_div, maximum, minimum, same
from tcost.sweep.swept import Frame, Largest, Swept, Undecided

values = st.lists(st.integers(0, 30), min_size=2, max_size=5, unique=True).map(sorted) | st.builds(
    lambda low, step, number: range(low, low + step * number, step),
    st.integers(0, 20),
    st.integers(1, 6),
    st.integers(2, 6),
)
numbers = st.integers(-20, 20)


@st.composite
def sizes(draw: st.DrawFn) -> tuple[Frame, Swept, dict[tuple[int, ...], int]]:
    """Draw a polynomial of two sizes over a box, and what it is at every point."""
    frame = Frame(("a", "b"), (draw(values), draw(values)))
    a, b = frame.sizes().values()
    factors = [draw(numbers) for _ in range(5)]

    def made(x: Any, y: Any) -> Any:
        c, d, e, f, g = factors
        return c * x * x + d * x * y + e * x - f * y + (g - y) * x + g

    return frame, made(a, b), {(x, y): made(x, y) for x, y in product(*frame.values)}


def answer(ask: Callable[[], Any]) -> Any:
    """Return an answer, or Undecided."""
    try:
        return ask()
    except Undecided:
        return Undecided


def at(size: Any, frame: Frame, point: Sequence[int]) -> Any:
    """Return what a size is at a point: of several, the largest."""
    if isinstance(size, Largest):
        return max(at(each, frame, point) for each in size.candidates)
    if not isinstance(size, Swept):
        return size
    return size.polynomial(*(value - low for value, low in zip(point, frame.lows, strict=True)))


@given(drawn=sizes())
def test_bounds_and_signs(drawn: tuple[Frame, Swept, dict[tuple[int, ...], int]]) -> None:
    """A size is never out of its bounds; a sign that it gives is that of every point."""
    frame, size, points = drawn
    assert all(at(size, frame, point) == value for point, value in points.items())
    assert size.least() <= min(points.values())
    assert size.most() >= max(points.values())
    signs = {(value > 0) - (value < 0) for value in points.values()}
    assert answer(size.sign) in (Undecided, *(signs if len(signs) == 1 else ()))


@given(drawn=sizes(), other=numbers)
def test_comparisons(drawn: tuple[Frame, Swept, dict[tuple[int, ...], int]], other: int) -> None:
    """What is said to be equal, larger, smaller or zero is so everywhere."""
    _, size, points = drawn
    questions: dict[Callable[[], Any], Callable[[int], bool]] = {
        lambda: same(size, other): lambda value: value == other,
        lambda: size > other: lambda value: value > other,
        lambda: size < other: lambda value: value < other,
        lambda: bool(size): bool,
    }
    for ask, truth in questions.items():
        found = {truth(value) for value in points.values()}
        assert answer(ask) in (Undecided, *(found if len(found) == 1 else ()))


@given(drawn=sizes(), other=numbers, third=numbers)
def test_extremes(drawn: tuple[Frame, Swept, dict[tuple[int, ...], int]], other: int, third: int) -> None:
    """The smaller of two is so everywhere; the largest of several is, at every point, that of the numbers."""
    frame, size, points = drawn
    smaller = answer(lambda: minimum(size, other))
    if smaller is not Undecided:
        assert all(at(smaller, frame, point) == min(value, other) for point, value in points.items())
    assert answer(lambda: minimum(other, size)) is Undecided or smaller is not Undecided
    largest = maximum(third, maximum(size, other))
    a = next(iter(frame.sizes().values()))
    both = maximum(largest + largest, 3 * (1 + maximum(other, size)))
    for point, value in points.items():
        assert at(largest, frame, point) == max(value, other, third)
        assert at(a * largest, frame, point) == at(largest * a, frame, point) == point[0] * max(value, other, third)
        assert at(both, frame, point) == max(2 * max(value, other, third), 3 * (1 + max(value, other)))


@given(drawn=sizes(), divisor=st.integers(1, 12), times=st.integers(1, 12))
def test_quotients(drawn: tuple[Frame, Swept, dict[tuple[int, ...], int]], divisor: int, times: int) -> None:
    """A quotient is exact at every point, or there is none; one that is whole by construction is found."""
    frame, size, points = drawn
    quotient = answer(lambda: exact_div(size, divisor))
    if quotient is not Undecided:
        assert all(at(quotient, frame, point) * divisor == value for point, value in points.items())
    whole = all(value % divisor == 0 for value in points.values())
    assert whole == (quotient is not Undecided)
    assert exact_div(size * divisor * times, divisor) == size * times
    assert all(
        at(exact_div(size * (size + 1), 2), frame, point) == value * (value + 1) // 2 for point, value in points.items()
    )


def test_quotients_with_sizes() -> None:
    """A size divides a product of it; a number, or what it does not divide, has no quotient."""
    frame = Frame(("a", "b"), (range(2, 9), (3, 5)))
    a, b = frame.sizes().values()
    assert exact_div(a * b, a) == b
    assert answer(lambda: exact_div(12, a)) is Undecided
    assert answer(lambda: exact_div(a * b + 1, a)) is Undecided


def test_a_number_of_layers() -> None:
    """What counts copies needs a number; what does not vary is one."""
    frame = Frame(("a", "b"), (range(2, 9), (3, 5)))
    a, _ = frame.sizes().values()
    assert list(range(a - a + 3)) == [0, 1, 2]
    with pytest.raises(Undecided) as undecided:
        range(a)
    assert undecided.value.axes == {"a"}


def test_the_largest_of_several_is_not_turned_around() -> None:
    """The largest of several cannot be multiplied with less than zero: it would be the smallest."""
    frame = Frame(("a", "b"), (range(2, 9), (3, 5)))
    a, b = frame.sizes().values()
    with pytest.raises(ArithmeticError):
        maximum(a, 2 * b) * -1


@given(drawn=sizes(), number=st.integers(-3, 3))
def test_numbers_over_sizes(drawn: tuple[Frame, Swept, dict[tuple[int, ...], int]], number: int) -> None:
    """Zero divided by a size that is nowhere zero is zero; another number is no polynomial then."""
    _, size, points = drawn
    for divide in (exact_div, floordiv):
        found = answer(partial(divide, number, size))
        assert found is Undecided or (number == 0 and found == 0 and 0 not in points.values())
        if number == 0 and size.least() > 0:
            assert found == 0
