"""Saved results, read back: JSON in, checked whole."""

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from tcost.errors import InputError
from tcost.schema.results import Amount, ComputeDocument, Result
from tcost.strict_json import Pairs, strict_json

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_COMMAS, MAX_KEYS = 500_000, 1000
"""Of a saved result and of one mapping in it, so that reading what is none takes little time and memory."""

MAX_DIGITS = 300
"""Of a number: more than any result has, and the ratio of two of them, in percent, is one that a float holds."""

NOTHING = Amount(macc=0, flop=0)
"""The sum of a phase that is left out."""


def read_results(text: str, where: str) -> list[Result]:
    """Return the results that `tcost compute` or `compare` has written as JSON; `where` names the text in messages.

    Raises InputError for what is no such document, or one of another schema version.
    """
    if text.count(",") > MAX_COMMAS:
        raise InputError(f"{where}: more than {MAX_COMMAS:,} values, which no saved result has")
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
    for index, result in enumerate(document.results):
        _check_sums(result, f"{where}: results.{index}")
    return document.results


def _check_sums(result: Result, place: str) -> None:
    """Raise InputError where a sum is another than that of the rows: one of them is no number of tcost's."""
    by_phase, by_category = (
        {key: [row for row in rows if getattr(row, name) == key] for key in {getattr(row, name) for row in rows}}
        for name, rows in (("phase", result.rows), ("category", result.memory_rows))
    )
    sums: list[tuple[str, Any, Sequence[Any]]] = [("totals", result.totals, result.rows)]
    sums += [(f"phases.{phase}", amount or NOTHING, by_phase.get(phase, ())) for phase, amount in result.phases]
    sums += [(f"memory.{name}", held, by_category.get(name, ())) for name, held in result.memory if name != "peak"]
    for name, whole, rows in sums:
        for measure, amount in whole:
            amounts = [getattr(row, measure) for row in rows]
            found = None if None in amounts else sum(amounts)
            if amount is not None and found != amount:  # an earlier version has not said all
                said = "one of its rows has none" if found is None else f"its rows add up to {found:,}"
                raise InputError(
                    f"{place}.{name}.{measure} is {amount:,}, but {said}\n"
                    "expected what tcost compute or compare writes with --format json"
                )


def _json(text: str, where: str) -> dict[str, Any]:
    def mapping(pairs: Pairs) -> dict[str, Any]:
        if len(pairs) > MAX_KEYS:
            raise InputError(f"{where}: more than {MAX_KEYS:,} keys in one place, which no saved result has")
        return dict(pairs)

    values = strict_json(text, where, "result", max_digits=MAX_DIGITS, mapping=mapping)
    return values if isinstance(values, dict) else {}
