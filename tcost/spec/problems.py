"""What is said when a spec does not validate: every problem with its place, and what would be right."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tcost.errors import InputError, nearest
from tcost.sizes import MAX_SIZE
from tcost.spec.document import Document, Path
from tcost.spec.model import ModelSpec

MAX_PROBLEMS = 10
"""What is said of one spec; the others show once these are mended."""


def validate(document: Document) -> ModelSpec:
    """Return the spec that a document holds, or raise InputError with every problem and its place."""
    try:
        return ModelSpec.model_validate(document.values)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        missing = [f"'{_key(problem, document)}'" for problem in problems if problem["type"] == "missing"]
        others = [problem for problem in problems if problem["type"] != "missing"]
        messages = [_message(problem, document) for problem in others[:MAX_PROBLEMS]]
        if len(others) > MAX_PROBLEMS:
            messages.append(f"{document.where}: and {len(others) - MAX_PROBLEMS:,} problems more")
        if missing:
            messages.append(f"{document.where}: missing {', '.join(missing)}")
        raise InputError("\n".join(messages)) from None


def _message(problem: ErrorDetails, document: Document) -> str:
    """Say what is wrong with one key, where, and what would be right."""
    context = problem.get("ctx", {})
    path = _steps(problem, document) or (context["key"],)
    key = ".".join(map(str, path))
    match problem["type"]:
        case "shape":
            return f"{document.at_value(path)}: {problem['msg']}"
        case "extra_forbidden":
            close = nearest(key, ModelSpec.model_fields)
            hint = f"did you mean '{close}'?" if close else f"known: {', '.join(ModelSpec.model_fields)}"
            return f"{document.at_key(path)}: unknown key '{key}'; {hint}"
        case "int_type":
            expected = f"expected a whole number, not {_describe(document, path)}"
        case "bool_type":
            expected = f"expected true or false, not {_describe(document, path)}"
        case "literal_error":
            expected = f"expected {context['expected']}, not {_describe(document, path)}"
        case "string_type":
            expected = f"expected text, not {_describe(document, path)}; put it in quotes"
        case "greater_than_equal":
            expected = f"must be at least {context['ge']}, not {document.text(path)}"
        case "less_than_equal":
            expected = f"must be at most 10^18, not {document.text(path)}"
        case "string_too_short":
            expected = "must not be empty"
        case _:
            expected = problem["msg"]
    return f"{document.at_value(path)}: {key}: {expected}"


def _key(problem: ErrorDetails, document: Document) -> str:
    """Return the path of a key that is not there."""
    return ".".join(map(str, (*_steps(problem, document), problem["loc"][-1])))


def _steps(problem: ErrorDetails, document: Document) -> Path:
    """Return where a problem is in the document, without the alternatives of a value, which pydantic names, too."""
    path: Path = ()
    for step in problem["loc"]:
        path = (*path, step) if (*path, step) in document.nodes else path
    return path


def _describe(document: Document, path: Path) -> str:
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
