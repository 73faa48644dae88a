"""What `tcost sweep` writes as JSON lines."""

from typing import ClassVar

from tcost.documents.parts import Length, Step
from tcost.documents.writing import Left, part


@part
class SweepRow(Step):
    """A line of the JSON lines that `tcost sweep` writes.

    What varies is there under its key, a size of the spec or `batch`, and every measure under its name.
    """

    __pydantic_config__: ClassVar = {
        "extra": "allow",
        "json_schema_extra": {"additionalProperties": {"type": "integer"}},
    }

    context: Left[Length]
    """Length of what the model reads or writes; left out where it varies."""
    encoder_context: Left[Length | None]
    """Length of what an encoder-decoder's encoder reads; null where it is the context, left out where it varies."""
    batch: Left[Length]
    """Sequences per training step."""
