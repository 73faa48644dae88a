"""What a kind of operation is, and the phases that it runs in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal, TypeAlias

from tcost.errors import part_of
from tcost.exact import Size
from tcost.kinds.counts import Count, Scalars, free
from tcost.kinds.keeping import Keep, keeps_nothing
from tcost.kinds.passing import Passing, nothing_passing
from tcost.tracing import Op

Phase: TypeAlias = Literal[
    "forward", "backward", "weight_update", "error_projection", "recomputed_forward", "optimizer_step"
]
PHASES: tuple[Phase, ...] = (
    *("forward", "backward", "weight_update", "error_projection", "recomputed_forward", "optimizer_step"),
)
"""Those that learning rules have, then those that options add."""

MODEL_PHASES = PHASES[:3]
"""The phases in which all of a model's own operations run."""

DIFFERENCE = "_difference"
"""What the name of an operation ends in where it takes the difference of another one's two outputs."""


COUNTS: Mapping[str, str] = {
    "forward": "forward",
    "backward": "backward",
    "weight_update": "weight_update",
    "error_projection": "forward",
    "recomputed_forward": "forward",
}
"""Which count of a kind each phase runs; the optimizer's step runs none of a model's operations."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What one kind of operation costs: gradients of activations are `backward`, of weights `weight_update`.

    `parameters` is asked of operations that learn; `keeps` says what waits for the gradients. The output of
    a view is its input, seen otherwise. The gradient of the output, or a part of it, is that of the first
    inputs as it stands, of as many as `passes_gradient` says. At its fullest moment the backward has so many
    numbers `passing` beside what is kept, the gradient of the output and those that it gives. Where a function of
    torch reads a weight transposed, `is_transposed`, its gradient is a view, to which no other is added in place.
    """

    forward: Count
    backward: Count = free
    weight_update: Count = free
    keeps: Keep = keeps_nothing
    parameters: Callable[[Op], Size] = attrgetter("weight_elements")
    derivation: str = ""
    """What is executed and why, or who says so, in the words of the field."""
    is_einsum: bool = False
    is_view: bool = False
    passes_gradient: int = 0
    passing: Passing = nothing_passing
    is_transposed: bool = False

    def count(self, op: Op, phase: Phase) -> Scalars:
        """Return the scalar operations of one run of a phase; an error projection runs its operations forward.

        Nothing runs backward where no gradient is needed, and what is frozen is not updated. Raises UnfinishedError
        for a phase in which no operation of a model runs.
        """
        if not runs(op, phase):
            return {}
        count: Count = getattr(self, part_of(COUNTS, "phase", phase, "count", "COUNTS of kinds/base.py"))
        return count(op)


def runs(op: Op, phase: Phase) -> bool:
    """Tell whether an operation has anything to do in a phase: a gradient that is needed, a weight that is trained."""
    if phase == "backward":
        return op.gradients > 0
    return op.is_trained or phase != "weight_update"
