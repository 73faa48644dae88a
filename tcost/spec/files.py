"""Where specs are: a path, standard input, or the bundled folder."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import yaml
from pydantic import ValidationError

from tcost.errors import InputError, nearest
from tcost.spec.document import parse
from tcost.spec.model import ModelSpec
from tcost.spec.problems import validate

if TYPE_CHECKING:
    from tcost.importers import Imported

MAX_BYTES = 256 * 1024


def bundled_specs() -> list[str]:
    """Return the names of the specs that tcost ships, in alphabetical order."""
    return sorted(path.stem for path in _bundled_folder().glob("*.yaml"))


def load_spec(spec: str | os.PathLike[str]) -> ModelSpec:
    """Return the spec at a path, on standard input for `-`, or bundled under a name with or without `.yaml`.

    A Hugging Face configuration, which is JSON with a `model_type`, is imported. A path that exists wins
    over a bundled name. Raises InputError when there is no such spec, when it cannot be read, or when it
    does not validate; the message names the file, line and column.
    """
    text, where = _read(os.fspath(spec))
    return _imported(text, where)[0] if _is_config(text) else validate(parse(text, where))


def import_spec_from(config: str | os.PathLike[str]) -> tuple[ModelSpec, "Imported"]:
    """Return the spec that a Hugging Face configuration becomes, and how it did.

    Raises InputError as `load_spec` does, and for a file that is no configuration.
    """
    text, where = _read(os.fspath(config))
    if not _is_config(text):
        raise InputError(f"{where} is no Hugging Face configuration\nexpected JSON with a model_type")
    return _imported(text, where)


def _is_config(text: str) -> bool:
    return text.lstrip().startswith("{") and '"model_type"' in text


def _imported(text: str, where: str) -> tuple[ModelSpec, "Imported"]:
    from tcost.importers import import_config

    imported = import_config(text, where)
    try:
        return ModelSpec.model_validate({**imported.spec, "notes": list(imported.notes)}), imported
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}".lstrip(": ") for each in error.errors()]
        raise InputError("\n".join(f"{where}: {problem}" for problem in problems)) from None


def _read(word: str) -> tuple[str, str]:
    """Return the text of a spec, and where it is."""
    if word == "-" and sys.stdin is None:
        raise InputError("cannot read standard input: it is closed")
    if word == "-":
        return _text(sys.stdin.buffer, "<standard input>"), "<standard input>"
    path = Path(word)
    if not os.path.lexists(word):
        path = _bundled(word)
    try:
        with path.open("rb") as file:
            return _text(file, str(path)), str(path)
    except IsADirectoryError:
        raise InputError(f"{word} is a directory\nexpected a spec: a YAML file, or a bundled name") from None
    except OSError as error:
        raise InputError(f"cannot read {word}: {error.strerror}") from None


def _text(file: BinaryIO, where: str) -> str:
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise InputError(f"{where} is larger than {MAX_BYTES // 1024} KiB, which no spec is")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{where}:{line}: the file is not UTF-8 text; save it as UTF-8") from None


def to_yaml(spec: ModelSpec) -> str:
    """Return a spec as YAML that `load_spec` reads: the keys that are not their defaults."""
    keys = spec.model_dump(mode="json", exclude_defaults=True)
    lines = []
    for key, value in keys.items():
        if isinstance(value, dict | list):
            lines.append(f"{key}: {yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6)}")
        else:
            lines.append(yaml.safe_dump({key: value}, allow_unicode=True, width=10**6))
    return "".join(lines)


def _bundled_folder() -> Path:
    """The folder in the installed package or, in a checkout, the one beside the package."""
    package = Path(__file__).parent.parent
    shipped = package / "model_specs"
    return shipped if shipped.is_dir() else package.parent / "model_specs"


def _bundled(word: str) -> Path:
    name = word.removesuffix(".yaml").removesuffix(".yml")
    names = bundled_specs()
    if name in names:
        return _bundled_folder() / f"{name}.yaml"
    close = nearest(name, names)
    hint = f"; did you mean '{close}'?" if close else ""
    raise InputError(f"no spec '{word}': neither a file nor a bundled spec{hint}\nbundled: {', '.join(names)}")
