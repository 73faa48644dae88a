"""JSON Schemas of what tcost reads and writes, and what reads documents, of the one description: pydantic is of here.

A key's description is the docstring below its field, read from the source when a schema is asked for: pydantic's
`use_attribute_docstrings` would read it at every start.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, make_dataclass
from functools import cache
from itertools import pairwise
from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from tcost.documents.writing import PARTS, Omitted, described
from tcost.errors import unknown
from tcost.settings import Settings

JsonSchema = dict[str, Any]

GROUPED = r"^[-+]?[0-9]+(_[0-9]+)+$"
"""A whole number such as 50_257, which is text in YAML 1.2 and a number in tcost."""


def reader_of(kind: Any) -> TypeAdapter[Any]:
    """Return what reads documents of a kind, and knows their schema: a number in quotes is no number."""
    for each in PARTS:
        if "__dataclass_fields__" not in each.__dict__:
            _make_dataclass(each)
    return TypeAdapter(kind)


def _make_dataclass(kind: Any) -> None:
    """Make a part a dataclass of which nothing may lack but what is left out, no setting either."""
    own = kind.__annotations__
    if Settings in kind.__bases__:
        for each in fields(Settings):
            of: Any = each.type
            own.setdefault(each.name, _required(of) if hasattr(of, "__dataclass_fields__") else of)
            setattr(kind, each.name, field(metadata=each.metadata))
    each_of = {each.name: each for each in described(kind)}
    for name, of in own.items():
        if of is Omitted or (name in each_of and each_of[name].is_left):
            setattr(kind, name, None)
        elif name in each_of and each_of[name].key != name:
            own[name] = Annotated[of, Field(alias=each_of[name].key)]
    kind.__pydantic_config__ = {"strict": True, **getattr(kind, "__pydantic_config__", {})}
    dataclass(frozen=True, kw_only=True)(kind)


@cache
def _required(kind: Any) -> Any:
    """Return a class like that of a setting, of which nothing may lack."""
    names = [(each.name, each.type, field(metadata=each.metadata)) for each in fields(kind)]
    return make_dataclass(kind.__name__, names, namespace={"__doc__": kind.__doc__}, frozen=True, kw_only=True)


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
    from tcost.spec import ModelSpec

    return _json_schema("tcost spec", TypeAdapter(ModelSpec), _OfYaml)


def _result() -> JsonSchema:
    """Return the schema of every document that tcost writes as JSON, and of a line of a sweep's JSON lines.

    Fields that it does not know are allowed, because `schema_version` stays as it is when one is added.
    """
    from tcost.documents.every import AnyDocument

    said = {"description": "A document that tcost writes as JSON, or a line of its JSON lines."}
    return _json_schema("tcost result", reader_of(AnyDocument), _OfJson) | said


def _budget() -> JsonSchema:
    """Return the schema of a file of budgets, tcost.yaml.

    Omits: whether a text is an amount or a percentage, and whether what is named is there; `tcost check` says these.
    """
    from tcost.spec.budgets import BudgetFile

    return _json_schema("tcost budget", TypeAdapter(BudgetFile), _OfYaml)


SCHEMAS: Mapping[str, Callable[[], JsonSchema]] = {"spec": _spec, "result": _result, "budget": _budget}
"""What makes each schema, by its name on the command line."""


def _json_schema(title: str, of: TypeAdapter[Any], generator: type[GenerateJsonSchema]) -> JsonSchema:
    found = of.json_schema(schema_generator=generator)
    for each in (found, *found.get("$defs", {}).values()):
        each.pop("title", None)
    return {"$schema": GenerateJsonSchema.schema_dialect, "title": title, **found}


def descriptions(kind: type) -> dict[str, str]:
    """Return the docstring below each field of a class and of those that it is made from, or a setting's help."""
    found: dict[str, str] = {}
    for cls in reversed(kind.__mro__):
        found |= cls.__dict__.get("ALSO", {})
        if is_dataclass(cls):
            found |= {each.name: each.metadata["help"] for each in fields(cls) if "help" in each.metadata}
        if cls.__module__.startswith("tcost."):
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

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        kind: Any = schema["cls"]
        found = super().dataclass_schema(schema)
        known, said = described(kind), descriptions(kind)
        properties = found["properties"]
        return {
            **found,
            "description": " ".join(str(kind.__doc__).split()),
            "properties": {each.key: {**properties[each.key], "description": said[each.name]} for each in known},
            "required": [each.key for each in known if not each.is_left],
        }

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


class _OfYaml(_OfJson):
    """The same with defaults, and with whole numbers that have underscores between their digits."""

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        as_text = {"type": ["integer", "string"], "pattern": GROUPED, "patternErrorMessage": "expected a whole number"}
        return super().int_schema(schema) | as_text

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return GenerateJsonSchema.default_schema(self, schema)
