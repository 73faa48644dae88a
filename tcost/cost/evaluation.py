"""From a spec, a learning rule and a convention to rows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

from tcost.conventions import Erratum, Slip
from tcost.cost.prices import sum_of
from tcost.cost.rows import Result, Row, merged
from tcost.errors import InputError
from tcost.exact import Size
from tcost.kinds import MODEL_PHASES, Phase, Scalars, kind_of
from tcost.memory import Memory
from tcost.settings import Settings, asking, asking_of_rules, values_of
from tcost.tracing import Op
from tcost.training_step import Spec, TrainingStep, of_rules, step_of


class Work(NamedTuple):
    """What an operation executes in a phase: scalar operations of one copy, run and sequence, and how many times."""

    op: Op
    phase: Phase
    runs: int
    times: Size
    scalars: Scalars


Counted: TypeAlias = dict[tuple[str, Op, Phase], Scalars]
"""What a convention, by its name, counts of one run of an operation in a phase."""


def result_of(spec: Spec, settings: Settings) -> Result:
    """Return what one training step of `spec` costs, and holds, under some settings.

    Raises InputError as `tcost.training_step.step_of` does.
    """
    return _result_of(step_of(spec, settings), {})


def _result_of(step: TrainingStep, counted: Counted) -> Result:
    settings, sizes, optimizer = step.settings, step.sizes, step.settings.optimizer
    asked = {"context": settings.context, "encoder_context": settings.encoder_context}
    lengths = {"context": sizes.context_length, "encoder_context": sizes.encoder_context_length}
    works = list(works_of(step, counted))
    slips = {erratum: about for erratum in step.slips if (about := _about(erratum, works))}
    rows = [_row(work, step) for work in works]
    rows += [_erratum_row(erratum, about, step) for erratum, about in slips.items()]
    step.convention.check(name for row in rows for name in row.scalars)
    return Result(
        **(values_of(settings) | lengths),
        spec=sizes.name,
        overrides={name: size for name, size in asked.items() if size is not None},
        rows=tuple(merged(rows)),
        not_counted=tuple(
            what for what in step.convention.not_counted if optimizer == "none" or what != "optimizer step"
        ),
        slips=tuple(Slip(erratum.layer, erratum.slip) for erratum in slips),
        notes=step.notes,
        priced_as_exact=step.foreign_kinds,
        memory=Memory(step),
    )


def results_of(spec: Spec, algos: Sequence[str], settings: Settings) -> list[Result]:
    """Return what `result_of` does for each of several rules; what is of a backward goes to those that run one."""
    return _results_of(spec, of_rules(algos, settings))


def beside(results: Sequence[Result], **changed: Any) -> list[Result] | None:
    """Return what the steps of some results cost under other settings: `beside(results, convention="paper")`.

    None where a convention is for another model, which has not all layers that are to be trained: then alone can a
    step that has a price under one convention have none under another.
    """
    steps = [result.memory.step for result in results]
    try:
        return _results_of(steps[0].spec, [replace(step.settings, **changed) for step in steps], steps[0])
    except InputError:
        return None


def _results_of(spec: Spec, each: Iterable[Settings], like: TrainingStep | None = None) -> list[Result]:
    """Return the results of a spec under several settings; what they have in common is found once."""
    results, counted = list[Result](), Counted()
    for settings in each:
        like = step_of(spec, settings, like)
        results.append(_result_of(like, counted))
    return results


evaluate = asking(Settings, result_of)
evaluate_rules = asking_of_rules(Settings, results_of)


def works_of(step: TrainingStep, counted: Counted | None = None) -> Iterator[Work]:
    """Yield what operations execute: the model's phase by phase, what the rule adds, what runs again, the optimizer.

    Every count but the optimizer's is linear in the batch. An operation that executes nothing in a phase is
    there only in its forward, where its parameters stand. What is `counted` already is not again.
    """
    ops, rule, convention = step.model.trace.ops, step.rule, step.convention
    known: Counted = {} if counted is None else counted
    charges: list[tuple[Phase, Op, int]] = [(phase, op, rule.runs[phase]) for phase in MODEL_PHASES for op in ops]
    charges += [(phase, op, rule.runs[phase]) for phase, op in step.added]
    charges += [("recomputed_forward", op, step.recomputations(index)) for index, op in enumerate(ops)]
    for phase, op, runs in charges:
        if not runs:
            continue
        key = convention.name, op, phase
        if key not in known:
            known[key] = convention.scalars(op, phase)
        scalars = known[key]
        if scalars or phase == "forward" or kind_of(op).count(op, phase):
            yield Work(op, phase, runs, step.batch * op.repeats * runs, scalars)
    yield from _optimizer_works(step)


def _optimizer_works(step: TrainingStep) -> Iterator[Work]:
    """Yield the optimizer's step, once for every parameter whatever the batch."""
    if not step.optimizer.per_parameter:
        return
    per_parameter = {} if step.convention.einsums_only else step.optimizer.per_parameter
    for op in step.parameters:
        if op.is_trained:
            scalars = _times(per_parameter, step.convention.parameters(op))
            yield Work(op, "optimizer_step", 1, op.weight_copies, scalars)


def _row(work: Work, step: TrainingStep) -> Row:
    op, convention = work.op, step.convention
    scalars = _times(work.scalars, work.times)
    parameters = step.parameters.get(op, 0) if work.phase == "forward" else 0
    return Row(
        layer=op.layer,
        operation=op.name,
        kind=op.kind,
        phase=work.phase,
        repeats=op.repeats,
        runs=work.runs,
        parameters=parameters,
        active_parameters=op.active(parameters),
        trained_parameters=parameters if op.is_trained else 0,
        scalars=scalars,
        convention=convention,
        note=f"not in the {convention.name}'s model" if convention.is_absent(op) else "",
    )


def _about(erratum: Erratum, works: Iterable[Work]) -> list[Work]:
    """Return the works that an erratum is about, of which there are none where a step does not do them."""
    return [work for work in works if work.phase == erratum.phase and erratum.is_about(work.op)]


def _erratum_row(erratum: Erratum, about: Sequence[Work], step: TrainingStep) -> Row:
    """Return what was published less what the works that it is about come to, which may be less than nothing."""
    slips = [_times(erratum.count(work.op, step.model), work.times) for work in about]
    left_out = step.left_out(erratum)
    return Row(
        layer=erratum.layer,
        operation="erratum",
        kind="erratum",
        phase=erratum.phase,
        repeats=1 if left_out else sum(work.op.repeats for work in about),
        runs=step.rule.runs[erratum.phase],
        parameters=-sum(left_out.values()),
        active_parameters=-sum(op.active(number) for op, number in left_out.items()),
        trained_parameters=-sum(number for op, number in left_out.items() if op.is_trained),
        scalars=sum_of(slips),
        convention=step.convention,
    )


def _times(scalars: Scalars, number: Size) -> Scalars:
    return {name: number * count for name, count in scalars.items()}
