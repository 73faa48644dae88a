"""Break-even points, as a table."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from tcost.breakeven import Beside, BreakEven
from tcost.cost import Result
from tcost.cost.measures import is_memory
from tcost.report import length, notes_of, slips_of
from tcost.report.tables import Section, Table, in_turn
from tcost.report.words import NOTHING, heading
from tcost.settings import in_words
from tcost.text import visible
from tcost.units import change, grouped


def breakeven_table(found: Sequence[BreakEven], results: Sequence[Result]) -> Table:
    """Return break-even points as a table: a line per measure and rule that the first one is set against.

    `results` are those of the same step at the spec's own sizes, which say what is not counted.
    """
    first, axis = found[0].first, found[0].axis.name
    lines = [
        (
            _name(each),
            each.second,
            "never" if each.start is None else grouped(each.start),
            _change(each.below),
            _change(each.at),
            _limit(each),
        )
        for each in found
    ]
    result = results[0]
    slips = slips_of(each.memory for each in results) if any(is_memory(each.measure) for each in found) else ()
    return Table(
        title=f"{visible(result.spec)}: from which {axis} on {first} is cheaper",
        settings=f"{in_words(results, [axis])}{_context(result, axis)}",
        columns=("", "than", axis, "change before", "change there", "ratio at infinity"),
        sections=(Section(tuple(lines)),),
        notes=tuple(dict.fromkeys((*_notes(found), *notes_of(results), *slips))),
        text_columns=2,
        goes=in_turn(5, 3, 4),
    )


def _name(each: BreakEven) -> str:
    """Return what is compared; of memory it is the same whether in bytes or in elements."""
    return heading(each.measure.removesuffix("_bytes").removesuffix("_elements"))


def _context(result: Result, axis: str) -> str:
    """Return the sizes of the step that the axis leaves as they are."""
    context = "" if axis == "context_length" else f", context {length(result.context)}"
    has_encoder = result.encoder_context and axis != "encoder_context_length"
    return f"{context}, encoder context {length(result.encoder_context)}" if has_encoder else context


def _change(beside: Beside | None) -> str:
    if beside is None:
        return NOTHING
    return change(Fraction(beside.first - beside.second, beside.second)) if beside.second else NOTHING


def _limit(each: BreakEven) -> str:
    """Return the ratio of the two rules at infinity, where the axis goes on for ever."""
    if not each.is_open:
        return NOTHING
    return "∞" if each.limit is None else f"{float(each.limit):.3g}"


def _notes(found: Sequence[BreakEven]) -> Iterator[str]:
    yield f"change: of {found[0].first} against the other rule, at the value before the break-even point and at it"
    for each in found:
        runs = [run for run in each.cheaper if run[0] != each.start]
        words = [f"{low:,} to {high:,}" if high != low else f"{low:,}" for low, high in runs if high is not None]
        if words:
            is_all = each.start is None
            where = f"{'only ' if is_all else ''}at {each.axis.name} {', '.join(words)}{'' if is_all else ', too'}"
            yield f"{_name(each)}: {each.first} is cheaper than {each.second} {where}"
