"""Tensors that are only shapes, and a record of what `tcost.tracing.operations` are called on them."""

from tcost.tracing.tensors import NO_AXES, AxisError, Band, Einsum, Op, Tensor
from tcost.tracing.trace import COPY, DOCS, LAYERS, Repeat, Trace, layer, layer_name, repeat

__all__ = [
    "COPY",
    "DOCS",
    "LAYERS",
    "NO_AXES",
    "AxisError",
    "Band",
    "Einsum",
    "Op",
    "Repeat",
    "Tensor",
    "Trace",
    "layer",
    "layer_name",
    "repeat",
]
