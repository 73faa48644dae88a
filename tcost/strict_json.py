"""JSON from a user, read strictly."""

import json
from collections.abc import Callable
from typing import Any, NoReturn

from tcost.errors import InputError

Pairs = list[tuple[str, Any]]


def strict_json(
    text: str, where: str, what: str, *, max_digits: int, mapping: Callable[[Pairs], dict[str, Any]]
) -> Any:
    """Return what a JSON text holds; `where` names the text in messages, `what` what it should be.

    `mapping` makes a mapping of its keys and values. Raises InputError for what is not JSON, for numbers that JSON does
    not have or that have more digits, and for nesting without end.
    """

    def constant(word: str) -> NoReturn:
        raise InputError(f"{where}: {word} is not a number that JSON has")

    def whole(digits: str) -> int:
        if len(digits) > max_digits:
            raise InputError(f"{where}: a number of more than {max_digits} digits")
        return int(digits)

    try:
        return json.loads(text, parse_int=whole, parse_constant=constant, object_pairs_hook=mapping)
    except json.JSONDecodeError as error:
        raise InputError(f"{where}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
    except RecursionError:
        raise InputError(f"{where}: nested deeper than any {what}") from None
