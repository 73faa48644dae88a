"""Hugging Face classes: which specs each builds, from what configuration, and what its modules multiply."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
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
    config: Callable[[Sizes], dict[str, Any]]
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


def _heads(module: str, query: str, key: str, value: str, layer: str) -> dict[str, tuple[Group, ...]]:
    """Groups of an attention module with a projection each for queries, keys and values."""
    projections = {query: "query", key: "key", value: "value"}
    own = {f"{module}.{name}": ((layer, operation),) for name, operation in projections.items()}
    return own | {module: ((layer, "scores"), (layer, "context"))}


def _feed_forward(up: str, down: str, layer: str) -> dict[str, tuple[Group, ...]]:
    return {up: ((layer, "up"),), down: ((layer, "down"),)}


def _head(projection: str, dense: str | None = None) -> dict[str, tuple[Group, ...]]:
    transform: dict[str, tuple[Group, ...]] = {dense: (("head_transform", "dense"),)} if dense else {}
    return transform | {projection: (("vocabulary_projection", "projection"),)}


_WHOLE_HEADS = Need("heads of width d_model / n_heads", lambda s: bool(s.n_heads * s.d_head == s.d_model))
_BIASES = (Need("attention_bias: true", lambda s: s.attention_bias == {*PROJECTIONS}), *_has(ffn_bias=True))
_MASKED = (
    *(_WHOLE_HEADS, *_BIASES),
    *_has(norm_position="post", positions="learned", embedding_norm=True, final_norm=False),
    *_has(head_transform=True, tie_embeddings=True),
)
"""What the masked language models share."""


def _gpt2(s: Sizes) -> dict[str, Any]:
    return {
        "vocab_size": s.vocab_size,
        "n_embd": s.d_model,
        "n_head": s.n_heads,
        "n_inner": s.d_ff,
        "n_layer": s.n_decoder_layers,
        "n_positions": s.n_positions,
        "activation_function": _ACTIVATIONS[s.activation],
        "tie_word_embeddings": s.tie_embeddings,
    }


def _bert(s: Sizes) -> dict[str, Any]:
    return {
        "vocab_size": s.vocab_size,
        "hidden_size": s.d_model,
        "num_attention_heads": s.n_heads,
        "intermediate_size": s.d_ff,
        "num_hidden_layers": s.n_encoder_layers,
        "max_position_embeddings": s.n_positions,
        "type_vocab_size": s.n_segments,
        "hidden_act": _ACTIVATIONS[s.activation],
    }


def _distilbert(s: Sizes) -> dict[str, Any]:
    return {
        "vocab_size": s.vocab_size,
        "dim": s.d_model,
        "n_heads": s.n_heads,
        "hidden_dim": s.d_ff,
        "n_layers": s.n_encoder_layers,
        "max_position_embeddings": s.n_positions,
        "activation": _ACTIVATIONS[s.activation],
    }


def _bart(s: Sizes) -> dict[str, Any]:
    return {
        "vocab_size": s.vocab_size,
        "d_model": s.d_model,
        "encoder_attention_heads": s.encoder.n_heads,
        "decoder_attention_heads": s.n_heads,
        "encoder_ffn_dim": s.encoder.d_ff,
        "decoder_ffn_dim": s.d_ff,
        "encoder_layers": s.n_encoder_layers,
        "decoder_layers": s.n_decoder_layers,
        "max_position_embeddings": s.n_positions - _BART_SPARE,
        "activation_function": _ACTIVATIONS[s.activation],
    }


_BART_SPARE = 2
"""BART's positions start at 2, past the number of the padding token."""


def _t5(s: Sizes) -> dict[str, Any]:
    return {
        "vocab_size": s.vocab_size,
        "d_model": s.d_model,
        "d_kv": s.d_head,
        "num_heads": s.n_heads,
        "relative_attention_num_buckets": s.relative_buckets,
        "d_ff": s.d_ff,
        "num_layers": s.n_encoder_layers,
        "num_decoder_layers": s.n_decoder_layers,
        "dense_act_fn": _ACTIVATIONS[s.activation],
        "tie_word_embeddings": s.tie_embeddings,
    }


_BART_NAMES = ("q_proj", "k_proj", "v_proj")

CLASSES: tuple[HuggingFaceClass, ...] = (
    HuggingFaceClass(
        name="GPT2LMHeadModel",
        family="decoder-only",
        needs=(
            *(_WHOLE_HEADS, *_BIASES),
            *_has(norm_position="pre", positions="learned", final_norm=True),
            *_has(n_segments=0, embedding_norm=False, head_transform=False),
        ),
        config=_gpt2,
        modules={
            "transformer.h.attn.c_attn": (("decoder.attention", _FUSED),),
            "transformer.h.attn": (("decoder.attention", "scores"), ("decoder.attention", "context")),
            "transformer.h.attn.c_proj": (("decoder.attention", "output"),),
            **_feed_forward("transformer.h.mlp.c_fc", "transformer.h.mlp.c_proj", "decoder.feed_forward"),
            **_head("lm_head"),
        },
    ),
    HuggingFaceClass(
        name="BertForMaskedLM",
        family="encoder-only",
        needs=(*_MASKED, Need("n_segments: 1 or more", lambda s: bool(s.n_segments))),
        config=_bert,
        modules={
            **_heads("bert.encoder.layer.attention.self", "query", "key", "value", "encoder.attention"),
            "bert.encoder.layer.attention.output.dense": (("encoder.attention", "output"),),
            **_feed_forward(
                "bert.encoder.layer.intermediate.dense", "bert.encoder.layer.output.dense", "encoder.feed_forward"
            ),
            **_head("cls.predictions.decoder", "cls.predictions.transform.dense"),
        },
    ),
    HuggingFaceClass(
        name="DistilBertForMaskedLM",
        family="encoder-only",
        needs=(*_MASKED, *_has(n_segments=0)),
        config=_distilbert,
        modules={
            **_heads("distilbert.transformer.layer.attention", "q_lin", "k_lin", "v_lin", "encoder.attention"),
            "distilbert.transformer.layer.attention.out_lin": (("encoder.attention", "output"),),
            **_feed_forward(
                "distilbert.transformer.layer.ffn.lin1", "distilbert.transformer.layer.ffn.lin2", "encoder.feed_forward"
            ),
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
        config=_bart,
        modules={
            **_heads("model.encoder.layers.self_attn", *_BART_NAMES, "encoder.attention"),
            "model.encoder.layers.self_attn.out_proj": (("encoder.attention", "output"),),
            **_feed_forward("model.encoder.layers.fc1", "model.encoder.layers.fc2", "encoder.feed_forward"),
            **_heads("model.decoder.layers.self_attn", *_BART_NAMES, "decoder.attention"),
            "model.decoder.layers.self_attn.out_proj": (("decoder.attention", "output"),),
            **_heads("model.decoder.layers.encoder_attn", *_BART_NAMES, "decoder.cross_attention"),
            "model.decoder.layers.encoder_attn.out_proj": (("decoder.cross_attention", "output"),),
            **_feed_forward("model.decoder.layers.fc1", "model.decoder.layers.fc2", "decoder.feed_forward"),
            **_head("lm_head"),
        },
        spare_positions=_BART_SPARE,
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
        config=_t5,
        modules={
            **_heads("encoder.block.layer.SelfAttention", "q", "k", "v", "encoder.attention"),
            "encoder.block.layer.SelfAttention.o": (("encoder.attention", "output"),),
            **_feed_forward(
                *("encoder.block.layer.DenseReluDense.wi", "encoder.block.layer.DenseReluDense.wo"),
                "encoder.feed_forward",
            ),
            **_heads("decoder.block.layer.SelfAttention", "q", "k", "v", "decoder.attention"),
            "decoder.block.layer.SelfAttention.o": (("decoder.attention", "output"),),
            **_heads("decoder.block.layer.EncDecAttention", "q", "k", "v", "decoder.cross_attention"),
            "decoder.block.layer.EncDecAttention.o": (("decoder.cross_attention", "output"),),
            **_feed_forward(
                *("decoder.block.layer.DenseReluDense.wi", "decoder.block.layer.DenseReluDense.wo"),
                "decoder.feed_forward",
            ),
            **_head("lm_head"),
        },
        knows=frozenset(("norm", "attention_scale", "share_embeddings", "relative_buckets", "output_scale")),
    ),
)
"""The classes that convention `torch` can be checked against."""
