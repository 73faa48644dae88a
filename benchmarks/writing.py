"""How fast a sweep's rows are written, without what pricing them takes: `python benchmarks/writing.py`.

Beside the standard library, pyarrow and polars, which `pip install polars` brings.
"""

import csv
import io
import sys
import tempfile
import timeit
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import csv as pa_csv

from tcost import load_spec
from tcost.settings import flat
from tcost.sweep import Integers, Sweep, parse_axis
from tcost.sweep.lines import LINES, text_of
from tcost.sweep.parquet import save
from tcost.sweep.pricing import Part
from tcost.text import csv_word

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 2**18


def made_up(sweep: Sweep) -> Part:
    """Return a chunk of numbers as long as those of real models, without pricing anything."""
    grid = {"context_length": np.arange(1, ROWS // 64 + 1), "batch": np.arange(1, 65)}
    context = np.repeat(grid["context_length"], 64)
    tokens = context * np.tile(grid["batch"], ROWS // 64)
    numbers = (tokens * 631_000 + context * tokens * 36_000, tokens * 1_262_000, 0 * tokens + 162_212_352, tokens * 571)
    measures = {name: Integers(column) for name, column in zip(sweep.measures, numbers, strict=True)}
    return Part(sweep.chunk(0), grid, measures)


def words_of(sweep: Sweep, part: Part) -> dict[str, str]:
    """Return the columns that all rows share, as CSV writes them."""
    words = {"spec": sweep.spec.name, **dict(flat(sweep.fixed(part.chunk)))}
    return {name: str(csv_word("" if value is None else value)) for name, value in words.items()}


def numbers_of(part: Part) -> dict[str, Any]:
    """Return the columns of numbers."""
    return part.axes | {name: each.low for name, each in part.measures.items()}


def by_row(sweep: Sweep, part: Part) -> str:
    """Return the same CSV as the standard library writes it, row by row."""
    text, words, numbers = io.StringIO(), words_of(sweep, part), numbers_of(part)
    writer = csv.DictWriter(text, sweep.columns, lineterminator="\n")
    for row in zip(*(column.tolist() for column in numbers.values()), strict=True):
        writer.writerow(words | dict(zip(numbers, row, strict=True)))
    return text.getvalue()


def of_polars(sweep: Sweep, part: Part) -> Any:
    """Return the rows as a data frame."""
    words = {name: pl.repeat(word, ROWS, eager=True) for name, word in words_of(sweep, part).items()}
    return pl.DataFrame(words | numbers_of(part))


def of_pyarrow(sweep: Sweep, part: Part) -> Any:
    """Return the rows as a table."""
    words = {name: pa.repeat(word, ROWS) for name, word in words_of(sweep, part).items()}
    return pa.table(words | numbers_of(part))


def main() -> None:
    """Print millions of rows per second, and bytes per row, for each format and writer."""
    axes = (parse_axis(f"context_length=1:{ROWS // 64}"), parse_axis("batch=1:64"))
    sweep = Sweep(spec=load_spec("gpt2"), axes=axes)
    part = made_up(sweep)
    unquoted = pa_csv.WriteOptions(include_header=False, quoting_style="none")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "rows")

        def parquet() -> None:
            with file.open("wb") as target:
                save(sweep, part, target)

        writers: dict[str, Callable[[], object]] = {
            "csv": lambda: file.write_text("".join(text_of(sweep, part, LINES["csv"]))),
            "csv, row by row": lambda: file.write_text(by_row(sweep, part)),
            "csv, pyarrow": lambda: pa_csv.write_csv(of_pyarrow(sweep, part), file, unquoted),
            "csv, polars": lambda: of_polars(sweep, part).write_csv(file, include_header=False),
            "jsonl": lambda: file.write_text("".join(text_of(sweep, part, LINES["jsonl"]))),
            "jsonl, polars": lambda: of_polars(sweep, part).write_ndjson(file),
            "parquet": parquet,
            "parquet, polars": lambda: of_polars(sweep, part).write_parquet(file),
        }
        content = {}
        for name, write in writers.items():
            seconds = min(timeit.repeat(write, repeat=5, number=1))
            content[name] = file.read_bytes()
            print(f"{name:<16} {ROWS / seconds / 1e6:.2f} M rows/s, {len(content[name]) / ROWS:.0f} bytes per row")
    if len({content[name] for name in ("csv", "csv, row by row", "csv, pyarrow")}) > 1:  # polars quotes what is empty
        sys.exit("the writers of CSV do not write the same")


if __name__ == "__main__":
    main()
