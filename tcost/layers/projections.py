"""What layers are made of: a projection with its bias and adapter, a norm."""

from tcost.exact import Size
from tcost.sizes import Lora, Sizes
from tcost.tracing import Tensor
from tcost.tracing.operations import add, bias, linear, normalise, scale


def projection(name: str, x: Tensor, pattern: str, s: Sizes, *, has_bias: bool, **sizes: Size) -> Tensor:
    """Return a learned projection of `x`, with a bias over the axes that it makes where it has one.

    With an adapter beside it, the product of two matrices of low rank is added. Source: Hu et al.
    2021, arXiv 2106.09685, section 4.1; their factor alpha / r is taken where rows are shortest.
    """
    y = linear(name, x, pattern, **sizes)
    if has_bias:
        y = bias(f"{name}_bias", y, pattern.partition("->")[2], " ".join(sizes))
    if not isinstance(s.train, Lora) or name not in s.train.targets:
        return y
    left, _, right = pattern.partition(" -> ")
    rows = " ".join(axis for axis in left.split() if axis in right.split())
    low = linear(f"{name}_lora_a", x, f"{left} -> {rows} rank", trained=True, rank=s.train.rank)
    high = linear(
        f"{name}_lora_b",
        scale(low, s.train.rank, f"{name}_lora_scale"),
        f"{rows} rank -> {right}",
        trained=True,
        **sizes,
    )
    return add(f"{name}_lora", y, high)


def normed(x: Tensor, s: Sizes, name: str = "norm", gains: Size | None = None) -> Tensor:
    """Return `x` with every row normalised, by the model's kind of norm, with one gain or with one for each head."""
    if s.norm == "rms_norm":
        return normalise(s.norm, x, name, gains)
    if not s.norm_weight:
        return normalise("layer_norm_without_weight", x, name)
    return normalise("layer_norm" if s.norm_bias else "layer_norm_without_bias", x, name, gains)
