"""What `tcost reconcile` writes."""

from collections.abc import Iterator
from typing import Any

from tcost.cost import Result
from tcost.documents.formula import ValuedSymbol
from tcost.documents.parts import Document, Step
from tcost.documents.writing import Omitted, as_csv, as_json, content, described, part
from tcost.kinds import Phase
from tcost.reconcile import Reconciliation as Found
from tcost.units import percent


@part
class Amount:
    """What a convention counts, or one more than another one."""

    macc: int
    """Multiply-accumulate operations."""
    flop: int
    """Floating-point operations, as many for a MACC as the convention says."""


@part
class Side:
    """The totals under one of two conventions."""

    convention: str
    """The counting convention."""
    totals: Amount
    """The totals under it."""


@part
class Reason:
    """Why two conventions differ."""

    title: str
    """Kind, phase and reason, in words."""
    kind: str
    """Kind of the operation, or erratum."""
    phase: Phase
    """Phase of the training step."""


@part
class Term(Amount, Reason):
    """What one kind of operation adds, in one phase, to the difference of two conventions."""

    macc_formula: str
    """The MACCs as Python in the letters of the symbols."""
    flop_formula: str
    """The FLOPs, likewise."""


@part
class Estimate:
    """What a published estimator gives for one sequence, beside convention `exact`."""

    name: str
    """Who published it."""
    source: str
    """Where, and what it counts."""
    formula: str
    """The estimator as Python in the letters of the symbols; P are all parameters, P_act and P_in some of them."""
    flop: int
    """The FLOPs that it gives."""
    exact_flop: int
    """Those of convention `exact`."""
    error_percent: float
    """Its error in percent, with three significant digits."""


@part
class Reconciled(Step):
    """The step whose totals are reconciled, whatever the convention."""

    convention: Omitted


@part
class Reconciliation(Reconciled):
    """Why two conventions give two numbers."""

    from_: Side
    """The totals that the terms start at."""
    to: Side
    """The totals that they lead to."""
    difference: Amount
    """The second totals less the first, which is the sum of the terms."""
    symbols: list[ValuedSymbol]
    """The letters of the formulas."""
    terms: list[Term]
    """What makes the difference, the largest first."""
    estimates: list[Estimate]
    """Published estimators; none for encoder-decoders."""
    not_estimated: str
    """Why there are no estimates; empty where there are."""


@part
class ReconcileDocument(Document):
    """What `tcost reconcile` writes."""

    reconciliation: Reconciliation
    """The two totals, and the terms between them."""


def to_json(found: Found) -> str:
    """Return a reconciliation as JSON: both totals, the terms between them, symbols and estimates."""
    step = content(Reconciled, found.from_)
    return as_json(
        ReconcileDocument, reconciliation=content(Reconciliation, found, **step, estimates=_estimates(found))
    )


def to_csv(found: Found) -> str:
    """Return a reconciliation as CSV: a line for each total, term and estimate; `part` says which it is."""
    step = content(Reconciled, found.from_)
    nothing = dict.fromkeys(["part", *(each.key for each in described(Term)), "exact_flop", "error_percent"])
    return as_csv(step | nothing | line for line in _lines(found))


def _lines(found: Found) -> Iterator[dict[str, Any]]:
    yield _total("from", found.from_)
    yield from ({"part": "term"} | content(Term, term) for term in found.terms)
    yield _total("to", found.to)
    for each in _estimates(found):
        amounts = {name: each[name] for name in ("flop", "exact_flop", "error_percent")}
        yield {"part": "estimate", "title": each["name"], "flop_formula": each["formula"]} | amounts


def _total(part: str, side: Result) -> dict[str, Any]:
    return {"part": part, "title": side.convention} | content(Amount, side.totals)


def _estimates(found: Found) -> Iterator[dict[str, Any]]:
    """Yield what each estimator gives for one sequence; an encoder-decoder has none."""
    for each in found.estimates:
        numbers = {"flop": each.flop, "exact_flop": each.exact, "error_percent": percent(each.error)}
        yield content(Estimate, each.estimator, **numbers)
