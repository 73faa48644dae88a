"""What configuration classes of transformers have as defaults: `python tests/defaults.py` makes the table of them.

The table has a line for each family that is read, and for those that are asked for most: its fields serve to tell
which family a configuration without a known `model_type` is nearest to, too.
"""

import dataclasses
import json
import os
from typing import Any

from tcost.importers import FAMILIES
from tcost.importers.classes import TABLE
from tcost.importers.harmless import NO_EFFECT

PLAIN = (bool, int, float, str, list, tuple, type(None))


def row(family: str) -> dict[str, Any] | None:
    """Return the class of a family's configuration and its own fields that may count; None where there is none."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import transformers

    if family not in transformers.CONFIG_MAPPING:
        return None
    config = transformers.CONFIG_MAPPING[family]
    base = {each.name for each in dataclasses.fields(transformers.PreTrainedConfig)}
    found = {}
    for each in dataclasses.fields(config):
        value = each.default_factory() if callable(each.default_factory) else each.default
        if each.name not in base | NO_EFFECT and isinstance(value, PLAIN):
            found[each.name] = json.loads(json.dumps(value))
    return {"class": config.__name__, "names": dict(config.attribute_map), "defaults": found}


def table(families: list[str]) -> str:
    """Return the table as text: a line for each family."""
    rows = {family: found for family in families if (found := row(family))}
    lines = (f" {json.dumps(family)}: {json.dumps(found)}" for family, found in sorted(rows.items()))
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    TABLE.write_text(table([*{*json.loads(TABLE.read_text()), *FAMILIES}]))
