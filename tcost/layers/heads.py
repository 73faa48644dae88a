"""What a model ends in: the vocabulary projection, or a classifier."""

from tcost.layers.attention import pooling_attention
from tcost.layers.blocks import norm, residual
from tcost.layers.embeddings import table_name
from tcost.layers.feed_forward import feed_forward
from tcost.layers.projections import normed, projection
from tcost.sizes import Sizes
from tcost.tracing import Tensor, layer
from tcost.tracing.operations import activate, bias, cross_entropy, end, first_row, linear, scale, soft_cap


@layer
def final_norm(x: Tensor, s: Sizes) -> Tensor:
    """Norm of a stack's output.

    x [q, d] -> [q, d]. Source: Radford et al. 2019, section 2.3.
    """
    return normed(x, s)


@layer
def head_transform(x: Tensor, s: Sizes) -> Tensor:
    """Dense layer, activation and norm before the vocabulary projection of a masked language model.

    x [q, d] -> [q, c], c the width of the embedding, or its own. Source: Devlin et al. 2019, the published
    implementation; Chung et al. 2020, arXiv 2010.12821, section 4.1, for a width of its own.
    """
    width = next(size for size in (s.d_head_transform, s.d_embedding, s.d_model) if size is not None)
    dense = projection("dense", x, "q d -> q c", s, has_bias=s.head_transform_bias, c=width)
    return normed(activate(s.head_activation or s.activation, dense), s)


@layer
def output_projection(x: Tensor, s: Sizes) -> Tensor:
    """Projection of the output onto the width of a narrower embedding.

    x [q, d] -> [q, c]. Source: Zhang et al. 2022, arXiv 2205.01068, the published implementation of OPT 350M.
    """
    return projection("projection", x, "q d -> q c", s, has_bias=False, c=s.d_embedding)


@layer
def output_scale(x: Tensor, s: Sizes) -> Tensor:
    """Product of the output with a constant.

    x [q, d] -> [q, d]. Source: Raffel et al. 2020, the published implementation, for tied embeddings.
    """
    return scale(x, s.d_model)


@layer
def vocabulary_projection(x: Tensor, s: Sizes, stack: str = "") -> Tensor:
    """Projection of every position onto the vocabulary, softmax and cross-entropy.

    x [q, d] -> [q, vocab]. With a head transform it has a bias, unless the model says otherwise. Source:
    Vaswani et al. 2017, section 3.4; the paper's softmax layer.
    """
    tied = table_name(s, stack) if s.tie_embeddings else None
    logits = linear("projection", x, "q d -> q vocab", weight=tied, vocab=s.vocab_size)
    if s.head_transform if s.head_bias is None else s.head_bias:
        logits = bias("projection_bias", logits, "q vocab", "vocab")
    if s.logit_scale:
        logits = scale(logits, s.d_model)
    return cross_entropy(soft_cap("softcap", logits) if s.logit_softcap else logits)


@layer
def pooler(x: Tensor, s: Sizes) -> Tensor:
    """Dense layer and activation before a classifier, or at the end of a model without a head.

    x [q, d] -> [q, d]. Source: Devlin et al. 2019, the published implementation.
    """
    pooled = activate(s.pooler, projection("dense", x, "q d -> q c", s, has_bias=True, c=s.d_model))
    return end(pooled) if s.head == "pooler" else pooled


@layer
def pooled_row(x: Tensor, s: Sizes) -> Tensor:
    """End of a model in its first row, which may be normalised, and projected onto an embedding.

    x [1, d] -> [1, d] or [1, c]. Source: Radford et al. 2021, arXiv 2103.00020, section 2.4.
    """
    if s.pooled_norm:
        x = normed(x, s)
    if s.d_projection is not None:
        x = projection("projection", x, "q d -> q c", s, has_bias=s.projection_bias, c=s.d_projection)
    return end(x)


@layer
def last_hidden_state(x: Tensor) -> Tensor:
    """End of a model without a head.

    x [q, d] -> [q, d]. Source: the classes of transformers that end in Model.
    """
    return end(x)


@layer
def class_token(x: Tensor) -> Tensor:
    """Choice of the first row, which stands for the whole.

    x [q, d] -> [1, d]. Source: Devlin et al. 2019, section 4.1.
    """
    return first_row("first_row", x)


@layer
def classifier(x: Tensor, s: Sizes) -> Tensor:
    """Projection onto the classes, softmax and cross-entropy.

    x [q, d] -> [q, vocab], vocab the classes. Source: Devlin et al. 2019, section 4.1.
    """
    has_bias = s.head_bias is None or s.head_bias
    return cross_entropy(projection("projection", x, "q d -> q vocab", s, has_bias=has_bias, vocab=s.n_classes))


def head(x: Tensor, s: Sizes, stack: str) -> Tensor:
    """Return what a model ends in, from the output [q, d] of the stack of that name.

    That is probabilities, or what a model without a head gives: its last rows, the first one, or what is pooled.
    """
    if s.head == "pooler":
        return pooler(class_token(x), s)
    if s.head == "first_row":
        return pooled_row(class_token(x), s)
    if s.head == "attention_pool":
        pooled = pooling_attention(x, s)
        return last_hidden_state(residual(pooled, feed_forward(norm(pooled, s), s)))
    if s.head == "none":
        return last_hidden_state(output_projection(x, s) if s.output_projection else x)
    is_classifier, is_narrow = s.head != "vocabulary", s.d_embedding is not None
    is_projected = is_narrow and not (is_classifier or s.head_transform)
    if is_projected if s.output_projection is None else s.output_projection:
        x = output_projection(x, s)
    if is_classifier:
        x = class_token(x) if s.head == "classifier" else x
        return classifier(pooler(x, s) if s.pooler != "none" else x, s)
    if s.head_transform:
        x = head_transform(x, s)
    return vocabulary_projection(output_scale(x, s) if s.output_scale else x, s, stack)
