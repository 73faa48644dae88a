"""What `tcost memory` writes."""

from collections.abc import Iterable, Sequence
from typing import Any

from tcost.cost import Result
from tcost.documents.parts import Document, Held, Many, MemoryRow, Slip, Step, StepHeld
from tcost.documents.writing import Left, as_csv, as_json, content, part
from tcost.memory.budget import Budget as Within
from tcost.memory.fitting import Fitting as Change


@part
class Budget:
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


@part
class Fitting:
    """A change after which the step fits."""

    change: str
    """An option of the command line, or what is to be trained."""
    peak: int
    """The bytes at the peak then."""


@part
class MemoryResult(StepHeld):
    """What one training step holds under a learning rule."""

    budget: Left[Budget]
    """The budget, where one was given."""
    fitting: Many[Fitting]
    """The changes that each make a step fit that does not, the smallest peak first."""
    notes: Many[str]
    """What to know about the model."""
    slips: Many[Slip]
    """The slips in published totals that are among the rows."""
    rows: Many[MemoryRow]
    """What is held by layer and category."""


@part
class MemoryDocument(Document):
    """What `tcost memory` writes."""

    results: list[MemoryResult]
    """A result for each learning rule."""


def to_json(results: Iterable[Result], budgets: Iterable[Within | None], changes: Iterable[Sequence[Change]]) -> str:
    """Return what steps hold as JSON: what it depends on, sums and peak, rows, and the budget where there is one."""
    each = zip(results, budgets, changes, strict=True)
    return as_json(MemoryDocument, results=[_described(*one) for one in each])


def _described(result: Result, budget: Within | None, fitting: Sequence[Change]) -> dict[str, Any]:
    memory = result.memory
    return content(
        MemoryResult, result, **held_in(result), budget=budget, fitting=fitting, slips=memory.slips, rows=memory.rows
    )


def to_csv(
    results: Iterable[Result], _budgets: Iterable[Within | None] = (), _changes: Iterable[Sequence[Change]] = ()
) -> str:
    """Return what steps hold as CSV, one line per layer and category, and one for the peak."""
    return as_csv(
        content(Step, result) | content(MemoryRow, line)
        for result in results
        for line in (
            *result.memory.rows,
            {"layer": "", "category": "peak"} | content(Held, result.memory.peak),
        )
    )


def held_in(result: Result) -> dict[str, Any]:
    """Return the sums of what a step holds, its peak, and the operation at work then where the convention has one."""
    return {"memory": result.memory.sums, "peak_at": result.memory.peak_moment}
