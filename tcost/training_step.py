"""One training step of a model, traced: what is priced, and what has to be held in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol, TypeAlias, TypedDict, get_args

from tcost import defaults
from tcost.conventions import Convention, Erratum, convention_of
from tcost.errors import InputError, unknown
from tcost.layers.embeddings import TABLES
from tcost.learning_rules import LearningRule, learning_rule
from tcost.models import Model, trace_model
from tcost.optimizers import Optimizer, optimizer_of
from tcost.sizes import AttentionKernel, Causal, Size, Sizes, check_size
from tcost.tracing import Op

Recompute: TypeAlias = Literal["none", "block", "full"]


class Spec(Protocol):
    """What can be priced: a model spec or bare sizes."""

    def at(self, context: Size = None, encoder_context: Size = None) -> Sizes:
        """Return the model's sizes, at another context where one is given."""


class Options(TypedDict, total=False):
    """What a training step depends on beside the model, the rule and the convention: see `training_step`."""

    context: Size
    encoder_context: Size
    batch: Size
    optimizer: str
    errata: bool
    causal: Causal
    attention: AttentionKernel
    recompute: Recompute


@dataclass(frozen=True, kw_only=True)
class TrainingStep:
    """A model under a learning rule and a convention, with what one step of it depends on.

    `sizes` are the spec's at the step's context; the model is the one that the convention prices, and
    `model_sizes` its sizes. `context` and `encoder_context` are what was asked for, None where the spec's own counts.
    """

    spec: Spec
    context: Size
    encoder_context: Size
    sizes: Sizes
    model_sizes: Sizes
    model: Model
    rule: LearningRule
    convention: Convention
    batch: Size
    optimizer: Optimizer
    has_errata: bool
    recompute: Recompute

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know: the spec's own notes, then the lengths that the model is not made for."""
        return (*self.sizes.notes, *unfit_lengths(self.sizes, self.spec.at()))

    def at(self, context: Size) -> "TrainingStep":
        """Return the same step at another context. Raises InputError as `training_step` does."""
        s = self.model_sizes
        return training_step(
            self.spec,
            self.rule.name,
            self.convention.name,
            context=context,
            encoder_context=self.encoder_context,
            batch=self.batch,
            optimizer=self.optimizer.name,
            errata=self.has_errata,
            causal=s.causal,
            attention=s.attention,
            recompute=self.recompute,
        )

    @cached_property
    def parameters(self) -> dict[Op, Size]:
        """The parameters of every operation that learns; those of a shared weight stand on its first user."""
        first: dict[str, Op] = {}
        for op in self.model.trace.ops:
            if op.weight:
                first.setdefault(op.weight, op)
        return {op: op.weight_copies * self.convention.parameters(op) for op in first.values()}

    @property
    def errata(self) -> list[Erratum]:
        """The slips in published totals of such a model that are counted, should it have what they are about."""
        return self.convention.errata_of(self.sizes, self.rule.name) if self.has_errata else []

    def left_out(self, erratum: Erratum) -> dict[Op, Size]:
        """Return the parameters that published totals leave out, by the operation that learns them."""
        if not erratum.leaves_out_parameters:
            return {}
        return {op: number for op, number in self.parameters.items() if erratum.is_about(op)}

    @property
    def foreign_kinds(self) -> tuple[str, ...]:
        """The kinds of operation that the convention's model does not have, priced as convention `exact` does."""
        return tuple(dict.fromkeys(op.kind for op in self.model.trace.ops if self.convention.is_foreign(op)))

    @cached_property
    def segments(self) -> tuple[range, ...]:
        """The operations whose outputs are not kept but computed again in the backward, together, from what they read.

        `block`: every block of a stack; `full`: what is before, between and behind the stacks, too.
        Source: Chen et al. 2016, arXiv 1604.06174, section 4, with a segment for every block.
        """
        trace = self.model.trace
        blocks = [repeat.ops for repeat in trace.repeats]
        if self.recompute == "none":
            return ()
        if self.recompute == "full":
            ends = [0, *(end for ops in blocks for end in (ops.start, ops.stop)), len(trace.ops)]
            blocks += [range(*pair) for pair in zip(ends[::2], ends[1::2], strict=True) if pair[0] < pair[1]]
        return tuple(ops for ops in blocks if any(trace.ops[index].has_gradients for index in ops))

    def recomputations(self, index: int) -> int:
        """Return how often the forward of an operation runs again in the backward.

        Once where it is in a segment, and once where it is inside a fused kernel, whose backward has not what
        the forward has not written. Source of the latter: Dao et al. 2022, arXiv 2205.14135, algorithm 4.
        """
        op = self.model.trace.ops[index]
        is_fused = op.output.is_fused and op.has_gradients and self.rule.runs["backward"] > 0
        return sum(index in ops for ops in self.segments) + is_fused


def training_step(
    spec: Spec,
    algo: str = "bp",
    convention: str = defaults.CONVENTION,
    *,
    context: Size = None,
    encoder_context: Size = None,
    batch: Size = 1,
    optimizer: str = "none",
    errata: bool = True,
    causal: Causal = "full",
    attention: AttentionKernel = "eager",
    recompute: Recompute = "none",
) -> TrainingStep:
    """Trace one training step of `spec`.

    `context` and `encoder_context` replace the spec's own; `batch` is the sequences of a step, which an
    `optimizer` ends once. With `causal` "half" a decoder's self-attention is over the pairs of rows that its
    mask leaves. With `attention` "flash" scores are not written to memory and are computed again in the
    backward; `recompute` does the same for whole blocks, or for everything. Without `errata`, the slips in
    published totals are left out. Raises InputError for a rule, convention, optimizer or context that
    the model cannot have, and for `recompute` under a rule that runs no backward.
    """
    check_size("the batch", batch)
    rule, prices, sizes = learning_rule(algo), convention_of(convention), spec.at(context, encoder_context)
    words = (("causal", causal, Causal), ("attention", attention, AttentionKernel), ("recompute", recompute, Recompute))
    for what, word, known in words:
        if word not in get_args(known):
            raise unknown(what, word, get_args(known))
    if recompute != "none" and not rule.runs["backward"]:
        raise InputError(
            f"recompute is for rules that run a backward; {algo} has nothing to recompute\nleave it out, or use bp"
        )
    if sizes.head == "pooler" and not rule.runs["backward"]:
        raise InputError(
            f"{sizes.name} ends in its pooler and has no loss, whose error {algo} needs\nprice it under bp: --algos bp"
        )
    priced = replace(prices.model(sizes), causal=causal, attention=attention)
    return TrainingStep(
        spec=spec,
        context=context,
        encoder_context=encoder_context,
        sizes=sizes,
        model_sizes=priced,
        model=trace_model(priced),
        rule=rule,
        convention=prices,
        batch=batch,
        optimizer=optimizer_of(optimizer),
        has_errata=errata,
        recompute=recompute,
    )


def unfit_lengths(s: Sizes, own: Sizes) -> Iterator[str]:
    """Say which lengths are beyond a table of positions, and which are not those of an image or of audio.

    Lengths that are letters or grids are not looked at; `own` are the sizes at the spec's lengths.
    """
    stacks = [("context", s, own)]
    if s.family == "encoder-decoder":
        stacks.append(("encoder context", s.encoder, own.encoder))
    for what, stack, made_for in stacks:
        rows, reads = stack.context_length, stack.n_positions
        reads_input = what == "encoder context" or s.family == "encoder-only"
        if not isinstance(rows, int):
            continue
        if reads_input and s.encoder_input != "tokens":
            if rows != made_for.context_length:
                name = "image" if s.encoder_input == "patches" else "audio"
                yield f"{what} {rows:,} is not that of its {name}, {made_for.context_length:,} rows"
        elif stack.positions in TABLES and isinstance(reads, int) and rows > reads:
            yield f"{what} {rows:,} is beyond its table of positions, {reads:,} rows"


def options_of(algos: Sequence[str], options: Options) -> list[Options]:
    """Return the options of each of several rules: `recompute` goes to those that run a backward.

    Raises InputError where none of them does.
    """
    has_backward = [learning_rule(algo).runs["backward"] > 0 for algo in algos]
    if not any(has_backward):
        return [options] * len(algos)
    return [options if has else {**options, "recompute": "none"} for has in has_backward]
