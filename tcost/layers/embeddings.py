"""What a stack reads: tokens, the patches of an image or audio, with positions."""

from tcost.layers.projections import normed, projection
from tcost.sizes import Sizes
from tcost.tracing import Tensor, Trace, layer
from tcost.tracing.operations import activate, added_constant, added_table, bias, convolve, look_up, prepend_row, scale

TABLES = ("learned", "stored")
"""Positions that are rows of a table."""


CLASS_TOKENS = ("distillation_token", "class_token")
"""Learned rows before the patches of an image, the last of them where there is one."""


@layer
def embedding(tokens: Tensor, s: Sizes, stack: str = "") -> Tensor:
    """Token embedding: one row of a learned table per token.

    Tokens, as one-hot rows [q, vocab] -> [q, d]. Source: Vaswani et al. 2017, section 3.4.
    Omits: dropout.
    """
    width = s.d_model if s.d_embedding is None else s.d_embedding
    return look_up("token", tokens, "q vocab -> q d", weight=table_name(s, stack), d=width)


def table_name(s: Sizes, stack: str) -> str | None:
    """Return the name of the table of tokens where it is shared: by the stacks, the vocabulary projection or both."""
    if s.share_embeddings or (s.share_embeddings is None and s.tie_embeddings):
        return "token"
    return f"{stack} token" if s.tie_embeddings else None


@layer
def patch_embedding(patches: Tensor, s: Sizes) -> Tensor:
    """Projection of the pixels of every image patch, after a learned class token, or as many as there are.

    patches [q - tokens, pixel] -> [q, d]. Source: Dosovitskiy et al. 2021, arXiv 2010.11929, section 3.1; Touvron et
    al. 2021, arXiv 2012.12877, section 4, for a distillation token.
    """
    x = projection("patch", patches, "q pixel -> q d", s, has_bias=s.patch_bias, d=s.d_model)
    for name in CLASS_TOKENS[len(CLASS_TOKENS) - s.class_tokens :]:
        x = prepend_row(name, x)
    return x


@layer
def audio_embedding(audio: Tensor, s: Sizes) -> Tensor:
    """Two convolutions over time, of width 3, the second of which halves the number of rows.

    audio [2 q, mel] -> [q, d]. Source: Radford et al. 2022, arXiv 2212.04356, section 2.2.
    """
    x = bias("convolution_bias", convolve("convolution", audio, s.d_model, 3, 1), "q d", "d")
    x = bias("halving_bias", convolve("halving", activate("gelu", x), s.d_model, 3, 2), "q d", "d")
    return activate("gelu", x, "halving_activation")


@layer
def positions(x: Tensor, s: Sizes) -> Tensor:
    """Position embeddings, learned or fixed sinusoids, added to the token embedding.

    x [q, d] -> [q, d]. Source: Vaswani et al. 2017, section 3.5; Radford et al. 2019 for a learned table.
    """
    if s.positions in TABLES:
        return added_table("position", x, s.n_positions, trained=None if s.positions == "learned" else False)
    return added_constant("position", x)


@layer
def segments(x: Tensor, s: Sizes) -> Tensor:
    """Segment (token type) embeddings, added to the token embedding.

    x [q, d] -> [q, d]. Source: Devlin et al. 2019, section 3.2.
    """
    return added_table("segment", x, s.n_segments)


@layer
def tasks(x: Tensor, s: Sizes) -> Tensor:
    """Task embeddings, added to the token embedding.

    x [q, d] -> [q, d]. Source: Sun et al. 2019, arXiv 1907.12412, section 3.3.
    """
    return added_table("task", x, s.n_task_types)


@layer
def embedding_scale(x: Tensor, s: Sizes) -> Tensor:
    """Product of the embeddings with a constant.

    x [q, d] -> [q, d]. Source: Vaswani et al. 2017, section 3.4.
    """
    return scale(x, s.d_model)


@layer
def embedding_norm(x: Tensor, s: Sizes) -> Tensor:
    """Norm of the embeddings.

    x [q, d] -> [q, d]. Source: Devlin et al. 2019, the published implementation.
    """
    return normed(x, s)


@layer
def embedding_projection(x: Tensor, s: Sizes) -> Tensor:
    """Projection of narrow embeddings onto the model's width.

    x [q, c] -> [q, d]. Source: Lan et al. 2020, arXiv 1909.11942, section 3.1.
    """
    return projection("projection", x, "q c -> q d", s, has_bias=s.embedding_bias, d=s.d_model)


def embed(trace: Trace, stack: str, s: Sizes) -> tuple[Tensor, Tensor]:
    """Return the embedding of what a stack reads, and what goes into its first block.

    Between them: scale, positions, segments, tasks, norm, and the projection from a narrower embedding.
    """
    embedded = x = read(trace, stack, s)
    if s.embedding_scale:
        x = embedding_scale(x, s)
    if s.d_embedding is not None and s.wide_positions:
        x = embedding_projection(x, s)
    if s.positions in (*TABLES, "sinusoidal"):
        x = positions(x, s)
    if s.n_segments:
        x = segments(x, s)
    if s.n_task_types:
        x = tasks(x, s)
    if s.embedding_norm:
        x = embedding_norm(x, s)
    if s.d_embedding is not None and not s.wide_positions:
        x = embedding_projection(x, s)
    return embedded, x


def read(trace: Trace, stack: str, s: Sizes) -> Tensor:
    """Return the embedding of a stack's input, which only an encoder may have other than tokens."""
    if stack == "encoder" and s.encoder_input == "patches":
        pixels = s.n_channels * s.patch_size * s.patch_size
        return patch_embedding(trace.input("encoder patches", s.context_length - s.class_tokens, pixels), s)
    if stack == "encoder" and s.encoder_input == "audio":
        return audio_embedding(trace.input("encoder audio", 2 * s.context_length, s.n_channels), s)
    return embedding(trace.input(f"{stack} tokens", s.context_length, s.vocab_size), s, stack)
