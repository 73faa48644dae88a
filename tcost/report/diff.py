"""What has changed between two training steps, as a table."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tcost.diff import Change, Difference, Differences, Snapshot
from tcost.report import length, of_models, settings_of, slips_of, title_of
from tcost.report.tables import Section, Table, in_turn
from tcost.report.words import NOTHING, Format, format_of, heading, words_of
from tcost.text import visible
from tcost.units import change

SECTIONS = ("macc", "flop", "parameters", "memory_bytes")
"""The measures that are shown by layer."""

ARROW = " → "

LABEL_WIDTH = 31
"""Of longer labels the rest goes on in the next line, so that the widest table has 100 columns."""


def difference_tables(found: Differences, *, integers: bool = False) -> list[Table]:
    """Return a table per pair of steps: a line per layer and phase that has changed, and every total.

    What has no match on the other side is said below the last one.
    """
    tables = [difference_table(pair, integers=integers) for pair in found.pairs]
    alone = tuple(f"only in {side}: {_names(steps)}" for side, steps in sides_alone(found))
    last = tables[-1]
    return [*tables[:-1], replace(last, notes=(*last.notes, *alone))]


def sides_alone(found: Differences) -> Iterator[tuple[str, Sequence[Snapshot]]]:
    """Yield each side that has steps without a match, and these."""
    yield from ((side, steps) for side, steps in (("base", found.only_base), ("head", found.only_head)) if steps)


def difference_table(pair: Difference, *, integers: bool = False) -> Table:
    """Return one pair of steps as a table, in SI and binary units or exact integers."""
    sections = [_section(pair, measure, integers=integers) for measure in SECTIONS]
    peak = _cells(pair.total("peak_bytes"), format_of("peak_bytes", integers=integers))
    sections.append(Section((("peak", "", *peak),), has_total=True))
    before = f"{visible(pair.base.spec)}{ARROW}" if pair.base.spec != pair.head.spec else ""
    return Table(
        title=f"{before}{title_of(pair.head)}",
        settings="\n".join((settings_of(pair.head), *_changed(pair))),
        columns=("", "phase", "base", "head", "difference", "change"),
        sections=tuple(sections),
        notes=tuple(_notes(pair)),
        text_columns=2,
        text_width=LABEL_WIDTH,
        goes=in_turn(4, 2, 3),
    )


def _section(pair: Difference, measure: str, *, integers: bool) -> Section:
    """Lines of what has changed, the layer said on its first one, and the total."""
    amount = format_of(measure, integers=integers)
    lines, last = [], None
    for each in pair.changes(measure):
        label = "" if each.layer == last else _label(pair, each.layer)
        lines.append((label, words_of(each.part), *_cells(each, amount)))
        last = each.layer
    total = ("total", "", *_cells(pair.total(measure), amount))
    return Section((*lines, total), heading(measure.removesuffix("_bytes")), has_total=True)


def _label(pair: Difference, layer: str) -> str:
    """Return a layer with the number of its copies, or both numbers where they differ."""
    copies = [number for number in dict.fromkeys(pair.copies(layer)) if number not in (None, 1)]
    return visible(layer) + (f" × {ARROW.join(map(str, copies))}" if copies else "")


def _cells(each: Change, amount: Format) -> tuple[str, ...]:
    """Return both amounts and, where they differ, the difference with its sign and the change."""
    base, head = (NOTHING if number is None else amount(number) for number in (each.base, each.head))
    difference = f"{'+' if each.difference > 0 else ''}{amount(each.difference)}" if each.difference else NOTHING
    return base, head, difference, change_of(each)


def change_of(each: Change) -> str:
    """Return a relative change in percent, or in a word where there is no number for it."""
    if not each.difference:
        return NOTHING
    if not each.base or each.ratio is None:
        return "new"
    return "gone" if each.head is None else change(each.ratio)


def _changed(pair: Difference) -> Iterator[str]:
    """Say in one line, or none, what the amounts depend on and is not the same on both sides."""
    words = []
    for name, values in pair.settings.items():
        before, after = (str(value).lower() if isinstance(value, bool) else str(value) for value in values)
        if name != "spec":
            words.append(f"{words_of(name)} {before}{ARROW}{after}")
    if words:
        yield f"not the same: {', '.join(words)}"


def _notes(pair: Difference) -> Iterator[str]:
    changed = {each.layer for measure in SECTIONS for each in pair.changes(measure)}
    same = [layer for layer in pair.head.copies if layer not in changed]
    if not changed:
        yield "nothing has changed"
    elif same:
        yield f"unchanged: {', '.join(map(visible, same))}"
    yield from of_models((pair.base, pair.head))
    yield f"memory: everything that a step holds, in {pair.head.storage}; the most at one moment is the peak"
    yield f"not counted: {', '.join(map(visible, pair.head.not_counted))}"
    yield from map(visible, slips_of((pair.base, pair.head)))


def _names(steps: Sequence[Snapshot]) -> str:
    return ", ".join(
        f"{visible(each.spec)} under {visible(each.algo)}, context {length(each.context)}" for each in steps
    )
