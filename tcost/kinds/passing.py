"""What a backward has at hand for a moment: numbers that are neither kept nor gradients of inputs, and gone after it.

It is what eager PyTorch has, in the functions that the classes of transformers call: one function has nothing but what
it keeps and gives; of operations of Python each gives gradients of its own.
"""

from collections.abc import Callable
from math import prod
from typing import TypeAlias

from tcost.exact import Size
from tcost.tracing import Op

Passing: TypeAlias = Callable[[Op], Size]


def nothing_passing(_op: Op) -> Size:
    """Nothing."""
    return 0


def passing(elements: int) -> Passing:
    """So many numbers for every element of the output."""
    return lambda op: elements * op.elements


def passing_of_norm(op: Op) -> Size:
    """The gradients of x times the inverse root and of the mean, and x and twice x, from which that of x² is made.

    By then the normalised rows are gone that the gain's gradient needed, and the inverse roots.
    """
    return (3 - op.is_trained) * op.elements - op.rows if op.gradients else 0


def passing_of_rotation(op: Op) -> Size:
    """The gradients of the elements that are turned, and those of a half of them, each beside zeros for the other."""
    return op.elements + op.rows * op.einsum.sizes["rotated"] if op.gradients else 0


def passing_of_product(op: Op) -> Size:
    """The gradients of what a batched product broadcasts are made for every copy, before they are added up.

    So those of keys and values are made for every query head. A fused attention makes none.
    """
    if op.inputs[0].is_fused or op.output.is_fused:
        return 0
    return sum((copies_of(op, place) - 1) * x.elements for place, x in enumerate(op.inputs) if x.has_gradient)


def passing_of_experts(op: Op) -> Size:
    """The gradients of the copies of rows that experts read, one for every choice, before they are added up."""
    (axes,), (x,) = op.einsum.operands, op.inputs
    return (op.einsum.sizes["choice"] - 1) * x.elements if x.has_gradient and "choice" not in axes else 0


def copies_of(op: Op, place: int) -> Size:
    """Return how often a batched product broadcasts one of its factors: once for each axis of the other's alone."""
    axes, beside = op.einsum.operands[place], op.einsum.operands[1 - place]
    return prod(op.einsum.sizes[axis] for axis in beside[:-2] if axis in op.einsum.output and axis not in axes)
