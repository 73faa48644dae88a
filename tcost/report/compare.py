"""Learning rules side by side, as a table."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest

from tcost.cost import BESIDE, Change, Comparison
from tcost.report import length, lengths_of, notes_of, slips_of
from tcost.report.beside import changes_notes, half_hint, has_changes, is_of_several, lacking_notes, why_notes
from tcost.report.tables import Section, Table, in_turn
from tcost.report.words import NOTHING, format_of
from tcost.settings import in_words
from tcost.text import visible
from tcost.units import change


def comparison_table(comparisons: Sequence[Comparison], see: str = "", *, integers: bool = False) -> Table:
    """Return a comparison as a table: a line per spec, context and rule, with its change under each convention.

    `see` is a command that tells why the changes differ.
    """
    models = [list(each) for _, each in groupby(comparisons, key=lambda each: id(each.baseline))]
    lines = [line for of_model in models for line in _lines(of_model, integers=integers)]
    of_macc, of_stored = ([f"{what} change {name}" for name in BESIDE] for what in ("MACCs", "stored"))
    return Table(
        title=_answer(models) if has_changes(comparisons) else "One training step",
        settings=_settings(comparisons),
        columns=("spec", "rule", "MACCs", *of_macc, "FLOPs", "stored", *of_stored),
        sections=(Section(tuple(lines)),),
        notes=tuple(_notes(comparisons, see)),
        text_columns=2,
        goes=in_turn(5, 8, 4, 7, 6, 3),
    )


def _lines(of_model: Sequence[Comparison], *, integers: bool) -> Iterator[tuple[str, ...]]:
    """Yield a line for each rule, before which are the model's name and, below it, its lengths."""
    first = of_model[0].result
    labels = [visible(first.spec), f"  context {length(first.context)}"]
    labels += [f"  encoder {length(first.encoder_context)}"] * (first.encoder_context is not None)
    amount, of_bytes = (format_of(measure, integers=integers) for measure in ("macc", "bytes"))
    rules = []
    for each in of_model:
        totals, stored = each.result.totals, _stored(each)
        under = [each.changes[name] for name in BESIDE]
        macc, held = [[_cell(change, measure) for change in under] for measure in ("macc", "stored_activations")]
        rules.append((each.result.algo, amount(totals.macc), *macc, amount(totals.flop), of_bytes(stored), *held))
    blank = ("",) * len(rules[0])
    for label, cells in zip_longest(labels, rules):
        yield (label or "", *(cells or blank))


def _cell(each: Change | None, measure: str) -> str:
    """Return a change; of the first rule there is none, nor of a model that the convention's publication lacks."""
    if each is None or each.result is each.baseline or not each.is_published:
        return NOTHING
    return change(getattr(each, measure))


def _answer(models: Sequence[Sequence[Comparison]]) -> str:
    """Return in words which rule takes the fewest FLOPs and which stores least: of a model, or of how many."""
    words = []
    for what, cost in (("fewest FLOPs", _flop), ("least stored", _stored)):
        best = Counter(min(of_model, key=cost).result.algo for of_model in models)
        if len(models) == 1:
            words.append(f"{what}: {best.most_common(1)[0][0]}")
        else:
            counts = (f"{algo} in {number}" for algo, number in best.most_common())
            words.append(f"{what}: {', '.join(counts)} of {len(models)}")
    return "; ".join((*words, f"changes are against {models[0][0].baseline.algo}"))


def _flop(each: Comparison) -> int:
    return int(each.result.totals.flop)


def _stored(each: Comparison) -> int:
    return int(each.result.memory.of("stored_activations").bytes)


def _settings(comparisons: Sequence[Comparison]) -> str:
    results = [each.result for each in comparisons]
    if not is_of_several(comparisons):
        whose = f", {lengths_of(results[0])}"
    else:
        whose = "" if "context" in results[0].overrides else ", context: each spec's own (--context)"
    return f"{in_words(results)}{whose}"


def _notes(comparisons: Sequence[Comparison], see: str) -> Iterator[str]:
    results = [each.result for each in comparisons]
    own = results[0].convention
    if own not in BESIDE and has_changes(comparisons):
        yield f"amounts are those of {own}; their own changes: --format json or csv"
    if is_of_several(comparisons):
        yield from changes_notes(comparisons)
    yield from lacking_notes(comparisons)
    yield from why_notes(comparisons, see)
    yield f"stored: activations, in {results[0].storage.activations}; all that a step holds: tcost memory SPEC"
    yield from half_hint(results)
    yield from dict.fromkeys((*notes_of(results), *slips_of(each.memory for each in results)))
