"""Tidy rows, of which every total, table and export is a group-by."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias

from tcost.conventions import Convention, Slip
from tcost.cost.prices import Priced, sum_of
from tcost.exact import Size
from tcost.kinds import PHASES, Phase, Scalars
from tcost.memory import Memory
from tcost.settings import Settings

By: TypeAlias = Literal["layer", "phase", "operation"]

PARAMETERS: Mapping[str, str] = {
    "parameters": "Learned parameters.",
    "active_parameters": "Learned parameters that one token uses: of experts, those that it goes through.",
    "trained_parameters": "Learned parameters that are trained: of adapters beside a frozen model, the adapters'.",
}
"""The numbers of parameters that rows and totals have, and what each is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row(Priced):
    """The cost of one operation in one phase of a training step: all its copies, runs and sequences.

    `parameters` is what the operation learns; it stands on the forward row alone, so that rows add up.
    `active_parameters` are those that one token uses: of experts, those that it chooses. `trained_parameters` are
    those that are trained: what is frozen has none.
    A field that a grouping has merged is None. `scalars` has the numbers of each scalar operation, which the
    `convention` prices, `note` what sets the row apart.
    """

    layer: str | None
    operation: str | None
    kind: str | None
    phase: Phase
    repeats: Size
    runs: int
    scalars: Scalars
    convention: Convention = field(repr=False)
    parameters: Size = 0
    active_parameters: Size = 0
    trained_parameters: Size = 0
    note: str = ""


@dataclass(frozen=True)
class Amount(Priced):
    """An exact amount of work."""

    scalars: Scalars
    convention: Convention = field(repr=False)


@dataclass(frozen=True)
class Totals(Amount):
    """The work of a training step, and the number of learned parameters: all, those of a token, those trained."""

    parameters: Size
    active_parameters: Size
    trained_parameters: Size


@dataclass(frozen=True, kw_only=True)
class Result(Settings):
    """The rows of one model under some settings; the contexts are the model's where no others were asked for."""

    spec: str
    overrides: Mapping[str, Size]
    """What was asked for in the place of the spec's own `context` and `encoder_context`."""
    rows: tuple[Row, ...]
    not_counted: tuple[str, ...]
    """What the convention leaves out, in words."""
    slips: tuple[Slip, ...]
    """The slips in published totals that are among the rows."""
    notes: tuple[str, ...]
    """What the spec says that a reader should know."""
    priced_as_exact: tuple[str, ...]
    """The kinds of operation that the convention's model does not have, priced as convention `exact` does."""
    memory: Memory = field(repr=False, compare=False)
    """What the step has to hold, found when it is asked for."""

    @cached_property
    def totals(self) -> Totals:
        """The sums of all rows."""
        return Totals(**_sums(self.rows), convention=self._convention)

    @property
    def phases(self) -> dict[Phase, Amount]:
        """The sum of each phase's rows: all four that a rule may have, and the two that options add where they do."""
        ran = {row.phase for row in self.rows}
        optional = {"recomputed_forward": "recomputed_forward" in ran, "optimizer_step": self.optimizer != "none"}
        phases = [phase for phase in PHASES if optional.get(phase, True)]
        return {phase: total((row for row in self.rows if row.phase == phase), self._convention) for phase in phases}

    @property
    def _convention(self) -> Convention:
        return self.memory.step.convention


def total(rows: Iterable[Row], convention: Convention) -> Amount:
    """Return the sum of the work of rows under a convention."""
    return Amount(sum_of(row.scalars for row in rows), convention)


def group_by(rows: Iterable[Row], by: By) -> list[Row]:
    """Merge rows that share a phase and, unless `by` is "phase", a layer; "operation" merges nothing.

    Groups keep the order of their first row. A merged row keeps `repeats` where its rows agree.
    """
    if by == "operation":
        return list(rows)
    groups: dict[tuple[str | None, Phase], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.layer if by == "layer" else None, row.phase), []).append(row)
    return [_merge(layer, group) for (layer, _), group in groups.items()]


def merged(rows: Sequence[Row]) -> list[Row]:
    """Return rows in which an operation that was traced in parts, each with copies of its own, is one row per phase."""
    found: dict[tuple[str | None, str | None, Phase], Row] = {}
    for row in rows:
        key = (row.layer, row.operation, row.phase)
        found[key] = _sum(found[key], row) if key in found else row
    return list(found.values())


def _sum(a: Row, b: Row) -> Row:
    return replace(a, repeats=a.repeats + b.repeats, **_sums((a, b)))


def _merge(layer: str | None, rows: Sequence[Row]) -> Row:
    first = rows[0]
    return Row(
        layer=layer,
        operation=None,
        kind=None,
        phase=first.phase,
        repeats=first.repeats if all(row.repeats == first.repeats for row in rows) else None,
        runs=first.runs,
        convention=first.convention,
        **_sums(rows),
    )


def _sums(rows: Iterable[Row]) -> dict[str, Any]:
    """Return the sum of the scalar operations of rows, and of each number of parameters."""
    rows = list(rows)
    parameters = {name: sum(getattr(row, name) for row in rows) for name in PARAMETERS}
    return {"scalars": sum_of(row.scalars for row in rows), **parameters}
