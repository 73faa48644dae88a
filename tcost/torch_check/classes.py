"""Hugging Face classes: which specs each builds, from what configuration, and what its modules multiply."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, TypeAlias

from tcost.errors import InputError
from tcost.sizes import PROJECTIONS, Family, Sizes

Group: TypeAlias = tuple[str, str]
"""A layer of ours and the operations in it that a class executes as one, joined by ` + `."""

Modules: TypeAlias = Mapping[str, tuple[Group, ...]]
"""The groups that each module multiplies, in order, by the module's path without the numbers of layers."""

MODERN = frozenset(
    (
        *("n_kv_heads", "latent_attention", "attention_scale", "attention_softcap", "qk_norm", "sliding_window"),
        *(
            "attention_sinks",
            "ffn_clipped",
            "attention_clip",
            "query_position_scale",
            "unrotated_layers",
            "norm_weight",
            "residual_scale",
            "logit_scale",
        ),
        *("ffn_gated", "experts", "parallel", "norm", "norm_bias", "rotary_dims", "relative_buckets", "d_embedding"),
        *("embedding_scale", "n_unique_layers", "output_scale", "head", "head_bias", "logit_softcap", "train"),
        *("head_activation", "output_projection"),
        *("share_embeddings", "encoder_input", "encoder_positions", "encoder_n_positions", "encoder_vocab_size"),
    )
)
"""Parts that a class must know to build a model which has them."""

_FUSED = "query + key + value"
_ACTIVATIONS = {"gelu": "gelu", "gelu_tanh": "gelu_pytorch_tanh", "gelu_new": "gelu_new", "relu": "relu"}
"""Activation functions by the names that Hugging Face has for them."""


@dataclass(frozen=True)
class Need:
    """Something that a class cannot do without, in words, and whether a model has it."""

    text: str
    is_met: Callable[[Sizes], bool]


@dataclass(frozen=True, kw_only=True)
class HuggingFaceClass:
    """A model class of `transformers`, and how a spec's sizes become its configuration."""

    name: str
    family: Family
    needs: tuple[Need, ...]
    sizes: Mapping[str, str]
    """The size of ours that each field of its configuration is, but for the vocabulary, which all call alike."""
    modules: Modules
    knows: frozenset[str] = frozenset()
    """Parts that only some classes have, and this one too."""
    spare_positions: int = 0
    """Rows of the position table that no position uses."""

    def misfits(self, s: Sizes) -> list[str]:
        """Return what the class needs and the model does not have, in words."""
        unknown = [field for field in fields(s) if field.name in MODERN and field.name not in self.knows]
        modern = [f"no {field.name}" for field in unknown if getattr(s, field.name) != field.default]
        return [*(need.text for need in self.needs if not need.is_met(s)), *modern]

    def config(self, s: Sizes) -> dict[str, Any]:
        """Return the fields of its configuration for a model of such sizes."""
        own = {"activation": _ACTIVATIONS[s.activation], "n_positions": s.n_positions - self.spare_positions}
        named = {field: own[size] if size in own else attrgetter(size)(s) for field, size in self.sizes.items()}
        return {"vocab_size": s.vocab_size, **named}

    def with_room(self, s: Sizes) -> Sizes:
        """Return the sizes with a position table that is long enough to run at their context."""
        rows = max(s.context_length, s.encoder_context_length or 0) + self.spare_positions
        return replace(s, n_positions=max(s.n_positions, rows)) if s.positions == "learned" else s

    def group_of(self, layer: str, operation: str) -> Group:
        """Return the group that an operation of ours is executed in; one that no module executes is its own."""
        groups = (group for groups in self.modules.values() for group in groups)
        mine = (group for group in groups if group[0] == layer and operation in group[1].split(" + "))
        return next(mine, (layer, operation))


def class_for(s: Sizes) -> HuggingFaceClass:
    """Return the class that builds such a model, or raise InputError with what keeps the nearest from it."""
    nearest = min((each for each in CLASSES if each.family == s.family), key=lambda each: len(each.misfits(s)))
    if misfits := nearest.misfits(s):
        raise InputError(
            f"{s.name}: Hugging Face has no class for this {s.family} model\n"
            f"{nearest.name}, the nearest, needs {', '.join(misfits)}"
        )
    return nearest


def _has(**parts: object) -> tuple[Need, ...]:
    """Need parts of a model to be so, under their names in a spec."""
    return tuple(
        Need(f"no {key}" if value is None else f"{key}: {str(value).lower()}", _equals(key, value))
        for key, value in parts.items()
    )


def _equals(key: str, value: object) -> Callable[[Sizes], bool]:
    return lambda s: bool(getattr(s, key) == value)


def _attention(layer: str, module: str, *projections: str) -> Modules:
    """Groups of an attention module with a projection each for queries, keys and values, and for the output."""
    names = zip(PROJECTIONS, projections, strict=False)  # some classes have that of the output elsewhere
    own: Modules = {f"{module}.{name}": ((layer, operation),) for operation, name in names}
    return {**own, module: ((layer, "scores"), (layer, "context"))}


def _feed_forward(layer: str, block: str, up: str, down: str) -> Modules:
    return {f"{block}.{up}": ((layer, "up"),), f"{block}.{down}": ((layer, "down"),)}


def _head(projection: str, dense: str | None = None) -> Modules:
    transform: Modules = {dense: (("head_transform", "dense"),)} if dense else {}
    return {**transform, projection: (("vocabulary_projection", "projection"),)}


_WHOLE_HEADS = Need("heads of width d_model / n_heads", lambda s: bool(s.n_heads * s.d_head == s.d_model))
_BIASES = (Need("attention_bias: true", lambda s: s.attention_bias == {*PROJECTIONS}), *_has(ffn_bias=True))
_MASKED = (
    *(_WHOLE_HEADS, *_BIASES),
    *_has(norm_position="post", positions="learned", embedding_norm=True, final_norm=False),
    *_has(head_transform=True, tie_embeddings=True),
)
"""What the masked language models share."""


_DISTILBERT = ("q_lin", "k_lin", "v_lin", "out_lin")
_BART = ("q_proj", "k_proj", "v_proj", "out_proj")
_T5 = ("q", "k", "v", "o")

CLASSES: tuple[HuggingFaceClass, ...] = (
    HuggingFaceClass(
        name="GPT2LMHeadModel",
        family="decoder-only",
        needs=(
            *(_WHOLE_HEADS, *_BIASES),
            *_has(norm_position="pre", positions="learned", final_norm=True),
            *_has(n_segments=0, embedding_norm=False, head_transform=False),
        ),
        sizes={
            "n_embd": "d_model",
            "n_head": "n_heads",
            "n_inner": "d_ff",
            "n_layer": "n_decoder_layers",
            "n_positions": "n_positions",
            "activation_function": "activation",
            "tie_word_embeddings": "tie_embeddings",
        },
        modules={
            "transformer.h.attn.c_attn": (("decoder.attention", _FUSED),),
            "transformer.h.attn": (("decoder.attention", "scores"), ("decoder.attention", "context")),
            "transformer.h.attn.c_proj": (("decoder.attention", "output"),),
            **_feed_forward("decoder.feed_forward", "transformer.h.mlp", "c_fc", "c_proj"),
            **_head("lm_head"),
        },
    ),
    HuggingFaceClass(
        name="BertForMaskedLM",
        family="encoder-only",
        needs=(*_MASKED, Need("n_segments: 1 or more", lambda s: bool(s.n_segments))),
        sizes={
            "hidden_size": "d_model",
            "num_attention_heads": "n_heads",
            "intermediate_size": "d_ff",
            "num_hidden_layers": "n_encoder_layers",
            "max_position_embeddings": "n_positions",
            "type_vocab_size": "n_segments",
            "hidden_act": "activation",
        },
        modules={
            **_attention("encoder.attention", "bert.encoder.layer.attention.self", "query", "key", "value"),
            "bert.encoder.layer.attention.output.dense": (("encoder.attention", "output"),),
            **_feed_forward("encoder.feed_forward", "bert.encoder.layer", "intermediate.dense", "output.dense"),
            **_head("cls.predictions.decoder", "cls.predictions.transform.dense"),
        },
    ),
    HuggingFaceClass(
        name="DistilBertForMaskedLM",
        family="encoder-only",
        needs=(*_MASKED, *_has(n_segments=0)),
        sizes={
            "dim": "d_model",
            "n_heads": "n_heads",
            "hidden_dim": "d_ff",
            "n_layers": "n_encoder_layers",
            "max_position_embeddings": "n_positions",
            "activation": "activation",
        },
        modules={
            **_attention("encoder.attention", "distilbert.transformer.layer.attention", *_DISTILBERT),
            **_feed_forward("encoder.feed_forward", "distilbert.transformer.layer.ffn", "lin1", "lin2"),
            **_head("vocab_projector", "vocab_transform"),
        },
    ),
    HuggingFaceClass(
        name="BartForConditionalGeneration",
        family="encoder-decoder",
        needs=(
            *(_WHOLE_HEADS, *_BIASES),
            *_has(norm_position="post", positions="learned", embedding_norm=True, final_norm=False),
            *_has(n_segments=0, head_transform=False, tie_embeddings=True),
        ),
        sizes={
            "d_model": "d_model",
            "encoder_attention_heads": "encoder.n_heads",
            "decoder_attention_heads": "n_heads",
            "encoder_ffn_dim": "encoder.d_ff",
            "decoder_ffn_dim": "d_ff",
            "encoder_layers": "n_encoder_layers",
            "decoder_layers": "n_decoder_layers",
            "max_position_embeddings": "n_positions",
            "activation_function": "activation",
        },
        modules={
            **_attention("encoder.attention", "model.encoder.layers.self_attn", *_BART),
            **_feed_forward("encoder.feed_forward", "model.encoder.layers", "fc1", "fc2"),
            **_attention("decoder.attention", "model.decoder.layers.self_attn", *_BART),
            **_attention("decoder.cross_attention", "model.decoder.layers.encoder_attn", *_BART),
            **_feed_forward("decoder.feed_forward", "model.decoder.layers", "fc1", "fc2"),
            **_head("lm_head"),
        },
        spare_positions=2,  # they start past the number of the padding token
    ),
    HuggingFaceClass(
        name="T5ForConditionalGeneration",
        family="encoder-decoder",
        needs=(
            Need("attention_bias: false", lambda s: not s.attention_bias),
            *_has(ffn_bias=False, norm_position="pre", positions="relative", final_norm=True, norm="rms_norm"),
            *_has(attention_scale=False, share_embeddings=True),
            *_has(n_segments=0, embedding_norm=False, head_transform=False),
            *_has(encoder_n_heads=None, encoder_d_ff=None),
        ),
        sizes={
            "d_model": "d_model",
            "d_kv": "d_head",
            "num_heads": "n_heads",
            "relative_attention_num_buckets": "relative_buckets",
            "d_ff": "d_ff",
            "num_layers": "n_encoder_layers",
            "num_decoder_layers": "n_decoder_layers",
            "dense_act_fn": "activation",
            "tie_word_embeddings": "tie_embeddings",
        },
        modules={
            **_attention("encoder.attention", "encoder.block.layer.SelfAttention", *_T5),
            **_feed_forward("encoder.feed_forward", "encoder.block.layer.DenseReluDense", "wi", "wo"),
            **_attention("decoder.attention", "decoder.block.layer.SelfAttention", *_T5),
            **_attention("decoder.cross_attention", "decoder.block.layer.EncDecAttention", *_T5),
            **_feed_forward("decoder.feed_forward", "decoder.block.layer.DenseReluDense", "wi", "wo"),
            **_head("lm_head"),
        },
        knows=frozenset(("norm", "attention_scale", "share_embeddings", "relative_buckets", "output_scale")),
    ),
)
"""The classes that convention `torch` can be checked against."""
