"""A half-filled spec of a configuration that is not read: what is understood as keys, the rest as comments."""

import json
from collections.abc import Mapping
from typing import Any

from tcost.errors import InputError
from tcost.importers import FAMILIES, configuration, name_of, read_fields
from tcost.importers.classes import nearest_families, recognised
from tcost.importers.fields import FieldError, Fields
from tcost.reading import Reading

MAX_TRIES = 100
"""Fields that are left out before a draft is given up."""

SHOWN = 80
"""Characters of a value in a comment."""


def draft(text: str, where: str, reading: Reading = Reading()) -> tuple[dict[str, Any], list[str]]:
    """Return the keys of a spec that are understood of a configuration, and comments on what is not.

    It is read as the family that is asked for, that it says, or that is nearest by its fields. Raises InputError for
    what is no JSON, and for what has no field of any family.
    """
    values = dict(configuration(text, where, reading.ignore)[0])
    inner = values.get("text_config")
    values = {**values, **inner} if isinstance(inner, dict) else values
    family = _family(values, where, reading.family)
    comments = [f"a draft: read as {family}, whose class may not be that of this model; not checked"]
    left = dict(values)
    for _ in range(MAX_TRIES):
        fields = Fields(where, left, FAMILIES[family].defaults, family=family)
        try:
            read_fields(fields)
            break
        except FieldError as error:
            comments += [f"not understood: {name}: {_shown(values.get(name))}" for name in error.fields]
            known = [name for name in error.fields if name in left]
            left = {name: value for name, value in left.items() if name not in known}
            if not known:
                break
        except InputError as error:
            comments.append(f"not understood: {' '.join(str(error).split())}")
            if "architectures" not in left:
                break
            left.pop("architectures")
    return {"name": name_of(values, where, family), **fields.spec}, comments


def _family(values: Mapping[str, Any], where: str, asked: str | None) -> str:
    given = values.get("model_type")
    told = recognised(values)
    for each in (asked, given, told[0] if told else None, *nearest_families(values, FAMILIES, 1)):
        if isinstance(each, str) and each in FAMILIES:
            return each
    raise InputError(f"{where}: no field is one of a family that is read\nbegin a spec by hand: tcost list schema spec")


def _shown(value: Any) -> str:
    shown = json.dumps(value)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."
