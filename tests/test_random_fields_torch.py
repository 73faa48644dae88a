"""Configurations of every family with several fields changed at once: each is its class's, or refused by name."""

import random
from dataclasses import fields
from importlib.util import find_spec
from typing import Any

import pytest
from conftest import draws
from test_families import INSIDE, class_of
from test_fields_torch import OTHERS, SMALL, fields_of, is_compared, plausible, whole_of

from tcost.importers import FAMILIES

pytestmark = pytest.mark.skipif(
    not find_spec("torch") or not find_spec("transformers"), reason="torch and transformers are missing"
)

MOST = 4
"""Fields that are changed at once."""


def changed(config: dict[str, Any], names: list[str], usual: Any, draw: random.Random) -> dict[str, Any]:
    """Return a configuration with some of its fields given, changed or left out."""
    made = dict(config)
    for name in draw.sample(names, draw.randint(2, MOST)):
        value = config.get(name, getattr(usual, name, None))
        if name in config and draw.random() < 1 / 4:
            del made[name]
        else:
            made[name] = draw.choice(plausible(value)) if draw.random() < 3 / 4 else draw.choice(OTHERS)
    return made


@pytest.mark.parametrize("family", [name for name in sorted({*FAMILIES} - INSIDE) if class_of(name) == name])
def test_several_fields(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read has the parameters and FLOPs of the class; what is not is refused in two lines that name a field."""
    draw = random.Random(f"several {family}")  # noqa: S311  # chooses values, the same ones every time
    config, hf_class = SMALL[family]["config"], SMALL[family]["hf_class"]
    usual = whole_of(family)
    names = [name for name in fields_of(family, monkeypatch) if name in config or name in vars(usual)]
    names += [field.name for field in fields(usual) if field.name not in names]
    read = 0
    for _ in range(draws(160)):
        given = changed(config, sorted(set(names) - {"model_type", "architectures"}), usual, draw)
        said_of = {name: given.get(name, "left out") for name in given.keys() | config.keys()}
        read += is_compared(given, hf_class, said_of)
    assert read
