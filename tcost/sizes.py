"""The named sizes of a model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from tcost.errors import InputError
from tcost.exact import Size, check_size, same

Family: TypeAlias = Literal["encoder-only", "decoder-only", "encoder-decoder"]
Positions: TypeAlias = Literal["learned", "stored", "sinusoidal", "rotary", "alibi", "relative", "none"]
Norm: TypeAlias = Literal["layer_norm", "rms_norm"]
NormPosition: TypeAlias = Literal["pre", "post", "both", "output"]
Parallel: TypeAlias = Literal["none", "one_norm", "two_norms"]
Activation: TypeAlias = Literal[
    "gelu", "gelu_tanh", "gelu_new", "quick_gelu", "relu", "relu2", "silu", "tanh", "sigmoid"
]
Router: TypeAlias = Literal["softmax", "chosen_softmax", "sigmoid", "chosen_sigmoid", "none"]
Input: TypeAlias = Literal["tokens", "patches", "audio"]
Head: TypeAlias = Literal[
    "vocabulary", "classifier", "token_classifier", "pooler", "first_row", "attention_pool", "none"
]
WITHOUT_LOSS: Mapping[str, str] = {
    "pooler": "pooler",
    "first_row": "first row",
    "attention_pool": "attention pool",
    "none": "last hidden state",
}
"""Heads without a loss, and what each is called."""
Causal: TypeAlias = Literal["full", "half"]
AttentionKernel: TypeAlias = Literal["eager", "flash"]

PROJECTIONS = ("query", "key", "value", "output")
"""The projections of an attention that may have biases."""

NO_VOCABULARY: Mapping[str, Any] = {
    **dict.fromkeys(("tie_embeddings", "head_transform", "logit_scale", "logit_softcap", "output_scale"), False),
    **dict.fromkeys(("head_activation", "d_head_transform"), None),
}
"""What belongs to a vocabulary projection, each as it is where a model has another head."""


def _present(count: Size) -> bool:
    """Tell whether a number of layers is positive; an array must agree with itself."""
    if same(count, 0):
        return False
    zeros = count == 0
    if not isinstance(zeros, bool) and zeros.any():
        raise InputError("a grid mixes models with and without these layers; price them separately")
    return True


@dataclass(frozen=True)
class LayerSet:
    """Some of a stack's layers, counted from zero: by number, or every so many from the first one on."""

    numbers: frozenset[int] = frozenset()
    every: int = 0
    first: int = 0

    def __contains__(self, layer: int) -> bool:
        """Tell whether a layer is one of them."""
        return layer in self.numbers or (
            self.every > 0 and layer >= self.first and (layer - self.first) % self.every == 0
        )


NO_LAYERS = LayerSet()


@dataclass(frozen=True, kw_only=True)
class Experts:
    """A mixture of experts: of `n_experts`, every token goes through `experts_per_token`.

    `d_expert` is the width of one, `d_shared` that of the expert which every token takes (0: there is none),
    `shared_gate` whether its output is weighed by a sigmoid of its own. The router's weights are softmax or sigmoid of
    its scores, or of the chosen ones, which may be normalised to sum to one and scaled by a constant. They weigh what
    an expert gives, or with `weighs_input` what it reads. `output_norm` tells whether the sum is normalised before it
    is added, `bias` whether experts and router have biases. `dense_layers` have a plain feed-forward.
    """

    n_experts: Size
    experts_per_token: Size
    d_expert: Size
    d_shared: Size = 0
    shared_gate: bool = False
    router: Router = "softmax"
    normalise: bool = False
    scale: bool = False
    weighs_input: bool = False
    output_norm: bool = False
    bias: bool = False
    dense_layers: LayerSet = NO_LAYERS


@dataclass(frozen=True, kw_only=True)
class LatentAttention:
    """Multi-head latent attention: keys and values, and queries where `q_rank` is given, pass a low rank.

    A head's query and key are `d_nope` wide plus `d_rope` that is rotated and, of the key, shared by all heads; its
    value is `d_value` wide. Source: DeepSeek-V2, arXiv 2405.04434, section 2.1.
    """

    kv_rank: Size
    d_nope: Size
    d_rope: Size
    d_value: Size
    q_rank: Size = None


@dataclass(frozen=True, kw_only=True)
class Lora:
    """Low-rank adapters beside the `targets`; all else is frozen. Source: Hu et al. 2021, arXiv 2106.09685, 4.1."""

    rank: Size
    targets: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The named sizes and parts of one model at one context, with every default filled in.

    `context_length` is the number of rows that carry the loss: the decoder's where there is one, else the encoder's.
    `encoder_context_length` is None unless there are both, or where it follows the context, until `at` says how long
    it is; what else begins with `encoder_` is None unless the encoder's differs from the decoder's. `spec/keys.py`
    says what each part is. The defaults are the transformer of Pau & Aymone, Eng 2024, 5(1), 34-50.
    """

    name: str = ""
    notes: tuple[str, ...] = ()
    """What a reader of a result should know about the model."""
    vocab_size: Size
    d_model: Size
    n_heads: Size
    d_head: Size
    d_ff: Size
    n_encoder_layers: Size
    n_decoder_layers: Size
    context_length: Size
    encoder_context_length: Size = None
    encoder_n_heads: Size = None
    encoder_d_ff: Size = None
    encoder_vocab_size: Size = None
    encoder_positions: Positions | None = None
    encoder_n_positions: Size = None
    encoder_input: Input = "tokens"
    patch_size: Size = None
    n_channels: Size = None
    class_tokens: int = 1
    patch_bias: bool = True
    n_kv_heads: Size = None
    latent_attention: LatentAttention | None = None
    attention_bias: frozenset[str] = frozenset()
    attention_scale: bool = True
    attention_softcap: bool = False
    attention_sinks: bool = False
    attention_clip: bool = False
    query_position_scale: Literal["none", "all", "unrotated"] = "none"
    qk_norm: Literal["none", "head", "each_head", "all", "rotated"] = "none"
    sliding_window: Size = None
    full_attention_layers: LayerSet = NO_LAYERS
    causal: Causal = "full"
    attention: AttentionKernel = "eager"
    ffn_bias: bool = True
    ffn_gated: bool = False
    ffn_clipped: bool = False
    activation: Activation = "gelu_tanh"
    experts: Experts | None = None
    parallel: Parallel = "none"
    norm: Norm = "layer_norm"
    norm_weight: bool = True
    norm_bias: bool = True
    norm_position: NormPosition = "post"
    positions: Positions = "none"
    n_positions: Size = 0
    n_segments: Size = 0
    n_task_types: Size = 0
    rotary_dims: Size = None
    unrotated_layers: LayerSet = NO_LAYERS
    relative_buckets: Size = None
    relative_everywhere: bool = False
    d_embedding: Size = None
    embedding_bias: bool = False
    wide_positions: bool = False
    embedding_norm: bool = False
    embedding_scale: bool = False
    residual_scale: bool = False
    n_unique_layers: Size = None
    final_norm: bool = False
    output_scale: bool = False
    head: Head = "vocabulary"
    n_classes: Size = None
    pooler: Activation | Literal["none"] = "none"
    pooled_norm: bool = False
    d_projection: Size = None
    projection_bias: bool = False
    head_transform: bool = False
    head_transform_bias: bool = True
    head_activation: Activation | None = None
    d_head_transform: Size = None
    output_projection: bool | None = None
    head_bias: bool | None = None
    logit_scale: bool = False
    logit_softcap: bool = False
    tie_embeddings: bool = False
    share_embeddings: bool | None = None
    train: Lora | tuple[int | str, ...] | None = None
    """What is trained: everything (None), adapters alone, or the layers of that number or name."""

    @property
    def encoder(self) -> "Sizes":
        """The sizes of an encoder-decoder's encoder: its own context, heads, feed-forward, input and positions."""
        if self.encoder_n_heads is None:
            heads = {"n_heads": self.n_heads, "d_head": self.d_head}
        else:
            heads = {"n_heads": self.encoder_n_heads, "d_head": self.d_model // self.encoder_n_heads}
        own = {key: getattr(self, f"encoder_{key}") for key in ("d_ff", "vocab_size", "positions", "n_positions")}
        given = {key: value for key, value in own.items() if value is not None}
        return replace(self, **heads, **given, context_length=self.encoder_context_length)

    @property
    def kv_heads(self) -> Size:
        """The number of heads of keys and values; each serves as many query heads as divide among them."""
        return self.n_heads if self.n_kv_heads is None else self.n_kv_heads

    @property
    def has_patterns(self) -> bool:
        """Whether the layers of a stack differ from each other."""
        return (
            (self.sliding_window is not None and self.full_attention_layers != NO_LAYERS)
            or self.unrotated_layers != NO_LAYERS
            or (self.experts is not None and self.experts.dense_layers != NO_LAYERS)
            or isinstance(self.train, tuple)
        )

    @property
    def family(self) -> Family:
        """The family that the depths imply. Raises InputError where there are no layers at all."""
        encoder, decoder = _present(self.n_encoder_layers), _present(self.n_decoder_layers)
        if encoder and decoder:
            return "encoder-decoder"
        if encoder:
            return "encoder-only"
        if decoder:
            return "decoder-only"
        raise InputError("a model needs layers: n_encoder_layers or n_decoder_layers above zero")

    def at(self, context: Size = None, encoder_context: Size = None) -> "Sizes":
        """Return the same model at another context; an encoder's that no one has said is as long as the decoder's.

        Raises InputError for a length that cannot be one, or an encoder context where the model has no
        encoder beside a decoder.
        """
        check_size("the context", context)
        check_size("the encoder context", encoder_context)
        is_double = self.family == "encoder-decoder"
        if encoder_context is not None and not is_double:
            raise InputError(
                f"{self.name}: an encoder context is for encoder-decoder models; this one is {self.family}\n"
                "give its length as the context instead"
            )
        length = self.context_length if context is None else context
        own = length if is_double and self.encoder_context_length is None else self.encoder_context_length
        return replace(
            self, context_length=length, encoder_context_length=own if encoder_context is None else encoder_context
        )
