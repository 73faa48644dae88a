"""The documents that `tcost formula`, `tcost explain` and `tcost reconcile` write as JSON, as types."""

from typing import Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from tcost.kinds import Phase
from tcost.schema.results import Amount, Document, Erratum, Part, Settings, Sized, Step
from tcost.settings import Recompute


class ValuedSymbol(Part):
    """A letter of formulas."""

    name: str
    """The letter."""
    meaning: str
    """What it stands for."""
    value: int | None
    """Its value here; null where there is no spec."""


class Symbol(ValuedSymbol):
    """A letter of formulas, with where it comes from."""

    key: str
    """Its key in a spec, or batch; empty for what stands in formulas in other words."""


class Forms(Part):
    """Closed forms, as Python that is exact in integers."""

    macc: str
    """Of the MACCs."""
    flop: str
    """Of the FLOPs."""
    parameters: str | SkipJsonSchema[None] = None
    """Of the learned parameters; under `total` alone."""
    active_parameters: str | SkipJsonSchema[None] = None
    """Of those that one token uses; where they are not all."""
    trained_parameters: str | SkipJsonSchema[None] = None
    """Of those that are trained; where they are not all."""


class Copies(Part):
    """A layer, and how many of it the model has."""

    layer: str
    """Its path."""
    copies: int | str
    """How many, as a number or in letters."""


class FormulaPart(Part):
    """The closed forms of a whole model, which names no layers, or of layers whose closed forms are equal."""

    layers: list[Copies]
    """Those layers."""
    one_copy: bool
    """Whether the forms are of one copy, or of all together."""
    formulas: dict[Literal[Phase, "total"], Forms]
    """The forms of each phase, and of all together."""


class Formulas(Settings):
    """Closed forms of a training step, and what they depend on."""

    algo: str
    """Learning rule."""
    context: int | str
    """Length of what the model reads or writes, as a number or in letters."""
    encoder_context: int | str | None
    """Length of what an encoder-decoder's encoder reads, likewise; null for other models."""
    batch: int | str
    """Sequences per training step, likewise."""
    recompute: Recompute
    """What is not kept but computed again in the backward."""
    symbols: list[Symbol]
    """The letters that occur."""
    parts: list[FormulaPart]
    """The closed forms."""
    not_counted: list[str]
    """What the convention leaves out, in words."""
    priced_as_exact: list[str]
    """Kinds of operation that the convention's model does not have, priced as convention `exact` does."""
    errata: list[Erratum]
    """The slips in published totals that are counted."""


class FormulaDocument(Document):
    """What `tcost formula` writes."""

    formulas: Formulas
    """The closed forms."""


class Count(Part):
    """How many of one scalar operation one copy, run and sequence execute."""

    scalar: str
    """The scalar operation."""
    formula: str
    """How many, as Python in the letters of the symbols."""
    count: int
    """How many."""
    flop_each: int
    """The FLOPs that one is charged as."""


class Operation(Amount):
    """What an operation executes in a phase; its amounts are those of all copies, runs and sequences."""

    layer: str
    """Path of the layer."""
    operation: str
    """Name of the operation in its layer."""
    kind: str
    """Kind of the operation."""
    phase: Phase
    """Phase of the training step."""
    pattern: str
    """Axes of operands, weight and output, or the shape of the output."""
    axes: dict[str, int]
    """The size of each axis that is named."""
    copies: int
    """Copies of the operation in the model."""
    runs: int
    """How often the phase runs."""
    times: int
    """How often the counts are executed: copies, runs and sequences."""
    derivation: str
    """What the kind executes, in words; empty where the convention charges something else."""
    citation: str
    """What the convention charges in its place; empty where it does not."""
    nothing: str
    """Why there are no counts; empty where there are."""
    counts: list[Count]
    """How many of each scalar operation."""


class Explanation(Step):
    """What operations execute in a training step, and what that depends on."""

    symbols: list[Symbol]
    """The letters that occur."""
    documentation: dict[str, str]
    """What each layer is, its shapes and its source, by its path."""
    operations: list[Operation]
    """Every operation and phase."""
    not_counted: list[str]
    """What the convention leaves out, in words."""
    priced_as_exact: list[str]
    """Kinds of operation that the convention's model does not have, priced as convention `exact` does."""


class ExplainDocument(Document):
    """What `tcost explain` writes."""

    explanation: Explanation
    """What operations execute."""


class Side(Part):
    """The totals under one of two conventions."""

    convention: str
    """The counting convention."""
    totals: Amount
    """The totals under it."""


class Term(Amount):
    """What one kind of operation adds, in one phase, to the difference of two conventions."""

    title: str
    """Kind, phase and reason, in words."""
    kind: str
    """Kind of the operation, or erratum."""
    phase: Phase
    """Phase of the training step."""
    macc_formula: str
    """The MACCs as Python in the letters of the symbols."""
    flop_formula: str
    """The FLOPs, likewise."""


class Estimate(Part):
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


class Reconciliation(Sized):
    """Why two conventions give two numbers."""

    algo: str
    """Learning rule."""
    from_: Side = Field(alias="from")
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


class ReconcileDocument(Document):
    """What `tcost reconcile` writes."""

    reconciliation: Reconciliation
    """The two totals, and the terms between them."""
