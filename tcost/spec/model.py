"""The model spec: its keys, what they may be, and what is said when they are not."""

from dataclasses import fields
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tcost.sizes import Activation, Head, Input, Lora, Norm, NormPosition, Parallel, Positions, Sizes
from tcost.spec.parts import (
    BiasKey,
    Count,
    Depth,
    ExpertsSpec,
    LatentAttentionSpec,
    LayerNumber,
    LayersKey,
    TrainSpec,
    check_head,
    layer_set,
    problem,
)

ENCODER_KEYS = (
    *("encoder_context_length", "encoder_n_heads", "encoder_d_ff", "encoder_vocab_size"),
    *("encoder_positions", "encoder_n_positions"),
)
"""Keys of an encoder-decoder's encoder."""

MAX_PATTERN = 10_000
"""Layers of a stack whose layers differ, which are told apart one by one."""


class ModelSpec(BaseModel):
    """A transformer and the context it is priced at. Its family follows from the depths."""

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
    """Side of an image patch; the context is the patches and the class token."""
    n_channels: Count | None = None
    """Channels of an image, or mel bins of audio."""

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
    qk_norm: Literal["none", "head", "all"] = "none"
    """Whether queries and keys are normalised, per `head` or over `all` heads."""
    sliding_window: Count | None = None
    """Keys that a query sees, itself included; a kernel that skips the others is `--causal half`."""
    full_attention_layers: LayersKey = []
    """Layers, counted from zero, that have no sliding window."""
    ffn_bias: bool = True
    """Whether the projections of the feed-forward have biases."""
    ffn_gated: bool = False
    """Whether the activation gates a second projection (SwiGLU, GeGLU)."""
    activation: Activation = "gelu_tanh"
    """Of the feed-forward and the head transform: `gelu` is the erf form, `gelu_tanh` its approximation."""
    experts: ExpertsSpec | None = None
    """A mixture of experts in the place of the feed-forward."""
    parallel: Parallel = "none"
    """Whether attention and feed-forward read one input side by side, through one norm or two."""
    norm: Norm = "layer_norm"
    """What normalises, in every place."""
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
    n_unique_layers: Count | None = None
    """Layers of a stack that have weights of their own, where others share them; by default all."""
    final_norm: bool = False
    """Whether each stack normalises its output."""
    output_scale: bool = False
    """Whether what goes into the vocabulary projection is multiplied by a constant."""
    head: Head = "vocabulary"
    """`classifier` is for the first row, `token_classifier` for every row; `pooler`: the pooled first row is all that
    the model gives; `none`: it gives its last hidden state."""
    n_classes: Count | None = None
    """Outputs of a classifier."""
    pooler: Activation | Literal["none"] = "none"
    """Activation of a dense layer before a classifier, or of the one that a model without a head ends in."""
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
    logit_softcap: bool = False
    """Whether logits pass c tanh(x / c)."""
    tie_embeddings: bool = False
    """Whether the vocabulary projection and the token embedding are one table."""
    share_embeddings: bool | None = None
    """Whether an encoder-decoder's two token embeddings are one table; by default where the projection is tied."""
    train: Literal["all"] | TrainSpec | list[LayerNumber | str] = "all"
    """What is trained: `all`, `lora: {rank, targets}`, or a list of layers by number or name."""

    @model_validator(mode="after")
    def _check_depths(self) -> Self:
        if not self.n_encoder_layers and not self.n_decoder_layers:
            raise problem("n_decoder_layers", "a model needs layers: n_encoder_layers or n_decoder_layers above zero")
        is_double = self.n_encoder_layers and self.n_decoder_layers
        for key in ENCODER_KEYS:
            if getattr(self, key) is not None and not is_double:
                other = {"encoder_context_length": "context_length"}.get(key, key.removeprefix("encoder_"))
                raise problem(key, f"{key} is for encoder-decoder models; give it as {other}")
        if max(self.n_encoder_layers, self.n_decoder_layers) > MAX_PATTERN and self._has_patterns():
            raise problem("n_decoder_layers", f"a model whose layers differ may have at most {MAX_PATTERN} of them")
        return self

    @model_validator(mode="after")
    def _check_widths(self) -> Self:
        if self.d_head is None and self.d_model % self.n_heads and self.latent_attention is None:
            raise problem(
                "n_heads",
                f"n_heads {self.n_heads} does not divide d_model {self.d_model}; "
                "give a divisor, or the width of a head as d_head",
            )
        if self.encoder_n_heads and self.d_model % self.encoder_n_heads:
            raise problem(
                "encoder_n_heads", f"encoder_n_heads {self.encoder_n_heads} does not divide d_model {self.d_model}"
            )
        if self.n_kv_heads and self.n_heads % self.n_kv_heads:
            raise problem("n_kv_heads", f"n_kv_heads {self.n_kv_heads} does not divide n_heads {self.n_heads}")
        d_head = self.d_head or self.d_model // self.n_heads
        if self.rotary_dims and self.rotary_dims > d_head:
            raise problem("rotary_dims", f"rotary_dims {self.rotary_dims} is more than the {d_head} of a head")
        rotated = self.latent_attention.d_rope if self.latent_attention else self.rotary_dims or d_head
        if self.positions == "rotary" and rotated % 2:
            raise problem("positions", f"rotary positions turn pairs: a width of {rotated} is odd")
        depth = max(self.n_encoder_layers, self.n_decoder_layers)
        if self.n_unique_layers and depth % self.n_unique_layers:
            raise problem("n_unique_layers", f"n_unique_layers {self.n_unique_layers} does not divide {depth} layers")
        return self

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        check_head(self)
        needs = {
            "relative_buckets": "relative" in (self.positions, self.encoder_positions),
            "patch_size": self.encoder_input == "patches",
            "n_channels": self.encoder_input != "tokens",
            "n_classes": self.head in ("classifier", "token_classifier"),
        }
        for key, is_needed in needs.items():
            if (getattr(self, key) is not None) != is_needed:
                raise problem(key, f"{key} is {'missing' if is_needed else 'given, but nothing of the model uses it'}")
        for key, without, is_wrong in (
            (
                "parallel",
                "cross-attention",
                self.parallel != "none" and self.n_encoder_layers and self.n_decoder_layers,
            ),
            ("positions", "latent_attention", self.latent_attention and self.positions == "relative"),
            ("sliding_window", "relative positions", self.sliding_window and self.positions == "relative"),
            ("relative_everywhere", "other positions", self.relative_everywhere and not self.relative_buckets),
            ("d_head_transform", "a tied embedding", self.d_head_transform and self.tie_embeddings),
            ("n_kv_heads", "latent_attention", self.latent_attention and self.n_kv_heads),
            ("qk_norm", "latent_attention", self.latent_attention and self.qk_norm != "none"),
            ("rotary_dims", "other positions", self.rotary_dims and self.positions != "rotary"),
            ("n_unique_layers", "layers that differ", self.n_unique_layers and self._has_patterns()),
        ):
            if is_wrong:
                raise problem(key, f"{key} cannot be given with {without}")
        if self.output_projection and self.d_embedding is None:
            raise problem("output_projection", "output_projection is onto d_embedding, which is not given")
        if self.encoder_input != "tokens" and not self.n_encoder_layers:
            raise problem("encoder_input", "encoder_input is for models with an encoder")
        if self.encoder_input == "patches" and self.context_length == 1:
            raise problem("context_length", "the context of an image is its patches and the class token: at least 2")
        if self.full_attention_layers and self.sliding_window is None:
            raise problem("full_attention_layers", "full_attention_layers is given, but there is no sliding_window")
        return self

    @property
    def sizes(self) -> Sizes:
        """The model's sizes, with every default filled in but for lengths that follow the context."""
        same = {each.name: getattr(self, each.name) for each in fields(Sizes) if each.name in ModelSpec.model_fields}
        of_spec = {
            "notes": tuple(self.notes),
            "d_head": self.d_head or self.d_model // self.n_heads,
            "n_positions": self.n_positions or max(self.context_length, self.encoder_context_length or 0),
            "attention_bias": frozenset(self.attention_bias),
            "latent_attention": self.latent_attention.part() if self.latent_attention else None,
            "full_attention_layers": layer_set(self.full_attention_layers),
            "experts": self.experts.part() if self.experts else None,
            "train": self._trained(),
        }
        return Sizes(**same | of_spec)

    def at(self, context: int | None = None, encoder_context: int | None = None) -> Sizes:
        """Return the model's sizes, at another context where one is given. Raises InputError as `Sizes.at` does."""
        return self.sizes.at(context, encoder_context)

    def _has_patterns(self) -> bool:
        """Tell whether the layers of a stack differ from each other."""
        dense = self.experts.dense_layers if self.experts else []
        return bool(self.full_attention_layers or dense or isinstance(self.train, list))

    def _trained(self) -> Lora | tuple[int | str, ...] | None:
        if isinstance(self.train, TrainSpec):
            return self.train.part()
        return None if self.train == "all" else tuple(self.train)
