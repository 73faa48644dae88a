"""Optimizers at work: each updates a weight by the published algorithm, its first step."""

from collections.abc import Callable, Mapping

import numpy as np

from tcost.execution.numbers import Array
from tcost.execution.steps import Step

RATE, MOMENTUM, FIRST, SECOND, EPSILON, DECAY = 0.01, 0.9, 0.9, 0.999, 1e-8, 0.01


def _sgd(w: Array, g: Array, _zero: Array) -> Array:
    return w - g * RATE


def _momentum(w: Array, g: Array, velocity: Array) -> Array:
    return w - (velocity * MOMENTUM + g) * RATE


def _adam_direction(g: Array, zero: Array) -> Array:
    mean, square = zero * FIRST + g * (1 - FIRST), zero * SECOND + g * g * (1 - SECOND)
    return (mean / (1 - FIRST)) / (np.sqrt(square / (1 - SECOND)) + EPSILON) * RATE


def _adam(w: Array, g: Array, zero: Array) -> Array:
    return w - _adam_direction(g, zero)


def _adamw(w: Array, g: Array, zero: Array) -> Array:
    schedule = 1.0
    return w - (_adam_direction(g, zero) + w * DECAY) * schedule


_UPDATES: Mapping[str, Callable[[Array, Array, Array], Array]] = {
    "none": lambda w, _g, _zero: w,
    "sgd": _sgd,
    "momentum": _momentum,
    "adam": _adam,
    "adamw": _adamw,
}


def optimize(step: Step, optimizer: str) -> None:
    """Replace the parameters of a step by those after the optimizer's first step."""
    for name, weights in step.parameters.items():
        if name not in step.gradients:  # frozen
            continue
        with step.tally.label(*step.owners[name], "optimizer_step"):
            pairs = zip(weights, step.gradients[name], strict=True)
            step.parameters[name] = tuple(_UPDATES[optimizer](w, g, step.tally.zeros(w.shape)) for w, g in pairs)
