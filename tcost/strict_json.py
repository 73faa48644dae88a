"""JSON from a user, read strictly."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from tcost.errors import InputError

ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")
HALF = re.compile("[\ud800-\udfff]")

Pairs = list[tuple[str, Any]]


def strict_json(
    text: str,
    where: str,
    what: str,
    *,
    max_digits: int,
    mapping: Callable[[Pairs], Any],
    has_constants: bool = False,
) -> Any:
    """Return what a JSON text holds; `where` names the text in messages, `what` what it should be.

    `mapping` makes a mapping of its keys and values. Raises InputError for what is not JSON, for numbers that JSON does
    not have, unless it `has_constants` such as NaN, or that have more digits, and for nesting without end.
    """

    def constant(word: str) -> float:
        if has_constants:
            return float(word)
        raise InputError(f"{where}: {word} is not a number that JSON has")

    def whole(digits: str) -> int:
        if len(digits) > max_digits:
            raise InputError(f"{where}: a number of more than {max_digits} digits")
        return int(digits)

    try:
        found = json.loads(text, parse_int=whole, parse_constant=constant, object_pairs_hook=mapping)
        half = next(filter(HALF.search, _texts(found)), None) if ESCAPED_HALF.search(text) else None
    except json.JSONDecodeError as error:
        raise InputError(f"{where}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
    except RecursionError:
        raise InputError(f"{where}: nested deeper than any {what}") from None
    if half is not None:
        raise InputError(f"{where}: {half[:40]!a} has half of a character (U+D800 to U+DFFF), which no text has")
    return found


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in what a JSON text holds, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in (*value, *value.values()):
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
