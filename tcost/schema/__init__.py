"""The shape of what tcost reads and writes, as JSON Schemas and, in the modules here, as types."""

from collections.abc import Callable, Mapping
from typing import Any

from tcost.errors import unknown

JsonSchema = dict[str, Any]


def schema_of(name: str) -> JsonSchema:
    """Return the JSON Schema (draft 2020-12) of that name, or raise InputError with the names that there are."""
    if name not in SCHEMAS:
        raise unknown("schema", name, SCHEMAS)
    return SCHEMAS[name]()


def _spec() -> JsonSchema:
    """Return the schema of a model spec.

    Omits: what only shows together, such as heads that do not divide the model's width, and the range of a
    number with underscores; `tcost compute` says these.
    """
    from tcost.schema.generation import json_schema
    from tcost.spec import ModelSpec

    return json_schema("tcost spec", ModelSpec, is_yaml=True)


def _result() -> JsonSchema:
    """Return the schema of every document that tcost writes as JSON, and of a line of a sweep's JSON lines.

    Fields that it does not know are allowed, because `schema_version` stays as it is when one is added.
    """
    from tcost.schema.documents import AnyDocument
    from tcost.schema.generation import json_schema

    return json_schema("tcost result", AnyDocument)


def _budget() -> JsonSchema:
    """Return the schema of a file of budgets, tcost.yaml.

    Omits: whether a text is an amount or a percentage, and whether what is named is there; `tcost check` says these.
    """
    from tcost.schema.generation import json_schema
    from tcost.spec.budgets import BudgetFile

    return json_schema("tcost budget", BudgetFile, is_yaml=True)


SCHEMAS: Mapping[str, Callable[[], JsonSchema]] = {"spec": _spec, "result": _result, "budget": _budget}
"""What makes each schema, by its name on the command line."""
