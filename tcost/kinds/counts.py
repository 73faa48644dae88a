"""How many scalar operations a phase of an operation executes, said in a few words."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from tcost.exact import Size
from tcost.tracing import Op

Scalars: TypeAlias = Mapping[str, Size]
"""A number of each scalar operation: `{"macc": 8, "add": 2}`."""

Count: TypeAlias = Callable[[Op], Scalars]


def free(_op: Op) -> Scalars:
    """Nothing is executed."""
    return {}


def einsums(number: int) -> Count:
    """So many einsums over the operation's index space."""
    return lambda op: {"macc": number * op.index_space}


def einsums_per_gradient(op: Op) -> Scalars:
    """One einsum over the operation's index space for each input that backward reaches."""
    return {"macc": op.gradients * op.index_space}


def per_gradient(**each: int) -> Count:
    """The given scalar operations for every element of the output and each input that backward reaches."""
    return lambda op: {name: number * op.gradients * op.elements for name, number in each.items()}


def per_element(**each: int) -> Count:
    """The given scalar operations for every element of the output."""
    return lambda op: {name: number * op.elements for name, number in each.items()}


def per_row(**each: int) -> Count:
    """The given scalar operations for every row of the output."""
    return lambda op: {name: number * op.rows for name, number in each.items()}


def both(first: Count, second: Count) -> Count:
    """The sum of two counts."""

    def count(op: Op) -> Scalars:
        a, b = first(op), second(op)
        return {name: a.get(name, 0) + b.get(name, 0) for name in {**a, **b}}

    return count


def per_rotated(op: Op) -> Scalars:
    """Two products and an addition for every element that is turned."""
    rotated = op.rows * op.einsum.sizes["rotated"]
    return {"mul": 2 * rotated, "add": rotated}


def gains_of(op: Op) -> Size:
    """The elements of a norm's gains: one as long as a row, or one for each head."""
    return op.columns * op.einsum.sizes.get("gains", 1)


def choices(op: Op) -> Scalars:
    """One comparison for every element that is chosen from, each time that one is chosen."""
    return {"cmp": op.elements * op.einsum.sizes["from"]}


def combine_backward(op: Op) -> Scalars:
    """A sum of products for the gradients of the weights, a product for those of the rows, where they are needed."""
    weights, rows = op.inputs
    return {"macc": op.index_space * int(weights.has_gradient), "mul": op.index_space * int(rows.has_gradient)}


def shared_gradient(op: Op) -> Scalars:
    """One addition for every element of the rows that are shared, and each that shares them."""
    _, shared = op.inputs
    return {"add": op.rows * shared.shape[-1] * int(shared.has_gradient)}
