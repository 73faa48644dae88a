"""The parts that documents of several commands have."""

from typing import Annotated, Literal, TypeAlias, TypeVar

from tcost.cost.prices import WORK
from tcost.documents.writing import SCHEMA_VERSION, Left, Limit, also, part
from tcost.kinds import Phase
from tcost.memory import Category
from tcost.settings import Settings

Length: TypeAlias = Annotated[int, Limit(ge=1)]

Item = TypeVar("Item")
Many: TypeAlias = Annotated[list[Item], Limit(fail_fast=True)]
"""A list of which one wrong item is enough to refuse it."""


@part
class Tool:
    """What made a document."""

    name: Literal["tcost"]
    """Its name."""
    version: str
    """Its version."""


@part
class Document:
    """What every document begins with."""

    schema_version: Literal[2]
    """Rises when a field is removed or changes its name or meaning, not when one is added."""
    tool: Tool
    """What made the document."""


assert Document.__annotations__["schema_version"] == Literal[SCHEMA_VERSION]  # noqa: S101


@part
@also({name: each.meaning for name, each in WORK.items()}, always=("macc", "flop"))
class Amount:
    """An exact amount of work."""


@part
class Totals(Amount):
    """What a training step costs in all."""

    parameters: int
    """Learned parameters, those of shared weights once where the convention counts them so."""
    active_parameters: int
    """Those that one token uses: of experts, those that it goes through."""
    trained_parameters: Left[int]
    """Those that are trained: all of them, but for what is frozen; earlier versions did not write it."""


@part
class Named:
    """A model."""

    spec: str
    """Name of the model."""


@part
class Step(Settings, Named):
    """What the price of a training step depends on: the model, and every setting."""

    context: Length
    """Length of what the model reads or writes; of what an encoder-decoder's decoder writes."""
    encoder_context: Length | None
    """Length of what an encoder-decoder's encoder reads; null for other models."""
    batch: Length


@part
class Held:
    """An amount of memory."""

    elements: int
    """How many numbers."""
    bytes: int
    """The bytes that they take."""


@part
class Memory:
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


@part
class Peak:
    """The operation at work when the most is alive."""

    phase: Phase
    """Its phase."""
    layer: str
    """The path of its layer."""
    operation: str
    """Its name."""


@part
class HeldBy:
    """What holds memory."""

    layer: str
    """Its path, or the name of an erratum."""
    category: Category
    """What it is held for."""


@part
class MemoryRow(Held, HeldBy):
    """What one layer, all its copies together, holds of one category."""


@part
class Slip:
    """A slip in published totals that is counted."""

    layer: str
    """The layer of its row."""
    slip: str
    """What was published, and what is right."""


@part
class StepHeld(Step):
    """What a training step depends on, and what it holds."""

    memory: Memory
    """The sums by category, and the peak."""
    peak_at: Peak | None
    """The operation at work at the peak; null where the convention has no moments."""
