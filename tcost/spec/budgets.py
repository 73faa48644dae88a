"""The file of budgets, `tcost.yaml`: its keys, and what they may be."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, create_model, field_validator

from tcost.bundled import BUNDLED, name_of
from tcost.cost.measures import MEASURES, amount_of
from tcost.errors import InputError
from tcost.settings import options
from tcost.spec.document import Decimal
from tcost.spec.files import parse_document, read_text
from tcost.spec.parts import Count, Part
from tcost.units import MAX_TEXT, parse_percent

DEFAULT_FILE = "tcost.yaml"

Model = TypeVar("Model", bound=Part)


def _as_written(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value.text
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Written = Annotated[str, BeforeValidator(_as_written), WithJsonSchema({"type": ["integer", "string"]})]
"""An amount as on the command line: 2.4T, 7e9 and 1_000 as they were written, which is exact."""


def _with_keys(kind: type[Model], keys: Mapping[str, tuple[Any, str]]) -> type[Model]:
    """Return a class that has further keys, each of a type, which may be left out."""
    own: Any = {name: (of | None, Field(default=None, description=meaning)) for name, (of, meaning) in keys.items()}
    return create_model(kind.__name__, __base__=kind, __module__=__name__, __doc__=kind.__doc__, **own)


def _with_measures(kind: type[Model]) -> type[Model]:
    """Let a class have a key for each measure."""
    return _with_keys(kind, {name: (Written, each.meaning) for name, each in MEASURES.items()})


def _with_settings(kind: type[Model]) -> type[Model]:
    """Let a class have a key for each option of a setting but the rule, of which there may be several."""
    asked = [each for each in options() if each.name != "algo"]
    return _with_keys(kind, {each.name: (_type_of(each.type), each.help_of_saved) for each in asked})


def _type_of(option: Any) -> Any:
    return Count if option is int else option


@_with_measures
class Measures(Part):
    """A value for some measures of a training step."""


class Maxima(Measures):
    """The most that is allowed: `2.4T`, `130M` or a whole number; of bytes also `24GiB`."""

    @field_validator("*", mode="after")
    @classmethod
    def _check(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            amount_of(str(info.field_name), value)
        return value


class Growths(Measures):
    """How much more than before is allowed, such as `5%`."""

    @field_validator("*", mode="after")
    @classmethod
    def _check(cls, value: str | None) -> str | None:
        if value is not None:
            parse_percent(value)
        return value


@_with_settings
class Limits(Part):
    """What is limited, and how steps are priced; as `defaults`, what every budget has that does not say otherwise."""

    max: Maxima = Maxima()
    """The most that is allowed, by measure."""
    max_growth: Growths = Growths()
    """How much more than in `against` is allowed, by measure."""
    against: str | None = None
    """What was before: a JSON result of `tcost compute`, or a spec."""
    algos: Annotated[list[str], Field(min_length=1)] | None = None
    """Learning rules; those of a saved result, else bp."""


class Budget(Limits):
    """The budget of one spec."""

    spec: str
    """A YAML file or a Hugging Face config.json, from this file's folder, or the name of a bundled spec."""


class BudgetFile(Part):
    """Budgets of many specs."""

    defaults: Limits = Limits()
    """What every budget has that does not say otherwise."""
    budgets: Annotated[list[Budget], Field(min_length=1)]
    """A budget for each spec."""


def read_budgets(path: str) -> list[Budget]:
    """Return the budgets of a file, the paths in them as seen from here, and what its defaults say filled in.

    Raises InputError for a file that cannot be read, and for keys and values that cannot be, each with its place.
    """
    if path != "-" and not os.path.lexists(path):
        raise InputError(f"there is no file of budgets {path}\ngive a SPEC and limits, or write {DEFAULT_FILE}")
    file = parse_document(BudgetFile, *read_text(path), MAX_TEXT)
    folder = Path() if path == "-" else Path(path).parent
    return [_whole(each, file.defaults, folder) for each in file.budgets]


def _whole(budget: Budget, defaults: Limits, folder: Path) -> Budget:
    """Return a budget with what the defaults say where it says nothing, and its paths from their folder."""
    given = {name: getattr(each, name) for each in (defaults, budget) for name in each.model_fields_set}
    against = given.get("against")
    paths = {"spec": _from(folder, budget.spec), "against": _from(folder, against) if against else None}
    return budget.model_copy(update=given | paths)


def _from(folder: Path, word: str) -> str:
    """Return a path from a folder, or the name of a bundled spec where it has no such file."""
    path = folder / word
    is_bundled = name_of(word) in BUNDLED and not os.path.lexists(path)
    return word if is_bundled else str(path)
