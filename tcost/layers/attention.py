"""Attention: plain, grouped, latent; over the stack's own rows or an encoder's."""

from contextlib import nullcontext
from math import prod

from tcost.exact import Size, exact_div
from tcost.layers.projections import normed, projection
from tcost.sizes import LatentAttention, Sizes
from tcost.tracing import Band, Tensor, Trace, layer
from tcost.tracing.operations import (
    add,
    alibi,
    clip,
    contract,
    join,
    learned_row,
    normalise,
    relative_bias,
    rotate,
    scale,
    scale_rows,
    sink_softmax,
    soft_cap,
    softmax,
    split_heads,
)


@layer
def attention(x: Tensor, s: Sizes, band: Band | None = None, biases: Tensor | None = None) -> Tensor:
    """Multi-head self-attention, each head of keys and values for one group of query heads.

    x [q, d] -> [q, d]; biases [kv, g, q, k] are added to the scores. Source: Vaswani et al. 2017,
    section 3.2; Ainslie et al. 2023, arXiv 2305.13245, for groups. Omits: the mask's addition.
    """
    return _multi_head(x, x, s, band, biases)


@layer
def cross_attention(x: Tensor, memory: Tensor, s: Sizes) -> Tensor:
    """Multi-head attention of the decoder over the encoder's output.

    x [q, d] over memory [k, d] -> [q, d]. Source: Vaswani et al. 2017, section 3.2.3.
    """
    return _multi_head(x, memory, s)


@layer
def pooling_attention(x: Tensor, s: Sizes) -> Tensor:
    """Attention of one learned row, the probe, over the rows of a stack's output.

    x [k, d] -> [1, d]. Source: Zhai et al. 2022, arXiv 2106.04560, section 3.3.
    """
    return _multi_head(learned_row("probe", x), x, s)


@layer
def latent_attention(x: Tensor, s: Sizes, latent: LatentAttention, band: Band | None = None) -> Tensor:
    """Multi-head latent attention: keys and values, and queries if they have one, pass a low rank.

    x [q, d] -> [q, d]. The paper's W^DQ, W^UQ with W^QR, W^DKV, W^KR, W^UK, W^UV and W^O are query_down,
    query, kv_down, key_rope, key, value and output. Source: DeepSeek-V2, arXiv 2405.04434, section 2.1.
    """
    heads, has_bias = {"kv": s.n_heads, "g": 1}, "output" in s.attention_bias
    q = x
    if latent.q_rank is not None:
        q = normed(projection("query_down", x, "q d -> q r", s, has_bias=has_bias, r=latent.q_rank), s, "query_norm")
    e = latent.d_nope + latent.d_rope
    q = rotate(
        "query_rotary", projection("query", q, "q r -> kv g q e", s, has_bias=False, **heads, e=e), latent.d_rope
    )
    low = normed(projection("kv_down", x, "k d -> k r", s, has_bias=has_bias, r=latent.kv_rank), s, "kv_norm")
    if s.query_position_scale == "all":
        q = scale_rows("query_scale", q)
    shared = projection("key_rope", x, "k d -> k p", s, has_bias=has_bias, p=latent.d_rope)
    k = projection("key", low, "k r -> kv k e", s, has_bias=False, kv=s.n_heads, e=latent.d_nope)
    v = projection("value", low, "k r -> kv k e", s, has_bias=False, kv=s.n_heads, e=latent.d_value)
    k = join("key_join", k, rotate("key_rotary", shared, latent.d_rope))
    return _mix((q, k, v), s, band, None, width=e)


def _multi_head(x: Tensor, memory: Tensor, s: Sizes, band: Band | None = None, biases: Tensor | None = None) -> Tensor:
    kv, g = heads_of(s)
    q = _heads("query", x, s, kv=kv, g=g)
    k = _heads("key", memory, s, kv=kv)
    v = _project("value", memory, "k d -> kv k e", s, kv=kv, e=s.d_head)
    if s.attention_clip:
        q, k, v = clip("query_clip", q), clip("key_clip", k), clip("value_clip", v)
    if s.positions == "rotary":
        width = s.d_head if s.rotary_dims is None else s.rotary_dims
        q, k = rotate("query_rotary", q, width), rotate("key_rotary", k, width)
        if s.qk_norm == "rotated":
            q, k = (normalise("rms_norm_without_weight", x, f"{name}_norm") for name, x in (("query", q), ("key", k)))
    if s.query_position_scale == "all" or (s.query_position_scale == "unrotated" and s.positions != "rotary"):
        q = scale_rows("query_scale", q)
    return _mix((q, k, v), s, band, biases, width=s.d_head)


def _project(name: str, x: Tensor, pattern: str, s: Sizes, **sizes: Size) -> Tensor:
    return projection(name, x, pattern, s, has_bias=name in s.attention_bias, **sizes)


def heads_of(s: Sizes) -> tuple[Size, Size]:
    """Return the heads of keys and values, and the query heads that each serves."""
    return s.kv_heads, exact_div(s.n_heads, s.kv_heads)


def _heads(name: str, x: Tensor, s: Sizes, **heads: Size) -> Tensor:
    """Return queries [kv, g, q, e] or keys [kv, q, e], with a norm per head or over all heads where there is one."""
    if s.qk_norm == "all":
        width = prod(heads.values()) * s.d_head
        flat = normed(_project(name, x, "q d -> q c", s, c=width), s, f"{name}_norm")
        return split_heads(f"{name}_heads", flat, *heads.values(), s.d_head)
    y = _project(name, x, f"q d -> {' '.join(heads)} q e", s, **heads, e=s.d_head)
    if s.qk_norm == "each_head":
        return normed(y, s, f"{name}_norm", gains=prod(heads.values()))
    return normed(y, s, f"{name}_norm") if s.qk_norm == "head" else y


def _mix(
    qkv: tuple[Tensor, Tensor, Tensor], s: Sizes, band: Band | None, biases: Tensor | None, *, width: Size
) -> Tensor:
    q, k, v = qkv
    with q.trace.fused() if s.attention == "flash" else nullcontext():
        scores = _scores(q, k, s, band, biases, width=width)
        weights = sink_softmax(scores) if s.attention_sinks else softmax(scores)
    mixed = contract("context", weights, v, "kv g q k, kv k e -> kv g q e")
    return _project("output", mixed, "kv g q e -> q d", s, d=s.d_model)


def _scores(q: Tensor, k: Tensor, s: Sizes, band: Band | None, biases: Tensor | None, *, width: Size) -> Tensor:
    scores = contract("scores", q, k, "kv g q e, kv k e -> kv g q k", band)
    if s.attention_scale:
        scores = scale(scores, width)
    if s.attention_softcap:
        scores = soft_cap("softcap", scores)
    if biases is not None:
        scores = add("relative_bias", scores, biases)
    return alibi(scores) if s.positions == "alibi" else scores


@layer
def relative_positions(buckets: Tensor, s: Sizes) -> Tensor:
    """Scalar bias for every head and pair of rows, by their distance, which all blocks of a stack add to the scores.

    Distances, as one-hot rows [q, k, bucket] -> [kv, g, q, k]. Source: Raffel et al. 2020, section 2.1.
    """
    return relative_bias("bias", buckets, heads_of(s))


def score_biases(trace: Trace, stack: str, s: Sizes, band: Band | None) -> Tensor | None:
    """Return what a stack's blocks add to their scores, where they do; or of what each makes its own."""
    if s.positions != "relative":
        return None
    rows = s.context_length
    buckets = trace.input(f"{stack} buckets", rows, rows, s.relative_buckets, band=band)
    return buckets if s.relative_everywhere else relative_positions(buckets, s)
