"""What other settings say of the same step or comparison, in a line each."""

from collections.abc import Iterator, Sequence

from tcost.cost import BESIDE, Comparison, Result, standings
from tcost.report.words import format_of
from tcost.text import visible
from tcost.units import change, grouped

LONG = 8192
"""Rows beyond which the half of a decoder's pairs that its mask hides is most of what a step costs."""


UNPRICED = "not in the publication: layers that are trained"


def not_published(results: Sequence[Result]) -> str:
    """Name the kinds of operation that the publication behind the results' convention lacks, if there are any."""
    kinds = dict.fromkeys(kind for each in results for kind in each.priced_as_exact)
    return f"not in the publication: {', '.join(kinds)}" if kinds else ""


def is_long(result: Result) -> bool:
    """Tell whether a step prices pairs of rows that a mask hides, of so many rows that the reader should know."""
    has_decoder = result.memory.step.sizes.family != "encoder-only"
    return bool(result.causal == "full" and has_decoder and result.context > LONG)


def errata_note(result: Result, spec: str) -> list[str]:
    """Say, where there are any, how many slips of published totals are counted, and what lists those of a spec."""
    from shlex import quote

    number = len(result.slips)
    some = "1 erratum" if number == 1 else f"{number} errata"
    return [f"{some} of the published totals counted: tcost list errata {quote(visible(spec))}"] if number else []


def half_note(half: Result, *, integers: bool = False) -> str:
    """Say what a step costs over the pairs of rows that a decoder's mask leaves."""
    amount, totals = format_of(integers=integers), half.totals
    return (
        f"under --causal half, the pairs that a mask leaves: {amount(totals.macc)} MACCs, {amount(totals.flop)} FLOPs"
    )


def half_hint(results: Sequence[Result]) -> Iterator[str]:
    """Say, where it is so, that long steps are priced over all pairs of rows."""
    if any(map(is_long, results)):
        yield (
            f"contexts above {grouped(LONG)} are priced over all pairs of rows; --causal half: those that a mask leaves"
        )


def changes_notes(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Say what each of the conventions says of the MACCs of several rules against the first one.

    Of one model these are its changes, of several, in how many a rule takes fewer, of those that the publication has.
    """
    first = comparisons[0]
    for name in BESIDE:
        changes = [each.changes[name] for each in comparisons]
        published = [each for each in changes[1:] if each and each.is_published]
        if is_of_several(comparisons):
            words = ", ".join(f"{each.algo} in {each.cheaper} of {each.of}" for each in standings(changes))
            what = f"fewer MACCs than {first.baseline.algo}"
        else:
            words = ", ".join(f"{each.result.algo} {change(each.macc)}" for each in published)
            what = f"MACCs against {first.baseline.algo}"
        if words:
            yield f"{what} under {name}: {words}"


def lacking_notes(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Say under which convention some models have no change, and what its publication lacks of them."""
    for name in BESIDE if has_changes(comparisons) else ():
        changes = [each.changes[name] for each in comparisons]
        lacking = not_published([each.result for each in changes if each])
        if words := lacking or (UNPRICED if None in changes else ""):
            yield f"- under {name}: {words}"


def why_notes(comparisons: Sequence[Comparison], see: str) -> Iterator[str]:
    """Say which command tells why the conventions differ, where it does."""
    if has_changes(comparisons) and all(each.changes[name] for each in comparisons for name in BESIDE):
        yield f"why exact and paper differ: {see}"


def has_changes(comparisons: Sequence[Comparison]) -> bool:
    """Tell whether there is anything to compare with the first rule."""
    return any(each.result is not each.baseline for each in comparisons)


def is_of_several(comparisons: Sequence[Comparison]) -> bool:
    """Tell whether a comparison is of several models or contexts."""
    return any(each.baseline is not comparisons[0].baseline for each in comparisons)
