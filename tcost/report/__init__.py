"""Rows for people, as tables. Nothing here computes a count."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from tcost.cost import By, Result, Row
from tcost.kinds import PHASES
from tcost.learning_rules import learning_rule
from tcost.report.tables import Section, Table
from tcost.settings import in_words
from tcost.sizes import Size
from tcost.text import visible
from tcost.units import grouped, share, si

if TYPE_CHECKING:
    from tcost.diff import Snapshot
    from tcost.torch_check import TorchCheck

NOTHING = "-"
"""The cell of a phase in which nothing is executed; what is executed but not counted is 0."""

PARAMETERS = "parameters"

Measure: TypeAlias = Callable[[Row], Size]
Format: TypeAlias = Callable[[int], str]
Group: TypeAlias = tuple[str, list[Row]]


def result_table(result: Result, by: By = "layer", beside: Sequence[str] = (), *, integers: bool = False) -> Table:
    """Return one result as a table by layer, phase or operation, in SI units or exact integers.

    Its first notes are `beside`, what other settings say of the same step.
    """
    amount = grouped if integers else si
    columns, sections = _by_phase(result, amount) if by == "phase" else _by_layer(result, by, amount)
    parameters = f"\n{_parameters(result, amount)}" if by == "phase" or _has_idle_parameters(result) else ""
    marks = [] if by == "phase" else [f"* {note}" for _, rows in _groups(result.rows, by) for note in _notes(rows)]
    return Table(
        title=title_of(result),
        settings=f"{settings_of(result)}{parameters}",
        columns=columns,
        sections=sections,
        notes=(*beside, *dict.fromkeys(marks), *notes_of([result])),
    )


def title_of(result: "Result | Snapshot") -> str:
    """Return the model and the learning rule in words."""
    return f"{visible(result.spec)} under {learning_rule(result.algo).title} ({result.algo})"


def settings_of(result: "Result | Snapshot") -> str:
    """Return in words what a result depends on beside them."""
    return f"{in_words([result])}, {lengths_of(result)}"


def _by_layer(result: Result, by: By, amount: Format) -> tuple[tuple[str, ...], tuple[Section, ...]]:
    """Sections of MACCs, FLOPs and parameters: a line per layer or operation, a column per phase that runs."""
    phases = [phase for phase in PHASES if any(row.phase == phase for row in result.rows)]
    groups = [*_groups(result.rows, by), ("total", list(result.rows))]
    measures: dict[str, Measure] = {"MACCs": lambda row: row.macc, "FLOPs": lambda row: row.flop}
    sections = []
    for heading, measure in measures.items():
        by_phase = [[_amount([r for r in rows if r.phase == p], measure, amount) for p in phases] for _, rows in groups]
        sections.append(_section(heading, groups, by_phase, measure, amount))
    blank = [[""] * len(phases) for _ in groups]
    sections.append(_section(PARAMETERS, groups, blank, lambda row: row.parameters, amount))
    return ("", *(phase.replace("_", " ") for phase in phases), "total", "share"), tuple(sections)


def _section(
    heading: str, groups: Sequence[Group], by_phase: Sequence[Sequence[str]], measure: Measure, amount: Format
) -> Section:
    """Lines of a label, its cells by phase, its total and its share of the last group's, which is the whole."""
    whole = sum(map(measure, groups[-1][1]))
    lines: list[tuple[str, ...]] = []
    for (label, rows), cells in zip(groups, by_phase, strict=True):
        part = sum(map(measure, rows))
        if rows and (part or not _is_out_of_place(rows[0], heading)):
            lines.append((label, *cells, amount(part), share(part, whole)))
        elif not rows:
            lines.append((label, *[""] * (len(cells) + 2)))
    return Section(tuple(lines), heading, has_total=True)


def _is_out_of_place(row: Row, heading: str) -> bool:
    """Tell what has a line only where it is not zero: operations among parameters, errata of something else."""
    return heading == PARAMETERS or row.kind == "erratum"


def _groups(rows: Sequence[Row], by: By) -> list[Group]:
    """Return the rows of each layer or, under a label of its own for each layer, of each operation."""
    layers: dict[str | None, dict[str, list[Row]]] = {}
    for row in rows:
        layers.setdefault(row.layer, {}).setdefault(_operation(row), []).append(row)
    groups: list[Group] = []
    for layer, operations in layers.items():
        members = [row for rows in operations.values() for row in rows]
        repeats = members[0].repeats
        label = (f"{layer} × {repeats}" if repeats != 1 else str(layer)) + _mark(members)
        if by == "operation":
            groups += [(label, []), *operations.items()]
        else:
            groups.append((label, members))
    return groups


def _operation(row: Row) -> str:
    kind = "" if str(row.kind) in str(row.operation) else f" ({row.kind})"
    return f"  {row.operation}{kind}{_mark([row])}"


def _mark(rows: Sequence[Row]) -> str:
    return " *" if _notes(rows) else ""


def _notes(rows: Sequence[Row]) -> list[str]:
    """Return what sets rows apart together: nothing where it is only some of them."""
    return [row.note for row in rows] if all(row.note for row in rows) else []


def _by_phase(result: Result, amount: Format) -> tuple[tuple[str, ...], tuple[Section, ...]]:
    """One section: a line per phase that runs, with its runs, MACCs and FLOPs."""
    whole = result.totals
    lines = []
    for phase, part in result.phases.items():
        runs = {row.runs for row in result.rows if row.phase == phase}
        if runs:
            macc, flop = part.macc, part.flop
            shares = share(macc, whole.macc), share(flop, whole.flop)
            often = "-".join(dict.fromkeys(map(str, (min(runs), max(runs)))))
            lines.append((phase.replace("_", " "), often, amount(macc), shares[0], amount(flop), shares[1]))
    lines.append(("total", "", amount(whole.macc), share(1, 1), amount(whole.flop), share(1, 1)))
    return ("phase", "runs", "MACCs", "share", "FLOPs", "share"), (Section(tuple(lines), has_total=True),)


def _amount(rows: Sequence[Row], measure: Measure, amount: Format) -> str:
    return amount(sum(map(measure, rows))) if rows else NOTHING


def _has_idle_parameters(result: Result) -> bool:
    totals = result.totals
    return {totals.active_parameters, totals.trained_parameters} != {totals.parameters}


def _parameters(result: Result, amount: Format) -> str:
    """Return the number of parameters in words, and how many of them a token uses, and are trained, if not all."""
    totals = result.totals
    words = [f"{amount(totals.parameters)} parameters"]
    words += [f"{amount(totals.active_parameters)} active"] * (totals.active_parameters != totals.parameters)
    words += [f"{amount(totals.trained_parameters)} trained"] * (totals.trained_parameters != totals.parameters)
    return ", ".join(words)


def context_of(result: "Result | Snapshot | TorchCheck", encoder: str) -> str:
    """Return the context, and that of the encoder, where there is one, in the form of `encoder`."""
    second = encoder.format(length(result.encoder_context)) if result.encoder_context else ""
    return f"{length(result.context)}{second}"


def length(size: Size) -> str:
    """Return a length as it is read, or its letter."""
    return grouped(size) if isinstance(size, int) else str(size)


def lengths_of(result: "Result | Snapshot") -> str:
    """Return the context, and that of the encoder, in words: which of them are the spec's own, and what changes that.

    An encoder's that follows the context which was asked for is not the spec's own.
    """
    follows = "context" in result.overrides and result.encoder_context == result.context
    own = {"--context": "context" not in result.overrides and isinstance(result.context, int)}
    own["--encoder-context"] = bool(
        result.encoder_context and "encoder_context" not in result.overrides and not follows
    )
    options = ", ".join(option for option, is_own in own.items() if is_own)
    whose = f" (the spec's; {options})" if options else ""
    return f"context {context_of(result, ', encoder context {}')}{whose}"


def notes_of(results: Sequence[Result]) -> tuple[str, ...]:
    """Say once what the convention leaves out, and what each erratum of the results is."""
    slips = dict.fromkeys(f"{layer}: {slip}" for result in results for layer, slip in result.slips)
    return (*of_models(results), *foreign_kinds(results), f"not counted: {', '.join(results[0].not_counted)}", *slips)


def of_models(results: "Sequence[Result | Snapshot]") -> tuple[str, ...]:
    """Say once what a reader should know of each model."""
    return tuple(dict.fromkeys(visible(f"{each.spec}: {note}") for each in results for note in each.notes))


def foreign_kinds(results: Sequence[Result]) -> tuple[str, ...]:
    """Say in one line, or none, which kinds of operation the convention's model does not have."""
    foreign = ", ".join(dict.fromkeys(kind.replace("_", " ") for each in results for kind in each.priced_as_exact))
    return (f"not in the {results[0].convention}'s model, priced as in exact: {foreign}",) if foreign else ()


def memory_slips(results: Sequence[Result]) -> tuple[str, ...]:
    """Say once what each slip in published totals of stored activations is."""
    return tuple(dict.fromkeys(f"{layer}: {slip}" for each in results for layer, slip in each.memory.slips))
