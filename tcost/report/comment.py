"""What has changed between training steps, as a comment on a pull request."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape

from tcost.diff import Difference, Differences
from tcost.report.diff import ARROW, change_of, difference_table, sides_alone
from tcost.report.tables import markdown
from tcost.report.words import format_of
from tcost.text import code, visible

LIMIT = 65_536
"""Characters of a comment on GitHub; bytes are counted here, which are never fewer."""

NAME_WIDTH, COMMAND_WIDTH = 100, 1000
"""Characters that are shown of a name and of a command."""

MEASURES = {"flop": "FLOPs", "macc": "MACCs", "parameters": "parameters", "peak_bytes": "peak memory"}
"""What the summary has, the first as its headline."""


def comment(found: Differences, command: str) -> str:
    """Return differences as GitHub markdown: a summary line, a table of totals, and each table by layer collapsed.

    Never more than 65,536 bytes: what does not fit is left out from the end, which is said with the `command` that
    prints it.
    """
    changed = [pair for pair in found.pairs if any(pair.total(measure).difference for measure in pair.head.totals)]
    head = f"{_summary(found.pairs, changed)}\n"
    left_out = f"\nThe rest did not fit into this comment: {_code(command, COMMAND_WIDTH)}\n"
    room = LIMIT - len((head + left_out).encode())
    kept, whole = [], True
    for block in _blocks(found, changed):
        room -= len(block.encode())
        if room < 0:
            whole = False
            break
        kept.append(block)
    return head + "".join(kept) + ("" if whole else left_out)


def _summary(pairs: Sequence[Difference], changed: Sequence[Difference]) -> str:
    """Return the line that says it all."""
    convention = f"convention {visible(pairs[0].head.convention)}"
    if not changed:
        return f"**The cost of a training step has not changed**, {convention}."
    if len(pairs) == 1:
        totals = [(each, changed[0].total(measure)) for measure, each in MEASURES.items()]
        words = ", ".join(f"{name} {change_of(each) if each.difference else 'unchanged'}" for name, each in totals)
        return f"**A training step of {_name(changed[0])}:** {words}, {convention}."
    most = max(changed, key=lambda pair: abs(pair.total("flop").difference))
    flops = change_of(most.total("flop")) if most.total("flop").difference else "unchanged"
    of_all = f"{len(changed)} of {len(pairs)} training steps have changed"
    return f"**{of_all}**, most of all {_name(most)}: FLOPs {flops}, {convention}."


def _blocks(found: Differences, changed: Sequence[Difference]) -> Iterator[str]:
    """Yield what follows, piece by piece: a line of the table of totals, or what is collapsed of a pair."""
    if changed:
        titles = [f"{name} | change" for name in MEASURES.values()]
        yield f"\n| step | {' | '.join(titles)} |\n| :-- |{' --: | --: |' * len(MEASURES)}\n"
    for pair in changed:
        cells = [
            f"{amount(each.base or 0)}{ARROW}{amount(each.head or 0)} | {change_of(each)}"
            if each.difference
            else f"{amount(each.head or 0)} | -"
            for each, amount in ((pair.total(name), format_of(name)) for name in MEASURES)
        ]
        yield f"| {_name(pair)} | {' | '.join(cells)} |\n"
    for side, steps in sides_alone(found):
        names = ", ".join(f"{_code(step.spec)} under {_code(step.algo)}" for step in steps)
        yield f"\nOnly in {side}: {names}\n"
    for pair in changed:
        table = replace(difference_table(pair), title="By layer and phase")
        title = ARROW.join(dict.fromkeys(_html_code(step.spec) for step in (pair.base, pair.head)))
        rule = _html_code(pair.head.algo)
        yield f"\n<details>\n<summary>{title} under {rule}</summary>\n\n{markdown([table])}\n</details>\n"


def _name(pair: Difference) -> str:
    before = f"{_code(pair.base.spec)}{ARROW}" if pair.base.spec != pair.head.spec else ""
    return f"{before}{_code(pair.head.spec)} under {_code(pair.head.algo)}"


def _code(text: str, width: int = NAME_WIDTH) -> str:
    return code(_cut(text, width))


def _html_code(text: str) -> str:
    return f"<code>{escape(_cut(text))}</code>"


def _cut(text: str, width: int = NAME_WIDTH) -> str:
    shown = visible(text)
    return shown if len(shown) <= width else f"{shown[:width]}…"
