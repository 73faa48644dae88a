"""From a spec, a learning rule and a convention to rows."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from tcost.conventions import Convention, Erratum, convention_of
from tcost.cost.rows import Result, Row, merged
from tcost.kinds import MODEL_PHASES, Phase, Scalars, kind_of
from tcost.learning_rules import LearningRule, learning_rule
from tcost.models import Model, trace_model
from tcost.optimizers import Optimizer, optimizer_of
from tcost.sizes import Causal, Size, Sizes, check_size
from tcost.tracing import Op


class Spec(Protocol):
    """What can be priced: a model spec or bare sizes."""

    def at(self, context: Size = None, encoder_context: Size = None) -> Sizes:
        """Return the model's sizes, at another context where one is given."""


def evaluate(
    spec: Spec,
    algo: str = "bp",
    convention: str = "paper",
    *,
    context: Size = None,
    encoder_context: Size = None,
    batch: Size = 1,
    optimizer: str = "none",
    errata: bool = True,
    causal: Causal = "full",
) -> Result:
    """Return what one training step of `spec` costs under a learning rule and a convention.

    `context` and `encoder_context` replace the spec's own; `batch` is the sequences of a step, which
    an `optimizer` ends once. With `causal` "half" a decoder's self-attention is priced over the pairs of
    rows that its mask leaves. Without `errata`, the slips in published totals are left out. Raises
    InputError for a rule, convention, optimizer or context that the model cannot have.
    """
    check_size("the batch", batch)
    rule, prices, sizes = learning_rule(algo), convention_of(convention), spec.at(context, encoder_context)
    model = trace_model(replace(prices.model(sizes), causal=causal))
    slips = [e for e in prices.errata_of(sizes, rule.name) if errata and rule.runs[e.phase]]
    rows = [*_step_rows(model, rule, prices, batch), *_optimizer_rows(model, optimizer_of(optimizer), prices)]
    rows += [_erratum_row(erratum, sizes, rule, prices, batch) for erratum in slips]
    return Result(
        spec=sizes.name,
        algo=algo,
        convention=convention,
        context=sizes.context_length,
        encoder_context=sizes.encoder_context_length,
        batch=batch,
        optimizer=optimizer,
        causal=causal,
        rows=tuple(merged(rows)),
        not_counted=tuple(what for what in prices.not_counted if optimizer == "none" or what != "optimizer step"),
        errata=tuple((erratum.layer, erratum.slip) for erratum in slips),
        notes=sizes.notes,
        priced_as_exact=tuple(dict.fromkeys(op.kind for op in model.trace.ops if prices.is_foreign(op))),
    )


def _step_rows(model: Model, rule: LearningRule, convention: Convention, batch: Size) -> Iterator[Row]:
    """Price the model's operations phase by phase, then what the rule adds; every count is linear in the batch.

    An operation that executes nothing in a phase has a row only in its forward, where its parameters stand.
    """
    charges = [(phase, op) for phase in MODEL_PHASES for op in model.trace.ops]
    own = _own_parameters(model, convention)
    for phase, op in [*charges, *rule.adds(model)]:
        scalars = convention.scalars(op, phase)
        if rule.runs[phase] and (scalars or phase == "forward" or kind_of(op).count(op, phase)):
            times = batch * op.repeats * rule.runs[phase]
            parameters = own.get(op, 0) if phase == "forward" else 0
            yield _row(op, phase, convention, _times(scalars, times), runs=rule.runs[phase], parameters=parameters)


def _optimizer_rows(model: Model, optimizer: Optimizer, convention: Convention) -> Iterator[Row]:
    """Price the optimizer's step, once for every parameter whatever the batch."""
    if not optimizer.per_parameter:
        return
    scalars = {} if convention.einsums_only else optimizer.per_parameter
    for op, parameters in _own_parameters(model, convention).items():
        if op.is_trained:
            yield _row(op, "optimizer_step", convention, _times(scalars, parameters))


def _own_parameters(model: Model, convention: Convention) -> dict[Op, Size]:
    """Return the parameters of every operation that learns; those of a shared weight stand on its first user."""
    first: dict[str, Op] = {}
    for op in model.trace.ops:
        if op.weight:
            first.setdefault(op.weight, op)
    return {op: op.weight_copies * convention.parameters(op) for op in first.values()}


def _row(op: Op, phase: Phase, convention: Convention, scalars: Scalars, *, runs: int = 1, parameters: Size = 0) -> Row:
    return Row(
        layer=op.layer,
        operation=op.name,
        kind=op.kind,
        phase=phase,
        repeats=op.repeats,
        runs=runs,
        macc=scalars.get("macc", 0),
        flop=convention.flop(scalars),
        parameters=parameters,
        active_parameters=op.active(parameters),
        scalars=scalars,
        note=f"not in the {convention.name}'s model" if convention.is_absent(op) else "",
    )


def _erratum_row(erratum: Erratum, sizes: Sizes, rule: LearningRule, convention: Convention, batch: Size) -> Row:
    runs, repeats = rule.runs[erratum.phase], erratum.repeats(sizes)
    scalars = _times(erratum.count(sizes), batch * repeats * runs)
    return Row(
        layer=erratum.layer,
        operation="erratum",
        kind="erratum",
        phase=erratum.phase,
        repeats=repeats,
        runs=runs,
        macc=scalars.get("macc", 0),
        flop=convention.flop(scalars),
        parameters=erratum.parameters(sizes),
        active_parameters=erratum.parameters(sizes),
        scalars=scalars,
    )


def _times(scalars: Scalars, number: Size) -> Scalars:
    return {name: number * count for name, count in scalars.items()}
