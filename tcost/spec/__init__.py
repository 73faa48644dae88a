"""Model specs: YAML in, a validated `ModelSpec` out. The only package that knows pydantic and PyYAML."""

from tcost.spec.files import (
    draft_spec_of,
    import_spec_from,
    load_spec,
    parse_any,
    parse_document,
    parse_spec,
    read_spec,
    read_text,
    to_yaml,
)
from tcost.spec.model import ModelSpec
from tcost.spec.varied import with_values

__all__ = [
    "ModelSpec",
    "draft_spec_of",
    "import_spec_from",
    "load_spec",
    "parse_any",
    "parse_document",
    "parse_spec",
    "read_spec",
    "read_text",
    "to_yaml",
    "with_values",
]
