"""Rows of a sweep as text: CSV and JSON lines, with the same fields and exact integers."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tcost.settings import flat
from tcost.sweep.grid import Chunk, Sweep
from tcost.sweep.values import Integers
from tcost.text import csv_word, harmless_json

if TYPE_CHECKING:
    from tcost.sweep.pricing import Part

BLOCK_ROWS = 2**13
"""Rows that become text at once: few enough that their numbers stay in the processor's cache."""


@dataclass(frozen=True)
class Lines:
    """A format of one line per row: what stands before the rows, and the line of a row with `%d` for each number."""

    header: Callable[[Sweep], str]
    template: Callable[[Sweep, Chunk], str]


def text_of(sweep: Sweep, part: "Part", lines: Lines) -> Iterator[str]:
    """Return the lines of the rows of a chunk, block by block.

    Columns become Python integers at once and a line is one `%` of its row, which is five times as fast as
    `csv.DictWriter` (`benchmarks/writing.py`).
    """
    template = lines.template(sweep, part.chunk)
    for start in range(0, part.chunk.rows, BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        axes = [column[rows].tolist() for column in part.axes.values()]
        measures = [_block(column, rows).tolist() for column in part.measures.values()]
        yield "".join(map(template.__mod__, zip(*axes, *measures, strict=True)))


def _csv_template(sweep: Sweep, chunk: Chunk) -> str:
    words = _csv_line([str(csv_word("" if value is None else value)) for _, value in flat(_words(sweep, chunk))])
    return words.rstrip("\n").replace("%", "%%") + ",%d" * _numbers(sweep) + "\n"


def _json_template(sweep: Sweep, chunk: Chunk) -> str:
    words = harmless_json(json.dumps(_words(sweep, chunk), default=asdict)).removesuffix("}").replace("%", "%%")
    return words + "".join(f", {json.dumps(name)}: %d" for name in sweep.columns[-_numbers(sweep) :]) + "}\n"


def _block(column: Integers, rows: slice) -> Integers:
    return Integers(column.low[rows], None if column.high is None else column.high[rows])


def _words(sweep: Sweep, chunk: Chunk) -> dict[str, Any]:
    """Return the fields that all rows of a chunk share."""
    return {"spec": sweep.spec.name, **sweep.fixed(chunk)}


def _numbers(sweep: Sweep) -> int:
    return len(sweep.axes) + len(sweep.measures)


def _csv_line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


LINES: Mapping[str, Lines] = {
    "csv": Lines(lambda sweep: _csv_line(sweep.columns), _csv_template),
    "jsonl": Lines(lambda _: "", _json_template),
}
"""Each format of text, by name."""
