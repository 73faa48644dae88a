"""Every document that tcost writes as JSON, as types: here what steps hold, break-even points and rows of a sweep."""

from typing import Annotated, TypeAlias

from pydantic import ConfigDict, Field, RootModel
from pydantic.json_schema import SkipJsonSchema

from tcost.schema.ci import CheckDocument, DiffDocument
from tcost.schema.formulas import ExplainDocument, FormulaDocument, ReconcileDocument
from tcost.schema.proofs import TorchCheckDocument, VerifyDocument
from tcost.schema.results import (
    ComputeDocument,
    Document,
    Erratum,
    Length,
    MemoryRow,
    Part,
    Settings,
    StepHeld,
)


class Budget(Part):
    """A number of bytes beside the peak of a step."""

    bytes: int
    """What there is."""
    fits: bool
    """Whether the step fits."""
    spare: int
    """What is left, less than nothing where the step does not fit."""
    largest_context: int | None
    """The largest context that fits at the step's batch; null where none does."""
    largest_batch: int | None
    """The largest batch that fits at the step's context; null where none does."""


class MemoryResult(StepHeld):
    """What one training step holds under a learning rule."""

    budget: Budget | SkipJsonSchema[None] = None
    """The budget, where one was given."""
    notes: list[str]
    """What to know about the model."""
    errata: list[Erratum]
    """The slips that are among the rows."""
    rows: list[MemoryRow]
    """What is held by layer and category."""


class MemoryDocument(Document):
    """What `tcost memory` writes."""

    results: list[MemoryResult]
    """A result for each learning rule."""


class Beside(Part):
    """What two learning rules cost at one value of the axis."""

    value: int
    """The value."""
    first: int
    """What the first rule costs."""
    second: int
    """What the second rule costs."""


Run: TypeAlias = Annotated[tuple[int, int | None], Field(strict=False)]
"""The first and the last of values in a row; a list in JSON, which a strict tuple would refuse."""


class Point(Part):
    """From where on a learning rule is cheaper than another in one measure."""

    first: str
    """The learning rule that is cheaper, if it is."""
    second: str
    """The learning rule that it is compared with."""
    measure: str
    """What is compared: `macc`, `flop`, or a column of a sweep."""
    axis: str
    """The size that varies: a key of the spec, or batch."""
    start: int | None
    """The first value from which on the first rule is cheaper; null where there is none."""
    limit: Annotated[str, Field(pattern="^([0-9]+/[0-9]+|infinity)$")] | None
    """Where the ratio of the first to the second goes with the axis: a fraction; null where the axis ends."""
    cheaper: list[Run]
    """First and last value of each run of values at which the first rule is cheaper; null: it goes on for ever."""
    at: Beside | None
    """Both rules at the start."""
    below: Beside | None
    """Both rules at the value before it."""


class BreakEvenDocument(Document, Settings):
    """What `tcost breakeven` writes."""

    batch: Length
    """Sequences per training step, where the batch is not what varies."""
    not_counted: list[str]
    """What the convention leaves out, in words."""
    points: list[Point]
    """One for each measure and pair of rules."""


class SweepRow(Part):
    """A line of the JSON lines that `tcost sweep` writes.

    What varies is there under its key, a size of the spec or `batch`, and every measure under its name.
    """

    model_config = ConfigDict(extra="allow", json_schema_extra={"minProperties": 5})

    __pydantic_extra__: dict[str, int]
    spec: str
    """Name of the model."""
    algo: str
    """Learning rule."""
    convention: str
    """Counting convention."""


class AnyDocument(
    RootModel[
        ComputeDocument
        | MemoryDocument
        | BreakEvenDocument
        | FormulaDocument
        | ExplainDocument
        | ReconcileDocument
        | VerifyDocument
        | TorchCheckDocument
        | DiffDocument
        | CheckDocument
        | SweepRow
    ]
):
    """A document that tcost writes as JSON, or a line of its JSON lines."""
