"""How long large but honest models take to price against GPT-2: `python benchmarks/large.py`.

Run by hand. The cases are those of `tests/test_large.py`, side by side in one run, the fastest of five each; ratios
are of one machine.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from test_large import CASES, LARGE, SPEC

from tcost import evaluate, load_spec
from tcost.spec import ModelSpec, parse_spec

RULES = ("bp", "pepita", "mempepita")
RUNS = 5


def price(spec: ModelSpec) -> None:
    """Price a step under every rule."""
    for algo in RULES:
        _ = evaluate(spec, algo, "exact").totals


def peak(spec: ModelSpec) -> None:
    """Find what is alive at once under every rule."""
    for algo in RULES:
        _ = evaluate(spec, algo, "exact").memory.peak


def seconds(work: Callable[[ModelSpec], None], spec: ModelSpec) -> float:
    """Return the wall time of some work, the fastest of a few."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work(spec)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print a line per case."""
    gpt2 = load_spec("gpt2")
    base = {work: seconds(work, gpt2) for work in (price, peak)}
    print(f"{'gpt2':<40} price {1000 * base[price]:6.1f} ms       peak {1000 * base[peak]:6.1f} ms")
    for name, sizes in zip([*LARGE, "all of them"], [*CASES, LARGE], strict=True):
        spec = parse_spec(SPEC.format(**sizes), name)
        ratios = {work: seconds(work, spec) / base[work] for work in (price, peak)}
        print(f"{name:<40} price {ratios[price]:6.1f} x        peak {ratios[peak]:6.1f} x")


if __name__ == "__main__":
    main()
