"""Why two conventions give two numbers: the difference of their totals, term by term, with formulas.

A term is what one kind of operation adds to the difference in one phase; an erratum is a term of its
own. Each formula comes out of the layers that the counts come out of, called with symbols for sizes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from tcost.conventions import convention_of
from tcost.cost import Result, Row, result_of
from tcost.estimators import UNDEFINED, Estimate, estimates
from tcost.exact import Size
from tcost.kinds import KINDS, Phase, free
from tcost.settings import Settings
from tcost.symbols import BATCH, Symbol, algebra, in_letters, letters_of, symbols_of, written_out
from tcost.training_step import Spec

Group: TypeAlias = tuple[str, Phase]
"""A kind of operation, or the layer of an erratum, in a phase."""


class Amount(NamedTuple):
    """What one convention counts more than another one."""

    macc: Size
    flop: Size


@dataclass(frozen=True, kw_only=True)
class Term:
    """What one kind of operation adds, in one phase, to the difference of two conventions.

    The formulas are Python in the symbols of the reconciliation, and give `macc` and `flop`.
    """

    title: str
    kind: str
    phase: Phase
    macc: int
    flop: int
    macc_formula: str
    flop_formula: str


@dataclass(frozen=True, kw_only=True)
class Reconciliation:
    """Two results for the same training step, and the terms that lead from one to the other, largest first.

    The terms' sums are exactly `difference`. `estimates` sets published estimators beside convention
    `exact`; it is empty for encoder-decoders.
    """

    from_: Result
    to: Result
    terms: tuple[Term, ...]
    symbols: tuple[Symbol, ...]
    estimates: tuple[Estimate, ...]

    @property
    def not_estimated(self) -> str:
        """Why there are no estimates; nothing where there are."""
        return "" if self.estimates else UNDEFINED

    @property
    def difference(self) -> Amount:
        """The totals of `to` less those of `from_`."""
        before, after = self.from_.totals, self.to.totals
        return Amount(after.macc - before.macc, after.flop - before.flop)


def reconcile(spec: Spec, from_: str, to: str, settings: Settings = Settings()) -> Reconciliation:
    """Return why a training step's totals under convention `to` are not those under `from_`.

    The convention of the settings is neither. Raises InputError as `tcost.training_step.step_of` does, and where
    SymPy, which writes the formulas, is not installed.
    """
    sizes = spec.at(settings.context, settings.encoder_context)
    sides = [replace(settings, convention=name) for name in (from_, to)]
    before, after = (result_of(spec, side) for side in sides)
    symbols = symbols_of(sizes, settings.batch)
    letters = letters_of(symbols)
    lettered = {"context": None, "encoder_context": None, "batch": letters.get(BATCH, 1)}
    formulas = _formulas(*(result_of(in_letters(sizes, letters), replace(side, **lettered)) for side in sides))
    terms = [
        _term(group, amount, formulas[group], before, after)
        for group, amount in _differences(before, after).items()
        if amount.macc or amount.flop
    ]
    return Reconciliation(
        from_=before,
        to=after,
        terms=tuple(sorted(terms, key=lambda term: (-abs(term.flop), -abs(term.macc)))),
        symbols=symbols,
        estimates=estimates(sizes),
    )


def _group(row: Row) -> Group:
    return str(row.layer if row.kind == "erratum" else row.kind), row.phase


def _differences(before: Result, after: Result) -> dict[Group, Amount]:
    """Return, for every group of rows of either result, what `after` has more than `before`."""
    differences: dict[Group, Amount] = {}
    for sign, result in ((-1, before), (1, after)):
        for row in result.rows:
            sums = differences.get(_group(row), Amount(0, 0))
            differences[_group(row)] = Amount(sums.macc + sign * row.macc, sums.flop + sign * row.flop)
    return differences


def _term(group: Group, amount: Amount, formulas: tuple[str, str], before: Result, after: Result) -> Term:
    name, phase = group
    if name not in KINDS:
        title, kind = name, "erratum"
    else:
        sides = [(result, [row for row in result.rows if _group(row) == group]) for result in (before, after)]
        in_both = all(rows for _, rows in sides)
        reasons = "; ".join(filter(None, (_reason(group, *side, in_both=in_both) for side in sides)))
        what = f"{name}, {phase}".replace("_", " ")
        title, kind = f"{what}: {reasons}" if reasons else what, name
    return Term(
        title=title,
        kind=kind,
        phase=phase,
        macc=amount.macc,
        flop=amount.flop,
        macc_formula=formulas[0],
        flop_formula=formulas[1],
    )


def _reason(group: Group, result: Result, rows: Sequence[Row], *, in_both: bool) -> str:
    """Say how a convention's count of a kind in a phase departs from what the model executes, or nothing.

    `rows` are the group's; what some of them lack explains a difference only where both sides have rows.
    """
    convention = convention_of(result.convention)
    override = convention.overrides.get(group)
    missing = dict.fromkeys(_absent_name(row, convention.absent) for row in rows if row.note)
    reasons = []
    if convention.einsums_only and not KINDS[group[0]].is_einsum:
        reasons.append("not counted")
    elif override:
        reasons.append(override.what)
    elif not rows:
        reasons.append("not in the model")
    if missing and in_both and not (override and override.count is free):
        reasons.append(f"without {', '.join(missing)}")
    return f"{', '.join(reasons)} ({convention.name})" if reasons else ""


def _absent_name(row: Row, absent: frozenset[str]) -> str:
    """Return the operation or layer that a convention's model does not have."""
    name = str(row.operation)
    return (name if name in absent else str(row.layer).rpartition(".")[2]).replace("_", " ")


def _formulas(before: Result, after: Result) -> dict[Group, tuple[str, str]]:
    """Return the MACC and FLOP difference of every group, of results in letters, as factored polynomials."""
    sympy = algebra()

    def text(size: Size) -> str:
        return str(sympy.factor(written_out(size)))

    return {group: (text(amount.macc), text(amount.flop)) for group, amount in _differences(before, after).items()}
