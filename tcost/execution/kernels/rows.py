"""Kernels of what works on rows: softmax, cross-entropy, norms, routing."""

from collections.abc import Mapping
from itertools import pairwise
from math import inf
from typing import Any

import numpy as np

from tcost.execution.kernels.base import Call, Kernel, no_gradient, pairs_of, row_dot
from tcost.execution.numbers import Array, Number, einsum, row_maximum, row_sum

EPSILON = 1e-5


def _rows_of(call: Call) -> list[slice]:
    """Return where the rows of scores stand: all at once, or one after the other among the pairs of a band."""
    band = call.op.output.band
    if band is None:
        return [slice(None)]
    ends = [0, *(index + 1 for index, (q, k) in enumerate(pairs_of(band)) if q == k)]
    return [slice(start, end) for start, end in pairwise(ends)]


def _softmax(call: Call) -> Array:
    (x,) = call.inputs
    y = x.copy()
    for row in _rows_of(call):
        powers = np.exp(x[..., row] - row_maximum(x[..., row]))
        y[..., row] = powers / row_sum(powers)
    call.kept["y"] = y
    return y


def _softmax_backward(call: Call, dy: Array) -> tuple[Array, ...]:
    y, dx = call.kept["y"], dy.copy()
    for row in _rows_of(call):
        part, gradient = y[..., row], dy[..., row]
        dx[..., row] = (gradient - row_dot(gradient, part, call)) * part
    return (dx,)


def _sink_softmax(call: Call) -> Array:
    (x,), (w,) = call.inputs, call.weights  # axes g, kv
    y, probabilities = x.copy(), []
    sink = w.T.reshape(*w.T.shape, *[1] * (x.ndim - 2))
    for row in _rows_of(call):
        most = np.maximum(row_maximum(x[..., row]), sink)
        powers, own = np.exp(x[..., row] - most), np.exp(sink - most)
        total = row_sum(powers) + own
        y[..., row] = powers / total
        probabilities.append((own / total).reshape(*w.T.shape, -1))
    call.kept |= {"y": y, "sink": np.concatenate(probabilities, axis=-1)}
    return y


def _sink_update(call: Call, dy: Array, start: tuple[Array, ...]) -> tuple[Array, ...]:
    y, sink = call.kept["y"], call.kept["sink"]
    products = [row_dot(dy[..., row], y[..., row], call).reshape(*y.shape[:2], -1) for row in _rows_of(call)]
    axes = ("kv", "g", "q")
    taken = einsum((np.concatenate(products, axis=-1), axes), (sink, axes), (call.zeros(y.shape[:2]), axes[:2]))
    return (start[0] - taken.T,)


def _cross_entropy(call: Call) -> Array:
    y = _softmax(call)
    loss = call.zeros(())
    for row, target in enumerate(call.chosen):
        loss = loss + y[row, target].log()
    call.kept["minus_loss"] = loss
    return y


def _less_targets(y: Array, targets: Any) -> Array:
    wrong = y.copy()
    for row, target in enumerate(targets):
        wrong[row, target] = wrong[row, target] - 1.0
    return wrong


def _cross_entropy_backward(call: Call, _dy: Array) -> tuple[Array, ...]:
    call.passing = _less_targets(call.kept["y"], call.chosen)
    return (call.passing * (1 / call.rows),)


def _layer_norm_without_weight(call: Call) -> Array:
    (x,), n = call.inputs, call.op.columns
    centred = x - row_sum(x) / n
    call.kept["inverse"] = 1.0 / np.sqrt(row_dot(centred, centred, call) / n + EPSILON)
    call.kept["normal"] = centred * call.kept["inverse"]
    return call.kept["normal"].copy()  # of which others hold what they need


def _layer_norm_without_bias(call: Call) -> Array:
    return _layer_norm_without_weight(call) * call.weights[0]


def _layer_norm(call: Call) -> Array:
    return _layer_norm_without_bias(call) + call.weights[1]


def _layer_norm_backward(call: Call, dy: Array) -> tuple[Array, ...]:
    normal, n = call.kept["normal"], call.op.columns
    dnormal = dy * call.weights[0] if call.weights else dy
    mean, product = row_sum(dnormal) / n, row_dot(dnormal, normal, call) / n
    return ((dnormal - mean - normal * product) * call.kept["inverse"],)


def _gain_update(call: Call, dy: Array, start: tuple[Array, ...]) -> tuple[Array, ...]:
    rows, normal = _rows_of_gains(call, dy), _rows_of_gains(call, call.kept["normal"])
    axes, gains = ("h", "r", "c"), start[0].reshape(len(rows), -1)
    return (einsum((rows, axes), (normal, axes), (gains, ("h", "c"))).reshape(start[0].shape),)


def _rows_of_gains(call: Call, x: Array) -> Array:
    """Return the rows [head, row, e] that each gain belongs to."""
    return x.reshape(call.weights[0].size // call.op.columns, -1, call.op.columns)


def _layer_norm_update(call: Call, dy: Array, start: tuple[Array, ...]) -> tuple[Array, ...]:
    rows = _rows_of_gains(call, dy)
    shift = start[1].reshape(len(rows), -1)
    for place in range(rows.shape[1]):
        shift = shift + rows[:, place]
    return (*_gain_update(call, dy, start), shift.reshape(start[1].shape))


def _rms_norm_without_weight(call: Call) -> Array:
    (x,) = call.inputs
    call.kept["inverse"] = 1.0 / np.sqrt(row_dot(x, x, call) / call.op.columns + EPSILON)
    call.kept["normal"] = x * call.kept["inverse"]
    return call.kept["normal"].copy()


def _rms_norm(call: Call) -> Array:
    return _rms_norm_without_weight(call) * call.weights[0]


def _rms_norm_backward(call: Call, dy: Array) -> tuple[Array, ...]:
    normal, dnormal = call.kept["normal"], dy * call.weights[0] if call.weights else dy
    product = row_dot(dnormal, normal, call) / call.op.columns
    return ((dnormal - normal * product) * call.kept["inverse"],)


def _top_k(call: Call) -> Array:
    (x,), sizes = call.inputs, call.op.einsum.sizes
    chosen = []
    for row in x:
        left, picked = list(row), []
        for _ in range(sizes["choice"]):
            best = Number(-inf, row[0].tally)
            for index, value in enumerate(left):
                if value >= best:
                    best, at = value, index
            left[at] = Number(-inf, row[0].tally)
            picked.append(at)
        chosen.append(picked)
    call.chosen = chosen
    return np.array([row[picked] for row, picked in zip(x, chosen, strict=True)], dtype=object)


def _top_k_backward(call: Call, dy: Array) -> tuple[Array, ...]:
    dx = call.zeros_like_input()
    for row, picked in enumerate(call.chosen):
        dx[row][picked] = dy[row]
    return (dx,)


def _normalised_sum(call: Call) -> Array:
    (x,) = call.inputs
    call.kept["sum"] = row_sum(x)
    call.kept["y"] = x / call.kept["sum"]
    return call.kept["y"]


def _normalised_sum_backward(call: Call, dy: Array) -> tuple[Array, ...]:
    return ((dy - row_dot(dy, call.kept["y"], call)) / call.kept["sum"],)


def _first_row_backward(call: Call, dy: Array) -> tuple[Array, ...]:
    return (np.concatenate([dy, call.zeros((call.op.inputs[0].shape[0] - 1, *dy.shape[1:]))]),)


def _end_backward(call: Call, _dy: Array) -> tuple[Array, ...]:
    gradient = call.zeros(call.op.output.shape)
    for number in gradient.flat:
        number.value = 1.0  # given from outside: that of the output's sum, which nothing here computes
    return (gradient,)


ROWS: Mapping[str, Kernel] = {
    "softmax": Kernel(_softmax, _softmax_backward),
    "cross_entropy": Kernel(_cross_entropy, _cross_entropy_backward),
    "layer_norm": Kernel(_layer_norm, _layer_norm_backward, _layer_norm_update),
    "layer_norm_without_weight": Kernel(_layer_norm_without_weight, _layer_norm_backward),
    "layer_norm_without_bias": Kernel(_layer_norm_without_bias, _layer_norm_backward, _gain_update),
    "rms_norm_without_weight": Kernel(_rms_norm_without_weight, _rms_norm_backward),
    "rms_norm": Kernel(_rms_norm, _rms_norm_backward, _gain_update),
    "sink_softmax": Kernel(_sink_softmax, _softmax_backward, _sink_update),
    "top_k": Kernel(_top_k, _top_k_backward),
    "normalised_sum": Kernel(_normalised_sum, _normalised_sum_backward),
    "end": Kernel(lambda call: call.inputs[0], _end_backward),
    "first_row": Kernel(lambda call: call.inputs[0][:1], _first_row_backward),
    "output_error": Kernel(lambda call: _less_targets(call.inputs[0], call.chosen), no_gradient),
}
