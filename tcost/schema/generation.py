"""From pydantic's models to JSON Schemas that an editor can show.

A key's description is the docstring below its field, read from the source when a schema is asked for: pydantic's
`use_attribute_docstrings` would read it at every start.
"""

import ast
import inspect
import textwrap
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

GROUPED = r"^[-+]?[0-9]+(_[0-9]+)+$"
"""A whole number such as 50_257, which is text in YAML 1.2 and a number in tcost."""


def json_schema(title: str, model: type[BaseModel], *, is_yaml: bool = False) -> dict[str, Any]:
    """Return the JSON Schema of a model, whose documents are read from YAML or written as JSON."""
    found = model.model_json_schema(schema_generator=_OfYaml if is_yaml else _OfJson)
    for each in (found, *found.get("$defs", {}).values()):
        each.pop("title", None)
    return {"$schema": GenerateJsonSchema.schema_dialect, "title": title, **found}


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstring below each field of a model and of those that it is made from."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if issubclass(cls, BaseModel) and cls is not BaseModel:
            tree: Any = ast.parse(textwrap.dedent(inspect.getsource(cls)))
            for field, below in pairwise(tree.body[0].body):
                match field, below:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                        found[name] = " ".join(text.split())
    return found


class _OfJson(GenerateJsonSchema):
    """Descriptions from docstrings, and neither the titles that pydantic makes of names nor defaults."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  # the same for all fields
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        found = super().model_schema(schema)
        model = schema["cls"]
        found["description"] = " ".join(str(model.__doc__).split())
        if properties := found.get("properties"):
            for name, text in descriptions(model).items():
                properties[model.model_fields[name].alias or name]["description"] = text
        return found

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


class _OfYaml(_OfJson):
    """The same with defaults, and with whole numbers that have underscores between their digits."""

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        as_text = {"type": ["integer", "string"], "pattern": GROUPED, "patternErrorMessage": "expected a whole number"}
        return super().int_schema(schema) | as_text

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return GenerateJsonSchema.default_schema(self, schema)
