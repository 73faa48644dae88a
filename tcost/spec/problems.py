"""What is said when a file does not validate: every problem with its place, and what would be right."""

from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tcost.errors import InputError, nearest
from tcost.exact import MAX_SIZE
from tcost.spec.document import Document, Path

Model = TypeVar("Model", bound=BaseModel)


TYPES = {
    "int_type": "a whole number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "model_type": "keys with values",
    "literal_error": "{expected}",
}
"""What was expected where a value is of another type."""

RANGES = {
    "greater_than_equal": "must be at least {ge}, not {written}",
    "less_than_equal": "must be at most 10^18, not {written}",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}
"""What is said of a value of the right type."""

MAX_PROBLEMS = 10
"""What is said of one file; the others show once these are mended."""


def validate(model: type[Model], document: Document) -> Model:
    """Return what a document holds, such as a spec, or raise InputError with every problem and its place."""
    try:
        return model.model_validate(document.values)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
    by_path: dict[Path, list[ErrorDetails]] = {}
    for problem in problems:
        by_path.setdefault(_path(problem, document), []).append(problem)
    # Where an alternative of a value has a problem deeper inside, that alternative is the one that was meant.
    above = {path[:depth] for path in by_path for depth in range(1, len(path))}
    missing = [f"'{_key(path)}'" for path, (first, *_) in by_path.items() if first["type"] == "missing"]
    messages = [
        _message(path, found, model, document)
        for path, found in by_path.items()
        if found[0]["type"] != "missing" and path not in above
    ]
    if len(messages) > MAX_PROBLEMS:
        messages[MAX_PROBLEMS:] = [f"{document.where}: and {len(messages) - MAX_PROBLEMS:,} problems more"]
    if missing:
        messages.append(f"{document.where}: missing {', '.join(missing)}")
    raise InputError("\n".join(messages))


def _path(problem: ErrorDetails, document: Document) -> Path:
    """Return the path of a problem in the document, without the names of the alternatives that a value may be."""
    path = problem["loc"] or (problem["ctx"]["key"],)
    value: Any = document.values
    found: list[str | int] = []
    for step in path:
        is_key, is_index = isinstance(value, dict) and step in value, isinstance(value, list) and isinstance(step, int)
        if is_key or is_index:
            value = value[step]
        elif problem["type"] != "missing" or step != path[-1]:
            continue
        found.append(step)
    return tuple(found) or path


def _key(path: Path) -> str:
    return ".".join(map(str, path))


def _part(model: type[BaseModel], path: Path) -> type[BaseModel]:
    """Return the model of the part that a path leads to."""
    for key in path:
        if key in model.model_fields:
            inner = _models(model.model_fields[str(key)].annotation)
            model = inner[0] if inner else model
    return model


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the models in a type: of `list[Part] | None`, Part."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for each in get_args(annotation) for model in _models(each)]


def _message(path: Path, problems: list[ErrorDetails], model: type[BaseModel], document: Document) -> str:
    """Say what is wrong with one key, where, and what would be right."""
    first = problems[0]
    if first["type"] == "shape":
        return f"{document.at_value(path)}: {first['msg']}"
    if first["type"] == "extra_forbidden":
        known = _part(model, path[:-1]).model_fields
        close = nearest(str(path[-1]), known)
        hint = f"did you mean '{close}'?" if close else f"known: {', '.join(known)}"
        return f"{document.at_key(path)}: unknown key '{_key(path)}'; {hint}"
    return f"{document.at_value(path)}: {_key(path)}: {_expected(path, problems, document)}"


def _expected(path: Path, problems: list[ErrorDetails], document: Document) -> str:
    """Say what a value should be, and what it is."""
    first = problems[0]
    context = first.get("ctx", {})
    if first["type"] in RANGES:
        return RANGES[first["type"]].format(written=document.text(path), **context)
    if first["type"] == "value_error":
        return str(context["error"]).replace("\n", "; ")
    types = [TYPES[each["type"]].format(**each.get("ctx", {})) for each in problems if each["type"] in TYPES]
    if not types:
        return first["msg"]
    quotes = "; put it in quotes" if types == [TYPES["string_type"]] else ""
    return f"expected {' or '.join(types)}, not {_describe(document, path)}{quotes}"


def _describe(document: Document, path: tuple[str | int, ...]) -> str:
    """Name a value of the wrong type as it was written, and what to write where that is plain."""
    value: Any = document.values
    for step in path:
        value = value[step]
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"
    if value is None:
        return "nothing"
    text = document.text(path)
    if isinstance(value, bool):
        return f"{text} (a boolean)"
    if isinstance(value, float):
        hint = f"; write {int(value)}" if value.is_integer() and abs(value) <= MAX_SIZE else ""
        return f"{text} (a decimal number){hint}"
    if isinstance(value, str):
        hint = f"; write {text} without quotes" if text.isascii() and text.isdigit() else ""
        return f'"{text}" (text){hint}'
    return f"{text} (a whole number)"
