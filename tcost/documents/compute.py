"""What `tcost compute` writes, and `tcost compare` with the change of each result."""

from collections.abc import Iterable
from typing import Any, Literal

from tcost.cost import By, group_by
from tcost.cost import Result as Priced
from tcost.documents import memory
from tcost.documents.parts import Amount, Document, Length, Many, MemoryRow, Slip, Step, StepHeld, Totals
from tcost.documents.writing import Left, as_csv, as_json, content, part
from tcost.kinds import Phase


@part
class Phases:
    """The sum of the rows of each phase."""

    forward: Amount
    """Every forward pass of the learning rule."""
    backward: Amount
    """Gradients of activations."""
    weight_update: Amount
    """Gradients of weights, or what a rule has in their place."""
    error_projection: Amount
    """PEPITA's projection of the output error onto the input."""
    recomputed_forward: Left[Amount]
    """What runs again in the backward; left out where nothing does."""
    optimizer_step: Left[Amount]
    """What the optimizer does with the gradients; left out where there is none."""


@part
class Place:
    """An operation in a phase, or the operations that a grouping puts together."""

    layer: str | None
    """Path of the layer, or the name of an erratum; null where layers are put together."""
    operation: str | None
    """Name of the operation in its layer; null where operations are put together."""
    kind: str | None
    """Kind of the operation; null likewise."""
    phase: Phase
    """Phase of the training step."""
    repeats: int | None
    """Copies of the layer; null where those that are put together differ."""
    runs: int
    """How often the phase runs."""


@part
class Line(Totals, Place):
    """The cost of one operation in one phase, or of the operations that a grouping puts together.

    All copies, runs and sequences together, so that rows add up to the totals.
    """


@part
class Row(Line):
    """The same, with what only some rows have."""

    scalars: Left[dict[str, int]]
    """How many of each scalar operation; there with `--by operation` alone."""
    note: Left[str]
    """What sets the row apart; left out where nothing does."""


@part
class Change:
    """A change against the first learning rule of a comparison, in percent with three significant digits."""

    against: str
    """The first learning rule."""
    macc_percent: float
    """Of the MACCs."""
    flop_percent: float
    """Of the FLOPs."""
    stored_activations_percent: float
    """Of the bytes of stored activations."""
    peak_percent: float
    """Of the bytes of the peak."""


@part
class Changes:
    """The change under each of two conventions; null where its publication lacks what the model has."""

    exact: Change | None
    """Under `exact`."""
    paper: Change | None
    """Under `paper`."""


@part
class Result(StepHeld):
    """What one training step of a model costs under a learning rule and a convention."""

    overrides: dict[Literal["context", "encoder_context"], Length]
    """The lengths that were asked for in the place of the spec's own."""
    totals: Totals
    """The sums of all rows."""
    phases: Phases
    """The sums of the rows of each phase."""
    not_counted: Many[str]
    """What the convention leaves out, in words."""
    priced_as_exact: Many[str]
    """Kinds of operation that the convention's model does not have, priced as convention `exact` does."""
    notes: Many[str]
    """What to know about the model."""
    slips: Many[Slip]
    """The slips in published totals that are among the rows."""
    rows: Many[Row]
    """The cost by operation, or by what `--by` says, and phase."""
    memory_rows: Many[MemoryRow]
    """What is held by layer and category."""
    change: Left[Change]
    """The change against the first learning rule, under the result's own convention; there in a comparison alone."""
    changes: Left[Changes]
    """The same under the conventions that a comparison shows side by side; there in a comparison alone."""


@part
class ComputeDocument(Document):
    """What `tcost compute` and `tcost compare` write."""

    results: Many[Result]
    """A result for each learning rule; in a comparison for each spec, context and learning rule."""


def to_json(results: Iterable[Priced], by: By | None = None) -> str:
    """Return results as JSON: what they depend on, totals, phases and rows.

    Rows are those of `by`, operations when there is none; asked for by name, operations have their scalars.
    """
    return as_json(ComputeDocument, results=(described(each, by) for each in results))


def to_csv(results: Iterable[Priced], by: By | None = None) -> str:
    """Return results as CSV, one line per row, of operations where nothing else is asked for."""
    return as_csv(
        content(Step, result) | content(Line, row)
        for result in results
        for row in group_by(result.rows, by or "operation")
    )


def described(
    result: Priced, by: By | None, change: dict[str, Any] | None = None, changes: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return what a document has of a result; in a comparison, with its changes."""
    rows = [
        content(Row, row, scalars=row.scalars if by == "operation" else None, note=row.note or None)
        for row in group_by(result.rows, by or "operation")
    ]
    held = memory.held_in(result)
    return content(Result, result, **held, rows=rows, memory_rows=result.memory.rows, change=change, changes=changes)
