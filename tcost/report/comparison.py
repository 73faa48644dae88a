"""Learning rules side by side, as a table."""

from collections.abc import Iterator, Sequence

from tcost.cost import BESIDE, Change, Comparison, Result
from tcost.report import NOTHING, context_of, lengths_of, memory_slips, notes_of, settings_without_context
from tcost.report.beside import changes_notes, half_hint, is_of_several, not_published
from tcost.report.tables import Section, Table
from tcost.text import visible
from tcost.units import binary, change, grouped, si


def comparison_table(comparisons: Sequence[Comparison], see: str = "", *, integers: bool = False) -> Table:
    """Return a comparison as a table: a line per spec, context and rule, with its change under each convention.

    `see` is a command that tells why the changes differ.
    """
    amount, of_bytes = (grouped, grouped) if integers else (si, binary)
    own, results = comparisons[0].result.convention, [each.result for each in comparisons]
    conventions = BESIDE if own in BESIDE else (own, *BESIDE)
    lines = []
    for each in comparisons:
        result, is_first = each.result, each.result is each.baseline
        changes = zip(*(_changes(each if name == own else each.changes[name]) for name in conventions), strict=True)
        stored = of_bytes(result.memory.of("stored_activations").bytes)
        amounts = (amount(result.totals.macc), amount(result.totals.flop), stored)
        lines.append(
            (
                visible(result.spec) if is_first else "",
                context_of(result, " ({})") if is_first else "",
                result.algo,
                *(cell for number, ratios in zip(amounts, changes, strict=True) for cell in (number, *ratios)),
            )
        )
    columns = [(measure, *(f"change {name}" for name in conventions)) for measure in ("MACCs", "FLOPs", "stored")]
    has_encoders = any(result.encoder_context for result in results)
    return Table(
        title=f"One training step, and the change against {comparisons[0].baseline.algo}",
        settings=_settings(comparisons),
        columns=("spec", f"context{' (encoder)' * has_encoders}", "rule", *(name for each in columns for name in each)),
        sections=(Section(tuple(lines)),),
        notes=tuple(_notes(comparisons, see)),
        text_columns=3,
    )


def _changes(each: Change) -> list[str]:
    """Return the changes of MACCs, FLOPs and stored activations, if it is not of the first rule and is published."""
    if each.result is each.baseline or (each.result.convention in BESIDE and not each.is_published):
        return [NOTHING] * 3
    return [change(ratio) for ratio in (each.macc, each.flop, each.stored_activations)]


def _settings(comparisons: Sequence[Comparison]) -> str:
    results = [each.result for each in comparisons]
    recompute = next((each.recompute for each in results if each.recompute != "none"), "none")
    if not is_of_several(comparisons):
        whose = f", {lengths_of(results[0])}"
    else:
        whose = "" if "context" in results[0].overrides else ", context: each spec's own (--context)"
    return f"{settings_without_context(results[0], recompute)}{whose}"


def _notes(comparisons: Sequence[Comparison], see: str) -> Iterator[str]:
    results = [each.result for each in comparisons]
    has_changes = any(each.result is not each.baseline for each in comparisons)
    if is_of_several(comparisons):
        yield from changes_notes(comparisons)
    lacking = not_published([each.changes["paper"].result for each in comparisons])
    if has_changes and lacking:
        yield f"{NOTHING} under paper: {lacking}"
    if has_changes:
        yield f"why exact and paper differ: {see}"
    yield "stored: activations, in fp32; all that a step holds: tcost memory SPEC"
    yield from half_hint(results)
    yield from dict.fromkeys((*notes_of(results), *memory_slips(results)))
