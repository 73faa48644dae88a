"""Where an axis has its ticks, and what is written beside them: exact integers, one unit for an axis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from tcost.units import binary, grouped, si

MOST, MOST_OF_BYTES = 5, 6
"""Steps of an axis, at most, unless there is less room; those of bytes are farther from each other."""

MOST_OF_PREFIXES = 10
"""The last power of 1000 or 1024 that has a prefix."""

QUARTERS = 64
"""Contexts and batches that are multiples of this are read best in halves and quarters of the largest."""


MILLION = 10**6


@dataclass(frozen=True)
class Ticks:
    """The values of ticks in order, and the text of each."""

    values: tuple[int, ...]
    labels: tuple[str, ...]


def size(value: int) -> str:
    """Return a size as it is written elsewhere, `163840`, and from a million on in groups of three."""
    return grouped(value) if value >= MILLION else str(value)


def amount_ticks(low: int, high: int, *, is_bytes: bool = False, is_log: bool = False) -> Ticks:
    """Return ticks for amounts from `low` to `high`, in SI units, or in binary ones for bytes.

    Linear ones are from zero, with one prefix for all. Logarithmic ones enclose `low`, which is not zero, and
    `high`.
    """
    if is_log:
        values = _logarithmic(low, high, is_bytes=is_bytes)
        return Ticks(values, tuple(_short(binary(value) if is_bytes else si(value)) for value in values))
    step = _step(high, MOST_OF_BYTES if is_bytes else MOST, is_bytes=is_bytes)
    values = tuple(range(0, high + 1, step))
    return Ticks(values, _in_one_unit(values, is_bytes=is_bytes))


def size_ticks(low: int, high: int, room: int) -> Ticks:
    """Return ticks for sizes, written whole, on a linear axis that has room for so many characters."""
    most = max(1, min(MOST, room // (len(size(high)) + 2)))
    quarters = [high // parts for parts in (4, 2, 1) if high % QUARTERS == 0 and (high - low) * parts <= most * high]
    step = quarters[0] if quarters else _step(high - low, most)
    values = tuple(range(ceil(low / step) * step, high + 1, step))
    return Ticks(values, tuple(map(size, values)))


def some_ticks(values: Sequence[int], room: int) -> Ticks:
    """Return ticks at every value of an axis or, where there is no room for so many characters, at every n-th."""
    widest = max(len(size(value)) for value in values)
    stride = ceil(len(values) * (widest + 2) / room)
    chosen = tuple(values[::-stride])[::-1]
    return Ticks(chosen, tuple(map(size, chosen)))


def _step(span: int, most: int, *, is_bytes: bool = False) -> int:
    """Return the smallest of 1, 2, 5, 10, ... or, of bytes, of the powers of two, of which `most` make the span."""
    step = 1
    while step * most < span:
        step = 2 * step if is_bytes else _next(step)
    return step


def _next(step: int) -> int:
    """Return what follows in 1, 2, 5, 10, 20, ..."""
    return step * 5 // 2 if str(step)[0] == "2" else 2 * step


def _logarithmic(low: int, high: int, *, is_bytes: bool) -> tuple[int, ...]:
    """Return ticks around two numbers: 1, 2, 5, 10, ..., powers of ten, or powers of two, as few as needed."""
    following: Callable[[int], int] = (lambda value: 2 * value) if is_bytes else _next
    series = [1]
    while series[-1] < high or len(series) < 2:  # noqa: PLR2004  # one tick is no axis
        series.append(following(series[-1]))
    start = max((place for place, value in enumerate(series[:-1]) if value <= low), default=0)
    ticks = series[start:]
    if not is_bytes and len(ticks) > MOST:
        ticks = [10 ** (len(str(ticks[0])) - 1)]
        while ticks[-1] < high:
            ticks.append(10 * ticks[-1])
    stride = ceil((len(ticks) - 1) / MOST)
    while (len(ticks) - 1) % stride:
        ticks.append(ticks[-1] * (2 if is_bytes else 10))
    return tuple(ticks[::stride])


def _in_one_unit(values: Sequence[int], *, is_bytes: bool) -> tuple[str, ...]:
    """Write values in the unit of the last, with the decimals that they need; the first is zero."""
    top, step = values[-1], values[-1] - values[-2] if len(values) > 1 else 1
    if top == 0:
        return ("0",)
    base, name = (1024, binary) if is_bytes else (1000, si)
    power = 0
    while power < MOST_OF_PREFIXES and base ** (power + 1) <= top:
        power += 1
    unit, prefix = base**power, name(base**power).partition(" ")[2]
    decimals = 0
    while step * 10**decimals % unit:
        decimals += 1
    parts = [divmod(value * 10**decimals // unit, 10**decimals) for value in values[1:]]
    numbers = [f"{whole}.{fraction:0{decimals}d}" if decimals else str(whole) for whole, fraction in parts]
    return ("0", *(f"{number} {prefix}".strip() for number in numbers))


def _short(amount: str) -> str:
    """Drop the zeros behind the point of an amount: `500.0 G` is `500 G`."""
    number, space, unit = amount.partition(" ")
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number}{space}{unit}"
