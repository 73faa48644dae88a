"""What `tcost verify` writes, of its own execution and of torch's."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

from tcost.documents.parts import Document, Length, Named, Step
from tcost.documents.writing import as_csv, as_json, content, part
from tcost.kinds import Phase
from tcost.settings import values_of

if TYPE_CHECKING:
    from tcost.torch_check import TorchCheck as Checked
    from tcost.verify import Verification as Verified


@part
class Line:
    """What was predicted, and what was executed."""

    predicted: int
    """What was predicted."""
    executed: int
    """What was executed."""
    difference: int
    """What was executed beyond the prediction."""


@part
class ScalarOf:
    """A scalar operation of one layer in one phase."""

    layer: str
    """Path of the layer."""
    phase: Phase
    """Phase of the training step."""
    scalar: str
    """The scalar operation."""


@part
class ScalarLine(Line, ScalarOf):
    """Scalar operations of one layer in one phase."""


@part
class GroupOf:
    """A group of operations of one layer in one phase."""

    layer: str
    """Path of the layer."""
    operation: str
    """The operations of the layer that the class executes as one."""
    phase: Phase
    """Phase of the training step."""


@part
class GroupLine(Line, GroupOf):
    """FLOPs of one group of operations in one phase."""


@part
class RunSizes:
    """The sizes of the shrunk model that ran, and its parts, as a spec has them.

    Omits: the parts, which are there under their keys.
    """

    __pydantic_config__: ClassVar = {"extra": "allow"}

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


@part
class Verification(Step):
    """One executed training step of a shrunk model beside its prediction under convention `exact`."""

    seed: int
    """Of weights, data and fixed matrices."""
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


@part
class VerifyDocument(Document):
    """What `tcost verify` writes."""

    verifications: list[Verification]
    """One for each spec and learning rule."""


@part
class TorchStep(Named):
    """The step that a class of transformers executed, under backpropagation and convention `torch`."""

    executed_class: str
    """The class of transformers that was built."""
    context: Length
    """Length of what the model reads or writes; of what an encoder-decoder's decoder writes."""
    encoder_context: Length | None
    """Length of what an encoder-decoder's encoder reads; null for other models."""
    batch: Length
    """Sequences per training step."""


@part
class TorchCheck(TorchStep):
    """One training step under backpropagation, as predicted and as FlopCounterMode counted it."""

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


@part
class TorchCheckDocument(Document):
    """What `tcost verify --torch` writes."""

    torch_checks: list[TorchCheck]
    """One for each spec."""


def to_json(verifications: Iterable["Verified"]) -> str:
    """Return executed steps beside their predictions as JSON."""
    found = [content(Verification, each, **_step(each), sizes=asdict(each.sizes)) for each in verifications]
    return as_json(VerifyDocument, verifications=found)


def to_csv(verifications: Iterable["Verified"]) -> str:
    """Return executed steps beside their predictions as CSV, one line per layer, phase and scalar operation."""
    return as_csv(
        content(Step, _step(each)) | {"seed": each.seed} | content(ScalarLine, line)
        for each in verifications
        for line in each.lines
    )


def _step(each: "Verified") -> dict[str, Any]:
    """Return the settings of what ran, at its sizes."""
    sizes = each.sizes
    lengths = {"context": sizes.context_length, "encoder_context": sizes.encoder_context_length}
    return {**values_of(each.settings), **lengths, "spec": sizes.name}


def torch_to_json(checks: Iterable["Checked"]) -> str:
    """Return what torch executed beside the predictions as JSON."""
    return as_json(TorchCheckDocument, torch_checks=list(checks))


def torch_to_csv(checks: Iterable["Checked"]) -> str:
    """Return what torch executed beside the predictions as CSV, one line per group of operations and phase."""
    return as_csv(content(TorchStep, each) | content(GroupLine, line) for each in checks for line in each.lines)
