"""What `tcost explain` writes."""

from typing import Any

from tcost.documents.formula import Symbol
from tcost.documents.parts import Amount, Document, Step
from tcost.documents.writing import as_json, content, part
from tcost.explain import Explained
from tcost.explain import Explanation as Found
from tcost.formulas import python_text, shortest
from tcost.kinds import Phase


@part
class Count:
    """How many of one scalar operation one copy, run and sequence execute."""

    scalar: str
    """The scalar operation."""
    formula: str
    """How many, as Python in the letters of the symbols."""
    count: int
    """How many."""
    flop_each: int
    """The FLOPs that one is charged as."""


@part
class Executed:
    """What an operation executes, and why."""

    layer: str
    """Path of the layer."""
    operation: str
    """Name of the operation in its layer."""
    kind: str
    """Kind of the operation."""
    phase: Phase
    """Phase of the training step."""
    pattern: str
    """Axes of operands, weight and output, or the shape of the output."""
    axes: dict[str, int]
    """The size of each axis that is named."""
    copies: int
    """Copies of the operation in the model."""
    runs: int
    """How often the phase runs."""
    times: int
    """How often the counts are executed: copies, runs and sequences."""
    derivation: str
    """What the kind executes, in words; empty where the convention charges something else."""
    citation: str
    """What the convention charges in its place; empty where it does not."""
    nothing: str
    """Why there are no counts; empty where there are."""
    counts: list[Count]
    """How many of each scalar operation."""


@part
class Operation(Amount, Executed):
    """What an operation executes in a phase; its amounts are those of all copies, runs and sequences."""


@part
class Explanation(Step):
    """What operations execute in a training step, and what that depends on."""

    symbols: list[Symbol]
    """The letters that occur."""
    documentation: dict[str, str]
    """What each layer is, its shapes and its source, by its path."""
    operations: list[Operation]
    """Every operation and phase."""
    not_counted: list[str]
    """What the convention leaves out, in words."""
    priced_as_exact: list[str]
    """Kinds of operation that the convention's model does not have, priced as convention `exact` does."""


@part
class ExplainDocument(Document):
    """What `tcost explain` writes."""

    explanation: Explanation
    """What operations execute."""


def to_json(explanation: Found) -> str:
    """Return what operations execute as JSON: counts of one copy, run and sequence, and the sums of all."""
    own = {name: getattr(explanation, name) for name in ("symbols", "documentation")}
    operations = list(map(_operation, explanation.operations))
    return as_json(ExplainDocument, explanation=content(Explanation, explanation.result, **own, operations=operations))


def _operation(explained: Explained) -> dict[str, Any]:
    counts = [
        {
            "scalar": each.scalar,
            "formula": python_text(shortest(each.formula)),
            "count": each.number,
            "flop_each": each.price,
        }
        for each in explained.counts
    ]
    return {**vars(explained), **explained.amount.amounts, "counts": counts}
