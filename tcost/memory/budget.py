"""Whether a step fits into so many bytes, and how far it could grow."""

from collections.abc import Callable
from dataclasses import replace
from math import gcd
from typing import NamedTuple

from tcost.exact import MAX_SIZE
from tcost.memory.held import Memory
from tcost.training_step import TrainingStep


class Budget(NamedTuple):
    """A number of bytes beside the peak of a step.

    The largest context is that at the step's batch, the largest batch that at its context; None where
    not even one fits. A loss in chunks has only those whose rows it cuts into equal chunks.
    """

    bytes: int
    spare: int
    """What is left of the bytes, less than nothing where the step does not fit."""
    largest_context: int | None
    largest_batch: int | None

    @property
    def fits(self) -> bool:
        """Whether the step fits."""
        return self.spare >= 0


def largest(fits: Callable[[int], bool], unit: int = 1) -> int | None:
    """Return the largest multiple of a unit that fits, or None where it does not itself; what fits one fits all below.

    By doubling and halving, so that it is exact: the next larger one does not fit. Nothing is tried beyond 10^18.
    """
    if not fits(unit):
        return None
    low, high, end = 1, 2, MAX_SIZE // unit
    while high < end and fits(high * unit):
        low, high = high, 2 * high
    high = min(high, end + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle * unit) else (low, middle)
    return low * unit


def within(budget: int, step: TrainingStep) -> Budget:
    """Hold a step against a budget in bytes, by an exact search: a peak only grows with the context and the batch."""

    def fits(other: TrainingStep) -> bool:
        return bool(Memory(other).peak.bytes <= budget)

    def with_batch(batch: int) -> TrainingStep:
        return replace(step, settings=replace(step.settings, batch=batch))

    chunks, (rows, _) = step.loss.chunks, step.model.output.shape
    of_context = 1 if step.sizes.head == "classifier" else chunks // gcd(chunks, step.batch)  # its loss is of one row
    return Budget(
        bytes=budget,
        spare=budget - Memory(step).peak.bytes,
        largest_context=largest(lambda context: fits(step.at(context)), of_context),
        largest_batch=largest(lambda batch: fits(with_batch(batch)), chunks // gcd(chunks, rows)),
    )
