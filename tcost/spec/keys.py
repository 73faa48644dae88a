"""The keys of a model spec: what each means, and what it may be."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from tcost.sizes import Activation, Head, Input, Norm, NormPosition, Parallel, Positions
from tcost.spec.parts import BiasKey, Count, Depth, ExpertsSpec, LatentAttentionSpec, LayerNumber, LayersKey, TrainSpec


class Keys(BaseModel):
    """The keys, each with its default; what only shows of several together is checked in `ModelSpec`."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=100)
    """What the model is called in every output."""
    description: str = ""
    """What the model is, in a line."""
    source: str = ""
    """Where the numbers come from."""
    notes: list[str] = []
    """What to know about the model; said below every result."""
    vocab_size: Count
    """Rows of the vocabulary."""
    d_model: Count
    """Width of the model."""
    n_heads: Count
    """Heads of attention; must divide d_model where d_head is not given."""
    d_head: Count | None = None
    """Width of a head; by default `d_model / n_heads`, which must divide."""
    d_ff: Count
    """Width of the feed-forward's hidden layer."""
    n_encoder_layers: Depth
    """Layers of the encoder; 0: there is none."""
    n_decoder_layers: Depth
    """Layers of the decoder; 0: there is none."""
    context_length: Count
    """Length of what the model reads or writes; of what an encoder-decoder's decoder writes."""
    encoder_context_length: Count | None = None
    """Length of what an encoder-decoder's encoder reads; by default `context_length`."""

    encoder_n_heads: Count | None = None
    """Heads of an encoder-decoder's encoder where they differ from the decoder's; must divide d_model."""
    encoder_d_ff: Count | None = None
    """Feed-forward width of an encoder-decoder's encoder where it differs from the decoder's."""
    encoder_vocab_size: Count | None = None
    """Vocabulary of an encoder-decoder's encoder where it differs from the decoder's."""
    encoder_positions: Positions | None = None
    """Positions of an encoder-decoder's encoder where they differ from the decoder's."""
    encoder_n_positions: Count | None = None
    """Rows of the encoder's table of positions where they differ from the decoder's."""
    encoder_input: Input = "tokens"
    """What the encoder reads: `tokens`, `patches` of an image, or `audio` through two convolutions."""
    patch_size: Count | None = None
    """Side of an image patch; the context is the patches and the class tokens."""
    n_channels: Count | None = None
    """Channels of an image, or mel bins of audio."""
    class_tokens: Annotated[int, Field(ge=0, le=2), WithJsonSchema({"enum": [0, 1, 2]})] = 1
    """Learned rows before the patches of an image: none, a class token, or a distillation token beside it."""
    patch_bias: bool = True
    """Whether the projection of the patches has a bias."""

    n_kv_heads: Count | None = None
    """Heads of keys and values (grouped-query attention); by default n_heads, which they must divide."""
    latent_attention: LatentAttentionSpec | None = None
    """Multi-head latent attention in the place of plain attention."""
    attention_bias: BiasKey = []
    """Which of the query, key, value and output projections have biases: true, false or a list."""
    attention_scale: bool = True
    """Whether scores are divided by the square root of the head width."""
    attention_softcap: bool = False
    """Whether scores pass c tanh(x / c)."""
    attention_sinks: bool = False
    """Whether the softmax of each head has one learned score more, of which nothing is taken."""
    attention_clip: bool = False
    """Whether queries, keys and values are clipped to an interval."""
    query_position_scale: Literal["none", "all", "unrotated"] = "none"
    """Whether queries are multiplied by a number of their position, in `all` layers or those that are `unrotated`."""
    qk_norm: Literal["none", "head", "each_head", "all", "rotated"] = "none"
    """Whether queries and keys are normalised: per `head`, with one gain for all or with one for `each_head`; over
    `all` heads; or, behind the rotation, per head without a gain what is `rotated`."""
    sliding_window: Count | None = None
    """Keys that a query sees, itself included; a kernel that skips the others is `--causal half`."""
    full_attention_layers: LayersKey = []
    """Layers, counted from zero, that have no sliding window."""
    ffn_bias: bool = True
    """Whether the projections of the feed-forward have biases."""
    ffn_gated: bool = False
    """Whether the activation gates a second projection (SwiGLU, GeGLU)."""
    ffn_clipped: bool = False
    """Whether a gate and what it gates are clipped, and one is added to the latter."""
    activation: Activation = "gelu_tanh"
    """Of the feed-forward and the head transform: `gelu` is the erf form, `gelu_tanh` its approximation."""
    experts: ExpertsSpec | None = None
    """A mixture of experts in the place of the feed-forward."""
    parallel: Parallel = "none"
    """Whether attention and feed-forward read one input side by side, through one norm or two."""
    norm: Norm = "layer_norm"
    """What normalises, in every place."""
    norm_weight: bool = True
    """Whether LayerNorms have gains; without them they have no biases either."""
    norm_bias: bool = True
    """Whether LayerNorms have biases; RMSNorm has none."""
    norm_position: NormPosition = "post"
    """What blocks normalise: what goes into a part (`pre`), its `output`, `both`, or the sum after it (`post`)."""
    positions: Positions = "none"
    """`learned` and `sinusoidal` are added to the embedding, `stored` is a table that is not trained;
    `rotary` turns queries and keys, `alibi` and `relative` are added to the scores."""
    n_positions: Count | None = None
    """Rows of the table of learned positions; by default the longest context of the spec."""
    n_segments: Depth = 0
    """Rows of a table of segments (token types) that is added to the token embedding."""
    n_task_types: Depth = 0
    """Rows of a table of tasks that is added, too."""
    rotary_dims: Count | None = None
    """Width of a head that is rotated; by default all of it."""
    unrotated_layers: LayersKey = []
    """Layers, counted from zero, whose queries and keys are not rotated."""
    relative_buckets: Count | None = None
    """Rows of a stack's table of relative positions."""
    relative_everywhere: bool = False
    """Whether each layer has a table of relative positions of its own."""
    d_embedding: Count | None = None
    """Width of the token embedding where a projection leads from it to d_model."""
    embedding_bias: bool = False
    """Whether that projection has a bias."""
    wide_positions: bool = False
    """Whether positions are added behind that projection, in its width."""
    embedding_norm: bool = False
    """Whether each stack normalises its embeddings."""
    embedding_scale: bool = False
    """Whether embeddings are multiplied by a constant."""
    residual_scale: bool = False
    """Whether what a part of a block gives is multiplied by a constant before it is added."""
    n_unique_layers: Count | None = None
    """Layers of a stack that have weights of their own, where others share them; by default all."""
    final_norm: bool = False
    """Whether each stack normalises its output."""
    output_scale: bool = False
    """Whether what goes into the vocabulary projection is multiplied by a constant."""
    head: Head = "vocabulary"
    """`classifier` is for the first row, `token_classifier` for every row; `pooler`: the pooled first row is all that
    the model gives; `first_row`: that row as it is, or normalised and projected; `attention_pool`: attention of one
    learned row over all, and a feed-forward; `none`: it gives its last hidden state."""
    n_classes: Count | None = None
    """Outputs of a classifier."""
    pooler: Activation | Literal["none"] = "none"
    """Activation of a dense layer before a classifier, or of the one that a model without a head ends in."""
    pooled_norm: bool = False
    """Whether the first row that a model ends in is normalised."""
    d_projection: Count | None = None
    """Width that the first row which a model ends in is projected onto."""
    projection_bias: bool = False
    """Whether that projection has a bias."""
    head_transform: bool = False
    """Whether there is a dense layer, activation and norm before the vocabulary projection."""
    head_activation: Activation | None = None
    """Activation of the head transform where it differs from the layers'."""
    head_transform_bias: bool = True
    """Whether the head transform's dense layer has a bias."""
    d_head_transform: Count | None = None
    """Width of the head transform where it is not that of the token embedding."""
    output_projection: bool | None = None
    """Whether the output is projected onto d_embedding; by default before a vocabulary projection alone, where no
    head transform does it."""
    head_bias: bool | None = None
    """Whether the head's projection has a bias; by default with a head transform or a classifier."""
    logit_scale: bool = False
    """Whether logits are multiplied by a constant."""
    logit_softcap: bool = False
    """Whether logits pass c tanh(x / c)."""
    tie_embeddings: bool = False
    """Whether the vocabulary projection and the token embedding are one table."""
    share_embeddings: bool | None = None
    """Whether an encoder-decoder's two token embeddings are one table; by default where the projection is tied."""
    train: Literal["all"] | TrainSpec | list[LayerNumber | str] = "all"
    """What is trained: `all`, `lora: {rank, targets}`, or a list of layers by number or name."""
