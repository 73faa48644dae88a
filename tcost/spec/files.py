"""Where specs are: a path, standard input, or the bundled folder."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

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

    A path that exists wins over a bundled name. Raises InputError when there is no such spec, when it
    cannot be read, or when it does not validate; the message names the file, line and column.
    """
    word = os.fspath(spec)
    if word == "-" and sys.stdin is None:
        raise InputError("cannot read standard input: it is closed")
    if word == "-":
        return _read(sys.stdin.buffer, "<standard input>")
    path = Path(word)
    if not os.path.lexists(word):
        path = _bundled(word)
    try:
        with path.open("rb") as file:
            return _read(file, str(path))
    except IsADirectoryError:
        raise InputError(f"{word} is a directory\nexpected a spec: a YAML file, or a bundled name") from None
    except OSError as error:
        raise InputError(f"cannot read {word}: {error.strerror}") from None


def _read(file: BinaryIO, where: str) -> ModelSpec:
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise InputError(f"{where} is larger than {MAX_BYTES // 1024} KiB, which no spec is")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{where}:{line}: the file is not UTF-8 text; save it as UTF-8") from None
    if is_config(text):
        return from_config(text, where)[0]
    return validate(parse(text, where))


def from_config(text: str, where: str) -> tuple[ModelSpec, "Imported"]:
    """Return the spec that a Hugging Face configuration becomes, and how it did; raises InputError as they do."""
    from tcost.importers import import_config

    imported = import_config(text, where)
    try:
        return ModelSpec.model_validate(imported.spec), imported
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}".lstrip(": ") for each in error.errors()]
        raise InputError("\n".join(f"{where}: {problem}" for problem in problems)) from None


def is_config(text: str) -> bool:
    """Tell whether a text is a Hugging Face configuration: JSON with a `model_type`."""
    return text.lstrip().startswith("{") and '"model_type"' in text


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
