"""What `tcost sweep --break-even` writes."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

from tcost.breakeven import BreakEven
from tcost.cost import Result
from tcost.documents.parts import Document, Length, Named
from tcost.documents.writing import Limit, Omitted, as_csv, as_json, content, part
from tcost.settings import Settings
from tcost.sweep.grid import OF_STEP

Run: TypeAlias = Annotated[tuple[int, int | None], Limit(strict=False)]
"""The first and the last of values in a row; a list in JSON, which a strict tuple would refuse."""


@part
class Beside:
    """What two learning rules cost at one value of the axis."""

    value: int
    """The value."""
    first: int
    """What the first rule costs."""
    second: int
    """What the second rule costs."""


@part
class Point:
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
    limit: Annotated[str, Limit(pattern="^([0-9]+/[0-9]+|infinity)$")] | None
    """Where the ratio of the first to the second goes with the axis: a fraction; null where the axis ends."""
    cheaper: list[Run]
    """First and last value of each run of values at which the first rule is cheaper; null: it goes on for ever."""
    at: Beside | None
    """Both rules at the start."""
    below: Beside | None
    """Both rules at the value before it."""


@part
class Settled(Settings, Named):
    """What all points depend on."""

    algo: Omitted
    context: Length | None
    """Length of what the model reads or writes; null where it is what varies."""
    encoder_context: Length | None
    """Length of what an encoder-decoder's encoder reads; null for other models, and where it is what varies."""
    batch: Length | None
    """Sequences per training step; null where they are what varies."""


@part
class BreakEvenDocument(Settled, Document):
    """What `tcost sweep --break-even` writes."""

    not_counted: list[str]
    """What the convention leaves out, in words."""
    points: list[Point]
    """One for each measure and pair of rules."""


def to_json(found: Sequence[BreakEven], results: Sequence[Result]) -> str:
    """Return break-even points as JSON: `start` is null where there is none, `limit` a ratio of two integers.

    `cheaper` has the first and the last value of every run of values at which the first rule is cheaper, null where
    that goes on for ever.
    """
    return as_json(
        BreakEvenDocument,
        **_settings(found, results),
        not_counted=results[0].not_counted,
        points=[{**_point(each), "at": each.at, "below": each.below} for each in found],
    )


def to_csv(found: Sequence[BreakEven], results: Sequence[Result]) -> str:
    """Return break-even points as CSV, one line per measure and pair of rules."""
    settings = _settings(found, results)
    return as_csv(
        settings
        | _point(each)
        | {
            f"{place}_{name}": beside and getattr(beside, name)
            for place, beside in (("at", each.at), ("below", each.below))
            for name in ("first", "second")
        }
        for each in found
    )


def _settings(found: Sequence[BreakEven], results: Sequence[Result]) -> dict[str, Any]:
    """Return what all points depend on, without what varies; what is of a backward is that of the rules with one."""
    axis = found[0].axis.name
    with_backward = next((each for each in results if each.memory.step.rule.runs["backward"]), results[0])
    return content(Settled, vars(with_backward) | {OF_STEP.get(axis, axis): None})


def _point(each: BreakEven) -> dict[str, Any]:
    limit = None if each.limit is None else f"{each.limit.numerator}/{each.limit.denominator}"
    return {
        "first": each.first,
        "second": each.second,
        "measure": each.measure,
        "axis": each.axis.name,
        "start": each.start,
        "limit": "infinity" if each.is_open and limit is None else limit,
        "cheaper": list(map(list, each.cheaper)),
    }
