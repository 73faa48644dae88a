"""What is on the page: results as texts, cells and charts. Nothing here computes a count."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import groupby

from tcost.conventions import Convention, convention_of
from tcost.cost import Comparison, Result, group_by
from tcost.kinds import PHASES, Phase
from tcost.learning_rules import LearningRule, learning_rule
from tcost.memory import CATEGORIES, Category
from tcost.optimizers import optimizer_of
from tcost.page import charts
from tcost.page.cells import NONE, Cell, amount, change_of, of_bytes, share_of, size
from tcost.report import NOTHING, context_of, foreign_kinds, how, memory_slips, sequences_of
from tcost.report.bars import MEASURES, bars_of, small_layers
from tcost.report.memory import APART, HEADINGS, peak_of
from tcost.units import binary, si

TALL = 18
"""Height of bars that have amounts inside."""


@dataclass(frozen=True)
class LayerRow:
    """A line of the table of layers: what one layer costs in one phase under one rule."""

    algo: str
    layer: str
    phase: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Model:
    """A model under each of the rules, in the words, cells and charts of the page."""

    comparisons: tuple[Comparison, ...]

    @property
    def results(self) -> list[Result]:
        """The results, one per rule."""
        return [each.result for each in self.comparisons]

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.results[0].spec

    @property
    def context(self) -> str:
        """Its context, and that of its encoder."""
        return context_of(self.results[0], " ({})")

    def summary(self, *, has_active: bool) -> Iterator[tuple[str, tuple[Cell, ...]]]:
        """Yield each rule with its amounts and their changes against the first rule."""
        for each in self.comparisons:
            totals, memory = each.result.totals, each.result.memory
            yield (
                each.result.algo,
                (
                    *(amount(totals.macc), _change(each, each.macc_change)),
                    *(amount(totals.flop), _change(each, each.flop_change)),
                    amount(totals.parameters),
                    *([amount(totals.active_parameters)] * has_active),
                    *(of_bytes(memory.of("stored_activations").bytes), _change(each, each.stored_change)),
                    *(of_bytes(memory.peak.bytes), _change(each, each.peak_change)),
                ),
            )

    def phases(self, phases: Sequence[Phase]) -> Iterator[tuple[str, tuple[Cell, ...]]]:
        """Yield each rule with the MACCs, then the FLOPs, of every phase."""
        for result in self.results:
            ran = {row.phase for row in result.rows}
            sums = [result.phases[phase] if phase in ran else None for phase in phases]
            yield (
                result.algo,
                (
                    *(Cell(NOTHING) if each is None else amount(each.macc) for each in sums),
                    *(Cell(NOTHING) if each is None else amount(each.flop) for each in sums),
                ),
            )

    def memory(self, categories: Sequence[Category]) -> Iterator[tuple[str, tuple[Cell, ...]]]:
        """Yield each rule with the bytes of every category, and the peak."""
        for result in self.results:
            memory = result.memory
            yield result.algo, (*(of_bytes(memory.of(each).bytes) for each in categories), of_bytes(memory.peak.bytes))

    @property
    def layers(self) -> Iterator[LayerRow]:
        """The lines of the table of layers, in the order of rules and of the model; a star is on what has a note."""
        for result in self.results:
            copies = {row.layer: row.repeats for row in reversed(result.rows)}  # those of its first operation
            noted = {row.layer for row in result.rows} - {row.layer for row in result.rows if not row.note}
            for row in group_by(result.rows, "layer"):
                yield LayerRow(
                    algo=result.algo,
                    layer=f"{row.layer}{' *' * (row.layer in noted)}",
                    phase=_words(row.phase),
                    cells=(
                        *(size(copies[row.layer]), size(row.runs), amount(row.macc), amount(row.flop)),
                        amount(row.parameters) if row.parameters else NONE,
                        share_of(row.macc, result.totals.macc),
                    ),
                )

    @property
    def phase_panels(self) -> Iterator[charts.Panel]:
        """A chart of MACCs and one of FLOPs: a bar per rule, a part per phase."""
        for measure in MEASURES:
            field = {"MACCs": "macc", "FLOPs": "flop"}[measure]
            bars = [
                charts.Bar(
                    result.algo,
                    tuple(
                        charts.Part(PHASES.index(phase), _words(phase), getattr(part, field))
                        for phase, part in result.phases.items()
                    ),
                    getattr(result.totals, field),
                )
                for result in self.results
            ]
            yield charts.panel(measure, bars, si, charts.scale_of(bars, si), TALL)

    @cached_property
    def small(self) -> list[str]:
        """The layers that share a bar."""
        return small_layers(self.results)

    @property
    def layer_panels(self) -> Iterator[charts.Panel]:
        """Two charts per rule, of MACCs and of FLOPs: a bar per layer, a part per phase; one scale for all rules."""
        groups = [bars_of(result, self.small) for result in self.results]
        by_measure = {
            measure: [
                [
                    charts.Bar(
                        bar.label,
                        tuple(
                            charts.Part(fill, _words(phase), bar.amount(measure, phase))
                            for fill, phase in enumerate(PHASES)
                        ),
                        bar.amount(measure),
                    )
                    for bar in group
                ]
                for group in groups
            ]
            for measure in MEASURES
        }
        for place, result in enumerate(self.results):
            for measure, bars in by_measure.items():
                scale = charts.scale_of([bar for group in bars for bar in group], si)
                yield charts.panel(f"{measure} under {result.algo}", bars[place], si, scale)

    @property
    def memory_panel(self) -> charts.Panel:
        """A chart of bytes: a bar per rule, a part per category, a mark at the peak."""
        bars = [
            charts.Bar(
                result.algo,
                tuple(
                    charts.Part(fill, HEADINGS[category], result.memory.of(category).bytes)
                    for fill, category in enumerate(CATEGORIES)
                    if category != APART
                ),
                result.memory.peak.bytes,
                result.memory.peak.bytes,
            )
            for result in self.results
        ]
        return charts.panel("memory; line and number: the peak", bars, binary, charts.scale_of(bars, binary), TALL)


@dataclass(frozen=True)
class Contents:
    """Everything that the page says."""

    models: tuple[Model, ...]
    notes: tuple[str, ...]
    """What is said beside the notes of the results."""

    @property
    def results(self) -> list[Result]:
        """All results."""
        return [result for model in self.models for result in model.results]

    @property
    def first(self) -> Result:
        """The first result: all are under its convention and options."""
        return self.results[0]

    @property
    def convention(self) -> Convention:
        """The convention."""
        return convention_of(self.first.convention)

    @property
    def rules(self) -> list[LearningRule]:
        """The learning rules."""
        return [learning_rule(algo) for algo in dict.fromkeys(result.algo for result in self.results)]

    @property
    def has_active(self) -> bool:
        """Whether a model has parameters that not every token uses."""
        totals = [result.totals for result in self.results]
        return any(each.parameters != each.active_parameters for each in totals)

    @property
    def has_encoders(self) -> bool:
        """Whether a model has an encoder with a context of its own."""
        return any(result.encoder_context for result in self.results)

    @property
    def phases(self) -> list[Phase]:
        """The phases that run, in their order."""
        ran = {row.phase for result in self.results for row in result.rows}
        return [phase for phase in PHASES if phase in ran]

    @property
    def phase_legend(self) -> list[tuple[int, str]]:
        """The number of each phase's fill, and its name."""
        return [(PHASES.index(phase), _words(phase)) for phase in self.phases]

    @property
    def categories(self) -> list[Category]:
        """The categories of memory that are not empty."""
        return [each for each in CATEGORIES if any(result.memory.of(each).elements for result in self.results)]

    @property
    def category_legend(self) -> list[tuple[int, str]]:
        """The number of each category's fill, and its name, without what stands apart."""
        return [(CATEGORIES.index(each), HEADINGS[each]) for each in self.categories if each != APART]

    @property
    def category_headings(self) -> list[str]:
        """What stands above each category of the table of memory."""
        return ["integers" if each == APART else HEADINGS[each] for each in self.categories]

    @property
    def settings(self) -> Iterator[tuple[str, str]]:
        """What the numbers depend on: terms, and what is said of each."""
        first = self.first
        recompute = next((each.recompute for each in self.results if each.recompute != "none"), "none")
        options = how(first, recompute).partition(", ")[2]
        optimizer = optimizer_of(first.optimizer)
        yield "counting convention", f"{self.convention.name}: {self.convention.title}"
        yield "training step", f"{sequences_of(first)}{f', {options}' if options else ''}"
        yield "optimizer", f"{optimizer.name}: {optimizer.source}"
        if self.convention.errata:
            yield "errata", "counted, as rows of their own" if first.has_errata else "left out"
        yield "memory", "numbers in fp32"

    @property
    def remarks(self) -> list[str]:
        """The notes."""
        results = self.results
        marks = [f"* {row.note}" for result in results for row in result.rows if row.note]
        said = [f"{result.spec}: {note}" for result in results for note in result.notes]
        peaks = [self._peak(result) for result in results]
        return list(dict.fromkeys((*self.notes, *said, *marks, *foreign_kinds(results), *peaks)))

    def _peak(self, result: Result) -> str:
        """Say what a peak is, of each model and rule where they differ."""
        whose = "" if result.memory.peak_moment is None else f" of {result.spec} under {result.algo}"
        return f"peak{whose}: {peak_of(result)}"

    @property
    def errata(self) -> list[str]:
        """The slips in published totals that are among the numbers."""
        work = [f"{layer}: {slip}" for result in self.results for layer, slip in result.errata]
        return list(dict.fromkeys((*work, *memory_slips(self.results))))

    @property
    def charges(self) -> list[tuple[str, str]]:
        """What the convention prices otherwise than `exact` does: kind and phase, and who says so."""
        return [
            (f"{_words(kind)}, {_words(phase)}", each.citation)
            for (kind, phase), each in self.convention.overrides.items()
        ]


def contents_of(comparisons: Sequence[Comparison], notes: Sequence[str] = ()) -> Contents:
    """Return what a page of a comparison says; `notes` come before its own."""
    models = groupby(comparisons, key=lambda each: id(each.baseline))
    return Contents(tuple(Model(tuple(each)) for _, each in models), tuple(notes))


def _change(each: Comparison, ratio: Fraction) -> Cell:
    return Cell(NOTHING) if each.result is each.baseline else change_of(ratio)


def _words(name: str) -> str:
    return name.replace("_", " ")
