"""Saved results, read back: JSON in, checked whole."""

import json
from typing import Any, NoReturn

from pydantic import ValidationError

from tcost.errors import InputError
from tcost.schema.results import ComputeDocument, Result

MAX_PARTS = 500_000
"""Lists and mappings in a saved result, so that reading one takes no more than about 200 MB."""

MAX_DIGITS = 1000


def read_results(text: str, where: str) -> list[Result]:
    """Return the results that `tcost compute` or `compare` has written as JSON; `where` names the text in messages.

    Raises InputError for what is no such document, or one of another schema version.
    """
    if text.count("{") + text.count("[") > MAX_PARTS:
        raise InputError(f"{where}: more than {MAX_PARTS:,} lists and mappings, which no saved result has")
    values = _json(text, where)
    version = values.get("schema_version")
    if version != 1:
        raise InputError(
            f"{where}: schema version {str(version)[:20]} is not known\nexpected 1, as this version writes"
        )
    try:
        document = ComputeDocument.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{where}: {place}: {first['msg']}\nexpected what tcost compute or compare writes with --format json"
        ) from None
    if not document.results:
        raise InputError(f"{where}: there is no result in it")
    return document.results


def _json(text: str, where: str) -> dict[str, Any]:
    def constant(word: str) -> NoReturn:
        raise InputError(f"{where}: {word} is not a number that JSON has")

    def whole(digits: str) -> int:
        if len(digits) > MAX_DIGITS:
            raise InputError(f"{where}: a number of more than {MAX_DIGITS} digits")
        return int(digits)

    try:
        values = json.loads(text, parse_int=whole, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise InputError(f"{where}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
    except RecursionError:
        raise InputError(f"{where}: nested deeper than any result") from None
    return values if isinstance(values, dict) else {}
