"""What the page has of each model: cells and charts. Nothing here computes a count."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from tcost.cost import Comparison, Result, group_by
from tcost.kinds import PHASES, Phase
from tcost.memory import CATEGORIES, Category
from tcost.page import charts
from tcost.page.cells import NONE, Cell, amount, of_bytes, share_of, size
from tcost.report import WORK, context_of
from tcost.report.bars import Bar, bars_of, small_layers
from tcost.report.memory import APART, HEADINGS
from tcost.report.words import NOTHING, words_of
from tcost.units import binary, change, percent, si

TALL = 18
"""Height of bars that have amounts inside."""

SOME = ("active", "trained")
"""Parameters that may be fewer than all: those of a token, and those that are trained."""


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

    def summary(self, some: Sequence[str]) -> Iterator[tuple[str, tuple[Cell, ...]]]:
        """Yield each rule with its amounts, `some` of its parameters too, and their changes against the first rule."""
        for each in self.comparisons:
            totals, memory = each.result.totals, each.result.memory
            yield (
                each.result.algo,
                (
                    *(amount(totals.macc), _change(each, each.macc)),
                    *(amount(totals.flop), _change(each, each.flop)),
                    amount(totals.parameters),
                    *(amount(getattr(totals, f"{which}_parameters")) for which in some),
                    *(of_bytes(memory.of("stored_activations").bytes), _change(each, each.stored_activations)),
                    *(of_bytes(memory.peak.bytes), _change(each, each.peak)),
                ),
            )

    def phases(self, phases: Sequence[Phase]) -> Iterator[tuple[str, tuple[Cell, ...]]]:
        """Yield each rule with the MACCs, then the FLOPs, of every phase."""
        for result in self.results:
            ran = {row.phase for row in result.rows}
            sums = [result.phases[phase] if phase in ran else None for phase in phases]
            cells = [
                amount(each.amount(measure)) if each else Cell(NOTHING) for measure in ("macc", "flop") for each in sums
            ]
            yield result.algo, tuple(cells)

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
                    phase=words_of(row.phase),
                    cells=(
                        *(size(copies[row.layer]), size(row.runs), amount(row.macc), amount(row.flop)),
                        amount(row.parameters) if row.parameters else NONE,
                        share_of(row.macc, result.totals.macc),
                    ),
                )

    @property
    def phase_panels(self) -> Iterator[charts.Panel]:
        """A chart of MACCs and one of FLOPs: a bar per rule, a part per phase."""
        for measure in WORK:
            bars = [_bar(Bar(result.algo, result.rows), measure) for result in self.results]
            yield charts.panel(measure, bars, si, charts.scale_of(bars, si), TALL)

    @cached_property
    def small(self) -> list[str]:
        """The layers that share a bar."""
        return small_layers(self.results)

    @property
    def layer_panels(self) -> Iterator[charts.Panel]:
        """Two charts per rule, of MACCs and of FLOPs: a bar per layer, a part per phase; one scale for all rules."""
        groups = [bars_of(result, self.small) for result in self.results]
        scales = {
            measure: charts.scale_of((_bar(bar, measure) for group in groups for bar in group), si) for measure in WORK
        }
        for result, group in zip(self.results, groups, strict=True):
            for measure, scale in scales.items():
                bars = [_bar(bar, measure) for bar in group]
                yield charts.panel(f"{measure} under {result.algo}", bars, si, scale)

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


def _bar(bar: Bar, measure: str) -> charts.Bar:
    """Return the work of some rows as a bar, a part per phase."""
    parts = (charts.Part(fill, words_of(phase), bar.amount(measure, phase)) for fill, phase in enumerate(PHASES))
    return charts.Bar(bar.label, tuple(parts), bar.amount(measure))


def _change(each: Comparison, ratio: Fraction) -> Cell:
    """Return a change against the first rule, with the value that JSON gives it."""
    return Cell(NOTHING) if each.result is each.baseline else Cell(change(ratio), str(percent(ratio)))
