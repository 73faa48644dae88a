"""Predictions beside executions, as tables."""

from dataclasses import MISSING, fields, is_dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from tcost.report import context_of
from tcost.report.tables import Section, Table, in_turn
from tcost.report.words import Format, format_of, words_of
from tcost.settings import in_words, sequences
from tcost.text import visible
from tcost.units import grouped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import DataclassInstance

    from tcost.torch_check import Line, TorchCheck
    from tcost.verify import Verification


def verification_table(verification: "Verification") -> Table:
    """Return an executed step beside its prediction: a line per layer, phase and scalar operation."""
    lines: list[tuple[str, ...]] = []
    previous = ("", "")
    for line in verification.lines:
        where = (line.layer, words_of(line.phase))
        shown = (where[0] if where[0] != previous[0] else "", where[1] if where != previous else "")
        difference = f"{line.difference}{' DIFFERS' if line.mismatched else ''}"
        lines.append((*shown, line.scalar, grouped(line.predicted), grouped(line.executed), difference))
        previous = where
    predicted, executed = (
        sum(getattr(line, side) for line in verification.lines) for side in ("predicted", "executed")
    )
    lines.append(("total", "", "", grouped(predicted), grouped(executed), grouped(executed - predicted)))
    before, after = verification.predicted_peak, verification.executed_peak
    difference = f"{grouped(after - before)}{' DIFFERS' if before != after else ''}"
    alive = ("alive at once", "", "elements", grouped(before), grouped(after), difference)
    settings = verification.settings
    others = in_words([settings], ("convention", "batch", "optimizer"))
    own = f"{others}; " if others else ""
    verdict = "executed as predicted" if verification.holds else "DIFFERS"
    return Table(
        title=f"{visible(verification.sizes.name)} under {settings.algo}: {verdict}",
        settings=f"convention exact; {own}shrunk to {_shown(verification.sizes)}",
        columns=("layer", "phase", "operation", "predicted", "executed", "diff"),
        sections=(Section(tuple(lines), has_total=True), Section((alive,), has_total=True)),
        notes=(f"optimizer {settings.optimizer}; loss {verification.loss:.3f}, from random weights",),
        text_columns=3,
        goes=in_turn(4, 3),
    )


def _shown(part: "DataclassInstance") -> str:
    """Return the sizes of a model, or of a part that has its own, in words: those that are not their defaults."""
    shown = []
    for field in fields(part):
        value = getattr(part, field.name)
        if field.name in ("name", "notes") or value == field.default or (field.default is MISSING and value == 0):
            continue
        if is_dataclass(value) and not isinstance(value, type):
            value = f"({_shown(value)})"
        elif isinstance(value, frozenset | tuple):
            value = " ".join(map(str, sorted(value, key=str)))
        shown.append(f"{field.name} {value}")
    return ", ".join(shown)


def torch_check_table(check: "TorchCheck", *, integers: bool = False) -> Table:
    """Return predicted beside executed FLOPs by operation and phase; a difference is the sum over phases, unsigned."""
    amount = format_of(integers=integers)
    layers: dict[str, dict[str, list[Line]]] = {}
    for line in check.lines:
        layers.setdefault(line.layer, {}).setdefault(line.operation, []).append(line)
    cells: list[tuple[str, ...]] = []
    for layer, operations in layers.items():
        cells.append((layer, *[""] * (2 * len(check.totals) + 1)))
        cells += [_compared(f"  {operation}", lines, amount) for operation, lines in operations.items()]
    cells.append(_compared("total", check.totals, amount))
    built = f"{grouped(check.executed_parameters)} built"
    phases = [words_of(total.phase) for total in check.totals]
    return Table(
        title=f"{visible(check.spec)} under convention torch, and as {check.executed_class} executes it",
        settings=f"FLOPs, {sequences(check.batch)}, context {context_of(check, ', encoder context {}')}\n"
        f"parameters: {grouped(check.predicted_parameters)} predicted, {built}",
        columns=("", *(f"{phase} {side}" for phase in phases for side in ("predicted", "executed")), "difference"),
        sections=(Section(tuple(cells), has_total=True),),
        notes=check.notes,
        goes=tuple(accumulate((place, place + 1) for place in range(1, 2 * len(phases), 2))),
    )


def _compared(label: str, lines: "Sequence[Line]", amount: Format) -> tuple[str, ...]:
    pairs = [amount(flops) for line in lines for flops in (line.predicted, line.executed)]
    return (label, *pairs, amount(sum(abs(line.difference) for line in lines)))
