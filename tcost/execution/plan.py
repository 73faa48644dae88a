"""What is known of a step before it is executed: its operations one by one, every copy of a block apart."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tcost.learning_rules import operations_of_logits
from tcost.models import Model
from tcost.settings import Settings
from tcost.tracing import COPY, Band, Op, Tensor, Trace
from tcost.training_step import segments_of


def layer_of(op: Op) -> str:
    """Return the layer of an operation as the trace of a model names it, for all copies alike."""
    return COPY.sub("", op.layer)


class Unrolled(Trace):
    """A trace in which every copy of a block has operations, tensors and weights of its own, numbered as they come."""

    def __init__(self) -> None:
        """Start with nothing."""
        super().__init__()
        self.numbers: dict[Tensor, int] = {}
        self.copies: list[range] = []
        self._done, self._copy, self._group = 0, "", 0

    def input(self, name: str, *shape: int, band: Band | None = None) -> Tensor:
        """Return a numbered tensor that no operation made."""
        tensor = super().input(name, *shape, band=band)
        self.numbers[tensor] = len(self.numbers)
        return tensor

    def record(self, kind: str, name: str, inputs: tuple[Tensor, ...], shape: tuple[int, ...], **more: Any) -> Tensor:
        """Append an operation and return its numbered output."""
        output = super().record(kind, name, inputs, shape, **more)
        self.numbers[output] = len(self.numbers)
        return output

    def repeat(
        self, times: int, name: str, block: Callable[[Tensor], Tensor], x: Tensor, *, unique: int | None = None
    ) -> Tensor:
        """Call a block as often as it says, the first `unique` copies with weights that the others share."""
        for copy in range(times):
            start = len(self.ops)
            group = copy if unique is None else copy * unique // times
            self._copy, self._group = f"{name}[{self._done + copy}]", self._done + group
            with self.scope(self._copy):
                x = block(x)
            self.copies.append(range(start, len(self.ops)))
        self._done += times
        return x

    def own_weight(self, name: str) -> str:
        """Return the name of a weight of this copy, or of the copies that share it."""
        if not self._copy:
            return self.path(name)
        return self.path(name).replace(self._copy, f"{self._copy.partition('[')[0]}[{self._group}]")


@dataclass
class Plan:
    """Facts of an unrolled model, by the numbers of its tensors and operations.

    `readers` are the operations that read each tensor, as many as there are; `given` are the tensors that a caller
    holds to the end; `updates_left` are the operations that are still to add to the gradient of each weight.
    `segments` are computed again in the backward.
    """

    readers: dict[int, int]
    given: frozenset[int]
    embedded: frozenset[int]
    logits: frozenset[int]
    updates_left: Counter[str]
    segments: tuple[range, ...]

    @classmethod
    def of(cls, build: Callable[[Trace], Model], settings: Settings) -> "Plan":
        """Call the layers of a model on shapes."""
        trace = Unrolled()
        model = build(trace)
        logits = set(operations_of_logits(trace.ops))
        return cls(
            readers=readers_of(trace),
            given=frozenset(trace.numbers[tensor] for tensor in model.given if settings.loss == "held"),
            embedded=frozenset(index for index, op in enumerate(trace.ops) if op.output in model.embedded),
            logits=frozenset(index for index, op in enumerate(trace.ops) if op in logits),
            updates_left=Counter(str(op.weight) for op in trace.ops if op.is_trained),
            segments=segments_of(trace.ops, trace.copies, settings),
        )


def readers_of(trace: Unrolled) -> dict[int, int]:
    """Return how many operations read each tensor of a trace."""
    return Counter(trace.numbers[x] for op in trace.ops for x in op.inputs)
