"""What the operations of a layer execute, as tables: pattern, formula, the formula in numbers, and the sum."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from tcost.conventions import convention_of
from tcost.explain import Count, Explained, Explanation
from tcost.formulas.writing import letter_text, shortest
from tcost.kinds import PHASES
from tcost.report import notes_of, settings_of, title_of
from tcost.report.tables import GAP, WIDTH, Section, Table, in_turn, legend
from tcost.report.words import Format, format_of, words_of
from tcost.symbols import Symbol
from tcost.text import pretty
from tcost.units import grouped

COLUMNS = ("operation", "executes", "times", "MACCs", "FLOPs")

NARROW = 80
"""Columns of a terminal that a table keeps to where that leaves formulas the room of COMFORT; else it takes WIDTH."""

COMFORT = 32

LEAST = 17
"""Columns of a formula, whatever else there is."""


def explanation_tables(explanation: Explanation, *, integers: bool = False) -> list[Table]:
    """Return a table for each layer: its operations phase by phase, then how to read them and who says so."""
    amount = format_of(integers=integers)
    paths = dict.fromkeys(each.layer for each in explanation.operations)
    return [
        _table(explanation, path, [each for each in explanation.operations if each.layer == path], amount)
        for path in paths
    ]


def _table(explanation: Explanation, path: str, operations: Sequence[Explained], amount: Format) -> Table:
    sections = tuple(_sections(operations, explanation.symbols, amount))
    result, doc = explanation.result, explanation.documentation[path]
    return Table(
        title=f"{path}: {title_of(result)}",
        settings=f"{settings_of(result)}\nexecutes: in one copy, run and sequence; times: how many of these there are",
        columns=COLUMNS,
        sections=sections,
        notes=tuple(dict.fromkeys(filter(None, (doc, *_notes(explanation, operations), *notes_of([result]))))),
        text_columns=2,
        text_width=_text_width(sections),
        goes=in_turn(3, 2),
    )


def _text_width(sections: Sequence[Section]) -> int:
    """Return the width that the other columns leave to formulas."""
    first = max(len(text) for each in sections for text in (each.heading, *(line[0] for line in each.lines)))
    numbers = list(zip(COLUMNS, *(line for each in sections for line in each.lines), strict=True))[2:]
    taken = first + sum(max(map(len, cells)) for cells in numbers) + GAP * len(COLUMNS)
    return max(LEAST, NARROW - taken, min(COMFORT, WIDTH - taken))


def _sections(operations: Sequence[Explained], symbols: tuple[Symbol, ...], amount: Format) -> Iterable[Section]:
    """Return a section for each phase with its sum, and the sum of all where there are several."""
    shown: set[str] = set()
    ordered = sorted(operations, key=lambda each: PHASES.index(each.phase))
    phases = 0
    for phase, group in groupby(ordered, key=lambda each: each.phase):
        own = list(group)
        told = [each for each in own if each.operation not in shown or not each.nothing]
        lines = [line for each in told for line in _lines(each, symbols, amount, is_new=each.operation not in shown)]
        shown |= {each.operation for each in own}
        lines.append(_total("total", own, amount))
        phases += 1
        runs = max(each.runs for each in own)
        yield Section(tuple(lines), words_of(phase) + (f" × {runs}" if runs != 1 else ""), has_total=True)
    if phases > 1:
        yield Section((_total("all phases", operations, amount),), has_total=True)


def _total(name: str, operations: Iterable[Explained], amount: Format) -> tuple[str, ...]:
    amounts = [each.amount for each in operations]
    return (name, "", "", amount(sum(each.macc for each in amounts)), amount(sum(each.flop for each in amounts)))


def _lines(
    explained: Explained, symbols: tuple[Symbol, ...], amount: Format, *, is_new: bool
) -> Iterable[tuple[str, ...]]:
    """Return the lines of an operation: what it is where it is new, a line per count, and what was said of it."""
    cells = [[f"{words_of(explained.kind)}: {explained.pattern}", "", "", ""]] if is_new else []
    for counts in _alike(explained.counts):
        sums = replace(explained, counts=tuple(counts)).amount
        macc = amount(sums.macc) if counts[0].scalar == "macc" else ""
        cells.append([_count(counts, symbols), grouped(explained.times), macc, amount(sums.flop)])
    cells += [[text, "", "", ""] for text in (explained.nothing, explained.citation) if text]
    cells = cells or [["", "", "", ""]]
    for index, line in enumerate(cells):
        yield (explained.operation if index == 0 else "", *line)


def _alike(counts: Iterable[Count]) -> list[list[Count]]:
    """Return counts in groups of equal formula and price; a MACC stands alone."""
    groups: dict[tuple[object, ...], list[Count]] = {}
    for each in counts:
        groups.setdefault((each.formula, each.price, each.scalar == "macc"), []).append(each)
    return list(groups.values())


def _count(counts: Sequence[Count], symbols: tuple[Symbol, ...]) -> str:
    """Return the name, formula, formula in numbers and number of scalar operations of which there are equally many."""
    names = ", ".join(each.scalar for each in counts) + (" each" if len(counts) > 1 else "")
    text, number = letter_text(shortest(counts[0].formula)), grouped(counts[0].number)
    parts = dict.fromkeys((pretty(text), pretty(in_numbers(text, symbols)), number))
    return f"{names} {' = '.join(parts)}"


def in_numbers(formula: str, symbols: Iterable[Symbol]) -> str:
    """Return a formula with the values of its letters in their place: `1024*768**2` for `M*d**2`."""
    values = {each.name: str(each.value) for each in symbols}
    return re.sub(r"[A-Za-z]\w*", lambda word: values.get(word[0], word[0]), formula)


def _notes(explanation: Explanation, operations: Sequence[Explained]) -> Iterable[str]:
    """Say what letters and axes stand for, what scalar operations cost, and what kinds execute."""
    yield legend(explanation.symbols)
    sizes = dict.fromkeys((axis, size) for each in operations for axis, size in each.axes.items())
    if sizes:
        yield f"axes: {', '.join(f'{axis} {size}' for axis, size in sizes)}"
    prices = dict.fromkeys((count.scalar, count.price) for each in operations for count in each.counts)
    if prices:
        yield f"FLOPs: {', '.join(f'{price} per {scalar}' for scalar, price in prices)}"
    convention = convention_of(explanation.result.convention)
    yield f"{convention.name}: {convention.source}"
    for each in operations:
        if each.derivation and (each.counts or not each.nothing or each.nothing == "nothing is executed"):
            is_of_kind = each.phase != "optimizer_step"
            yield f"{words_of(each.kind)}: {each.derivation}" if is_of_kind else each.derivation
