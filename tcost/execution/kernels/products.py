"""Kernels of what multiplies with weights or adds them: products, look-ups, biases, tables."""

from collections.abc import Callable, Mapping

import numpy as np

from tcost.execution.kernels.base import Call, Kernel, input_of_weight, no_gradient, other_input, pairs_of, shape_of
from tcost.execution.numbers import Array, Named, aligned, einsum, paired_einsum, taken


def _linear(call: Call) -> Array:
    (x,), (w,), axes = call.inputs, call.weights, call.op.einsum
    return einsum((x, axes.operands[0]), (w, axes.weight), (call.zeros(call.op.output.shape), axes.output))


def _linear_backward(call: Call, dy: Array) -> tuple[Array, ...]:
    (w,), axes = call.weights, call.op.einsum
    return (einsum((dy, axes.output), (w, axes.weight), (call.zeros_like_input(), axes.operands[0])),)


def _linear_update(call: Call, dy: Array, start: tuple[Array, ...]) -> tuple[Array, ...]:
    (x,), axes = call.inputs, call.op.einsum
    return (einsum((x, axes.operands[0]), (dy, axes.output), (start[0], axes.weight)),)


def _sum_products(call: Call, a: Named, b: Named, start: Named) -> Array:
    """Execute an einsum of a contraction, over the pairs of its band where it has one."""
    band = call.op.einsum.band
    return paired_einsum(a, b, start, pairs_of(band)) if band else einsum(a, b, start)


def _contract(call: Call) -> Array:
    (a, b), axes = call.inputs, call.op.einsum
    start = call.zeros(shape_of(call.op.output)), axes.output
    return _sum_products(call, (a, axes.operands[0]), (b, axes.operands[1]), start)


def _contract_backward(call: Call, dy: Array) -> tuple[Array | None, ...]:
    (a, b), axes = call.inputs, call.op.einsum
    first, second = axes.operands
    needs_a, needs_b = (x.has_gradient for x in call.op.inputs)
    return (
        _sum_products(call, (dy, axes.output), (b, second), (call.zeros_like_input(0), first)) if needs_a else None,
        _sum_products(call, (dy, axes.output), (a, first), (call.zeros_like_input(1), second)) if needs_b else None,
    )


def _combine_backward(call: Call, dy: Array) -> tuple[Array | None, ...]:
    (weights, x), axes = call.inputs, call.op.einsum
    first, second = axes.operands
    every = (*second, *(axis for axis in first if axis not in second))
    needs_weights, needs_x = (tensor.has_gradient for tensor in call.op.inputs)
    dweights = dx = None
    if needs_weights:
        dweights = einsum((dy, axes.output), (x, second), (call.zeros_like_input(0), first))
    if needs_x:
        products = aligned((weights, first), every) * aligned((dy, axes.output), every)
        dx = products.reshape(call.op.inputs[1].shape)
    return dweights, dx


def _chosen_weights(call: Call) -> Named:
    """Return, for every row and choice, the weights of the expert: copies, which count for nothing."""
    (w,), axes = call.weights, call.op.einsum.weight
    own = tuple(axis for axis in axes if axis != "expert")
    return np.moveaxis(w, axes.index("expert"), 0)[np.array(call.chosen)], ("q", "choice", *own)


def _expert_linear(call: Call) -> Array:
    (x,), axes = call.inputs, call.op.einsum
    start = call.zeros(call.op.output.shape), axes.output
    return einsum((x, axes.operands[0]), _chosen_weights(call), start)


def _expert_linear_backward(call: Call, dy: Array) -> tuple[Array, ...]:
    axes = call.op.einsum
    return (einsum((dy, axes.output), _chosen_weights(call), (call.zeros_like_input(), axes.operands[0])),)


def _expert_linear_update(call: Call, dy: Array, start: tuple[Array, ...]) -> tuple[Array, ...]:
    (x,), axes = call.inputs, call.op.einsum
    place = axes.weight.index("expert")
    own = tuple(axis for axis in axes.weight if axis != "expert")
    gradient = np.moveaxis(start[0], place, 0).copy()
    for row, experts in enumerate(call.chosen):
        for choice, expert in enumerate(experts):
            at = {"q": row, "choice": choice}
            left, right = taken((x, axes.operands[0]), at), taken((dy, axes.output), at)
            gradient[expert] = einsum(left, right, (gradient[expert], own))
    return (np.moveaxis(gradient, 0, place),)


def _weigh(call: Call) -> Array:
    weights, x = call.inputs
    return x[:, None, :] * weights[..., None]


def _expert_bias(call: Call) -> Array:
    rows, _ = _chosen_weights(call)
    return call.inputs[0] + rows


def _expert_bias_update(call: Call, dy: Array, start: tuple[Array, ...]) -> tuple[Array, ...]:
    place = call.op.einsum.weight.index("expert")
    gradient = np.moveaxis(start[0], place, 0).copy()
    for row, experts in enumerate(call.chosen):
        for choice, expert in enumerate(experts):
            gradient[expert] = gradient[expert] + dy[row, choice]
    return (np.moveaxis(gradient, 0, place),)


def _windows(call: Call) -> Named:
    """Return the rows under each window, zeros beside the ends: copies, which count for nothing."""
    (x,), sizes = call.inputs, call.op.einsum.sizes
    rows = [call.zeros(x.shape[1:]), *x, call.zeros(x.shape[1:])]
    starts = range(0, sizes["q"] * sizes["stride"], sizes["stride"])
    return np.array([rows[i : i + sizes["window"]] for i in starts], dtype=object), ("q", "window", "c")


def _convolution(call: Call) -> Array:
    (w,), axes = call.weights, call.op.einsum
    return einsum(_windows(call), (w, axes.weight), (call.zeros(call.op.output.shape), axes.output))


def _convolution_backward(call: Call, dy: Array) -> tuple[Array, ...]:
    (w,), sizes, (rows, channels) = call.weights, call.op.einsum.sizes, call.op.inputs[0].shape
    padded = call.zeros((rows + 2, channels))
    for row, gradient in enumerate(dy):
        for place in range(sizes["window"]):
            at = row * sizes["stride"] + place
            padded[at] = einsum((gradient, ("d",)), (w[:, :, place], ("c", "d")), (padded[at], ("c",)))
    return (padded[1:-1].copy(),)


def _convolution_update(call: Call, dy: Array, start: tuple[Array, ...]) -> tuple[Array, ...]:
    axes = call.op.einsum
    return (einsum(_windows(call), (dy, axes.output), (start[0], axes.weight)),)


def _embedding(call: Call) -> Array:
    (table,) = call.weights  # axes d, vocab
    return table.T[call.chosen]


def _scatter(call: Call, dy: Array, start: tuple[Array, ...]) -> tuple[Array, ...]:
    gradient = start[0].T.copy()
    for row, chosen in enumerate(call.chosen):
        gradient[chosen] = gradient[chosen] + dy[row]
    return (gradient.T,)


def _relative_bias(call: Call) -> Array:
    (table,) = call.weights  # axes bucket, g, kv
    return np.moveaxis(table[np.array(call.chosen)], (-1, -2), (0, 1))


def _relative_bias_update(call: Call, dy: Array, start: tuple[Array, ...]) -> tuple[Array, ...]:
    gradient, chosen = start[0].copy(), np.array(call.chosen)
    for index in np.ndindex(chosen.shape):
        gradient[chosen[index]] = gradient[chosen[index]] + dy[(slice(None), slice(None), *index)].T
    return (gradient,)


def _bias(call: Call) -> Array:
    return call.inputs[0] + _over(call)(call.weights[0])


def _bias_update(call: Call, dy: Array, start: tuple[Array, ...]) -> tuple[Array, ...]:
    axes = call.op.einsum
    rows = dy.transpose([axes.output.index(axis) for axis in (*_others(call), *axes.weight)])
    total = start[0]
    for row in rows.reshape(-1, *total.shape):
        total = total + row
    return (total,)


def _others(call: Call) -> list[str]:
    axes = call.op.einsum
    return [axis for axis in axes.output if axis not in axes.weight]


def _over(call: Call) -> Callable[[Array], Array]:
    """Return how a bias with its axes in alphabetical order lies over the output."""
    axes = call.op.einsum
    order = [axes.weight.index(axis) for axis in axes.output if axis in axes.weight]
    shape = [axes.sizes[axis] if axis in axes.weight else 1 for axis in axes.output]
    return lambda b: b.transpose(order).reshape(shape)


def _added_table(call: Call) -> Array:
    return call.inputs[0] + call.weights[0].T[call.chosen]


def _added_constant(call: Call) -> Array:
    rows, columns = call.op.output.shape
    angles = np.arange(rows)[:, None] / 10_000 ** (2 * (np.arange(columns) // 2) / columns)
    return call.inputs[0] + np.where(np.arange(columns) % 2, np.cos(angles), np.sin(angles)).astype(object)


def _row_update(_call: Call, dy: Array, start: tuple[Array, ...]) -> tuple[Array, ...]:
    return (start[0] + dy[0],)


def _prepended_row(call: Call) -> Array:
    return np.concatenate([call.weights[0][None], call.inputs[0]])


PRODUCTS: Mapping[str, Kernel] = {
    "linear": Kernel(_linear, _linear_backward, _linear_update, needs=input_of_weight),
    "contract": Kernel(_contract, _contract_backward, needs=other_input),
    "expert_linear": Kernel(_expert_linear, _expert_linear_backward, _expert_linear_update, needs=input_of_weight),
    "weigh": Kernel(_weigh, _contract_backward, needs=other_input),
    "expert_bias": Kernel(_expert_bias, update=_expert_bias_update),
    "convolution": Kernel(_convolution, _convolution_backward, _convolution_update, needs=input_of_weight),
    "combine": Kernel(_contract, _combine_backward, needs=other_input),
    "embedding": Kernel(_embedding, no_gradient, _scatter),
    "relative_bias": Kernel(_relative_bias, no_gradient, _relative_bias_update),
    "bias": Kernel(_bias, update=_bias_update),
    "added_table": Kernel(_added_table, update=_scatter),
    "added_constant": Kernel(_added_constant),
    "learned_row": Kernel(lambda call: call.weights[0][None].copy(), no_gradient, _row_update),
    "prepended_row": Kernel(_prepended_row, lambda _call, dy: (dy[1:],), _row_update),
}
