"""The documents that `tcost verify` writes as JSON, as types."""

from pydantic import ConfigDict

from tcost.kinds import Phase
from tcost.schema.results import Document, Part, Sized
from tcost.settings import Recompute


class Line(Part):
    """What was predicted, and what was executed."""

    layer: str
    """Path of the layer."""
    phase: Phase
    """Phase of the training step."""
    predicted: int
    """What was predicted."""
    executed: int
    """What was executed."""
    difference: int
    """What was executed beyond the prediction."""


class ScalarLine(Line):
    """Scalar operations of one layer in one phase."""

    scalar: str
    """The scalar operation."""


class GroupLine(Line):
    """FLOPs of one group of operations in one phase."""

    operation: str
    """The operations of the layer that the class executes as one."""


class RunSizes(Part):
    """The sizes of the shrunk model that ran, and its parts, as a spec has them.

    Omits: the parts, which are there under their keys.
    """

    model_config = ConfigDict(extra="allow")

    name: str
    """Name of the model."""
    vocab_size: int
    """Vocabulary."""
    d_model: int
    """Model width."""
    n_heads: int
    """Heads."""
    d_head: int
    """Width of a head."""
    d_ff: int
    """Feed-forward width."""
    n_encoder_layers: int
    """Layers of the encoder."""
    n_decoder_layers: int
    """Layers of the decoder."""
    context_length: int
    """Length of what the model reads or writes."""
    encoder_context_length: int | None
    """Length of what an encoder-decoder's encoder reads; null for other models."""


class Verification(Part):
    """One executed training step beside its prediction under convention `exact`."""

    spec: str
    """Name of the model."""
    algo: str
    """Learning rule."""
    optimizer: str
    """What ends the step, or none."""
    recompute: Recompute
    """What is not kept but computed again in the backward."""
    holds: bool
    """Whether nothing differs."""
    predicted_peak: int
    """Elements that are alive at once at the most, as predicted."""
    executed_peak: int
    """The same, as executed."""
    sizes: RunSizes
    """What ran."""
    lines: list[ScalarLine]
    """Every layer, phase and scalar operation."""


class VerifyDocument(Document):
    """What `tcost verify` writes."""

    verifications: list[Verification]
    """One for each spec and learning rule."""


class TorchCheck(Sized):
    """One training step under backpropagation, as predicted and as FlopCounterMode counted it."""

    executed_class: str
    """The class of transformers that was built."""
    agrees: bool
    """Whether nothing differs."""
    predicted_parameters: int
    """Learned parameters, as predicted."""
    executed_parameters: int
    """The same, as built."""
    notes: list[str]
    """What executed it, and what to know about it."""
    lines: list[GroupLine]
    """Every group of operations and phase."""


class TorchCheckDocument(Document):
    """What `tcost verify --torch` writes."""

    torch_checks: list[TorchCheck]
    """One for each spec."""
