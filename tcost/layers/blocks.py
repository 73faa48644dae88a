"""Blocks: attention and feed-forward with their norms and residuals."""

from collections.abc import Callable

from tcost.layers.attention import attention, cross_attention, latent_attention, relative_positions
from tcost.layers.feed_forward import feed_forward, mixture_of_experts
from tcost.layers.projections import normed
from tcost.sizes import Sizes
from tcost.tracing import Band, Tensor, layer
from tcost.tracing.operations import scale


@layer
def add_norm(x: Tensor, branch: Tensor, s: Sizes) -> Tensor:
    """Residual addition and a norm after it (post-norm).

    x, branch [q, d] -> [q, d]. Source: Vaswani et al. 2017, section 3.1.
    """
    return normed(x + branch, s)


@layer
def norm(x: Tensor, s: Sizes) -> Tensor:
    """Norm of what goes into a part of a block (pre-norm).

    x [q, d] -> [q, d]. Source: Radford et al. 2019, section 2.3.
    """
    return normed(x, s)


@layer
def output_norm(x: Tensor, s: Sizes) -> Tensor:
    """Norm of what a part of a block gives, before it is added.

    x [q, d] -> [q, d]. Source: OLMo 2, arXiv 2501.00656, section 2.1; Gemma 2, arXiv 2408.00118, section 2.
    """
    return normed(x, s)


@layer
def residual(x: Tensor, branch: Tensor) -> Tensor:
    """Residual addition without a norm (pre-norm).

    x, branch [q, d] -> [q, d]. Source: Radford et al. 2019, section 2.3.
    """
    return x + branch


@layer
def residual_scale(branch: Tensor, s: Sizes) -> Tensor:
    """Product of what a part of a block gives with a constant, before it is added.

    branch [q, d] -> [q, d]. Source: Granite (IBM 2024), the published implementation; MiniCPM, arXiv 2404.06395,
    section 3.1, which divides the constant by the square root of the depth.
    """
    return scale(branch, s.d_model)


def block(
    x: Tensor, s: Sizes, memory: Tensor | None = None, band: Band | None = None, biases: Tensor | None = None
) -> Tensor:
    """Self-attention, cross-attention over memory [k, d] where there is one, and feed-forward.

    x [q, d] -> [q, d]; attention has only the pairs of the band, and biases [kv, g, q, k] on its scores,
    which it makes itself where every block has a table.
    """

    def attend(h: Tensor) -> Tensor:
        if latent := s.latent_attention:
            return latent_attention(h, s, latent, band)
        own = relative_positions(biases, s) if biases is not None and s.relative_everywhere else biases
        return attention(h, s, band, own)

    def feed(h: Tensor) -> Tensor:
        return mixture_of_experts(h, s, s.experts) if s.experts else feed_forward(h, s)

    if s.parallel != "none":
        return _side_by_side(x, s, attend, feed)
    x = _branch(x, s, attend)
    if memory is not None:
        x = _branch(x, s, lambda h: cross_attention(h, memory, s))
    return _branch(x, s, feed)


Part = Callable[[Tensor], Tensor]


def _side_by_side(x: Tensor, s: Sizes, attend: Part, feed: Part) -> Tensor:
    """Attention and feed-forward of one input. Source: Black et al. 2022, arXiv 2204.06745, section 2.1."""
    first = norm(x, s)
    second = norm(x, s) if s.parallel == "two_norms" else first
    return residual(residual(x, _scaled(attend(first), s)), _scaled(feed(second), s))


def _branch(x: Tensor, s: Sizes, part: Part) -> Tensor:
    if s.norm_position == "post":
        return add_norm(x, _scaled(part(x), s), s)
    y = part(x if s.norm_position == "output" else norm(x, s))
    return residual(x, _scaled(y if s.norm_position == "pre" else output_norm(y, s), s))


def _scaled(branch: Tensor, s: Sizes) -> Tensor:
    return residual_scale(branch, s) if s.residual_scale else branch
