"""From an item to the document that describes it: JSON and CSV by the names of fields, exact integers, nothing by hand.

A class below `@part` describes a part of a document by its annotations: each field is one of the item, which has it by
its name, or of what is given in its place.
"""

import csv
import io
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import KW_ONLY, InitVar, is_dataclass
from functools import cache
from inspect import get_annotations
from types import UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    NamedTuple,
    TypeAlias,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
)

from tcost import __version__
from tcost.errors import UnfinishedError
from tcost.settings import flat
from tcost.text import csv_word, harmless_json

SCHEMA_VERSION = 2
"""Rises when a field is removed, or changes its name or its meaning, not when one is added."""

T = TypeVar("T")

LEFT = "left out where it is None"
Left: TypeAlias = Annotated[T, LEFT]
"""A field that a document has not, where there is nothing to say."""

Omitted: TypeAlias = Annotated[Any, "omitted"]
"""A field of what a part is made from that it has not itself."""


class Limit:
    """What a value is limited to, or how it is read, in pydantic's words: `ge=1`, `pattern="..."`, `fail_fast=True`."""

    def __init__(self, **limits: Any) -> None:
        """Take the limits."""
        self.limits = limits

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Tell pydantic, which only schemas and the reading of results load."""
        return handler(source) | self.limits


PARTS: list[type] = []
"""Every class that describes a part of a document."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
def part(kind: type[T]) -> type[T]:
    """Say that a class describes a part of a document.

    It becomes a dataclass where documents are read (`tcost.documents.schema`): to make fifty of them takes as long as
    Python takes to start, and writing needs the annotations alone.
    """
    PARTS.append(kind)
    return kind


def also(keys: Mapping[str, str], of: Any = int, always: Collection[str] = ()) -> Callable[[type[T]], type[T]]:
    """Let a part have further fields of a type, by what each is; only those in `always` are never left out."""

    def added(kind: type[T]) -> type[T]:
        kind.__annotations__ = {name: of if name in always else Annotated[of, LEFT] for name in keys} | get_annotations(
            kind
        )
        kind.ALSO = keys  # type: ignore[attr-defined]  # for who describes it
        return kind

    return added


class Described(NamedTuple):
    """A field of a part: its name, its key in JSON, what describes its value, or each of many; whether it may lack."""

    name: str
    key: str
    of: type | None
    is_many: bool
    is_left: bool


@cache
def described(kind: type) -> tuple[Described, ...]:
    """Return the fields of a part, those of what it is made from first; `from_` is `from` in JSON."""
    found: dict[str, Any] = {}
    for each in reversed(kind.__mro__):
        found |= get_annotations(each)
    return tuple(
        Described(name, name.removesuffix("_"), *_value_of(of), LEFT in getattr(of, "__metadata__", ()))
        for name, of in found.items()
        if of not in (KW_ONLY, Omitted, ClassVar) and not isinstance(of, InitVar)
    )


def _value_of(of: Any) -> tuple[type | None, bool]:
    """Return the part that describes a value, if one does, and whether there are many."""
    if get_origin(of) is Annotated:
        return _value_of(get_args(of)[0])
    if get_origin(of) is list:
        return _value_of(get_args(of)[0])[0], True
    if get_origin(of) in (Union, UnionType):
        return _value_of(get_args(of)[0])
    return (of, False) if isinstance(of, type) and (of in PARTS or is_dataclass(of)) else (None, False)


class Content(dict[str, Any]):
    """What a part has of an item: what is to be written."""


def content(kind: type, item: object, **own: Any) -> Content:
    """Return what a part has of an item, or of a mapping; `own` has what the item has not, or has otherwise.

    A part that allows more has all of a mapping.
    Raises UnfinishedError for a field that neither has.
    """
    if isinstance(item, Content) and not own:
        return item
    found = Content()
    for each in described(kind):
        value = own[each.name] if each.name in own else _got(kind, item, each)
        if value is None and each.is_left:
            continue
        if each.of and value is not None:
            value = [content(each.of, one) for one in value] if each.is_many else content(each.of, value)
        found[each.key] = value
    if isinstance(item, Mapping) and getattr(kind, "__pydantic_config__", {}).get("extra") == "allow":
        found |= {name: value for name, value in item.items() if name not in found}
    return found


def _got(kind: type, item: object, each: Described) -> Any:
    if isinstance(item, Mapping):
        if each.name in item or each.is_left:
            return item.get(each.name)
    elif hasattr(item, each.name):
        return getattr(item, each.name)
    elif each.name in (amounts := getattr(item, "amounts", {})):  # of work, other than those that code asks for
        return amounts[each.name]
    raise UnfinishedError(f"{kind.__name__} of the documents describes '{each.name}', which nothing gives")


def as_json(kind: type, **values: Any) -> str:
    """Return a document of a kind as JSON: its schema version, what made it, and its values."""
    whole = content(kind, values, schema_version=SCHEMA_VERSION, tool={"name": "tcost", "version": __version__})
    text = io.StringIO()  # in half of the memory that `dumps` takes, which has a list of all words
    json.dump(whole, text, indent=2, default=sorted)
    return harmless_json(text.getvalue()) + "\n"


def as_csv(lines: Iterable[Mapping[str, Any]]) -> str:
    """Return parts of documents as CSV under a header: `storage_weights` of `weights` in `storage`, and no lists.

    A text that a spreadsheet would run is kept from it. All lines have the columns of the first one.
    """
    text, writer = io.StringIO(), None
    for line in lines:
        cells = dict(flat(line))
        if writer is None:
            writer = csv.DictWriter(text, list(cells), lineterminator="\n")
            writer.writeheader()
        writer.writerow({name: csv_word(cell) for name, cell in cells.items()})
    return text.getvalue()
