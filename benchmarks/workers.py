"""What Dask costs a sweep: the same Parquet files by one process and by workers, `python benchmarks/workers.py`.

Whole processes, wall time, the fastest of several; ratios within one run.
"""

import shutil
import subprocess
import sys
import tempfile
import timeit
from pathlib import Path

RUNS = 3

GRIDS = {200: "context_length=1:200", 10**7: "context_length=1:1000 n_decoder_layers=1:100 batch=1:100"}
"""What is swept, by its rows; the larger one in 39 chunks, each a task and a file."""


def seconds(grid: str, *options: str) -> float:
    """Return the time of a sweep of GPT-2 to a new folder of Parquet files."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "grid.parquet")
        code = "import sys; from tcost.__main__ import main; sys.exit(main())"
        sweep = ["sweep", "gpt2", "--measures", "macc,flop", "--over", *grid.split(), "--output", str(target)]

        def run() -> None:
            shutil.rmtree(target, ignore_errors=True)
            subprocess.run([sys.executable, "-c", code, *sweep, *options], check=True, stderr=subprocess.DEVNULL)

        return min(timeit.repeat(run, repeat=RUNS, number=1))


def main() -> None:
    """Print a line per grid and number of workers."""
    for rows, grid in GRIDS.items():
        alone = seconds(grid)
        print(f"{rows:>10,} rows: {alone:5.2f} s without Dask")
        for workers in (1, 2):
            took = seconds(grid, "--distributed", "--workers", str(workers))
            print(f"{rows:>10,} rows: {took:5.2f} s with {workers} workers, {took / alone:.2f}x")


if __name__ == "__main__":
    main()
