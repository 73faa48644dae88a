"""Where a number comes from: what each operation of a layer executes, at which price, how often, and who says so.

Everything is read off the step in letters (`tcost.formulas`) that the counts come out of; numbers are put in last.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tcost.conventions import Convention
from tcost.cost import Amount, Result, Work, result_of, works_of
from tcost.exact import Size
from tcost.formulas import in_letters_of, layers_named, not_found, not_run, value_of
from tcost.kinds import DIFFERENCE, Phase, Scalars, kind_of
from tcost.learning_rules import LEARNING_RULES
from tcost.settings import Settings
from tcost.symbols import Symbol, algebra, written_out
from tcost.tracing import DOCS, NO_AXES, Einsum, Op, layer_name
from tcost.training_step import Spec, TrainingStep, of_rules, step_of


@dataclass(frozen=True)
class Count:
    """A number of one scalar operation, in letters (a SymPy expression) and as an integer, and the FLOPs of each."""

    scalar: str
    formula: Any
    number: int
    price: int


@dataclass(frozen=True, kw_only=True)
class Explained:
    """What an operation executes in a phase: the counts are those of one copy, run and sequence, of `times`.

    `pattern` has the axes of an einsum, or of a row-wise operation the shape of its output; `axes` the sizes
    of those that are named. `derivation` is what the kind executes, `citation` what the convention charges in
    its place, and `nothing` why there are no counts, where there are none.
    """

    layer: str
    operation: str
    kind: str
    phase: Phase
    pattern: str
    axes: Mapping[str, int]
    copies: int
    runs: int
    times: int
    convention: Convention
    counts: tuple[Count, ...]
    derivation: str
    citation: str
    nothing: str

    @property
    def amount(self) -> Amount:
        """The work of all copies, runs and sequences."""
        return Amount({each.scalar: self.times * each.number for each in self.counts}, self.convention)


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What layers of a model execute in a training step, and the result that it is a part of.

    `documentation` has what each layer is, its shapes and its source; the symbols are those that occur.
    """

    result: Result
    operations: tuple[Explained, ...]
    symbols: tuple[Symbol, ...]

    @property
    def documentation(self) -> dict[str, str]:
        """What each layer is, its shapes and its source, by its path."""
        paths = dict.fromkeys(each.layer for each in self.operations)
        return {path: " ".join(DOCS[layer_name(path)].split()) for path in paths}


def explain(
    spec: Spec,
    layer: str = "",
    algo: str | None = None,
    settings: Settings = Settings(),
    *,
    phase: Phase | None = None,
) -> Explanation:
    """Return what the operations of a layer of `spec`, or of all its layers, execute in every phase or in one.

    `layer` is a path, the end of one, or a name that several layers share. Without a rule it is bp, or for a
    layer that only another rule has, that rule, whatever that of the settings is.
    Raises InputError as `tcost.training_step.step_of` does, for a layer or phase that there is not, and where SymPy is
    not installed.
    """
    model = in_letters_of(spec, settings)
    rules = [algo] if algo else [*LEARNING_RULES] if layer else ["bp"]
    for own, numbers in zip(of_rules(rules, model.settings), of_rules(rules, settings), strict=True):
        step = step_of(model.sizes, own)
        works = list(works_of(step))
        paths = list(dict.fromkeys(work.op.layer for work in works))
        if wanted := layers_named(layer, paths) if layer else paths:
            found = [_explained(work, step, model.symbols) for work in works if work.op.layer in wanted]
            result = replace(result_of(spec, numbers), slips=())  # they are of the model's totals
            return _explanation(result, found, model.symbols, phase)
    raise not_found(layer, spec, algo, settings.convention)


def _explanation(
    result: Result, found: Sequence[Explained], symbols: tuple[Symbol, ...], phase: Phase | None
) -> Explanation:
    """Return the explanation of one phase or all, without operations of which these sizes leave no copies."""
    operations = tuple(each for each in found if each.times and phase in (None, each.phase))
    if phase and not operations:
        raise not_run(phase, result.algo, (each.phase for each in found))
    letters = {str(letter) for each in operations for count in each.counts for letter in count.formula.free_symbols}
    return Explanation(
        result=result, operations=operations, symbols=tuple(each for each in symbols if each.name in letters)
    )


def _explained(work: Work, step: TrainingStep, symbols: tuple[Symbol, ...]) -> Explained:
    op, convention = work.op, step.convention

    def number(size: Size) -> int:
        return value_of(written_out(size), symbols)

    return Explained(
        layer=op.layer,
        operation=op.name,
        kind=op.kind,
        phase=work.phase,
        pattern=_pattern(op, number),
        axes={axis: number(op.einsum.sizes[axis]) for axis in _axes(_einsum(op))},
        copies=number(op.repeats),
        runs=work.runs,
        times=number(work.times),
        convention=convention,
        counts=tuple(_counts(work.scalars, convention, number)),
        derivation=_derivation(work, step),
        citation=_citation(op, work.phase, convention),
        nothing="" if work.scalars else _why_nothing(work, convention),
    )


def _counts(scalars: Scalars, convention: Convention, number: Callable[[Size], int]) -> list[Count]:
    return [
        Count(name, algebra().expand(written_out(size)), number(size), convention.prices[name])
        for name, size in scalars.items()
        if number(size)
    ]


def _einsum(op: Op) -> Einsum:
    """Return the axes of an operation; the difference of another one's two outputs has not that one's."""
    return NO_AXES if op.name.endswith(DIFFERENCE) else op.einsum


def _axes(einsum: Einsum) -> list[str]:
    """Return the axes of an einsum in the order of its pattern."""
    named = (*einsum.operands, einsum.weight, einsum.output)
    return list(dict.fromkeys(axis for axes in named for axis in axes))


def _pattern(op: Op, number: Callable[[Size], int]) -> str:
    """Return the axes of operands, weight and output, or the shape of what an operation gives that has no axes."""
    einsum = _einsum(op)
    operands = [*einsum.operands, *([einsum.weight] if einsum.weight else [])]
    if operands:
        pattern = f"{', '.join(' '.join(axes) for axes in operands)} -> {' '.join(einsum.output)}"
    else:
        pattern = f"[{', '.join(str(number(size)) for size in op.output.shape)}]"
    return f"{pattern}, pairs that the mask leaves" if einsum.band or op.output.band else pattern


def _citation(op: Op, phase: Phase, convention: Convention) -> str:
    """Return what a convention says that it charges for a kind in a phase, where that is not what is executed."""
    override = convention.overrides.get((op.kind, "forward" if phase == "recomputed_forward" else phase))
    return override.citation if override and not convention.is_absent(op) else ""


def _derivation(work: Work, step: TrainingStep) -> str:
    """Return in words what is counted, where it is what is executed."""
    if work.phase == "optimizer_step":
        return f"{step.optimizer.name}, per parameter: {step.optimizer.source}"
    return "" if _citation(work.op, work.phase, step.convention) else kind_of(work.op).derivation


def _why_nothing(work: Work, convention: Convention) -> str:
    """Return why nothing is counted, where the convention has not said so."""
    if convention.is_absent(work.op):
        return f"not in the {convention.name}'s model"
    if _citation(work.op, work.phase, convention):
        return ""
    if convention.einsums_only and not kind_of(work.op).is_einsum:
        return "no matrix product, so that nothing is counted"
    return "nothing is executed"
