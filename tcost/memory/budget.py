"""Whether a step fits into so many bytes, and how far it could grow."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tcost.memory.held import Memory
from tcost.sizes import MAX_SIZE
from tcost.training_step import TrainingStep


@dataclass(frozen=True)
class Budget:
    """A number of bytes beside the peak of a step.

    The largest context is that at the step's batch, the largest batch that at its context; None where
    not even one fits.
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


def largest(fits: Callable[[int], bool]) -> int | None:
    """Return the largest number that fits, or None where one does not; what fits a number fits all below it.

    By doubling and halving, so that it is exact: the next larger number does not fit. Nothing is tried beyond 10^18.
    """
    if not fits(1):
        return None
    low, high = 1, 2
    while high < MAX_SIZE and fits(high):
        low, high = high, 2 * high
    high = min(high, MAX_SIZE + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def within(budget: int, step: TrainingStep) -> Budget:
    """Hold a step against a budget in bytes, by an exact search: a peak only grows with the context and the batch."""

    def fits(other: TrainingStep) -> bool:
        return bool(Memory(other).peak.bytes <= budget)

    return Budget(
        bytes=budget,
        spare=budget - Memory(step).peak.bytes,
        largest_context=largest(lambda context: fits(step.at(context))),
        largest_batch=largest(lambda batch: fits(replace(step, settings=replace(step.settings, batch=batch)))),
    )
