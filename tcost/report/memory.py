"""What a training step holds, as a table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tcost.cost import Result
from tcost.layers.embeddings import TABLES
from tcost.memory import CATEGORIES, Category
from tcost.report import context_of, of_models, settings_of, slips_of
from tcost.report.tables import Section, Table, in_turn
from tcost.report.words import NOTHING, bytes_in_words, format_of, words_of
from tcost.settings import sequences
from tcost.text import visible
from tcost.units import common_unit, grouped

if TYPE_CHECKING:
    from tcost.memory.budget import Budget
    from tcost.memory.fitting import Fitting

LARGEST = "largest "
"""What the name of what stands for a layer begins with where only the largest amount counts that is alive at once."""

HEADINGS: Mapping[Category, str] = {
    "parameters": "weights",
    "gradients": "gradients",
    "optimizer": "optimizer",
    "projection": "fixed matrices",
    "stored_activations": "stored",
}
"""What stands above each category: words that are no longer than its numbers."""

LABEL_WIDTH = 33
"""Of longer labels the rest goes on in the next line, so that the widest table has 100 columns."""

APART: Category = "indices"
"""Integers, which stand apart from the columns of numbers."""


def memory_table(
    result: Result,
    budget: "Budget | None" = None,
    fitting: Sequence["Fitting"] = (),
    exact: Result | None = None,
    *,
    integers: bool = False,
) -> Table:
    """Return what one step holds as a table: a line per layer, a column per category, and the peak.

    Where the same step under convention `exact` is given, a note says what that holds.
    """
    memory = result.memory
    shown = [category for category in CATEGORIES if category != APART and memory.of(category).elements]
    rows = [(label, _held(result, layer, shown)) for layer, label in _labels(result).items()]
    total, peak = {category: memory.of(category).bytes for category in shown}, memory.peak.bytes
    unit, in_unit = common_unit((sum(total.values()), peak))
    amount, corner = (grouped, "bytes") if integers else (in_unit, unit)
    lines = [
        (label, *(amount(held[each]) if each in held else NOTHING for each in shown), amount(sum(held.values())))
        for label, held in (*rows, ("total", total))
        if any(held.values()) or label == "total"
    ]
    optimizer = "no optimizer" if result.optimizer == "none" else f"optimizer {result.optimizer}"
    return Table(
        title=_answer(result, budget, integers=integers),
        settings=f"{settings_of(result, ('optimizer', 'storage'))}\n{optimizer}, {result.storage}",
        columns=(corner, *(HEADINGS[category] for category in shown), "total"),
        sections=(
            Section(tuple(lines), has_total=True),
            Section((("peak", *[""] * len(shown), amount(peak)),), has_total=True),
        ),
        notes=tuple(_notes(result, budget, fitting, exact, integers=integers)),
        text_width=LABEL_WIDTH,
        goes=in_turn(*range(1, len(shown) + 1)),
    )


def _held(result: Result, layer: str, shown: Sequence[Category]) -> dict[Category, int]:
    """Return the bytes that a layer holds of each category."""
    return {row.category: row.bytes for row in result.memory.rows if row.layer == layer and row.category in shown}


def _answer(result: Result, budget: "Budget | None", *, integers: bool) -> str:
    """Return in words the peak and, where there is a budget, whether it fits."""
    amount = bytes_in_words(integers=integers)
    words = f"{visible(result.spec)} under {result.algo}: peak {amount(result.memory.peak.bytes)}"
    if not budget:
        return words
    fits = f"fits into {amount(budget.bytes)}, {amount(budget.spare)} to spare"
    does_not = f"does not fit into {amount(budget.bytes)}, {amount(-budget.spare)} too much"
    return f"{words}, {fits if budget.fits else does_not}"


def _labels(result: Result) -> dict[str, str]:
    """Return what stands before each layer's amounts, in the order of the model, with the number of its copies."""
    labels: dict[str, str] = {}
    for row in result.rows:
        layer = str(row.layer)
        labels.setdefault(layer, visible(layer if row.repeats == 1 else f"{layer} ×\N{NO-BREAK SPACE}{row.repeats}"))
    more = [row.layer for row in result.memory.rows if row.layer not in labels]
    return labels | {layer: layer.partition(":")[0] if layer.startswith(LARGEST) else visible(layer) for layer in more}


def _notes(
    result: Result, budget: "Budget | None", fitting: Sequence["Fitting"], exact: Result | None, *, integers: bool
) -> Iterator[str]:
    amount, memory = format_of("bytes", integers=integers), result.memory
    stored, peak = memory.of("stored_activations"), memory.peak
    yield from of_models([result])
    yield f"peak: {peak_of(result)}"
    yield from dict.fromkeys(row.layer for row in memory.rows if row.layer.startswith(LARGEST))
    yield f"elements: {grouped(stored.elements)} stored activations, {grouped(peak.elements)} at the peak"
    yield f"integers apart: {amount(memory.of(APART).bytes)} of tokens, positions and targets"
    if exact:
        other = exact.memory
        held = f"{amount(other.of('stored_activations').bytes)} of stored activations, peak {amount(other.peak.bytes)}"
        yield f"under exact, what PyTorch keeps: {held}; see --convention exact"
    if budget:
        yield from _of_budget(result, budget)
        yield from _of_fitting(budget, fitting, integers=integers)
    yield from slips_of([memory])


def _of_fitting(budget: "Budget", fitting: Sequence["Fitting"], *, integers: bool) -> Iterator[str]:
    amount = format_of("bytes", integers=integers)
    each = ", ".join(f"{one.change} (peak {amount(one.peak)})" for one in fitting)
    if not budget.fits:
        yield f"one change that makes it fit: {each}" if each else "no single change makes it fit"


def peak_of(result: Result) -> str:
    """Return in words what is held at the peak."""
    at = result.memory.peak_moment
    if at is None:
        return f"the sum; convention {result.convention} does not say what is alive when"
    return f"everything that is alive in the {words_of(at.phase)} of {at.layer}, {at.operation}"


def _of_budget(result: Result, budget: "Budget") -> Iterator[str]:
    context, batch = (
        "none fits" if number is None else grouped(number) for number in (budget.largest_context, budget.largest_batch)
    )
    yield f"largest context, at {sequences(result.batch)}: {context}"
    yield f"largest batch, at context {context_of(result, ', encoder context {}')}: {batch}"
    rows = result.memory.step.model_sizes.n_positions
    has_table = result.memory.step.model_sizes.positions in TABLES
    if has_table and budget.largest_context and budget.largest_context > rows:
        yield f"a context above {grouped(rows)} rows needs a longer table of positions"
