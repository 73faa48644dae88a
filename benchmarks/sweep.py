"""How fast a sweep is beside a loop and beside NumPy by hand, and its memory: `python benchmarks/sweep.py`.

Ratios within one run; each time is the fastest of several.
"""

import subprocess
import sys
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np

from tcost import evaluate, load_spec
from tcost.sweep import Axis, Sweep
from tcost.sweep.pricing import Pricer

MODELS = ("distilbert", "gpt3-small", "alexatm-20b")
RULES = ("bp", "pepita", "mempepita")
CONTEXTS = range(1, 2049)

LAYERS, WIDTHS, LENGTHS = range(1, 101), range(12, 1201, 12), range(1, 1001)
"""A grid of 10^7 points of GPT-2, all of whose totals fit into 64 bits."""

FAR = range(1_000_000, 1_001_000)
"""Contexts at which most totals do not."""


def seconds(work: Callable[[], object], repeat: int = 5) -> float:
    """Return the fastest of some runs."""
    return min(timeit.repeat(work, number=1, repeat=repeat))


def figure() -> list[tuple[int, int]]:
    """Sweep the companion paper's full figure: three models, 2,048 contexts, three rules, MACCs and FLOPs."""
    found: list[tuple[int, int]] = []
    for name in MODELS:
        axis = Axis("context_length", CONTEXTS)
        sweep = Sweep(spec=load_spec(name), axes=(axis,), algos=RULES, measures=("macc", "flop"))
        pricer = Pricer(sweep)
        for number in range(sweep.chunks):
            measures = pricer.price(sweep.chunk(number)).measures
            found += zip(measures["macc"].tolist(), measures["flop"].tolist(), strict=True)
    return found


def loop() -> list[tuple[int, int]]:
    """Price the same points one by one."""
    found: list[tuple[int, int]] = []
    for name in MODELS:
        spec = load_spec(name)
        for rule in RULES:
            for context in CONTEXTS:
                totals = evaluate(spec, rule, context=context).totals
                found.append((totals.macc, totals.flop))
    return found


def grid(contexts: range) -> Pricer:
    """Return what prices MACCs of GPT-2 under BP and `paper` over layers, widths and contexts."""
    axes = (Axis("n_decoder_layers", LAYERS), Axis("d_model", WIDTHS), Axis("context_length", contexts))
    return Pricer(Sweep(spec=load_spec("gpt2"), axes=axes, conventions=("paper",), measures=("macc",)))


def swept(pricer: Pricer, check: int = 0) -> int:
    """Price all chunks; return the sum of all values modulo 2^64 where it is asked for."""
    sweep, total = pricer.sweep, 0
    for number in range(sweep.chunks):
        found = pricer.price(sweep.chunk(number)).measures["macc"]
        total += check and int(found.low.view(np.uint64).sum())
    return total % 2**64


def by_hand(dtype: type, contexts: range, check: int = 0) -> int:
    """Evaluate the same total as a person would write it in NumPy, chunk by chunk of the same size.

    12·L·M³ + 6·L·M²·d + 14·L·M·d² + 18434·L·M·d + 201028·M·d, the closed form of the sweep at f = 3072, h = 12,
    V = 50257; in a type of 64 bits, that wraps or rounds where numbers are larger.
    """
    d: Any = np.array(WIDTHS, dtype=dtype).reshape(1, -1, 1)
    m: Any = np.array(contexts, dtype=dtype).reshape(1, 1, -1)
    total = 0
    for start in range(0, len(LAYERS), 2):
        layers: Any = np.array([*LAYERS[start : start + 2]], dtype=dtype).reshape(-1, 1, 1)
        macc = (
            12 * layers * m**3
            + 6 * layers * m**2 * d
            + 14 * layers * m * d**2
            + 18434 * layers * m * d
            + 201028 * m * d
        )
        total += check and int(macc.view(np.uint64).sum())
    return total % 2**64


def peak_memory(points: int, form: str) -> float:
    """Return the most memory in MiB that a sweep of so many points takes, as a process of its own, on Linux."""
    grid = ["--over", f"context_length=1:{points // 100}", "--over", "n_decoder_layers=1:100"]
    args = ["sweep", "gpt2", *grid, "--measures", "macc,flop", "--format", form]
    code = f"""
import re, sys
from pathlib import Path
from tcost.__main__ import run
status = run({args!r})
print(re.search(r"VmHWM:\\s*([0-9]+)", Path("/proc/self/status").read_text()).group(1), file=sys.stderr)
sys.exit(status)
"""
    command = [sys.executable, "-c", code]
    outcome = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
    return int(outcome.stderr) / 1024


def require(holds: bool) -> None:  # noqa: FBT001  # as in assert
    """Stop where what is timed does not give the same numbers."""
    if not holds:
        sys.exit("the sweep gives other numbers than what it is timed against")


def throughput(contexts: range, dtype: type, what: str) -> None:
    """Print how fast a grid of 10^7 points is beside NumPy by hand in some type."""
    pricer = grid(contexts)
    if dtype is not np.float64:
        require(swept(pricer, 1) == by_hand(dtype, contexts, 1))
    mine, others = seconds(lambda: swept(pricer)), seconds(lambda: by_hand(dtype, contexts))
    speed = f"{10**7 / mine / 10**6:.0f} million points per second"
    print(f"10^7 points, {what}: {others / mine:.2f}x the throughput of NumPy by hand, {speed}")


def main() -> None:
    """Print every ratio."""
    require(figure() == loop())
    ratio = seconds(loop, 1) / seconds(figure)
    print(f"figure of three models, 2,048 contexts, three rules: {ratio:.0f}x of a loop over evaluate")
    throughput(LENGTHS, np.int64, "totals below 2^63")
    throughput(FAR, np.uint64, "totals beyond, beside uint64, which wraps")
    throughput(FAR, np.float64, "totals beyond, beside float64, which rounds")
    for form in ("csv", "jsonl"):
        few, many = peak_memory(10**6, form), peak_memory(10**7, form)
        print(f"peak memory of a sweep to {form}: {few:.0f} MiB at 10^6 points, {many:.0f} MiB at 10^7")


if __name__ == "__main__":
    main()
