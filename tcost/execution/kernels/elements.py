"""Kernels of what works on elements: activation functions, scales, rotations."""

from collections.abc import Mapping
from functools import partial
from math import pi, sqrt
from typing import Any

import numpy as np

from tcost.execution.kernels.base import Call, Kernel, distances, every_input, other_input
from tcost.execution.numbers import Array, Number, erf_of
from tcost.tracing import Op

GELU_CUBIC = 0.044715
GELU_SCALE = sqrt(2 / pi)
QUICK_SLOPE = 1.702
CAP = 30.0
BOUND = 0.5
"""Of what is clipped: from its negative to it."""


def _factor(call: Call) -> float:
    return 1 / sqrt(call.op.einsum.sizes["width"])


def _gelu(call: Call) -> Array:
    (x,) = call.inputs
    call.kept["cdf"] = (erf_of(x * sqrt(0.5)) + 1.0) * 0.5
    return x * call.kept["cdf"]


def _gelu_backward(call: Call, dy: Array) -> tuple[Array, ...]:
    (x,) = call.inputs
    density = np.exp(x * x * -0.5) * (1 / sqrt(2 * pi))
    return ((x * density + call.kept["cdf"]) * dy,)


def _gelu_tanh(call: Call) -> Array:
    (x,) = call.inputs
    call.kept["t"] = np.tanh((x * x * (GELU_SCALE * GELU_CUBIC) + GELU_SCALE) * x)
    return (call.kept["t"] + 1.0) * (x * 0.5)


def _gelu_tanh_backward(call: Call, dy: Array) -> tuple[Array, ...]:
    (x,), t = call.inputs, call.kept["t"]
    slope = x * x * (3 * GELU_SCALE * GELU_CUBIC) + GELU_SCALE
    return (((t + 1.0) * 0.5 + (1.0 - t * t) * (x * 0.5) * slope) * dy,)


def _relu(call: Call) -> Array:
    (x,) = call.inputs
    positive = np.frompyfunc(lambda value, zero: value >= zero, 2, 1)(x, call.zeros(()))
    call.kept["mask"] = positive.astype(float).astype(object)
    return np.where(positive.astype(bool), x, call.zeros(x.shape))


def _clip(call: Call, *, below: bool = True) -> Array:
    (x,) = call.inputs
    bounds: list[Array] = [Number(bound, x.flat[0].tally) for bound in (-BOUND, BOUND)]
    y = np.minimum(np.maximum(x, bounds[0]) if below else x, bounds[1])
    call.kept["mask"] = np.frompyfunc(lambda after, before: float(after is before), 2, 1)(y, x)
    return y


def position_constants(op: Op) -> Any:
    """Return a constant for each row [q, 1]: one plus a tenth of the logarithm of its place."""
    return 1 + 0.1 * np.log(np.arange(1, op.output.shape[-2] + 1)).astype(object)[:, None]


def _relu2(call: Call) -> Array:
    y = _relu(call)
    call.kept = {"relu": y}
    return y * y


def _sigmoid(call: Call, slope: float = 1.0) -> Array:
    return 1.0 / (np.exp(call.inputs[0] * -slope) + 1.0)


def _kept_sigmoid(call: Call) -> Array:
    call.kept["y"] = _sigmoid(call)
    return call.kept["y"]


def _silu(call: Call, slope: float = 1.0) -> Array:
    call.kept["s"] = _sigmoid(call, slope)
    call.kept["y"] = call.inputs[0] * call.kept["s"]
    return call.kept["y"]


def _silu_backward(call: Call, dy: Array) -> tuple[Array, ...]:
    s, y = call.kept["s"], call.kept["y"]
    return ((y * (1.0 - s) + s) * dy,)


def _quick_gelu_backward(call: Call, dy: Array) -> tuple[Array, ...]:
    s, y = call.kept["s"], call.kept["y"]
    return ((y * (1.0 - s) * QUICK_SLOPE + s) * dy,)


def _tanh(call: Call) -> Array:
    call.kept["t"] = np.tanh(call.inputs[0])
    return call.kept["t"]


def _tanh_backward(call: Call, dy: Array) -> tuple[Array, ...]:
    return ((1.0 - call.kept["t"] * call.kept["t"]) * dy,)


def _soft_cap(call: Call) -> Array:
    call.kept["t"] = np.tanh(call.inputs[0] * (1 / CAP))
    return call.kept["t"] * CAP


def _multiply_backward(call: Call, dy: Array) -> tuple[Array | None, ...]:
    (a, b), (needs_a, needs_b) = call.inputs, (x.has_gradient for x in call.op.inputs)
    return dy * b if needs_a else None, dy * a if needs_b else None


def _angles(call: Call) -> tuple[Any, Any]:
    """Return cosines and sines [row, rotated], the sines of the first half less than nothing."""
    rows, width = call.op.output.shape[-2], call.op.einsum.sizes["rotated"]
    half = width // 2
    angles = np.arange(rows)[:, None] / 10_000 ** (np.arange(width) % max(half, 1) / max(half, 1))
    signs = np.where(np.arange(width) < half, -1, 1)
    return np.cos(angles).astype(object), (np.sin(angles) * signs).astype(object)


def _rotary(call: Call) -> Array:
    (x,), (cos, sin), width = call.inputs, _angles(call), call.op.einsum.sizes["rotated"]
    fixed, turned = x[..., :-width], x[..., -width:]
    rotated = turned * cos + np.roll(turned, width // 2, axis=-1) * sin
    return np.concatenate([fixed, rotated], axis=-1)


def _rotary_backward(call: Call, dy: Array) -> tuple[Array, ...]:
    (cos, sin), width = _angles(call), call.op.einsum.sizes["rotated"]
    fixed, turned = dy[..., :-width], dy[..., -width:]
    rotated = turned * cos + np.roll(turned * sin, -(width // 2), axis=-1)
    return (np.concatenate([fixed, rotated], axis=-1),)


def _alibi(call: Call) -> Array:
    (x,) = call.inputs
    far = distances(call.op.output)
    heads = x.shape[0] * x.shape[1]
    slopes = 2.0 ** (-8 * np.arange(1, heads + 1) / heads)
    return x + (-slopes.reshape(*x.shape[:2], *[1] * far.ndim) * far).astype(object)


def _join(call: Call) -> Array:
    x, shared = call.inputs
    return np.concatenate([x, np.broadcast_to(shared, (*x.shape[:-1], shared.shape[-1]))], axis=-1)


def _join_backward(call: Call, dy: Array) -> tuple[Array | None, ...]:
    x, needs_shared = call.op.inputs
    width, total = x.shape[-1], call.zeros_like_input(1)
    if needs_shared.has_gradient:
        for head in dy[..., width:]:
            total = total + head
    return dy[..., :width], total if needs_shared.has_gradient else None


def _split_heads(call: Call) -> Array:
    *heads, rows, width = call.op.output.shape
    return np.moveaxis(call.inputs[0].reshape(rows, *heads, width), 0, -2)


def _split_heads_backward(call: Call, dy: Array) -> tuple[Array, ...]:
    return (np.moveaxis(dy, -2, 0).reshape(call.op.inputs[0].shape),)


ELEMENTS: Mapping[str, Kernel] = {
    "add": Kernel(lambda call: call.inputs[0] + call.inputs[1]),
    "alibi": Kernel(_alibi),
    "scale": Kernel(lambda call: call.inputs[0] * _factor(call), lambda call, dy: (dy * _factor(call),)),
    "scaled_rows": Kernel(
        lambda call: call.inputs[0] * position_constants(call.op),
        lambda call, dy: (dy * position_constants(call.op),),
    ),
    "plus_one": Kernel(lambda call: call.inputs[0] + 1.0),
    "clip_above": Kernel(partial(_clip, below=False), lambda call, dy: (dy * call.kept["mask"],)),
    "clip": Kernel(_clip, lambda call, dy: (dy * call.kept["mask"],)),
    "multiply": Kernel(lambda call: call.inputs[0] * call.inputs[1], _multiply_backward, needs=other_input),
    "rotary": Kernel(_rotary, _rotary_backward),
    "join": Kernel(_join, _join_backward),
    "split_heads": Kernel(_split_heads, _split_heads_backward),
    "gelu": Kernel(_gelu, _gelu_backward, needs=every_input),
    **dict.fromkeys(("gelu_tanh", "gelu_new"), Kernel(_gelu_tanh, _gelu_tanh_backward, needs=every_input)),
    "quick_gelu": Kernel(partial(_silu, slope=QUICK_SLOPE), _quick_gelu_backward),
    "relu": Kernel(_relu, lambda call, dy: (dy * call.kept["mask"],)),
    "relu2": Kernel(_relu2, lambda call, dy: (call.kept["relu"] * 2.0 * dy,)),
    "silu": Kernel(_silu, _silu_backward),
    "sigmoid": Kernel(_kept_sigmoid, lambda call, dy: ((1.0 - call.kept["y"]) * call.kept["y"] * dy,)),
    "tanh": Kernel(_tanh, _tanh_backward),
    "soft_cap": Kernel(_soft_cap, _tanh_backward),
}
