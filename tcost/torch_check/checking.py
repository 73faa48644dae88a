"""Predicted beside executed: every group of operations, every phase, and the parameters."""

from collections import Counter
from dataclasses import dataclass

from tcost.cost import Result, evaluate
from tcost.errors import InputError
from tcost.exact import Size
from tcost.kinds import MODEL_PHASES, Phase
from tcost.sizes import Sizes
from tcost.torch_check.classes import Group, HuggingFaceClass, class_for
from tcost.torch_check.execution import execute
from tcost.training_step import Spec

MAX_LAYERS = 1000
"""Modules are built one by one, whatever their size; GPT-3 has 96."""

MAX_AMOUNT = 2**60
"""Of parameters, or of FLOPs in one product: no tensor has more elements, and torch counts bytes in 64 bits."""


@dataclass(frozen=True)
class Line:
    """FLOPs of one group of operations in one phase: as convention `torch` predicts them, and as executed."""

    layer: str
    operation: str
    """Operations that the class executes as one are joined: `query + key + value`."""
    phase: Phase
    predicted: int
    executed: int

    @property
    def difference(self) -> int:
        """What was executed beyond what was predicted, in FLOPs."""
        return self.executed - self.predicted


@dataclass(frozen=True, kw_only=True)
class TorchCheck:
    """One training step of a model under backpropagation, as predicted and as FlopCounterMode counted it."""

    spec: str
    executed_class: str
    """The class of `transformers` that was built."""
    context: int
    encoder_context: int | None
    batch: int
    lines: tuple[Line, ...]
    """Every group in the model's order, and of each every phase."""
    predicted_parameters: int
    executed_parameters: int
    notes: tuple[str, ...]

    @property
    def totals(self) -> tuple[Line, ...]:
        """The sum of each phase's lines."""
        return tuple(
            Line("total", "", phase, sum(line.predicted for line in lines), sum(line.executed for line in lines))
            for phase in MODEL_PHASES
            if (lines := [line for line in self.lines if line.phase == phase])
        )

    @property
    def agrees(self) -> bool:
        """Whether nothing differs: no group in any phase, nor the parameters."""
        same_parameters = self.executed_parameters == self.predicted_parameters
        return same_parameters and not any(line.difference for line in self.lines)


def check(spec: Spec, *, context: Size = None, encoder_context: Size = None, batch: Size = 1) -> TorchCheck:
    """Execute one training step of the Hugging Face class that builds `spec`, and hold convention `torch` against it.

    The step runs on the meta device at the spec's real sizes; nothing is downloaded, and
    HF_HUB_OFFLINE is set for this process. `context`, `encoder_context` and `batch` are as in
    `evaluate`. Raises InputError where no class builds the model, where it is too large for torch's
    sizes, where torch or transformers is missing, and as `evaluate` does.
    """
    sizes = spec.at(context, encoder_context)
    chosen = class_for(sizes)
    built = chosen.with_room(sizes)
    predicted = evaluate(built, convention="torch", batch=batch)
    _check_buildable(built, predicted)
    execution = execute(chosen, built, batch)
    notes = [f"executed by {execution.versions}, eager attention"]
    if built.n_positions != sizes.n_positions:
        notes.append(f"built with {built.n_positions} positions, not {sizes.n_positions}, so that the context fits")
    return TorchCheck(
        spec=built.name,
        executed_class=chosen.name,
        context=built.context_length,
        encoder_context=built.encoder_context_length,
        batch=batch,
        lines=_lines(_by_group(predicted, chosen), execution.flops),
        predicted_parameters=predicted.totals.parameters,
        executed_parameters=execution.parameters,
        notes=tuple(notes),
    )


def _check_buildable(s: Sizes, predicted: Result) -> None:
    """Raise InputError for a model that torch cannot build, or not in any reasonable time."""
    layers = s.n_encoder_layers + s.n_decoder_layers
    if layers > MAX_LAYERS:
        raise InputError(f"{s.name}: {layers} layers are too many to build; at most {MAX_LAYERS} can be checked")
    largest = max(row.flop // row.repeats for row in predicted.rows)
    if max(largest, predicted.totals.parameters) > MAX_AMOUNT:
        raise InputError(f"{s.name}: too large for torch, whose sizes are 64-bit; give a shorter context or less width")


def _by_group(result: Result, chosen: HuggingFaceClass) -> Counter[tuple[Group, Phase]]:
    """Sum the FLOPs of what is counted into the groups that the class executes it in."""
    flops: Counter[tuple[Group, Phase]] = Counter()
    for row in result.rows:
        if row.flop:
            flops[chosen.group_of(str(row.layer), str(row.operation)), row.phase] += row.flop
    return flops


def _lines(predicted: Counter[tuple[Group, Phase]], executed: Counter[tuple[Group, Phase]]) -> tuple[Line, ...]:
    """Put side by side what either side has, in the model's order."""
    groups = dict.fromkeys(group for group, _ in (*predicted, *executed))
    return tuple(
        Line(*group, phase, predicted[group, phase], executed[group, phase])
        for group in groups
        for phase in MODEL_PHASES
    )
