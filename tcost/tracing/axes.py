"""Patterns of einsums: which axes the operands and the output have, and their sizes."""

from collections.abc import Mapping
from functools import lru_cache

from tcost.exact import Size, same
from tcost.tracing.tensors import Axes, AxisError, Einsum, Tensor


def shape_of(einsum: Einsum) -> tuple[Size, ...]:
    """Return the shape of what an einsum gives."""
    return tuple(einsum.sizes[axis] for axis in einsum.output)


@lru_cache
def _parse(pattern: str) -> tuple[tuple[Axes, ...], Axes]:
    left, arrow, right = pattern.partition("->")
    operands, output = tuple(tuple(axes.split()) for axes in left.split(",")), tuple(right.split())
    if not arrow or not all((*operands, output)):
        raise AxisError(f"pattern {pattern!r} is not of the form 'axes, axes -> axes'")
    if any(len(set(axes)) != len(axes) for axes in (*operands, output)):
        raise AxisError(f"pattern {pattern!r} names an axis twice in one tensor")
    return operands, output


def bind(what: str, inputs: tuple[Tensor, ...], pattern: str, sizes: Mapping[str, Size]) -> Einsum:
    """Return the axes of an einsum with their sizes, or raise AxisError with the pattern, the shapes and the cause."""
    what = f"{what} with pattern {pattern!r} on shapes {', '.join(str(x.shape) for x in inputs)}"
    operands, output = _parse(pattern)
    if len(operands) != len(inputs):
        raise AxisError(f"{what}: {len(operands)} operands in the pattern, {len(inputs)} given")
    axes: dict[str, Size] = {}
    for names, tensor in zip(operands, inputs, strict=True):
        if len(names) != len(tensor.shape):
            raise AxisError(f"{what}: {len(names)} axes ({' '.join(names)}) for {len(tensor.shape)}")
        for name, size in zip(names, tensor.shape, strict=True):
            if not same(axes.setdefault(name, size), size):
                raise AxisError(f"{what}: axis '{name}' is {axes[name]} and {size}")
    if set(sizes) != set(output) - set(axes):
        new = " ".join(axis for axis in output if axis not in axes) or "none"
        raise AxisError(f"{what}: new axes are {new}, sizes are given for {' '.join(sizes) or 'none'}")
    return Einsum(operands, output, axes | dict(sizes))
