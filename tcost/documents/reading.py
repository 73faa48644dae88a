"""Saved results, read back: JSON in, checked whole."""

import json
from typing import Any

from pydantic import ValidationError

from tcost.cost.prices import WORK
from tcost.documents.compute import ComputeDocument, Result
from tcost.documents.schema import reader_of
from tcost.documents.writing import SCHEMA_VERSION
from tcost.errors import InputError
from tcost.settings import Settings, values_of
from tcost.strict_json import Pairs, strict_json

MAX_COMMAS, MAX_KEYS = 500_000, 1000
"""Of a saved result and of one mapping in it, so that reading what is none takes little time and memory."""

EXPECTED = "expected what tcost compute or compare writes with --format json"

MAX_DIGITS = 300
"""Of a number: more than any result has, and the ratio of two of them, in percent, is one that a float holds."""

ALWAYS_SAID = (
    *("algo", "convention", "context", "encoder_context", "batch"),
    *("optimizer", "causal", "attention", "recompute", "storage", "errata"),
)
"""The settings that every version has written."""

LATER = {name: default for name, default in values_of(Settings()).items() if name not in ALWAYS_SAID}
"""What is so in a result of a version that did not know these settings."""

RENAMED = {"errata": "slips", "has_errata": "errata"}
"""Fields of a result of version 1, in order, and what they are called now."""


def read_results(text: str, where: str) -> list[Result]:
    """Return the results that `tcost compute` or `compare` has written as JSON; `where` names the text in messages.

    Raises InputError for what is no such document, or one of another schema version.
    """
    if text.count(",") > MAX_COMMAS:
        raise InputError(f"{where}: more than {MAX_COMMAS:,} values, which no saved result has")
    values = _json(text, where)
    version = values.get("schema_version")
    if type(version) is not int or not 1 <= version <= SCHEMA_VERSION:
        raise InputError(
            f"{where}: schema version {str(version)[:20]} is not known\nexpected {SCHEMA_VERSION}, as this version "
            "writes, or an earlier one"
        )
    results = values.get("results")
    for result in results if isinstance(results, list) else ():
        if isinstance(result, dict):
            if version == 1:
                _rename(result)
            result |= {name: default for name, default in LATER.items() if name not in result}
    try:
        document = reader_of(ComputeDocument).validate_json(json.dumps({**values, "schema_version": SCHEMA_VERSION}))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{where}: {place}: {first['msg']}\n{EXPECTED}") from None
    if not document.results:
        raise InputError(f"{where}: there is no result in it")
    for index, result in enumerate(document.results):
        _check_sums(result, f"{where}: results.{index}")
    return list(document.results)


def _rename(result: dict[str, Any]) -> None:
    """Let a result of version 1 have the names of today."""
    for before, now in RENAMED.items():
        if before in result:
            result[now] = result.pop(before)


def _check_sums(result: Result, place: str) -> None:
    """Raise InputError where a sum is another than that of the rows: one of them is no number of tcost's."""
    by_phase, by_category = (
        {key: [row for row in rows if getattr(row, name) == key] for key in {getattr(row, name) for row in rows}}
        for name, rows in (("phase", result.rows), ("category", result.memory_rows))
    )
    sums: list[tuple[str, Any, Any]] = [("totals", result.totals, result.rows)]
    phases, memory = vars(result.phases).items(), vars(result.memory).items()
    sums += [(f"phases.{phase}", amount, by_phase.get(phase, ())) for phase, amount in phases]
    sums += [(f"memory.{name}", held, by_category.get(name, ())) for name, held in memory if name != "peak"]
    for name, whole, rows in sums:
        for measure, amount in (vars(whole) if whole else dict.fromkeys(WORK, 0)).items():
            amounts = [getattr(row, measure) for row in rows]
            found = None if None in amounts else sum(amounts)
            if amount is not None and found != amount:  # an earlier version has not said all
                said = "one of its rows has none" if found is None else f"its rows add up to {found:,}"
                raise InputError(f"{place}.{name}.{measure} is {amount:,}, but {said}\n{EXPECTED}")


def _json(text: str, where: str) -> dict[str, Any]:
    def mapping(pairs: Pairs) -> dict[str, Any]:
        if len(pairs) > MAX_KEYS:
            raise InputError(f"{where}: more than {MAX_KEYS:,} keys in one place, which no saved result has")
        return dict(pairs)

    values = strict_json(text, where, "result", max_digits=MAX_DIGITS, mapping=mapping)
    return values if isinstance(values, dict) else {}
