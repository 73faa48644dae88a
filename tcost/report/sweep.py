"""A small sweep as a table."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from tcost.cost import Result
from tcost.cost.measures import is_memory
from tcost.errors import InputError
from tcost.learning_rules import learning_rule
from tcost.report import notes_of, slips_of
from tcost.report.tables import Section, Table, in_turn
from tcost.report.words import format_of, heading, words_of
from tcost.settings import in_words
from tcost.sweep.grid import OF_STEP, Sweep
from tcost.text import visible

if TYPE_CHECKING:
    from tcost.sweep.pricing import Part

MAX_ROWS = 1000
"""Rows that a person may want to read."""


def check_rows(sweep: Sweep) -> None:
    """Raise InputError for a sweep that is too long for a table."""
    if sweep.rows > MAX_ROWS:
        raise InputError(
            f"{sweep.rows:,} rows are too many for a table, which has at most {MAX_ROWS:,}\n"
            "choose --format csv, jsonl or parquet"
        )


def sweep_table(
    sweep: Sweep, parts: Iterable["Part"], corners: Sequence[Result] = (), *, integers: bool = False
) -> Table:
    """Return all rows of a sweep as a table: a section per convention, a line per point and rule.

    Bytes are in binary units, everything else in SI units, or all are exact integers. The notes are those of
    `corners`, the results at some points of the sweep.
    """
    lines: dict[str, dict[tuple[int, ...], list[tuple[str, ...]]]] = {name: {} for name in sweep.conventions}
    for part in parts:
        points = zip(*(column.tolist() for column in part.axes.values()), strict=True)
        columns = [map(format_of(name, integers=integers), each.tolist()) for name, each in part.measures.items()]
        for point, amounts in zip(points, zip(*columns, strict=True), strict=True):
            lines[part.chunk.convention].setdefault(point, []).append((part.chunk.algo, *amounts))
    has_rules, has_sections = len(sweep.algos) > 1, len(sweep.conventions) > 1
    sections = tuple(
        Section(tuple(_lines(sweep, by_point, has_rules=has_rules)), f"convention {name}" if has_sections else "")
        for name, by_point in lines.items()
    )
    first = len(sweep.axes) + has_rules
    return Table(
        title=_title(sweep),
        settings=", ".join(_settings(sweep)),
        columns=(
            *(words_of(axis.name) for axis in sweep.axes),
            *(["rule"] * has_rules),
            *map(heading, sweep.measures),
        ),
        sections=sections,
        notes=tuple(_notes(sweep, corners)),
        text_columns=first,
        goes=in_turn(*reversed(range(first + 1, first + len(sweep.measures)))),
    )


def _lines(
    sweep: Sweep, by_point: dict[tuple[int, ...], list[tuple[str, ...]]], *, has_rules: bool
) -> Iterator[tuple[str, ...]]:
    """Return the cells of each line; values of axes that are those of the line before are left out."""
    widths = [len(str(max(axis.values))) for axis in sweep.axes]
    before: tuple[str, ...] = ()
    for point, rules in by_point.items():
        for algo, *amounts in rules:
            values = tuple(f"{value:>{width}}" for value, width in zip(point, widths, strict=True))
            same = next((i for i, value in enumerate(values) if before[i : i + 1] != (value,)), len(values))
            yield (*[""] * same, *values[same:], *([algo] * has_rules), *amounts)
            before = values


def _title(sweep: Sweep) -> str:
    names = [axis.name for axis in sweep.axes]
    over = " and ".join([", ".join(names[:-1]), names[-1]] if names[:-1] else names)
    rules = ", ".join(sweep.algos)
    under = f"{learning_rule(rules).title} ({rules})" if len(sweep.algos) == 1 else rules
    return f"{visible(sweep.spec.name)} under {under}, over {over}"


def _settings(sweep: Sweep) -> Iterator[str]:
    """Return in words what all rows share."""
    names, settings = {axis.name for axis in sweep.axes}, sweep.settings
    plural = "s" * (len(sweep.conventions) > 1)
    yield f"convention{plural} {' and '.join(sweep.conventions)}"
    yield from filter(None, [in_words([settings], ("convention", *names))])
    sizes = sweep.spec.at(settings.context, settings.encoder_context)
    lengths = {"context_length": sizes.context_length, "encoder_context_length": sizes.encoder_context_length}
    yield from (f"{words_of(OF_STEP[name])} {n}" for name, n in lengths.items() if n and name not in names)


def _notes(sweep: Sweep, corners: Sequence[Result]) -> Iterator[str]:
    """Return the notes that `tcost compare` would have, those of a convention with its name where there are several."""
    if any("activations" in name for name in sweep.measures):
        yield f"stored activations: in {sweep.settings.storage.activations}; all that a step holds: tcost memory SPEC"
    for name in sweep.conventions:
        results = [result for result in corners if result.convention == name]
        where = f"under {name}, " if len(sweep.conventions) > 1 else ""
        slips = slips_of(each.memory for each in results) if any(map(is_memory, sweep.measures)) else ()
        yield from dict.fromkeys(f"{where}{note}" for note in (*notes_of(results), *slips))
