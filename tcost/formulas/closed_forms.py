"""From a spec, or the paper's transformer, to closed forms."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeAlias

from tcost.cost import Result, Row, result_of, total
from tcost.errors import InputError
from tcost.exact import Size
from tcost.formulas.lettering import Lettered, in_letters_of, plain
from tcost.formulas.naming import layers_named, not_found, not_run
from tcost.kinds import PHASES, Phase
from tcost.learning_rules import LEARNING_RULES
from tcost.settings import Settings
from tcost.symbols import Symbol, algebra, written_out
from tcost.tracing import Op
from tcost.training_step import Spec, of_rules, unfit_lengths

Measure: TypeAlias = Literal["macc", "flop", "parameters", "active_parameters", "trained_parameters"]


@dataclass(frozen=True)
class Quantity:
    """A closed form: a SymPy expression of one measure in a phase that runs so often, or in all where none is given."""

    measure: Measure
    phase: Phase | None
    runs: int
    expression: Any

    @property
    def name(self) -> str:
        """The measure in its phase, as an identifier: `forward_macc`."""
        return f"{self.phase}_{self.measure}" if self.phase else self.measure


class Layer(NamedTuple):
    """A layer, and how many copies of it the model has."""

    path: str
    copies: Size


@dataclass(frozen=True)
class Part:
    """The closed forms of a whole model, which names no layers, or of layers whose closed forms are equal.

    They are those of one copy, or of all together where copies differ, share weights, or where gradients
    meet across them (`is_one_copy`).
    """

    layers: tuple[Layer, ...]
    quantities: tuple[Quantity, ...]
    is_one_copy: bool = True


@dataclass(frozen=True, kw_only=True)
class Formulas:
    """Closed forms, the result in letters that they are of, and what the letters stand for.

    The symbols are those that occur, in the order of `tcost.symbols`.
    """

    result: Result
    parts: tuple[Part, ...]
    symbols: tuple[Symbol, ...]


def formulas(
    spec: Spec | None = None,
    layer: str = "",
    algo: str | None = None,
    settings: Settings = Settings(),
    *,
    phase: Phase | None = None,
    of: Sequence[str] = (),
) -> Formulas:
    """Return the closed forms of a training step of `spec`, or of one copy of a layer.

    Without a spec, those of a layer of the paper's transformer. With `of`, keys of the spec or `batch`, these
    sizes alone are letters, the others numbers. Without a rule it is bp, or for a layer that only another rule
    has, that rule, whatever that of the settings is. `phase` leaves out the others.
    Raises InputError as `tcost.training_step.step_of` does, for a layer, phase or size that there is not, and where
    SymPy is not installed.
    """
    algebra()
    if spec is None and (of or settings.context or settings.encoder_context):
        raise InputError(f"{layer} of the paper's transformer has letters for all sizes\nname a spec that has numbers")
    rules = [algo] if algo else [*LEARNING_RULES] if layer else ["bp"]
    for model in plain(settings) if spec is None else [in_letters_of(spec, settings, of)]:
        for own in of_rules(rules, model.settings):
            found = _formulas(replace(model, settings=own), layer)
            if found.parts:
                return _used(_of_phase(_with_lengths(found, spec, settings), phase), of)
    raise not_found(layer, spec, algo, settings.convention)


def _with_lengths(found: Formulas, spec: Spec | None, settings: Settings) -> Formulas:
    """Say which lengths the model is not made for, of those that the letters stand for."""
    if spec is None:
        return found
    said = unfit_lengths(spec.at(settings.context, settings.encoder_context), spec.at())
    notes = tuple(dict.fromkeys((*found.result.notes, *said)))
    return replace(found, result=replace(found.result, notes=notes))


def _formulas(model: Lettered, layer: str) -> Formulas:
    """Return closed forms, with no parts where the model has no such layer."""
    result = result_of(model.sizes, model.settings)
    if layer:
        ops = result.memory.step.model.trace.ops
        paths = list(dict.fromkeys(str(row.layer) for row in result.rows if row.kind != "erratum"))
        parts = _equal_together([_part(path, result, ops) for path in layers_named(layer, paths)])
        result = replace(result, slips=())  # they are of the model's totals
    else:
        parts = [Part((), tuple(_quantities(result.rows)))]
    return Formulas(result=result, parts=tuple(parts), symbols=model.symbols)


def _part(path: str, result: Result, ops: Sequence[Op]) -> Part:
    """Return the closed forms of one copy of a layer, or of all where one is not like the others."""
    own = [op for op in ops if op.layer == path]
    rows = [row for row in result.rows if row.layer == path]
    copies = written_out(sum(op.repeats for op in own if op.name == own[0].name) or 1)
    is_one = (
        len({op.name for op in own}) == len(own)
        and all(op.weight_copies == op.repeats for op in own if op.weight)
        and all((written_out(row.repeats) / copies).is_Integer for row in rows if row.flop != 0)
    )
    return Part((Layer(path, copies),), tuple(_quantities(rows, copies if is_one else 1)), is_one)


def _equal_together(parts: Sequence[Part]) -> list[Part]:
    """Return parts in which layers whose closed forms are equal are one."""
    found: dict[Any, Part] = {}
    for part in parts:
        key = part.quantities if part.is_one_copy else part
        found[key] = replace(part, layers=(*found[key].layers, *part.layers)) if key in found else part
    return list(found.values())


def _quantities(rows: Sequence[Row], copies: Size = 1) -> Iterator[Quantity]:
    """Yield the closed form of every measure: in each phase, in all, and of the parameters."""

    def form(size: Size) -> Any:
        return algebra().expand(written_out(size) / copies)

    for phase in (*PHASES, None):
        own = [row for row in rows if phase in (None, row.phase)]
        if own:
            amount, runs = total(own, own[0].convention), {row.runs for row in own}
            often = runs.pop() if phase and len(runs) == 1 else 1
            yield Quantity("macc", phase, often, form(amount.macc))
            yield Quantity("flop", phase, often, form(amount.flop))
    parameters = form(sum(row.parameters for row in rows))
    yield Quantity("parameters", None, 1, parameters)
    some: tuple[Measure, ...] = ("active_parameters", "trained_parameters")
    for measure in some:
        number = form(sum(getattr(row, measure) for row in rows))
        if number != parameters:
            yield Quantity(measure, None, 1, number)


def _of_phase(found: Formulas, phase: Phase | None) -> Formulas:
    """Return the closed forms of one phase, where one is asked for."""
    if phase is None:
        return found
    parts = [
        replace(part, quantities=tuple(each for each in part.quantities if each.phase == phase)) for part in found.parts
    ]
    parts = [part for part in parts if part.quantities]
    if not parts:
        raise not_run(phase, found.result.algo, (each.phase for part in found.parts for each in part.quantities))
    return replace(found, parts=tuple(parts))


def _used(found: Formulas, of: Sequence[str]) -> Formulas:
    """Leave out symbols that occur in no closed form, unless they were asked for."""
    letters = {str(each) for part in found.parts for q in part.quantities for each in q.expression.free_symbols}
    return replace(found, symbols=tuple(each for each in found.symbols if each.name in letters or each.key in of))
