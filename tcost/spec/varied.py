"""A spec with some of its sizes replaced by others."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from tcost.errors import InputError, unknown
from tcost.exact import Size
from tcost.spec.model import ModelSpec


def with_values(spec: ModelSpec, values: Mapping[str, Size]) -> ModelSpec:
    """Return a spec in which keys have other sizes; `experts.n_experts` is a key inside a part.

    Whole numbers are checked as those of a file are. Raises InputError for a key that is not a size of the
    spec, and for values that the model cannot have.
    """
    varied = spec
    for name, value in values.items():
        varied = _replaced(varied, name, name.split("."), value)
    if all(isinstance(value, int) for value in values.values()):
        at = ", ".join(f"{name} {value}" for name, value in values.items())
        _check(varied, f"{spec.name} at {at}")
    return varied


def _replaced(part: Any, name: str, path: list[str], value: Size) -> Any:
    key, *rest = path
    if not isinstance(part, BaseModel) or key not in type(part).model_fields:
        known = type(part).model_fields if isinstance(part, BaseModel) else ()
        raise unknown("size to vary", name, [*known, "batch"] if isinstance(part, ModelSpec) else known)
    inner = getattr(part, key)
    return part.model_copy(update={key: _replaced(inner, name, rest, value) if rest else value})


def _check(spec: ModelSpec, what: str) -> None:
    """Validate a spec once more."""
    try:
        ModelSpec.model_validate(spec.model_dump(warnings=False))
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(map(str, problem["loc"]))
        raise InputError(f"{what}: {f'{key}: ' if key else ''}{problem['msg']}") from None
