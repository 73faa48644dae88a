"""The axes of a grid: which size varies, and over which values."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from tcost.errors import InputError
from tcost.exact import MAX_SIZE

EXPECTED = "expected a list, a:b, a:b:step or a:b:xK, as in context_length=32:8192:x2"

NUMBER = re.compile(r"[0-9]+(?:_[0-9]+)*")

MAX_DIGITS = 30

MAX_LIST = 10**6
"""Values of an axis that are not evenly spaced, which are held one by one."""

MAX_VALUES = 10**12
"""Values of an axis that are evenly spaced."""


@dataclass(frozen=True)
class Axis:
    """A size that varies, by the name of its key in a spec or `batch`, and its values in order."""

    name: str
    values: Sequence[int]


def parse_axis(text: str) -> Axis:
    """Return the axis that a text means: `context_length=32:8192:x2`, `n_decoder_layers=6,12,24`, `batch=1:8`.

    Values are numbers and ranges, separated by commas; a range ends at the last value that is not above its
    end. Raises InputError for what is none of these, and for a value that is there twice.
    """
    name, equals, given = text.partition("=")
    if not name or not equals:
        raise InputError(f"'{text}' is no axis\n{EXPECTED}")
    parts = [_part(part.strip(), text) for part in given.split(",")]
    if len(parts) == 1:
        return Axis(name.strip(), parts[0])
    if sum(map(len, parts)) > MAX_LIST:
        raise InputError(f"a list of more than {MAX_LIST:,} values\ngive them as one range: a:b:step")
    values = tuple(chain.from_iterable(parts))
    twice = [value for value, times in Counter(values).items() if times > 1]
    if twice:
        raise InputError(f"'{text}' has the value {twice[0]} twice\na row of a grid is there once")
    return Axis(name.strip(), values)


def ends(values: Sequence[int]) -> tuple[int, int]:
    """Return the smallest and the largest of some values."""
    some = (values[0], values[-1]) if isinstance(values, range) else values
    return min(some), max(some)


def _part(part: str, text: str) -> Sequence[int]:
    """Return the values of a number or a range."""
    words = part.split(":")
    is_geometric = len(words) == len(("start", "end", "factor")) and words[2].startswith("x")
    numbers = [_number(word, text) for word in (*words[:2], *(word.removeprefix("x") for word in words[2:]))]
    if len(words) > len(("start", "end", "step")):
        raise InputError(f"'{part}' in '{text}' is no range\n{EXPECTED}")
    if len(numbers) == 1:
        return tuple(numbers)
    start, end, by = *numbers[:2], numbers[2] if len(numbers) > len(("start", "end")) else 1
    if end < start or by < 1 + is_geometric or (is_geometric and start == 0):
        raise InputError(f"'{part}' in '{text}' has no end that its steps lead to\n{EXPECTED}")
    if is_geometric:
        values = [start]
        while values[-1] * by <= end:
            values.append(values[-1] * by)
        return tuple(values)
    steps = range(start, end + 1, by)
    if len(steps) > MAX_VALUES:
        raise InputError(f"'{part}' in '{text}' has {len(steps):,} values\nat most 10^12 can be counted")
    return steps


def _number(word: str, text: str) -> int:
    if not NUMBER.fullmatch(word) or len(word) > MAX_DIGITS:
        raise InputError(f"'{word}' in '{text}' is no whole number\n{EXPECTED}")
    if (number := int(word)) > MAX_SIZE:
        raise InputError(f"{number} in '{text}' is more than 10^18, which no size is")
    return number
