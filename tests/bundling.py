"""The bundled specs as a module of Python, which takes no reading and no checking to load."""

import subprocess
import sys
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

import tcost
from tcost import load_spec
from tcost.bundled import BUNDLED

MODULE = Path(tcost.__file__).parent / "bundled" / "models.py"

SPECS = Path(tcost.__file__).parent.parent / "model_specs"

FEW = (
    *("gpt2", "bert-base", "t5-base", "whisper-tiny", "vit-base", "albert-base", "gemma-2-9b", "mixtral-8x7b"),
    *("deepseek-v2-lite", "bloom-7b1"),
)
"""Bundled specs that have, together, nearly every part that a model can have."""


def few_first() -> list[Any]:
    """Return every bundled spec as a parameter of a test that takes long for each: all but a few run when asked for."""
    return [pytest.param(name, marks=() if name in FEW else pytest.mark.slow) for name in BUNDLED]


HEAD = '''"""The bundled specs as sizes, made when asked for. Generated of model_specs/: `python tests/readme.py`."""

from collections.abc import Callable, Mapping

from tcost.sizes import {parts}

BUNDLED: Mapping[str, Callable[[], Sizes]] = {{
'''


def module() -> str:
    """Return the text of `tcost.bundled.models`."""
    models = {path.stem: load_spec(path).sizes for path in sorted(SPECS.glob("*.yaml"), key=lambda path: path.stem)}
    lines = "".join(f"    {name!r}: lambda: {_said(sizes)},\n" for name, sizes in models.items())
    parts = [part for part in ("Experts", "LatentAttention", "LayerSet", "Lora", "Sizes") if f"{part}(" in lines]
    command = [sys.executable, "-m", "ruff", "format", "-"]
    text = f"{HEAD.format(parts=', '.join(parts))}{lines}}}\n"
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def _said(part: Any) -> str:
    """Return an expression of Python for a value, of parts with what is not as by default."""
    if isinstance(part, frozenset):
        return f"frozenset({sorted(part)!r})"
    if not is_dataclass(part):
        return repr(part)
    values = {each.name: getattr(part, each.name) for each in fields(part)}
    usual = {each.name: each.default for each in fields(part) if each.default is not MISSING}
    said = (f"{name}={_said(value)}" for name, value in values.items() if name not in usual or value != usual[name])
    return f"{type(part).__name__}({', '.join(said)})"
