"""Where specs are: a path, standard input, or the bundled folder."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import yaml
from pydantic import ValidationError

from tcost.bundled import BUNDLED, is_nowhere, name_of
from tcost.errors import InputError, nearest
from tcost.reading import Reading
from tcost.spec.document import MAX_DIGITS, parse
from tcost.spec.model import ModelSpec
from tcost.spec.problems import Model, validate
from tcost.text import visible

if TYPE_CHECKING:
    from tcost.importers import Imported

MAX_BYTES = 256 * 1024
MAX_CONFIG_BYTES = 16 * 2**20
"""Of a configuration, which may name each of a hundred thousand labels."""

CONFIG = "config.json"


def load_spec(spec: str | os.PathLike[str], reading: Reading = Reading()) -> ModelSpec:
    """Return the spec at a path, on standard input for `-`, or bundled under a name with or without `.yaml`.

    A Hugging Face configuration, which is JSON with a `model_type`, is imported, as `reading` says, and so is that of
    a folder. A path that exists wins over a bundled name. Raises InputError when there is no such spec, when it cannot
    be read, or when it does not validate; the message names the file, line and column.
    """
    return read_spec(spec, reading)[0]


def read_spec(spec: str | os.PathLike[str], reading: Reading = Reading()) -> "tuple[ModelSpec, Imported | None]":
    """Return what `load_spec` does, and how it was imported where it is a configuration."""
    return parse_any(*read_text(spec), reading)


def parse_spec(text: str, where: str) -> ModelSpec:
    """Return the spec, or the configuration as a spec, that a text holds; `where` names the text in messages.

    Raises InputError as `load_spec` does.
    """
    return parse_any(text, where)[0]


def parse_any(text: str, where: str, reading: Reading = Reading()) -> "tuple[ModelSpec, Imported | None]":
    """Return what `parse_spec` does, and how it was imported where it is a configuration."""
    values = _json(text)
    if values is not None and (reading.family is not None or _is_config(values, where)):
        return _imported(text, where, reading)
    if len(text) > MAX_BYTES:
        raise _too_large(where, MAX_BYTES)
    try:
        return parse_document(ModelSpec, text, where), None
    except InputError:
        _refuse_foreign(parse(text, where).values, where)
        if values is not None and not values.keys() & SIZES:
            raise InputError(
                f"{where}: neither a spec nor a configuration of Hugging Face: no key is a size of a model\n"
                "expected a YAML file (tcost list schema spec), or a config.json with a model_type"
            ) from None
        raise


def parse_document(model: type[Model], text: str, where: str, max_digits: int = MAX_DIGITS) -> Model:
    """Return what a YAML text holds as a model. Raises InputError with every problem and its place."""
    return validate(model, parse(text, where, max_digits))


def import_spec_from(config: str | os.PathLike[str], reading: Reading = Reading()) -> "tuple[ModelSpec, Imported]":
    """Return the spec that a Hugging Face configuration becomes, and how it did.

    Raises InputError as `load_spec` does, and for a file that is no configuration.
    """
    return _imported(*config_text(config, reading), reading)


def draft_spec_of(config: str | os.PathLike[str], reading: Reading = Reading()) -> str:
    """Return a draft of a spec as YAML: what is understood of a configuration, and comments on what is not.

    Raises InputError as `import_spec_from` does, but for what is not understood.
    """
    from tcost.importers.draft import draft

    keys, comments = draft(*config_text(config, reading), reading)
    lines = [f"# {visible(comment)}\n" for comment in comments]
    keys["notes"] = [comments[0]]
    return "".join(lines) + yaml.safe_dump(keys, sort_keys=False, default_flow_style=None, width=10**6)


def config_text(config: str | os.PathLike[str], reading: Reading = Reading()) -> tuple[str, str]:
    """Return the text of a configuration, and where it is. Raises InputError for a file that is none."""
    text, where = read_text(config)
    values = _json(text)
    if values is None or not (reading.family is not None or _is_config(values, where)):
        if values is None and text.lstrip().startswith("{"):
            from tcost.importers import import_config

            import_config(text, where)  # which says what is wrong with the JSON
        raise InputError(f"{where} is no Hugging Face configuration\nexpected JSON with a model_type")
    return text, where


SIZES = frozenset(
    ("vocab_size", "d_model", "n_heads", "d_ff", "n_encoder_layers", "n_decoder_layers", "context_length")
)
"""Keys of which a spec has one, whatever else is wrong with it."""


def _json(text: str) -> dict[str, Any] | None:
    """Return a mapping in JSON, None for any other text; what is wrong inside a configuration is said by its reader."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return {"model_type": None} if '"model_type"' in text else None
    return values if isinstance(values, dict) else None


def _is_config(values: dict[str, Any], where: str) -> bool:
    """Tell JSON of a configuration, which may lack its model_type, from a spec.

    Raises InputError for files that stand beside configurations, and for those of other tools.
    """
    from tcost.importers import is_without_type

    _refuse_foreign(values, where)
    is_nested = isinstance(values.get("text_config"), dict)
    return "model_type" in values or is_nested or is_without_type(values, ModelSpec.model_fields)


def _refuse_foreign(values: dict[str, Any], where: str) -> None:
    from tcost.importers.foreign import foreign

    found = foreign(values, has_sizes=bool(values.keys() & HAVE_SIZES))
    if found:
        raise InputError(f"{where} is {found.what}\nwanted: {found.wanted}")


HAVE_SIZES = frozenset(("hidden_size", "d_model", "n_embd", "dim", "num_hidden_layers", "n_layer"))
"""Fields of configurations, which may also say how to generate."""


def _imported(text: str, where: str, reading: Reading) -> "tuple[ModelSpec, Imported]":
    from tcost.importers import import_config

    imported = import_config(text, where, reading)
    try:
        return ModelSpec.model_validate({**imported.spec, "notes": list(imported.notes)}), imported
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}".lstrip(": ") for each in error.errors()]
        raise InputError("\n".join(f"{where}: {problem}" for problem in problems)) from None


def read_text(spec: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> tuple[str, str]:
    """Return the text of a spec, or of what may stand in its place, and where it is.

    Raises InputError where there is none, and where it has more than `max_bytes`.
    """
    word = os.fspath(spec)
    if word == "-" and sys.stdin is None:
        raise InputError("cannot read standard input: it is closed")
    path = _bundled(word) if word != "-" and is_nowhere(word) else Path(word)
    if path.is_dir() and (path / CONFIG).is_file():
        path = path / CONFIG
    try:
        if word == "-":
            return _text(sys.stdin.buffer, "<standard input>", max_bytes), "<standard input>"
        with path.open("rb") as file:
            return _text(file, str(path), max_bytes), str(path)
    except IsADirectoryError:
        raise InputError(
            f"{word} is a directory\nexpected a spec: a YAML file, a folder with a config.json, or a bundled name"
        ) from None
    except OSError as error:
        name = "standard input" if word == "-" else word
        raise InputError(f"cannot read {name}: {error.strerror}") from None


def _text(file: BinaryIO, where: str, max_bytes: int) -> str:
    data = file.read(max_bytes + 1)
    if len(data) > max_bytes == MAX_BYTES and data.lstrip().startswith(b"{"):
        max_bytes = MAX_CONFIG_BYTES
        data += file.read(max_bytes + 1 - len(data))
    if len(data) > max_bytes:
        raise _too_large(where, max_bytes)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{where}:{line}: the file is not UTF-8 text; save it as UTF-8") from None


def _too_large(where: str, max_bytes: int) -> InputError:
    return InputError(f"{where} is larger than {max_bytes // 1024} KiB, which no spec is")


def to_yaml(spec: ModelSpec) -> str:
    """Return a spec as YAML that `load_spec` reads: the keys that are not their defaults, each in a line of its own.

    Lines begin with a key, so that `##` alone can be a command of a CI system that reads them: a text with it has an
    escape.
    """
    keys = spec.model_dump(mode="json", exclude_defaults=True)
    lines = []
    for key, value in keys.items():
        style = '"' if "##" in str(value) else None
        if isinstance(value, dict | list):
            dumped = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6, default_style=style)
            line = f"{key}: {dumped}"
        else:
            is_plain = not isinstance(value, str) or value == visible(value)  # else escapes, as on a terminal
            line = yaml.safe_dump({key: value}, allow_unicode=is_plain, width=10**6, default_style=style)
        lines.append(line.replace("##", r"#\x23"))
    return "".join(lines)


def _bundled_folder() -> Path:
    """The folder in the installed package or, in a checkout, the one beside the package."""
    package = Path(__file__).parent.parent
    shipped = package / "model_specs"
    return shipped if shipped.is_dir() else package.parent / "model_specs"


def _bundled(word: str) -> Path:
    name = name_of(word)
    if name in BUNDLED:
        return _bundled_folder() / f"{name}.yaml"
    close = nearest(name, BUNDLED)
    hint = f"; did you mean '{close}'?" if close else ""
    raise InputError(f"no spec '{word}': neither a file nor a bundled spec{hint}\nbundled: {', '.join(BUNDLED)}")
