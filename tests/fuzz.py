"""Run drawn inputs and print what came of them: `python tests/fuzz.py --inputs 100000`.

Inputs come in batches, each with a seed of its own, so that the same command repeats them.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections import Counter
from itertools import count
from pathlib import Path

from fuzzing import Input, Outcome, check, inputs, prepare
from hypothesis import HealthCheck, Phase, given, seed, settings

BATCH = 2000

WARM = (
    Input(("plot", "gpt2", "-o", "out.png")),
    Input(("report", "gpt2", "-o", "out.html")),
    Input(("verify", "gpt2")),
    Input(("sweep", "--break-even", "gpt2")),
    Input(("compare",)),
)
"""Commands that load every library there is: what memory they take is not an input's."""


def memory() -> int:
    """Return the peak of this process's memory so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Draw, run, count, and print the figures; the first input that fails is shown with what it led to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=BATCH)
    parser.add_argument("--seed", type=int, default=0, help="of the first batch")
    asked = parser.parse_args()
    statuses: Counter[int] = Counter()
    slowest: tuple[float, Input] = (0.0, Input(()))
    start = time.monotonic()

    def one(each: Input) -> None:
        nonlocal slowest
        outcome: Outcome = check(each)
        statuses[outcome.status] += 1
        slowest = max(slowest, (outcome.seconds, each), key=lambda pair: pair[0])

    with tempfile.TemporaryDirectory() as folder, prepare(Path(folder)):
        for each in WARM:
            check(each)
        loaded = memory()
        for number in count(asked.seed):
            left = asked.inputs - statuses.total()
            if left <= 0:
                break
            quiet = settings(
                max_examples=min(BATCH, left),
                database=None,
                deadline=None,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            )
            seed(number)(quiet(given(inputs)(one)))()
            if sys.stderr.isatty():
                print(f"{statuses.total()} inputs", end="\r", file=sys.stderr)
    print(f"inputs: {statuses.total()}")
    print(f"seconds: {time.monotonic() - start:.0f}")
    print(f"statuses: {', '.join(f'{status}: {times}' for status, times in sorted(statuses.items()))}")
    print(f"slowest: {slowest[0]:.2f} s, tcost {' '.join(word[:80] for word in slowest[1].args)}")
    print(f"peak memory: {memory()} MiB, of which {loaded} MiB with all libraries loaded and before the first input")


if __name__ == "__main__":
    main()
