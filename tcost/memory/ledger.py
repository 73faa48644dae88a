"""What is alive at each moment of a step."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias, get_args

from tcost.exact import Size
from tcost.kinds import Phase
from tcost.tracing import Op

Use: TypeAlias = Literal["activations", "passing", "gradients", "updates"]
"""Values of the forward passes; gradients of activations and what stands for them; gradients of weights; what an
optimizer has at hand."""


class Moment(NamedTuple):
    """Elements that are alive while an operation is at work, by their use."""

    phase: Phase
    layer: str
    operation: str
    activations: Size
    passing: Size
    gradients: Size
    updates: Size

    @property
    def elements(self) -> Size:
        """All of them."""
        return self.activations + self.passing + self.gradients + self.updates

    def bytes(self, activation: int, gradient: int, update: int) -> Size:
        """Return the bytes of all, of so many for an activation, a weight's gradient, and an optimizer's number."""
        return (self.activations + self.passing) * activation + self.gradients * gradient + self.updates * update


@dataclass
class Ledger:
    """What is alive now, each with its use and its elements, and the moments that were noted."""

    alive: dict[Hashable, tuple[Use, Size]] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)
    totals: dict[Use, Size] = field(default_factory=lambda: dict.fromkeys(get_args(Use), 0))

    def hold(self, what: Hashable, elements: Size, use: Use = "activations") -> None:
        """Let something be alive, in the place of what had its name."""
        if what in self.alive:
            self.release(what)
        self.alive[what] = use, elements
        self.totals[use] = self.totals[use] + elements

    def release(self, what: Hashable) -> None:
        """Let something go, if it is alive."""
        if held := self.alive.pop(what, None):
            use, elements = held
            self.totals[use] = self.totals[use] - elements

    def note(self, phase: Phase, op: Op) -> None:
        """Note the moment of an operation."""
        self.moments.append(Moment(phase, op.layer, op.name, **self.totals))
