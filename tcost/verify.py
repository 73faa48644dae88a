"""Prediction against execution: the scalar operations of one training step, one by one."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from tcost.cost import result_of
from tcost.errors import InputError, part_of
from tcost.exact import same
from tcost.execution.keeping import KEPT_BY_KERNELS, PASSING_IN_KERNELS
from tcost.learning_rules import FIXED_MATRICES, learning_rule, project_error
from tcost.loss import loss_of
from tcost.memory import Kernels, Memory
from tcost.models import trace_model
from tcost.settings import Settings
from tcost.sizes import NO_LAYERS, LatentAttention, LayerSet, Lora, Sizes
from tcost.tracing import Trace

if TYPE_CHECKING:
    from tcost.execution.step import Step

Place: TypeAlias = tuple[str, str, str]
"""A layer, an operation in it, and a phase."""

Counts: TypeAlias = Mapping[Place, Mapping[str, int]]


@dataclass(frozen=True)
class Line:
    """Scalar operations of one layer in one phase, as predicted and as executed."""

    layer: str
    phase: str
    scalar: str
    predicted: int
    executed: int
    mismatched: bool
    """Whether an operation of the layer differs, be it by as much as another one differs the other way."""

    @property
    def difference(self) -> int:
        """What was executed beyond the prediction."""
        return self.executed - self.predicted


@dataclass(frozen=True)
class Verification:
    """One executed training step beside its prediction under convention `exact`."""

    sizes: Sizes
    settings: Settings
    seed: int
    loss: float
    lines: tuple[Line, ...]
    predicted_peak: int
    """Elements that are alive at once at the most, everything together, with what the executed kernels keep."""
    executed_peak: int

    @property
    def holds(self) -> bool:
        """Whether every operation executed in every phase what was predicted, and as much was alive at once."""
        return self.predicted_peak == self.executed_peak and not any(line.mismatched for line in self.lines)


def shrink(sizes: Sizes) -> Sizes:
    """Return a model with the same parts, of sizes that run in a moment.

    Sizes differ from each other, so that two axes that were mixed up would show.
    """
    wide = sizes.n_heads * sizes.d_head != sizes.d_model
    grouped = not same(sizes.kv_heads, sizes.n_heads)
    rotated = sizes.positions == "rotary"  # in pairs, so that the width of a head is even
    heads, width = 4 if grouped else 2, 4 if rotated and not grouped else 2 if grouped else 3
    small = replace(
        sizes,
        vocab_size=11,
        d_model=heads * width,
        n_heads=heads,
        n_kv_heads=(2 if sizes.kv_heads > 1 else 1) if grouped else None,
        d_head=width if not wide else 6 if rotated else 5,
        d_ff=7,
        context_length=4,
        encoder_context_length=5 if sizes.family == "encoder-decoder" else None,
        n_positions=8,
        n_segments=min(2, sizes.n_segments),
        n_task_types=min(2, sizes.n_task_types),
        **{key: size for key, size in _SMALL.items() if getattr(sizes, key)},
    )
    return _with_few_layers(_with_small_parts(small))


_SMALL: Mapping[str, Any] = {
    "encoder_n_heads": 3,
    "encoder_d_ff": 9,
    "encoder_vocab_size": 13,
    "encoder_n_positions": 9,
    "patch_size": 2,
    "n_channels": 3,
    "sliding_window": 3,
    "rotary_dims": 2,
    "relative_buckets": 3,
    "d_embedding": 5,
    "d_head_transform": 4,
    "n_classes": 3,
    "d_projection": 4,
}
"""What a part is shrunk to, where a model has it."""


def _with_small_parts(s: Sizes) -> Sizes:
    experts, latent = s.experts, s.latent_attention
    if experts is not None:
        few = min(3, experts.n_experts)
        chosen = few if experts.router == "none" else min(2, few, experts.experts_per_token)
        shared = min(4, experts.d_shared)
        experts = replace(experts, n_experts=few, experts_per_token=chosen, d_expert=5, d_shared=shared)
    if latent is not None:
        rank = None if latent.q_rank is None else 4
        latent = LatentAttention(q_rank=rank, kv_rank=3, d_nope=3, d_rope=2, d_value=4)
    train = replace(s.train, rank=2) if isinstance(s.train, Lora) else s.train
    return replace(s, experts=experts, latent_attention=latent, train=train)


def _with_few_layers(s: Sizes) -> Sizes:
    """Return a model of at most two blocks a stack, or three where they differ: of each kind that it has."""
    few = 3 if s.has_patterns else 2
    changes: dict[str, Any] = {
        "n_encoder_layers": min(few, s.n_encoder_layers),
        "n_decoder_layers": min(few, s.n_decoder_layers),
    }
    if s.n_unique_layers is not None:
        changes["n_unique_layers"] = 1
    if s.full_attention_layers != NO_LAYERS:
        changes["full_attention_layers"] = LayerSet(numbers=frozenset({1}))
    if s.unrotated_layers != NO_LAYERS:
        changes["unrotated_layers"] = LayerSet(numbers=frozenset({2}))
    if s.experts is not None and s.experts.dense_layers != NO_LAYERS:
        changes["experts"] = replace(s.experts, dense_layers=LayerSet(numbers=frozenset({0})))
    if isinstance(s.train, tuple):
        named = tuple(layer for layer in s.train if isinstance(layer, str))
        changes["train"] = (*named, 1) if len(named) < len(s.train) else named
    return replace(s, **changes)


def shrink_settings(settings: Settings, sizes: Sizes) -> Settings:
    """Return the settings that a shrunk model can have: its rows may be no multiple of the chunks of a loss."""
    rows, _ = trace_model(sizes).output.shape
    return replace(settings, loss=loss_of(settings.loss).shrunk(rows))


def verify(sizes: Sizes, settings: Settings = Settings(optimizer="adamw"), seed: int = 0) -> Verification:
    """Execute one training step of a model of exactly these sizes, and compare it with the prediction.

    The data, the weights and PEPITA's fixed matrices are drawn from the seed. Raises InputError for an
    unknown rule or optimizer, and where NumPy is not installed.
    """
    sizes = replace(sizes, causal=settings.causal)
    result = result_of(sizes, replace(settings, convention="exact"))
    predicted: Counts = {(str(row.layer), str(row.operation), str(row.phase)): row.scalars for row in result.rows}
    memory = Memory(result.memory.step, kernels=Kernels(KEPT_BY_KERNELS, PASSING_IN_KERNELS))
    step = execute(sizes, settings, seed)
    lines = tuple(_lines(predicted, step.tally.counts))
    return Verification(sizes, settings, seed, step.loss, lines, memory.peak.elements, step.peak)


def execute(sizes: Sizes, settings: Settings = Settings(), seed: int = 0) -> "Step":
    """Execute one training step and return it, with everything that was counted, updated and lost."""
    try:
        import numpy as np
    except ImportError:
        raise InputError("an executed proof needs NumPy\npip install 'tcost[verify]'") from None
    from tcost.execution.step import Step
    from tcost.execution.steps import STEPS

    draw = np.random.default_rng(seed)
    sizes, algo = replace(sizes, causal=settings.causal), settings.algo
    model, trace = trace_model(sizes), Trace()
    if learning_rule(algo).runs["error_projection"]:
        project_error(model, trace)
    fixed = {name: x for name, x in trace.inputs.items() if name.startswith(FIXED_MATRICES)}
    rows, words = model.output.shape
    targets = [int(draw.integers(words)) for _ in range(rows)]
    step = Step(
        lambda trace: trace_model(sizes, trace),
        {},
        targets,
        seed=seed,
        settings=settings,
    )
    for name, tensor in (model.trace.inputs | fixed).items():
        if name.endswith("tokens"):
            step.data[name] = draw.integers(0, tensor.shape[1], tensor.shape[0])
        elif name.endswith("buckets"):
            step.data[name] = None
        else:
            step.data[name] = step.tally.array(draw.normal(size=tensor.shape))
            if name not in fixed:
                step.tracker.track(step.data[name])
    part_of(STEPS, "learning rule", algo, "executed step", "STEPS of execution/steps.py")(step)
    return step


def _lines(predicted: Counts, executed: Counts) -> Iterator[Line]:
    """Sum operations into layers, which is what a person can read; compare them one by one."""
    sums: dict[tuple[str, str, str], list[int]] = {}
    mismatched = set()
    for place in dict.fromkeys((*predicted, *executed)):
        layer, _, phase = place
        expected, found = Counter(predicted.get(place, {})), Counter(executed.get(place, {}))
        for scalar in sorted({*expected, *found}):
            key = (layer, phase, scalar)
            both = sums.setdefault(key, [0, 0])
            both[0] += expected[scalar]
            both[1] += found[scalar]
            if expected[scalar] != found[scalar]:
                mismatched.add(key)
    for key, (expected_sum, found_sum) in sums.items():
        if expected_sum or found_sum:
            yield Line(*key, expected_sum, found_sum, mismatched=key in mismatched)
