"""Learning rules: how often each phase runs in one training step, and what the rule adds to the model."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple, TypeAlias

from tcost.errors import unknown
from tcost.kinds import DIFFERENCE, Phase
from tcost.layers import encoder_error_projection, error, error_projection
from tcost.models import Model
from tcost.tracing import Op, Tensor, Trace

Charge: TypeAlias = tuple[Phase, Op]
"""An operation, and the phase that it runs in."""


class LearningRule(NamedTuple):
    """A learning rule: the runs of each phase in one step, and what it adds to the model's own operations.

    `stores` is what waits for the gradients: what the kinds keep, the first pass's outputs of what learns, or
    nothing of a pass that is run again.
    """

    name: str
    title: str
    summary: str
    source: str
    runs: Mapping[Phase, int]
    stores: Literal["kept", "outputs", "nothing"]
    adds: Callable[[Model], Iterable[Charge]]


def _gradients_that_meet(model: Model) -> Iterator[Charge]:
    """Backpropagation adds the gradients of a tensor that is used more than once."""
    for op in model.trace.gradient_sums():
        yield "backward", op


def _error_and_differences(model: Model) -> Iterator[Charge]:
    """PEPITA projects the output error onto every embedding, and updates from the difference of its two passes.

    Each operation that learns takes the difference of its output in the first and in the modulated
    pass. Source: Dellaferrera & Kreiman, ICML 2022, algorithm 1.
    """
    trace = Trace()
    project_error(model, trace)
    for op in trace.ops:
        yield "error_projection", op
    for op in model.trace.ops:
        if op.is_trained:
            yield "weight_update", replace(op, name=f"{op.name}{DIFFERENCE}", kind="difference", weight=None)


FIXED_MATRICES = ("feedback", "mixing")
"""What the names of the inputs of `project_error` begin with that are fixed random matrices."""


def project_error(model: Model, trace: Trace) -> list[Tensor]:
    """Call the layers that project the output error onto every embedding output, and return the modulated inputs.

    The stack that carries the loss has the error's rows; any other stack needs a map to its own rows.
    Source: Pau & Aymone, Eng 2024, 5(1), 34-50, as in the authors' published implementation.
    """
    length, vocab = model.output.shape
    wrong = error(trace.input("probabilities", length, vocab))
    modulated = []
    for stack, embedded in enumerate(model.embedded):
        rows, width = embedded.shape
        feedback = trace.input(f"feedback {stack}", vocab, width)
        x = trace.input(f"embedded {stack}", rows, width)
        if embedded is model.embedded[-1]:
            modulated.append(error_projection(wrong, feedback, x))
        else:
            modulated.append(encoder_error_projection(wrong, trace.input(f"mixing {stack}", rows, length), feedback, x))
    return modulated


def operations_of_logits(ops: Sequence[Op]) -> Iterator[Op]:
    """Return the operations that give the logits: the last projection and its bias, with no activation behind them.

    Under PEPITA they learn from the error itself. Source: Dellaferrera & Kreiman, ICML 2022, algorithm 1.
    """
    made_by = {op.output: op for op in ops}
    op = made_by[ops[-1].inputs[0]]
    while op.kind in ("bias", "soft_cap"):
        yield op
        op = made_by[op.inputs[0]]
    yield op


_PEPITA = "Dellaferrera & Kreiman, ICML 2022; Pau & Aymone, Eng 2024, 5(1), 34-50, Table 2"

LEARNING_RULES: Mapping[str, LearningRule] = {
    rule.name: rule
    for rule in (
        LearningRule(
            name="bp",
            title="backpropagation",
            summary="backpropagation: one forward pass, one backward pass",
            source="Pau & Aymone, Eng 2024, 5(1), 34-50, Table 2",
            runs={"forward": 1, "backward": 1, "weight_update": 1, "error_projection": 0},
            stores="kept",
            adds=_gradients_that_meet,
        ),
        LearningRule(
            name="pepita",
            title="PEPITA",
            summary="PEPITA: a second forward pass, modulated by the error, replaces the backward pass",
            source=_PEPITA,
            runs={"forward": 2, "backward": 0, "weight_update": 1, "error_projection": 1},
            stores="outputs",
            adds=_error_and_differences,
        ),
        LearningRule(
            name="mempepita",
            title="MEMPEPITA",
            summary="MEMPEPITA: PEPITA that recomputes the first pass rather than store it",
            source=f"Srinivasan et al., arXiv 2302.05440; {_PEPITA}",
            runs={"forward": 3, "backward": 0, "weight_update": 1, "error_projection": 1},
            stores="nothing",
            adds=_error_and_differences,
        ),
    )
}


def learning_rule(name: str) -> LearningRule:
    """Return the learning rule of that name, or raise InputError with the names that there are."""
    if name not in LEARNING_RULES:
        raise unknown("learning rule", name, LEARNING_RULES)
    return LEARNING_RULES[name]
