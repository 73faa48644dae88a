"""Hugging Face configurations: the fields of a `config.json` become the keys of a spec.

Only the JSON is read: no network, no other library. A family's reader knows what its model class in
transformers does; a field that it does not know is an error.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from tcost.errors import InputError
from tcost.importers.classes import nearest_families, recognised
from tcost.importers.decoders import DECODERS
from tcost.importers.encoder_decoders import ENCODER_DECODERS
from tcost.importers.encoders import ENCODERS
from tcost.importers.experts import EXPERTS
from tcost.importers.fields import Fields
from tcost.importers.gpts import GPTS
from tcost.importers.harmless import NO_EFFECT
from tcost.importers.images import IMAGES
from tcost.importers.llama_kin import KIN
from tcost.importers.llamas import LLAMAS
from tcost.importers.modern_encoders import MODERN_ENCODERS
from tcost.importers.nested import TIES, text_part
from tcost.importers.parts import read_by_none
from tcost.reading import Reading
from tcost.strict_json import Pairs, strict_json

_ONE_STACK = {**DECODERS, **GPTS, **LLAMAS, **KIN, **EXPERTS, **ENCODERS, **MODERN_ENCODERS, **IMAGES}
FAMILIES = {**_ONE_STACK, **ENCODER_DECODERS}

MAX_DIGITS = 30

FLOATS = ("Infinity", "-Infinity", "NaN")


@dataclass(frozen=True)
class Imported:
    """What a configuration became: the keys of a spec, which field became which of them, and what is to be said."""

    spec: dict[str, Any]
    explained: tuple[tuple[str, str, str, bool], ...]
    """A field of the configuration, the key that it became, its value, and whether that is the class's default."""
    notes: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    """The fields that the configuration had and that were ignored, as asked."""


def import_config(text: str, where: str, reading: Reading = Reading()) -> Imported:
    """Return what a configuration becomes; `where` names the text in messages, `reading` says how it is read.

    Raises InputError for what is no configuration, for families and fields that tcost does not know, and
    for values that cannot be.
    """
    values, ignored = configuration(text, where, reading.ignore)
    notes, inputs_of = [f"ignored, as asked: {name}" for name in ignored], None
    place = where
    if reading.head is not None:
        values["architectures"] = [reading.head]
        notes.append(f"read with the head of {reading.head}, as asked")
    if isinstance(values.get("text_config"), dict):
        inputs_of = str(values.get("model_type"))
        notes.append(f"a model of several inputs ({inputs_of}): its text part alone is priced")
        values = text_part(values, where, {name: family.defaults.get(TIES) for name, family in FAMILIES.items()})
        place = f"{where}, text_config"
    family, said = _family(values, place, reading.family)
    fields = Fields(place, values, FAMILIES[family].defaults, notes=notes + said, family=family, inputs_of=inputs_of)
    fields.set(name=name_of(values, where, family), description=f"Imported from a configuration of {family}")
    read_fields(fields)
    return Imported(fields.spec, tuple(fields.explained), tuple(fields.notes), tuple(ignored))


def configuration(text: str, where: str, names: Collection[str]) -> tuple[dict[str, Any], list[str]]:
    """Return a configuration without some fields, which its text part lacks, too, and those of them that it had."""
    values = _parse(text, where)
    inner = values.get("text_config")
    parts = [values, inner] if isinstance(inner, dict) else [values]
    had = [name for name in dict.fromkeys(names) if any(name in part for part in parts)]
    left = {name: value for name, value in values.items() if name not in names}
    if isinstance(inner, dict) and "text_config" in left:
        left["text_config"] = {name: value for name, value in inner.items() if name not in names}
    return left, had


def _family(values: Mapping[str, Any], where: str, asked: str | None) -> tuple[str, list[str]]:
    """Return the family of a configuration and what is to be said of it: as asked, as it says, or as is recognised."""
    given = values.get("model_type")
    if asked is not None:
        if asked not in FAMILIES:
            raise InputError(f"--as {asked}: no family that is read\n{_offer(values, where)}")
        return asked, [] if given == asked else [f"read as {asked}, as asked; its model_type is {given or 'missing'}"]
    if isinstance(given, str) and given in FAMILIES:
        return given, []
    if given is not None:
        raise InputError(f"{where}: unknown model_type {str(given)!r}\n{_offer(values, where)}")
    found = recognised(values)
    if found is None or found[0] not in FAMILIES:
        raise InputError(f"{where}: field 'model_type' is missing\n{_offer(values, where)}")
    return found[0], [
        f"model_type is missing: read as {found[0]}, which is told by {found[1]}; --as FAMILY says another"
    ]


def _offer(values: Mapping[str, Any], where: str) -> str:
    """Say which families a configuration is nearest to by its fields, and what to do with them."""
    near = nearest_families(values, FAMILIES)
    if not near:
        return f"known: {', '.join(FAMILIES)}"
    file = where.partition(",")[0]
    return (
        f"nearest by its fields: {', '.join(near)}; --as {near[0]} reads it as one, "
        f"tcost import {file} --draft begins a spec of it"
    )


def read_fields(fields: Fields) -> None:
    """Read all fields of a configuration of a family. Raises InputError for what is not understood."""
    family = FAMILIES[fields.family]
    family.read(fields)
    family.end(fields)
    read_by_none(fields)
    fields.finish()


def is_without_type(values: Mapping[str, Any], others: Collection[str]) -> bool:
    """Tell a configuration that lacks its model_type from other JSON, which would rather have the `others` as keys."""
    fields = {name for family in FAMILIES.values() for name in family.defaults} | NO_EFFECT
    return len((values.keys() & fields) - set(others)) > max(1, len(values.keys() & set(others)))


def name_of(values: dict[str, Any], where: str, family: str) -> str:
    """Return the checkpoint's name, else the file's, else its folder's, else the family's."""
    checkpoint = values.get("_name_or_path")
    if isinstance(checkpoint, str) and checkpoint.strip("/. "):
        return PurePath(checkpoint).name[:100]
    stem = PurePath(where).stem
    if stem == "config":
        stem = Path(where).resolve().parent.name
    return family if stem in ("", "<standard input>") else stem[:100]


def _parse(text: str, where: str) -> dict[str, Any]:
    def mapping(pairs: Pairs) -> Any:
        found = dict(pairs)
        if found.keys() == {"__float__"} and found["__float__"] in FLOATS:  # as transformers 5 writes them
            return float(found["__float__"])
        if len(found) < len(pairs):
            twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
            raise InputError(f"{where}: field '{twice}' is given twice; keep one of them")
        return found

    values: Any = strict_json(text, where, "configuration", max_digits=MAX_DIGITS, mapping=mapping, has_constants=True)
    if not isinstance(values, dict):
        raise InputError(f"{where}: expected fields with values, such as a config.json of Hugging Face has")
    return values
