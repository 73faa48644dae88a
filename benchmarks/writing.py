"""How fast a sweep's rows are written, without what pricing them takes: `python benchmarks/writing.py`."""

import csv
import io
import tempfile
import timeit
from pathlib import Path

import numpy as np

from tcost import load_spec
from tcost.sweep import Integers, Sweep, parse_axis
from tcost.sweep.lines import LINES, text_of
from tcost.sweep.parquet import save
from tcost.sweep.pricing import Part

ROWS = 2**18


def made_up(sweep: Sweep) -> Part:
    """Return a chunk of numbers as long as those of real models, without pricing anything."""
    grid = {"context_length": np.arange(1, ROWS // 64 + 1), "batch": np.arange(1, 65)}
    context = np.repeat(grid["context_length"], 64)
    tokens = context * np.tile(grid["batch"], ROWS // 64)
    numbers = (tokens * 631_000 + context * tokens * 36_000, tokens * 1_262_000, 0 * tokens + 162_212_352, tokens * 571)
    measures = {name: Integers(column) for name, column in zip(sweep.measures, numbers, strict=True)}
    return Part(sweep.chunk(0), grid, measures)


def by_row(sweep: Sweep, part: Part) -> str:
    """Return the same CSV as the standard library writes it, row by row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, sweep.columns, lineterminator="\n")
    columns = [*part.axes.values(), *part.measures.values()]
    for row in zip(*(column.tolist() for column in columns), strict=True):
        writer.writerow(dict(zip(sweep.columns, ("gpt2", "bp", "exact", *row), strict=True)))
    return text.getvalue()


def main() -> None:
    """Print millions of rows per second, and bytes per row, for each format."""
    axes = (parse_axis(f"context_length=1:{ROWS // 64}"), parse_axis("batch=1:64"))
    sweep = Sweep(spec=load_spec("gpt2"), axes=axes)
    part = made_up(sweep)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "rows")

        def parquet() -> None:
            with file.open("wb") as target:
                save(sweep, part, target)

        for name, write in {
            "csv": lambda: file.write_text("".join(text_of(sweep, part, LINES["csv"]))),
            "csv, row by row": lambda: file.write_text(by_row(sweep, part)),
            "jsonl": lambda: file.write_text("".join(text_of(sweep, part, LINES["jsonl"]))),
            "parquet": parquet,
        }.items():
            seconds = min(timeit.repeat(write, repeat=5, number=1))
            print(f"{name:<16} {ROWS / seconds / 1e6:.2f} M rows/s, {file.stat().st_size / ROWS:.0f} bytes per row")


if __name__ == "__main__":
    main()
