"""What stands below the panels: which numbers these are, what is left out, and the command that draws them."""

from collections.abc import Collection, Iterator, Sequence

from tcost import __version__
from tcost.conventions import convention_of
from tcost.cost import Result
from tcost.cost.measures import is_memory
from tcost.plot.style import shown
from tcost.report import foreign_kinds, length
from tcost.settings import in_words

AXES = {"context_length": "context", "encoder_context_length": "encoder context", "batch": "batch"}
"""What axes that are no keys of a model are called."""


MOST_NOTES, MOST_CHARACTERS = 8, 1000
"""Notes of a model, and characters of a paragraph, that are drawn: a page has an end."""


def caption(
    results: Sequence[Result],
    command: str,
    measures: Collection[str],
    varied: Collection[str] = (),
    notes: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return the paragraphs of a caption.

    The `results` are those drawn, or those of each rule at the ends of what is drawn; `measures` are those of
    `tcost.sweep.MEASURES` that are drawn, `varied` the axes that they are drawn over, `notes` what else is to be
    said, and `command` draws the picture once more.
    """
    first, convention = results[0], convention_of(results[0].convention)
    own = list(dict.fromkeys(f"{each.spec}: {note}" for each in results for note in each.notes))

    def lines() -> Iterator[str]:
        yield ", ".join(_settings(results, varied))
        yield f"{convention.name}: {convention.title}"
        if any(map(is_memory, measures)):
            yield f"memory: numbers in {first.storage}; all that a step holds: tcost memory SPEC"
        yield from notes
        yield from own[:MOST_NOTES]
        if len(own) > MOST_NOTES:
            yield f"and {len(own) - MOST_NOTES:,} notes more"
        yield from foreign_kinds(results)
        yield f"not counted: {', '.join(first.not_counted)}"
        if slips := _slips(results, measures):
            yield f"with the slips of the published totals, which --no-errata leaves out: {', '.join(slips)}"
        yield f"tcost {__version__}: {command}"

    return tuple(shown(_cut(line)) for line in lines())


def _cut(line: str) -> str:
    more = len(line) - MOST_CHARACTERS
    return f"{line[:MOST_CHARACTERS]}... and {more:,} characters more" if more > 0 else line


def _slips(results: Sequence[Result], measures: Collection[str]) -> list[str]:
    """Return the layers of the errata that are in what is drawn."""
    of_work = [layer for each in results for layer, _ in each.slips if not all(map(is_memory, measures))]
    of_memory = [layer for each in results for layer, _ in each.memory.slips if any(map(is_memory, measures))]
    return [layer.removeprefix("erratum: ") for layer in dict.fromkeys((*of_work, *of_memory))]


def _settings(results: Sequence[Result], varied: Collection[str]) -> Iterator[str]:
    first = results[0]
    yield in_words(results, varied)
    if "context_length" not in varied:
        yield f"context {length(first.context)}"
    of_spec = {each.spec: [other.encoder_context for other in results if other.spec == each.spec] for each in results}
    for spec, encoder in of_spec.items():
        if encoder[0] and "encoder_context_length" not in varied:
            whose = f" of {spec}" if len(of_spec) > 1 else ""
            yield f"encoder context{whose} {length(encoder[0]) if len(set(encoder)) == 1 else 'as the context'}"
