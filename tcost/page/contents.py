"""What is on the page. Nothing here computes a count."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from tcost.conventions import Convention, convention_of
from tcost.cost import Comparison, Result
from tcost.kinds import PHASES, Phase
from tcost.learning_rules import LearningRule, learning_rule
from tcost.memory import CATEGORIES, Category
from tcost.optimizers import optimizer_of
from tcost.page.model import SOME, Model
from tcost.report import foreign_kinds, slips_of
from tcost.report.memory import APART, HEADINGS, peak_of
from tcost.report.words import words_of
from tcost.settings import in_words


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
    def some_parameters(self) -> list[str]:
        """Which parameters, active or trained, are not all that some model has."""
        totals = [result.totals for result in self.results]
        return [
            each for each in SOME if any(total.parameters != getattr(total, f"{each}_parameters") for total in totals)
        ]

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
        return [(PHASES.index(phase), words_of(phase)) for phase in self.phases]

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
        optimizer = optimizer_of(first.optimizer)
        yield "counting convention", f"{self.convention.name}: {self.convention.title}"
        yield "training step", in_words(self.results, ("convention", "optimizer", "storage", "errata"))
        if "context" not in first.overrides:
            yield "context", "each spec's own (--context)"
        yield "optimizer", f"{optimizer.name}: {optimizer.source}"
        if self.convention.errata:
            yield "errata", "counted, as rows of their own" if first.errata else "left out"
        yield "memory", f"numbers in {first.storage}"

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
        return list(slips_of((*self.results, *(result.memory for result in self.results))))

    @property
    def charges(self) -> list[tuple[str, str]]:
        """What the convention prices otherwise than `exact` does: kind and phase, and who says so."""
        return [
            (f"{words_of(kind)}, {words_of(phase)}", each.citation)
            for (kind, phase), each in self.convention.overrides.items()
        ]


def contents_of(comparisons: Sequence[Comparison], notes: Sequence[str] = ()) -> Contents:
    """Return what a page of a comparison says; `notes` come before its own."""
    models = groupby(comparisons, key=lambda each: id(each.baseline))
    return Contents(tuple(Model(tuple(each)) for _, each in models), tuple(notes))
