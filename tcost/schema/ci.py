"""What `tcost diff` and `tcost check` write, as types."""

from typing import Literal

from pydantic.json_schema import SkipJsonSchema

from tcost.schema.results import Document, Part, Step, Storage

DiffMeasure = Literal["macc", "flop", "parameters", "memory_bytes"]


class Settings(Step):
    """What the amounts of one side depend on."""

    has_errata: bool
    """Whether slips in published totals are counted where the convention has them."""
    storage: Storage
    """The types of the numbers."""


class Change(Part):
    """An amount before and after."""

    base: int | None
    """What was before; null where nothing was."""
    head: int | None
    """What is now; null where nothing is."""
    difference: int
    """What has been added, less than zero where there is less."""
    percent: float | None
    """The same of what was before, with three significant digits; null where nothing was."""


class CellChange(Change):
    """What has changed of a layer, in one phase or category."""

    measure: DiffMeasure
    """What is measured; `memory_bytes` is everything that a step holds but its indices."""
    layer: str
    """Path of the layer, or the name of an erratum; `all layers` where a side was saved by phase."""
    part: str | None
    """Phase of work, category of memory, or null of parameters."""


class TotalChanges(Part):
    """The change of every measure."""

    macc: Change
    """Multiply-accumulate operations."""
    flop: Change
    """Floating-point operations."""
    parameters: Change
    """Learned parameters."""
    active_parameters: Change
    """Those that one token uses."""
    trained_parameters: Change | SkipJsonSchema[None] = None
    """Those that are trained; left out where a saved side does not say how many."""
    stored_activations_elements: Change
    """Numbers that wait between a forward pass and what needs them."""
    stored_activations_bytes: Change
    """Their bytes."""
    peak_elements: Change
    """The most numbers that are alive at one moment."""
    peak_bytes: Change
    """The bytes of the most that is alive at one moment."""
    memory_bytes: Change
    """Everything that a step holds but its indices."""


class Difference(Part):
    """Two training steps, of which one is held against the other."""

    base: Settings
    """What was before."""
    head: Settings
    """What is now."""
    totals: TotalChanges
    """Every measure, changed or not."""
    changes: list[CellChange]
    """What has changed, by layer and phase or category."""


class DiffDocument(Document):
    """What `tcost diff` writes."""

    differences: list[Difference]
    """One for each pair of steps."""
    only_base: list[Settings]
    """Steps that were and have no match now."""
    only_head: list[Settings]
    """Steps that are and had no match before."""


class LayerChange(Change):
    """The layer that grew most, or the largest where nothing was before."""

    layer: str
    """Its path."""


class LimitOutcome(Part):
    """A limit, and what is held against it."""

    measure: str
    """What is limited."""
    limit: Literal["max", "max_growth"]
    """Whether the amount is limited, or its growth."""
    written: str
    """The limit as it was written."""
    before: int | None
    """What was before; null where nothing was given."""
    amount: int
    """What the step takes."""
    allowed: int
    """The most that is allowed."""
    excess: int
    """How much is too much; less than zero is what is left."""
    holds: bool
    """Whether the limit holds."""
    layer: LayerChange | None
    """The layer that grew most, or the largest where nothing was before; null where none grew."""


class Check(Settings):
    """A training step and its limits."""

    not_counted: list[str]
    """What the convention leaves out, in words."""
    limits: list[LimitOutcome]
    """Each limit."""


class CheckDocument(Document):
    """What `tcost check` writes."""

    holds: bool
    """Whether all limits hold."""
    checks: list[Check]
    """One for each step."""
