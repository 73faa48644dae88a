"""The documents that `tcost compute` and `tcost compare` write as JSON, as types.

A document is read with `ComputeDocument.model_validate(json.loads(text))`, which raises pydantic's ValidationError
for one that is not of this shape. Fields that a later version has added are ignored: `schema_version` stays as it is
when there are more. Whole numbers are of any size.
"""

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, FailFast, Field
from pydantic.json_schema import SkipJsonSchema

from tcost.kinds import Phase
from tcost.memory import Category
from tcost.settings import Dtype, Recompute
from tcost.sizes import AttentionKernel, Causal

Length = Annotated[int, Field(ge=1)]

Item = TypeVar("Item")
Many = Annotated[list[Item], FailFast()]
"""A list of which one wrong item is enough to refuse it."""


class Part(BaseModel):
    """A part of a document; a number in quotes or with a fraction is no whole number."""

    model_config = ConfigDict(strict=True, frozen=True)


class Tool(Part):
    """What made a document."""

    name: Literal["tcost"]
    """Its name."""
    version: str
    """Its version."""


class Document(Part):
    """What every document begins with."""

    schema_version: Literal[1]
    """Changes when a field is removed or changes its meaning, not when one is added."""
    tool: Tool
    """What made the document."""


class Amount(Part):
    """An exact amount of work, or a change of it."""

    macc: int
    """Multiply-accumulate operations."""
    flop: int
    """Floating-point operations, as many for a MACC as the convention says."""


class Totals(Amount):
    """What a training step costs in all."""

    parameters: int
    """Learned parameters, those of shared weights once where the convention counts them so."""
    active_parameters: int
    """Those that one token uses: of experts, those that it goes through."""
    trained_parameters: int | SkipJsonSchema[None] = None
    """Those that are trained: all of them, but for what is frozen; earlier versions did not write it."""


class Phases(Part):
    """The sum of the rows of each phase."""

    forward: Amount
    """Every forward pass of the learning rule."""
    backward: Amount
    """Gradients of activations."""
    weight_update: Amount
    """Gradients of weights, or what a rule has in their place."""
    error_projection: Amount
    """PEPITA's projection of the output error onto the input."""
    recomputed_forward: Amount | SkipJsonSchema[None] = None
    """What runs again in the backward; left out where nothing does."""
    optimizer_step: Amount | SkipJsonSchema[None] = None
    """What the optimizer does with the gradients; left out where there is none."""


class Storage(Part):
    """The types of the numbers that a step holds."""

    weights: Dtype
    """Of parameters and of PEPITA's fixed matrices."""
    gradients: Dtype
    """Of gradients of weights."""
    activations: Dtype
    """Of activations and of their gradients."""
    optimizer: Dtype
    """Of what the optimizer holds."""
    has_master_weights: bool
    """Whether the optimizer holds a copy of the weights in fp32."""


class Held(Part):
    """An amount of memory."""

    elements: int
    """How many numbers."""
    bytes: int
    """The bytes that they take."""


class Memory(Part):
    """What a training step holds, by category, and its peak."""

    parameters: Held
    """Every learned parameter."""
    gradients: Held
    """Gradients of the weights that are trained."""
    optimizer: Held
    """What the optimizer holds for each of them."""
    projection: Held
    """PEPITA's fixed matrices."""
    stored_activations: Held
    """What waits between a forward pass and what needs it."""
    indices: Held
    """Integers: tokens, positions, targets. They are not in the peak."""
    peak: Held
    """The most that is alive at one moment."""


class Peak(Part):
    """The operation at work when the most is alive."""

    phase: Phase
    """Its phase."""
    layer: str
    """The path of its layer."""
    operation: str
    """Its name."""


class MemoryRow(Held):
    """What one layer, all its copies together, holds of one category."""

    layer: str
    """Its path, or the name of an erratum."""
    category: Category
    """What it is held for."""


class Erratum(Part):
    """A slip in published totals that is counted."""

    layer: str
    """The layer of its row."""
    slip: str
    """What was published, and what is right."""


class Sized(Part):
    """A model at a context."""

    spec: str
    """Name of the model."""
    context: Length
    """Length of what the model reads or writes; of what an encoder-decoder's decoder writes."""
    encoder_context: Length | None
    """Length of what an encoder-decoder's encoder reads; null for other models."""
    batch: Length
    """Sequences per training step."""


class Settings(Part):
    """What prices depend on, whatever the rule and the sizes."""

    spec: str
    """Name of the model."""
    convention: str
    """Counting convention."""
    optimizer: str
    """What ends the step, or none."""
    causal: Causal
    """Pairs of rows in a decoder's self-attention: `full` is all of them, `half` those that its mask leaves."""
    attention: AttentionKernel
    """How scores are computed: `eager` writes them to memory, `flash` computes them again in the backward."""


class Step(Settings, Sized):
    """What the price of a training step depends on."""

    algo: str
    """Learning rule."""
    recompute: Recompute
    """What is not kept but computed again in the backward."""


class StepHeld(Step):
    """What a training step depends on, and what it holds."""

    storage: Storage
    """The types of the numbers."""
    memory: Memory
    """The sums by category, and the peak."""
    peak_at: Peak | None
    """The operation at work at the peak; null where the convention has no moments."""


class Row(Totals):
    """The cost of one operation in one phase, or of the operations that a grouping puts together.

    All copies, runs and sequences together, so that rows add up to the totals.
    """

    layer: str | None
    """Path of the layer, or the name of an erratum; null where layers are put together."""
    operation: str | None
    """Name of the operation in its layer; null where operations are put together."""
    kind: str | None
    """Kind of the operation; null likewise."""
    phase: Phase
    """Phase of the training step."""
    repeats: int | None
    """Copies of the layer; null where those that are put together differ."""
    runs: int
    """How often the phase runs."""
    scalars: dict[str, int] = {}
    """How many of each scalar operation; there with `--by operation` alone."""
    note: str = ""
    """What sets the row apart; left out where nothing does."""


class Change(Part):
    """A change against the first learning rule of a comparison, in percent with three significant digits."""

    against: str
    """The first learning rule."""
    macc_percent: float
    """Of the MACCs."""
    flop_percent: float
    """Of the FLOPs."""
    stored_activations_percent: float
    """Of the bytes of stored activations."""
    peak_percent: float
    """Of the bytes of the peak."""


class Changes(Part):
    """The change under each of two conventions; null where its publication lacks what the model has."""

    exact: Change | None
    """Under `exact`."""
    paper: Change | None
    """Under `paper`."""


class Result(StepHeld):
    """What one training step of a model costs under a learning rule and a convention."""

    has_errata: bool
    """Whether slips in published totals are counted where the convention has them."""
    overrides: dict[Literal["context", "encoder_context"], Length]
    """The lengths that were asked for in the place of the spec's own."""
    totals: Totals
    """The sums of all rows."""
    phases: Phases
    """The sums of the rows of each phase."""
    not_counted: Many[str]
    """What the convention leaves out, in words."""
    priced_as_exact: Many[str]
    """Kinds of operation that the convention's model does not have, priced as convention `exact` does."""
    notes: Many[str]
    """What to know about the model."""
    errata: Many[Erratum]
    """The slips that are among the rows."""
    rows: Many[Row]
    """The cost by operation, or by what `--by` says, and phase."""
    memory_rows: Many[MemoryRow]
    """What is held by layer and category."""
    change: Change | SkipJsonSchema[None] = None
    """The change against the first learning rule, under the result's own convention; there in a comparison alone."""
    changes: Changes | SkipJsonSchema[None] = None
    """The same under the conventions that a comparison shows side by side; there in a comparison alone."""


class ComputeDocument(Document):
    """What `tcost compute` and `tcost compare` write."""

    results: Many[Result]
    """A result for each learning rule; in a comparison for each spec, context and learning rule."""
