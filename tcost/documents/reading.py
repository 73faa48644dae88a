"""Saved results, read back: JSON in, checked whole."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tcost.diff import Side, saved_snapshot
from tcost.documents.compute import ComputeDocument, Result
from tcost.documents.writing import PARTS, SCHEMA_VERSION, Omitted, described
from tcost.errors import InputError
from tcost.settings import Storage
from tcost.spec import parse_spec, read_text
from tcost.strict_json import Pairs, strict_json

MAX_RESULT_BYTES = 16 * 2**20
"""Of a saved result: several times as much as a comparison of all bundled models has."""

MAX_COMMAS, MAX_KEYS = 500_000, 1000
"""Of a saved result and of one mapping in it, so that reading what is none takes little time and memory."""

EXPECTED = "expected what tcost compute or compare writes with --format json"

MAX_DIGITS = 300
"""Of a number: more than any result has, and the ratio of two of them, in percent, is one that a float holds."""

ALWAYS_SAID = (
    *("algo", "convention", "context", "encoder_context", "batch"),
    *("optimizer", "causal", "attention", "recompute", "storage", "errata"),
)
"""The settings that every version has written; what a later one is in a result without it goes without saying."""

RENAMED = {"errata": "slips", "has_errata": "errata"}
"""Fields of a result of version 1, in order, and what they are called now."""


def read_side(word: str) -> Side:
    """Return what a word means: a saved result, or a spec as `load_spec` takes it.

    Raises InputError for what is neither, and for a document of another command or schema version.
    """
    text, where = read_text(word, MAX_RESULT_BYTES)
    if text.lstrip().startswith("{") and '"schema_version"' in text:
        return Side(where, saved=tuple(map(saved_snapshot, read_results(text, where))))
    return Side(where, spec=parse_spec(text, where))


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
    for index, result in enumerate(results if isinstance(results, list) else ()):
        if isinstance(result, dict):
            if version == 1:
                _rename(result)
            for missing in _missing(result):
                raise InputError(f"{where}: results.{index}.{missing}: Field required\n{EXPECTED}")
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


def reader_of(kind: Any) -> TypeAdapter[Any]:
    """Return what reads documents of a kind, and knows their schema: a number in quotes is no number."""
    for each in PARTS:
        if "__dataclass_fields__" not in each.__dict__:
            for name, of in each.__annotations__.items():
                if of is Omitted or any(one.name == name and one.is_left for one in described(each)):
                    setattr(each, name, None)
            each.__pydantic_config__ = {"strict": True, **getattr(each, "__pydantic_config__", {})}  # type: ignore[attr-defined]  # which pydantic looks for
            dataclass(frozen=True, kw_only=True)(each)
    return TypeAdapter(kind)


def _rename(result: dict[str, Any]) -> None:
    """Let a result of version 1 have the names of today."""
    for before, now in RENAMED.items():
        if before in result:
            result[now] = result.pop(before)


def _missing(result: dict[str, Any]) -> Iterator[str]:
    """Yield the settings that a result does not state."""
    yield from (name for name in ALWAYS_SAID if name not in result)
    if isinstance(storage := result.get("storage"), dict):
        yield from (f"storage.{each.name}" for each in fields(Storage) if each.name not in storage)


def _check_sums(result: Result, place: str) -> None:
    """Raise InputError where a sum is another than that of the rows: one of them is no number of tcost's."""
    by_phase, by_category = (
        {key: [row for row in rows if getattr(row, name) == key] for key in {getattr(row, name) for row in rows}}
        for name, rows in (("phase", result.rows), ("category", result.memory_rows))
    )
    sums: list[tuple[str, Any, Sequence[Any]]] = [("totals", result.totals, result.rows)]
    phases, memory = vars(result.phases).items(), vars(result.memory).items()
    sums += [(f"phases.{phase}", amount, by_phase.get(phase, ())) for phase, amount in phases]
    sums += [(f"memory.{name}", held, by_category.get(name, ())) for name, held in memory if name != "peak"]
    for name, whole, rows in sums:
        for measure, amount in vars(whole).items() if whole else [("macc", 0), ("flop", 0)]:
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
