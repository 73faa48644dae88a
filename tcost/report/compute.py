"""What one training step costs: the answer, then where it is spent."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from tcost.cost import By, Result, Row
from tcost.kinds import PHASES
from tcost.report import Group, foreign_kinds, groups_of, of_models, settings_of
from tcost.report.tables import Section, Table, in_turn
from tcost.report.words import HEADINGS, NOTHING, Format, bytes_in_words, format_of, words_of
from tcost.text import visible
from tcost.units import share

SMALL = Fraction(1, 1000)
"""The share below which layers are one line."""

FEW_PHASES = 3
"""Phases that fit a terminal of 80 columns beside their total."""

MAX_NOTES = 3
"""Notes below a table, of which the rest is told where to be found."""


def result_table(
    result: Result,
    by: By = "layer",
    measure: str = "flop",
    said: Sequence[str] = (),
    *,
    paper: Result | None = None,
    integers: bool = False,
) -> Table:
    """Return one result as a table: the answer, with what convention `paper` says where that is given, then its parts.

    These are layers or operations with their amounts of one measure of work, or phases. The first notes are what is
    `said` of the same step.
    """
    amount = format_of(integers=integers)
    columns, lines = _by_phase(result, amount) if by == "phase" else _by_layer(result, by, measure, amount)
    return Table(
        title=f"{visible(result.spec)} under {result.algo}: {_work(result, amount)}",
        settings=f"{_sizes(result, paper, amount, integers=integers)}\n{settings_of(result)}",
        columns=columns,
        sections=(Section(tuple(lines), has_total=True),),
        notes=tuple(_notes(result, said, [line[0] for line in lines])),
        goes=in_turn(5, 3, 1, 2) if by == "phase" else _goes(len(columns)),
    )


def _work(result: Result, amount: Format) -> str:
    """Return the FLOPs in words: of the step, of a token, and how many times six for each parameter that it uses."""
    totals, tokens = result.totals, result.batch * result.context
    per_token = (2 * totals.flop + tokens) // (2 * tokens)
    token = "token of the decoder" if result.encoder_context else "token"
    words = f"{amount(totals.flop)} FLOPs per step, {amount(per_token)} per {token}"
    if totals.active_parameters <= 0:
        return words
    ratio = Fraction(totals.flop, tokens * 6 * totals.active_parameters)
    which = "parameters" if totals.active_parameters == totals.parameters else "active parameters"
    return f"{words}, {float(ratio):.3g} × 6 × {which}"


def _sizes(result: Result, paper: Result | None, amount: Format, *, integers: bool) -> str:
    """Return in words the parameters, all and some, the MACCs, those under `paper`, and the peak."""
    totals, held = result.totals, bytes_in_words(integers=integers)
    some = {"active": totals.active_parameters, "trained": totals.trained_parameters}
    idle = [f"{amount(number)} {which}" for which, number in some.items() if number != totals.parameters]
    published = f" ({amount(paper.totals.macc)} under paper)" if paper else ""
    parameters = ", ".join((f"{amount(totals.parameters)} parameters", *idle))
    peak = f"peak memory {held(result.memory.peak.bytes)}"
    return f"{parameters}; {amount(totals.macc)} MACCs{published}; {peak}"


def _by_layer(result: Result, by: By, measure: str, amount: Format) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return columns and lines: a line per layer or operation, a column per phase that runs."""
    phases = [phase for phase in PHASES if any(row.phase == phase for row in result.rows)]
    whole = sum(row.amount(measure) for row in result.rows)

    def line(label: str, rows: Sequence[Row]) -> tuple[str, ...]:
        if not rows:
            return (label, *[""] * (len(phases) + 3))
        of_phases = ([row for row in rows if row.phase == phase] for phase in phases)
        cells = (amount(sum(row.amount(measure) for row in own)) if own else NOTHING for own in of_phases)
        part, learned = sum(row.amount(measure) for row in rows), sum(row.parameters for row in rows)
        return (
            label,
            *cells,
            amount(part),
            share(part, whole).removesuffix(" %"),
            amount(learned) if learned else NOTHING,
        )

    groups = groups_of(result.rows, by)
    shown = [line(*group) for group in (_folded(groups, measure, whole) if by == "layer" else groups)]
    lines = [*shown, line("total", result.rows)]
    return (HEADINGS[measure], *map(words_of, phases), "total", "share %", "params"), lines


def _folded(groups: Sequence[Group], measure: str, whole: int) -> list[Group]:
    """Return the layers, those of a small share as one behind the others; a slip is none of them, nor is one alone."""

    def is_small(rows: Sequence[Row]) -> bool:
        part = sum(row.amount(measure) for row in rows)
        return rows[0].kind != "erratum" and abs(part) < SMALL * abs(whole)

    small = [rows for _, rows in groups if is_small(rows)]
    if len(small) <= 1:
        return list(groups)
    large = [(label, rows) for label, rows in groups if not is_small(rows)]
    return [*large, (f"other ({len(small)} layers)", [row for rows in small for row in rows])]


def _goes(number: int) -> tuple[tuple[int, ...], ...]:
    """Return what goes where there is no room: of many phases the shares and parameters, else the phases together."""
    phases, share_, parameters = tuple(range(1, number - 3)), (number - 2,), (number - 1,)
    before = ((*share_, *parameters),) if len(phases) > FEW_PHASES else ()
    return (*before, phases, (*phases, *share_), (*phases, *share_, *parameters))


def _by_phase(result: Result, amount: Format) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return columns and lines: a line per phase that runs, with its runs, MACCs and FLOPs."""
    whole = result.totals
    lines: list[tuple[str, ...]] = []
    for phase, part in result.phases.items():
        runs = {row.runs for row in result.rows if row.phase == phase}
        if runs:
            macc, flop = part.macc, part.flop
            shares = share(macc, whole.macc), share(flop, whole.flop)
            often = "-".join(dict.fromkeys(map(str, (min(runs), max(runs)))))
            lines.append((words_of(phase), often, amount(macc), shares[0], amount(flop), shares[1]))
    lines.append(("total", "", amount(whole.macc), share(1, 1), amount(whole.flop), share(1, 1)))
    return ("phase", "runs", "MACCs", "share", "FLOPs", "share"), lines


def _notes(result: Result, said: Sequence[str], labels: Sequence[str]) -> Iterator[str]:
    """Yield what a reader should know, at most MAX_NOTES, and of the marks of labels only where there are some."""
    is_marked = any(label.endswith(" *") for label in labels)
    marks = dict.fromkeys(f"* {row.note}" for row in result.rows if row.note and is_marked)
    not_counted = f"not counted: {', '.join(result.not_counted)}"
    notes = [*said, *of_models([result]), *marks, *foreign_kinds([result]), not_counted]
    yield from notes if len(notes) <= MAX_NOTES else notes[: MAX_NOTES - 1]
    if len(notes) > MAX_NOTES:
        yield f"{len(notes) - MAX_NOTES + 1} more notes: --format json"
