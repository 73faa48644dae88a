"""Hugging Face configurations: the fields of a `config.json` become the keys of a spec.

Only the JSON is read: no network, no other library. A family's reader knows what its model class in
transformers does; a field that it does not know is an error.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from tcost.errors import InputError, unknown
from tcost.importers.decoders import DECODERS
from tcost.importers.encoder_decoders import ENCODER_DECODERS
from tcost.importers.encoders import ENCODERS
from tcost.importers.experts import EXPERTS
from tcost.importers.fields import NO_EFFECT, Fields
from tcost.importers.llamas import LLAMAS
from tcost.importers.modern_encoders import MODERN_ENCODERS
from tcost.importers.nested import TIES, text_part
from tcost.importers.parts import read_by_none
from tcost.strict_json import Pairs, strict_json

FAMILIES = {**DECODERS, **LLAMAS, **EXPERTS, **ENCODERS, **MODERN_ENCODERS, **ENCODER_DECODERS}

MAX_DIGITS = 30


@dataclass(frozen=True)
class Imported:
    """What a configuration became: the keys of a spec, which field became which of them, and what is to be said."""

    spec: dict[str, Any]
    explained: tuple[tuple[str, str, str], ...]
    """A field of the configuration, the key of the spec that it became, and the key's value."""
    notes: tuple[str, ...]


def import_config(text: str, where: str, head: str | None = None) -> Imported:
    """Return what a configuration becomes; `where` names the text in messages.

    `head` is the class, or what its name ends in (`ForQuestionAnswering`, `Model`), in the place of the one that the
    file names.

    Raises InputError for what is no configuration, for families and fields that tcost does not know, and
    for values that cannot be.
    """
    values = _parse(text, where)
    if head is not None:
        values["architectures"] = [head]
    notes, inputs_of = [], None
    if isinstance(values.get("text_config"), dict):
        inputs_of = str(values.get("model_type"))
        notes.append(f"a model of several inputs ({inputs_of}): its text part alone is priced")
        values = text_part(values, where, {name: family.defaults.get(TIES) for name, family in FAMILIES.items()})
        where = f"{where}, text_config"
    family = values.get("model_type")
    if family is None:
        raise InputError(f"{where}: field 'model_type' is missing\n{_could_be(values, where)}")
    if not isinstance(family, str) or family not in FAMILIES:
        raise unknown("model_type", str(family), FAMILIES)
    fields = Fields(where, values, FAMILIES[family].defaults, notes=notes, family=family, inputs_of=inputs_of)
    fields.set(name=_name(values, where, family), description=f"Imported from a configuration of {family}")
    _read(fields)
    return Imported(fields.spec, tuple(fields.explained), tuple(fields.notes))


def _read(fields: Fields) -> None:
    """Read all fields of a configuration of a family."""
    family = FAMILIES[fields.family]
    family.read(fields)
    family.end(fields)
    read_by_none(fields)
    fields.finish()


def is_without_type(values: Mapping[str, Any], others: Collection[str]) -> bool:
    """Tell a configuration that lacks its model_type from other JSON, which would rather have the `others` as keys."""
    fields = {name for family in FAMILIES.values() for name in family.defaults} | NO_EFFECT
    return len((values.keys() & fields) - set(others)) > max(1, len(values.keys() & set(others)))


def _could_be(values: Mapping[str, Any], where: str) -> str:
    """Say of which families all fields of a configuration are understood."""
    families = []
    for name, family in FAMILIES.items():
        with suppress(InputError):
            _read(Fields(where, values, family.defaults, family=name))
            families.append(name)
    if families:
        return f'by its fields it could be {" or ".join(families)}: add it as "model_type": "{families[0]}"'
    return f"known: {', '.join(FAMILIES)}"


def _name(values: dict[str, Any], where: str, family: str) -> str:
    """Return the checkpoint's name, else the file's, else the family's."""
    checkpoint = values.get("_name_or_path")
    if isinstance(checkpoint, str) and checkpoint.strip("/. "):
        return PurePath(checkpoint).name[:100]
    stem = PurePath(where.partition(",")[0]).stem
    return family if stem in ("", "config", "<standard input>") else stem[:100]


def _parse(text: str, where: str) -> dict[str, Any]:
    def mapping(pairs: Pairs) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
            raise InputError(f"{where}: field '{twice}' is given twice; keep one of them")
        return found

    values: Any = strict_json(text, where, "configuration", max_digits=MAX_DIGITS, mapping=mapping)
    if not isinstance(values, dict):
        raise InputError(f"{where}: expected fields with values, such as a config.json of Hugging Face has")
    return values
