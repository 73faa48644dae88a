"""Optimizers: the scalar operations that each executes per parameter, once per training step.

Counted from the published algorithms, line by line. Omits: the powers of the decay rates and other
scalars that are computed once per step, and weight decay other than AdamW's.
"""

from collections.abc import Mapping
from typing import NamedTuple

from tcost.errors import unknown


class Optimizer(NamedTuple):
    """What an optimizer executes and holds for one parameter, and the algorithm that says so.

    `state` is how many numbers it holds, and `passing` how many it has at hand beside them while it updates: those
    of PyTorch, which updates one weight after the other where it is not told otherwise (`foreach`, on a GPU by
    default). Omits: the counter of steps that PyTorch's Adam holds for every tensor.
    """

    name: str
    per_parameter: Mapping[str, int]
    state: int
    source: str
    passing: int = 0


OPTIMIZERS: Mapping[str, Optimizer] = {
    optimizer.name: optimizer
    for optimizer in (
        Optimizer("none", {}, 0, "the step ends with the gradients"),
        # w - lr g
        Optimizer("sgd", {"mul": 1, "add": 1}, 0, "Robbins & Monro 1951"),
        # v = mu v + g; w - lr v
        Optimizer("momentum", {"mul": 2, "add": 2}, 1, "Polyak 1964, as in Sutskever et al. 2013, section 2"),
        # m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g g; w - lr (m / c1) / (sqrt(v / c2) + eps): at hand are the
        # root and the denominator, which is made of it
        Optimizer("adam", {"mul": 6, "add": 4, "div": 3, "sqrt": 1}, 2, "Kingma & Ba 2015, algorithm 1", 2),
        # as Adam, but w - schedule (lr (m / c1) / (sqrt(v / c2) + eps) + decay w)
        Optimizer("adamw", {"mul": 8, "add": 5, "div": 3, "sqrt": 1}, 2, "Loshchilov & Hutter 2019, algorithm 2", 2),
    )
}


def optimizer_of(name: str) -> Optimizer:
    """Return the optimizer of that name, or raise InputError with the names that there are."""
    if name not in OPTIMIZERS:
        raise unknown("optimizer", name, OPTIMIZERS)
    return OPTIMIZERS[name]
