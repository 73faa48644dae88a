"""One training step of a model, traced: what is priced, and what has to be held in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from tcost.conventions import Convention, Erratum, convention_of
from tcost.errors import InputError
from tcost.exact import Size, check_size
from tcost.layers.embeddings import TABLES
from tcost.learning_rules import Charge, LearningRule, learning_rule
from tcost.loss import Loss, loss_of, operations_of_loss
from tcost.models import Model, trace_model
from tcost.optimizers import Optimizer, optimizer_of
from tcost.settings import Settings, asking, checked
from tcost.sizes import WITHOUT_LOSS, Sizes
from tcost.tracing import Op

OF_BACKWARD = ("recompute", "loss")
"""The settings of a backward, which rules without one have as usual."""


class Spec(Protocol):
    """What can be priced: a model spec or bare sizes."""

    def at(self, context: Size = None, encoder_context: Size = None) -> Sizes:
        """Return the model's sizes, at another context where one is given."""


@dataclass(frozen=True, kw_only=True)
class TrainingStep:
    """A model under some settings, with the rule, the convention and the optimizer that these name.

    `sizes` are the spec's at the step's context; the model is the one that the convention prices, and
    `model_sizes` its sizes. Rules share what they have in common: the model, and what is `added` to it.
    """

    spec: Spec
    settings: Settings
    sizes: Sizes
    model_sizes: Sizes
    model: Model
    rule: LearningRule
    added: tuple[Charge, ...]
    convention: Convention
    optimizer: Optimizer

    @property
    def batch(self) -> Size:
        """The sequences of the step."""
        return self.settings.batch

    @cached_property
    def loss(self) -> Loss:
        """How the loss is executed."""
        return loss_of(self.settings.loss)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know: the spec's own notes, then the lengths that the model is not made for."""
        return (*self.sizes.notes, *unfit_lengths(self.sizes, self.spec.at()))

    def at(self, context: Size) -> "TrainingStep":
        """Return the same step at another context. Raises InputError as `step_of` does."""
        return step_of(self.spec, replace(self.settings, context=context))

    @cached_property
    def parameters(self) -> dict[Op, Size]:
        """The parameters of every operation that learns; those of a shared weight stand on its first user."""
        first: dict[str, Op] = {}
        for op in self.model.trace.ops:
            if op.weight:
                first.setdefault(op.weight, op)
        return {op: op.weight_copies * self.convention.parameters(op) for op in first.values()}

    @property
    def slips(self) -> list[Erratum]:
        """The slips in published totals of such a model that are counted, should it have what they are about."""
        return self.convention.errata_of(self.sizes, self.rule.name) if self.settings.errata else []

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
        return segments_of(self.model.trace.ops, [repeat.ops for repeat in self.model.trace.repeats], self.settings)

    def recomputations(self, index: int) -> int:
        """Return how often the forward of an operation runs again in the backward.

        Once where it is in a segment, and once where it is inside a fused kernel, whose backward has not what
        the forward has not written. Source of the latter: Dao et al. 2022, arXiv 2205.14135, algorithm 4.
        """
        op = self.model.trace.ops[index]
        is_fused = op.output.is_fused and op.has_gradients and self.rule.runs["backward"] > 0
        return sum(index in ops for ops in self.segments) + is_fused


def step_of(spec: Spec, settings: Settings, like: TrainingStep | None = None) -> TrainingStep:
    """Trace one training step of `spec`; each setting is explained where it is declared (`tcost.settings`).

    A step of the same spec that is `like` it has been traced already, and is not again where the model is the same.
    Raises InputError for a setting that there is not or that the model cannot have, and for what a backward alone
    could have under a rule that runs none.
    """
    check_size("the batch", checked(settings).batch)
    rule, prices = learning_rule(settings.algo), convention_of(settings.convention)
    lengths = settings.context, settings.encoder_context
    shared = like if like and (like.settings.context, like.settings.encoder_context) == lengths else None
    sizes = shared.sizes if shared else spec.at(*lengths)
    for name in OF_BACKWARD if not rule.runs["backward"] else ():
        if getattr(settings, name) != getattr(Settings(), name):
            raise InputError(f"{name} is for rules that run a backward; {rule.name} runs none\nleave it out, or use bp")
    if sizes.head in WITHOUT_LOSS:
        _check_without_loss(sizes, rule, settings)
    priced = replace(prices.model(sizes), causal=settings.causal, attention=settings.attention)
    alike = shared if shared and shared.model_sizes == priced else None
    model = alike.model if alike else trace_model(priced)
    step = TrainingStep(
        spec=spec,
        settings=settings,
        sizes=sizes,
        model_sizes=priced,
        model=model,
        rule=rule,
        added=alike.added if alike and alike.rule.adds is rule.adds else tuple(rule.adds(model)),
        convention=prices,
        optimizer=optimizer_of(settings.optimizer),
    )
    step.loss.check_rows(step.batch * step.model.output.shape[0])
    return step


def _check_without_loss(sizes: Sizes, rule: LearningRule, settings: Settings) -> None:
    """Raise InputError for what a model without a head cannot have, because it has no loss."""
    end = WITHOUT_LOSS[sizes.head]
    if not rule.runs["backward"]:
        raise InputError(
            f"{sizes.name} ends in its {end} and has no loss, whose error {rule.name} needs\n"
            "price it under bp: --algos bp"
        )
    if settings.loss != Settings().loss:
        raise InputError(f"{sizes.name} ends in its {end} and has no loss to be {settings.loss}\nleave --loss out")


def segments_of(ops: Sequence[Op], blocks: Sequence[range], settings: Settings) -> tuple[range, ...]:
    """Return which operations are computed again together, of operations among which are those blocks, in order.

    A loss that is chunked is such a segment, whatever else is; one that is not PyTorch's own is in no other.
    """
    loss, last = loss_of(settings.loss), operations_of_loss(ops)
    found = [] if settings.recompute == "none" else list(blocks)
    if settings.recompute == "full":
        end = last.start if loss.is_fused or loss.is_chunked else last.stop
        ends = [0, *(end for block in blocks for end in (block.start, block.stop)), end]
        found += [range(*pair) for pair in zip(ends[::2], ends[1::2], strict=True) if pair[0] < pair[1]]
    found += [last] * loss.is_chunked
    return tuple(segment for segment in found if any(ops[index].has_gradients for index in segment))


training_step = asking(Settings, step_of)


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


def of_rules(algos: Sequence[str], settings: Settings) -> list[Settings]:
    """Return the settings of each of several rules: what is of a backward goes to those that run one.

    Where none of them does, all have it, and are refused.
    """
    has_backward = [learning_rule(algo).runs["backward"] > 0 for algo in algos]
    as_usual = {name: getattr(Settings(), name) for name in OF_BACKWARD} if any(has_backward) else {}
    each = zip(algos, has_backward, strict=True)
    return [replace(settings, algo=algo, **({} if has else as_usual)) for algo, has in each]
