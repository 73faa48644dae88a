"""The operations that layers are written in: each checks its axes and is recorded."""

from collections.abc import Mapping
from dataclasses import replace

from tcost.exact import Size, exact_div
from tcost.tracing.axes import bind, shape_of
from tcost.tracing.tensors import AxisError, Band, Einsum, Tensor, same_shape


def linear(
    name: str, x: Tensor, pattern: str, *, weight: str | None = None, trained: bool | None = None, **sizes: Size
) -> Tensor:
    """Record a product with a learned weight: `linear("up", x, "q d -> q f", f=3072)`.

    Axes of `x` are bound by position, those that the weight adds are given a size; the weight has the
    axes that `x` and the output do not share. A `weight` that is named may be shared; what it learns is
    `trained` as the trace says where nothing is said.
    """
    return _learned("linear", name, x, pattern, weight=weight, trained=trained, sizes=sizes)


def expert_linear(name: str, x: Tensor, pattern: str, expert: Size, **sizes: Size) -> Tensor:
    """Record a product of every token with the weights of the experts that it chose.

    `expert_linear("up", x, "q d -> q choice f", 8, choice=2, f=14336)`: the weight has an axis `expert`
    besides, of which each `choice` takes one.
    """
    bound = bind(f"expert_linear {name!r}", (x,), pattern, sizes)
    axes = ({*bound.operands[0]} ^ {*bound.output}) - {"choice"} | {"expert"}
    einsum = replace(bound, weight=tuple(sorted(axes)), sizes={**bound.sizes, "expert": expert})
    return x.trace.record("expert_linear", name, (x,), shape_of(einsum), einsum=einsum, weight=x.trace.own_weight(name))


def contract(name: str, a: Tensor, b: Tensor, pattern: str, band: Band | None = None) -> Tensor:
    """Record a product of two tensors: `contract("scores", q, k, "head q e, head k e -> head q k")`.

    With a `band` the output has only its pairs of the axes `q` and `k`; so has a product with such a tensor.
    """
    einsum = replace(bind(f"contract {name!r}", (a, b), pattern, {}), band=band or a.band)
    return a.trace.record("contract", name, (a, b), shape_of(einsum), einsum=einsum, band=band)


def expert_bias(name: str, x: Tensor, axes: str, experts: Size) -> Tensor:
    """Record the addition of a learned row of each expert that a token chose: `"q choice f"`, one row of f for each."""
    bound = bind(f"expert_bias {name!r}", (x,), f"{axes} -> {axes}", {})
    weight = tuple(sorted(("expert", axes.rpartition(" ")[2])))
    einsum = replace(bound, sizes={**bound.sizes, "expert": experts}, weight=weight)
    return x.trace.record("expert_bias", name, (x,), x.shape, einsum=einsum, weight=x.trace.own_weight(name))


def combine(name: str, weights: Tensor, x: Tensor, pattern: str) -> Tensor:
    """Record a weighted sum that no matrix product executes: `"q choice, q choice d -> q d"`."""
    einsum = bind(f"combine {name!r}", (weights, x), pattern, {})
    return x.trace.record("combine", name, (weights, x), shape_of(einsum), einsum=einsum)


def weigh(name: str, weights: Tensor, x: Tensor) -> Tensor:
    """Record the products of every row of `x` [q, d] with each of its weights [q, choice]: [q, choice, d]."""
    einsum = bind(f"weigh {name!r}", (weights, x), "q choice, q d -> q choice d", {})
    return x.trace.record("weigh", name, (weights, x), shape_of(einsum), einsum=einsum)


def convolve(name: str, x: Tensor, width: Size, kernel: Size, stride: Size) -> Tensor:
    """Record a convolution of the rows of `x` [q, c] with `width` filters: [q / stride, width].

    Padding keeps the number of rows at stride 1; products with the zeros beside the ends are executed.
    """
    rows, channels = x.shape
    sizes = {"q": exact_div(rows, stride), "window": kernel, "c": channels, "d": width, "stride": stride}
    einsum = Einsum((("q", "window", "c"),), ("q", "d"), sizes, weight=("c", "d", "window"))
    shape = (sizes["q"], width)
    return x.trace.record("convolution", name, (x,), shape, einsum=einsum, weight=x.trace.own_weight(name))


def look_up(name: str, tokens: Tensor, pattern: str, *, weight: str | None = None, **sizes: Size) -> Tensor:
    """Record the choice of a row of a learned table per token: `look_up("token", x, "q vocab -> q d", d=768)`.

    `tokens` has the shape of its one-hot rows, so that a convention may price the dense product.
    """
    return _learned("embedding", name, tokens, pattern, weight=weight, sizes=sizes)


def relative_bias(name: str, buckets: Tensor, heads: tuple[Size, Size]) -> Tensor:
    """Record the choice of a learned scalar per head for every pair of rows: [q, k, bucket] -> [kv, g, q, k].

    `buckets` has the shape of one-hot rows; `heads` are those of keys and the query heads of each.
    """
    rows, keys, number = buckets.shape
    kv, g = heads
    sizes = {"q": rows, "k": keys, "bucket": number, "kv": kv, "g": g}
    einsum = Einsum((("q", "k", "bucket"),), ("kv", "g", "q", "k"), sizes, weight=("bucket", "g", "kv"))
    trace, shape = buckets.trace, (kv, g, rows, keys)
    weight = trace.own_weight(name)
    return trace.record("relative_bias", name, (buckets,), shape, einsum=einsum, weight=weight, band=buckets.band)


def bias(name: str, x: Tensor, axes: str, over: str) -> Tensor:
    """Record the addition of a learned tensor that has only some of the axes of `x`: `bias("b", x, "q d", "d")`."""
    bound = bind(f"bias {name!r}", (x,), f"{axes} -> {axes}", {})
    einsum = replace(bound, weight=tuple(sorted(over.split())))
    return x.trace.record("bias", name, (x,), x.shape, einsum=einsum, weight=x.trace.own_weight(name))


def added_table(name: str, x: Tensor, rows: Size, *, trained: bool | None = None) -> Tensor:
    """Record the addition of a row of a learned table of `rows` rows to every row of `x`: positions, segments."""
    sizes = {"q": x.shape[0], "d": x.shape[1], "row": rows}
    einsum = Einsum((("q", "d"),), ("q", "d"), sizes, weight=("d", "row"))
    weight = x.trace.own_weight(name)
    return x.trace.record("added_table", name, (x,), x.shape, einsum=einsum, weight=weight, trained=trained)


def added_constant(name: str, x: Tensor) -> Tensor:
    """Record the addition of a fixed tensor to `x`: sinusoidal positions."""
    return _row_wise("added_constant", name, x)


def alibi(x: Tensor) -> Tensor:
    """Record the addition of a slope per head times the distance of two rows to scores `x`."""
    return _row_wise("alibi", "alibi", x)


def add(name: str, a: Tensor, b: Tensor) -> Tensor:
    """Record the addition of two tensors of one shape; a residual is simply `a + b`."""
    return a.trace.add(name, a, b)


def add_row(name: str, x: Tensor, row: Tensor) -> Tensor:
    """Record the addition of a single row to every row of `x`."""
    return x.trace.record("add", name, (x, row), x.shape)


def prepend_row(name: str, x: Tensor) -> Tensor:
    """Record a learned row set before those of `x`: a class token."""
    rows, columns = x.shape
    einsum = Einsum((("q", "d"),), ("q", "d"), {"q": rows, "d": columns}, weight=("d",))
    weight = x.trace.own_weight(name)
    return x.trace.record("prepended_row", name, (x,), (rows + 1, columns), einsum=einsum, weight=weight)


def learned_row(name: str, like: Tensor) -> Tensor:
    """Record a learned row by itself, as wide as those of a tensor: [1, d]."""
    trace, columns = like.trace, like.shape[-1]
    einsum = Einsum((), ("d",), {"d": columns}, weight=("d",))
    return trace.record("learned_row", name, (), (1, columns), einsum=einsum, weight=trace.own_weight(name))


def first_row(name: str, x: Tensor) -> Tensor:
    """Record the choice of the first row of `x`."""
    return x.trace.record("first_row", name, (x,), (1, *x.shape[1:]))


def join(name: str, x: Tensor, shared: Tensor) -> Tensor:
    """Record rows [head, k, e] made longer by rows [k, p] that all heads share: [head, k, e + p]."""
    shape = (*x.shape[:-1], x.shape[-1] + shared.shape[-1])
    return x.trace.record("join", name, (x, shared), shape)


def split_heads(name: str, x: Tensor, *shape: Size) -> Tensor:
    """Record rows [q, c] seen as heads: c is the product of the heads and their width, `shape`."""
    *heads, width = shape
    return x.trace.record("split_heads", name, (x,), (*heads, x.shape[0], width))


def scale(x: Tensor, width: Size, name: str = "scale") -> Tensor:
    """Record the product of `x` with a constant, one over the square root of a width."""
    return x.trace.record("scale", name, (x,), x.shape, einsum=Einsum(sizes={"width": width}), band=x.band)


def scale_rows(name: str, x: Tensor) -> Tensor:
    """Record the product of every row of `x` with a constant of its position."""
    return _row_wise("scaled_rows", name, x)


def plus_one(name: str, x: Tensor) -> Tensor:
    """Record the addition of one to every element of `x`."""
    return _row_wise("plus_one", name, x)


def clip_above(name: str, x: Tensor) -> Tensor:
    """Record that every element of `x` is at most a constant."""
    return _row_wise("clip_above", name, x)


def clip(name: str, x: Tensor) -> Tensor:
    """Record that every element of `x` is at least a constant, and at most another one."""
    return _row_wise("clip", name, x)


def multiply(name: str, a: Tensor, b: Tensor) -> Tensor:
    """Record the element-wise product of two tensors of one shape."""
    if not same_shape(a, b):
        raise AxisError(f"{name}: cannot multiply shapes {a.shape} and {b.shape}")
    return a.trace.record("multiply", name, (a, b), a.shape)


def soft_cap(name: str, x: Tensor) -> Tensor:
    """Record c tanh(x / c) of every element of `x`."""
    return _row_wise("soft_cap", name, x)


def rotate(name: str, x: Tensor, width: Size) -> Tensor:
    """Record the rotation of the last `width` elements of every row of `x` by its position."""
    return x.trace.record("rotary", name, (x,), x.shape, einsum=Einsum(sizes={"rotated": width}))


def softmax(x: Tensor) -> Tensor:
    """Record the softmax of every row of `x`."""
    return _row_wise("softmax", "softmax", x)


def sink_softmax(x: Tensor) -> Tensor:
    """Record the softmax of every row of scores `x` [kv, g, q, k] and one learned score of its head, which is left out.

    Source: OpenAI 2025, arXiv 2508.10925, section 2.2; Xiao et al. 2023, arXiv 2309.17453, section 3.
    """
    kv, g, q, k = x.shape
    axes = ("kv", "g", "q", "k")
    einsum = Einsum((axes,), axes, {"kv": kv, "g": g, "q": q, "k": k}, weight=("g", "kv"))
    weight = x.trace.own_weight("sink")
    return x.trace.record("sink_softmax", "softmax", (x,), x.shape, einsum=einsum, weight=weight, band=x.band)


def top_k(x: Tensor, choices: Size) -> Tensor:
    """Record the choice of the largest elements of every row of `x`: [q, expert] -> [q, choice]."""
    einsum = Einsum(sizes={"from": x.shape[-1], "choice": choices})
    return x.trace.record("top_k", "top_k", (x,), (*x.shape[:-1], choices), einsum=einsum)


def normalise_sum(x: Tensor) -> Tensor:
    """Record the division of every row of `x` by its sum."""
    return _row_wise("normalised_sum", "normalise", x)


def cross_entropy(x: Tensor) -> Tensor:
    """Record the softmax of every row of logits `x`, which is returned, and its cross-entropy with the targets."""
    return _row_wise("cross_entropy", "softmax", x)


def end(x: Tensor) -> Tensor:
    """Record that a model ends in `x`, which is returned: what follows it is not the model's, nor is the loss."""
    return _row_wise("end", "end", x)


def output_error(y: Tensor) -> Tensor:
    """Record the difference of every row of probabilities `y` and its one-hot target."""
    return _row_wise("output_error", "error", y)


def normalise(kind: str, x: Tensor, name: str = "norm", gains: Size | None = None) -> Tensor:
    """Record the norm of every row of `x`: a LayerNorm with a learned gain and bias, or another kind of norm.

    Where there are several gains, `x` [head, ..., q, e] has one of length e for each head.
    """
    weight = None if kind.endswith("_without_weight") else x.trace.own_weight(name)
    einsum = Einsum(sizes={} if gains is None else {"gains": gains})
    return x.trace.record(kind, name, (x,), x.shape, weight=weight, einsum=einsum)


def activate(kind: str, x: Tensor, name: str = "activation") -> Tensor:
    """Record an activation function of every element of `x`."""
    return _row_wise(kind, name, x)


def _row_wise(kind: str, name: str, x: Tensor) -> Tensor:
    return x.trace.record(kind, name, (x,), x.shape, band=x.band)


def _learned(
    kind: str,
    name: str,
    x: Tensor,
    pattern: str,
    *,
    weight: str | None,
    sizes: Mapping[str, Size],
    trained: bool | None = None,
) -> Tensor:
    bound = bind(f"{kind} {name!r}", (x,), pattern, sizes)
    einsum = replace(bound, weight=tuple(sorted({*bound.operands[0]} ^ {*bound.output})))
    weight = weight or x.trace.own_weight(name)
    return x.trace.record(kind, name, (x,), shape_of(einsum), einsum=einsum, weight=weight, trained=trained)
