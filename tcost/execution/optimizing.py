"""Optimizers at work: each updates a weight, and what it holds for it, by the published algorithm, its first step."""

from collections.abc import Callable, Mapping

import numpy as np

from tcost.execution.numbers import Array

RATE, MOMENTUM, FIRST, SECOND, EPSILON, DECAY = 0.01, 0.9, 0.9, 0.999, 1e-8, 0.01


def _sgd(w: Array, g: Array) -> tuple[Array, ...]:
    return (w - g * RATE,)


def _momentum(w: Array, g: Array, velocity: Array) -> tuple[Array, ...]:
    velocity = velocity * MOMENTUM + g
    return w - velocity * RATE, velocity


def _moments(g: Array, mean: Array, square: Array) -> tuple[Array, Array]:
    return mean * FIRST + g * (1 - FIRST), square * SECOND + g * g * (1 - SECOND)


def _direction(mean: Array, square: Array) -> Array:
    return (mean / (1 - FIRST)) / (np.sqrt(square / (1 - SECOND)) + EPSILON) * RATE


def _adam(w: Array, g: Array, mean: Array, square: Array) -> tuple[Array, ...]:
    mean, square = _moments(g, mean, square)
    return w - _direction(mean, square), mean, square


def _adamw(w: Array, g: Array, mean: Array, square: Array) -> tuple[Array, ...]:
    schedule = 1.0
    mean, square = _moments(g, mean, square)
    return w - (_direction(mean, square) + w * DECAY) * schedule, mean, square


UPDATES: Mapping[str, Callable[..., tuple[Array, ...]]] = {
    "sgd": _sgd,
    "momentum": _momentum,
    "adam": _adam,
    "adamw": _adamw,
}
"""Of each optimizer, from a weight, its gradient and what is held for it: the new weight, and what is held then."""
