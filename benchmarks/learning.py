"""Whether tiny transformers learn one example under each rule; what it prints is in docs/execution.md.

Run by hand: `python benchmarks/learning.py`. A control updates only what gives the logits, so that the
part of the other updates shows. MEMPEPITA makes PEPITA's update, which the tests prove.
"""

from collections.abc import Callable
from dataclasses import replace
from math import inf
from statistics import median

import numpy as np

from tcost import Sizes, load_spec
from tcost.execution.numbers import values
from tcost.execution.step import Parameters, Step
from tcost.execution.steps import STEPS
from tcost.models import trace_model
from tcost.verify import execute, shrink

STEPS_OF_TRAINING = 60
SEEDS = 8
RATES = {"bp": 0.05, "pepita": 0.01}
FEEDBACK = 0.1


def is_output(name: str) -> bool:
    """Tell the weights that give the logits."""
    return name.startswith("vocabulary_projection")


def losses(sizes: Sizes, algo: str, seed: int, learns: Callable[[str], bool]) -> tuple[float, float]:
    """Return the loss before and after training on one example."""
    parameters: Parameters = {}
    first = last = 0.0
    drawn = execute(sizes, seed=seed)
    for number in range(STEPS_OF_TRAINING):
        step = Step(lambda trace: trace_model(sizes, trace), {}, drawn.targets, seed=seed, parameters=parameters)
        for name, data in drawn.data.items():
            fixed = FEEDBACK if name.startswith("feedback") else 1.0
            step.data[name] = data if "tokens" in name else step.tally.array(fixed * values(data))
        try:
            STEPS[algo](step)
        except ValueError:  # the logarithm of a probability that has become zero
            return first, inf
        first, last = first if number else step.loss, step.loss
        parameters = {
            name: tuple(
                step.tally.array(values(w) - RATES[algo] * values(g) if learns(name) else values(w))
                for w, g in zip(weights, step.gradients[name], strict=True)
            )
            for name, weights in step.parameters.items()
        }
    return first, last


def main() -> None:
    """Print the median loss before and after for each model and rule, over seeds; one that diverges is infinite."""
    np.seterr(all="ignore")
    for name in ("gpt2", "bert-base", "bart-base"):
        sizes = replace(shrink(load_spec(name).at()), d_model=8, d_head=4, d_ff=16, tie_embeddings=False)
        for label, algo, learns in (
            ("bp", "bp", lambda _: True),
            ("pepita", "pepita", lambda _: True),
            ("pepita, output alone", "pepita", is_output),
        ):
            pairs = [losses(sizes, algo, seed, learns) for seed in range(SEEDS)]
            before, after = (median(pair[side] for pair in pairs) for side in (0, 1))
            fell = sum(last < first for first, last in pairs)
            print(f"{name:<10} {label:<22} {before:.2f} -> {after:.2f}, fell in {fell} of {SEEDS}")


if __name__ == "__main__":
    main()
