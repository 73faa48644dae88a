"""Llama and the decoder-only families that are like it, a row each: what their classes in transformers do."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from tcost.importers.fields import Fields
from tcost.importers.parts import (
    ACTIVATIONS,
    QKV,
    every,
    window,
    window_everywhere,
    window_where_used,
)
from tcost.importers.rows import ANY_BIAS, Row, families

NEVER = {"attention_bias": False, "mlp_bias": False}
"""The class has no biases and no words for them."""

_GEMMA_HAS: Mapping[str, Any] = {
    "biases": ANY_BIAS,
    "refused": {"use_bidirectional_attention": (None, False)},
    "ignored": ("query_pre_attn_scalar",),
}


def gelu_is_tanh(f: Fields, _depth: int) -> None:
    """Take `gelu` for the approximation by tanh, as the class does."""
    if f.spec["activation"] == "gelu":
        f.put("activation", "hidden_act", "gelu_tanh")


def same_activation(f: Fields, _depth: int, *, other: str) -> None:
    """Read the field of another Gemma for the activation, which this one's class does not read."""
    f.ignore(other)
    given = f.values.get(other)
    meant = "gelu_tanh" if given == "gelu" else ACTIVATIONS.get(given) if isinstance(given, str) else None
    if given is not None and meant != f.spec["activation"]:
        raise f.wrong(other, f"another word for {f.spec['activation']}; the class does not read this field")


def _soft_cap(f: Fields, name: str) -> bool:
    cap = f.get(name)
    if cap is not None and (isinstance(cap, bool) or not isinstance(cap, int | float)):
        raise f.wrong(name, "a number or null")
    return cap is not None


def cap_scores(f: Fields, _depth: int) -> None:
    """Set the soft cap of the scores."""
    f.put("attention_softcap", "attn_logit_softcapping", _soft_cap(f, "attn_logit_softcapping"))


def no_cap_of_scores(f: Fields, _depth: int) -> None:
    """Read a soft cap of the scores that the class does not apply."""
    if _soft_cap(f, "attn_logit_softcapping"):
        f.notes.append("attn_logit_softcapping is not used: the class of Gemma 3 does not apply it")


def cap_logits(f: Fields, _depth: int) -> None:
    """Set the soft cap of the logits, which the causal language model has, and no model of several inputs."""
    has_cap = _soft_cap(f, "final_logit_softcapping")
    if has_cap and f.inputs_of:
        f.notes.append(f"final_logit_softcapping is not used: the class of {f.inputs_of} does not apply it")
        has_cap = False
    f.put("logit_softcap", "final_logit_softcapping", has_cap)


def window_of_gemma_3(f: Fields, depth: int) -> None:
    """Set the sliding window of all layers but every so many, by default the sixth."""
    pattern = f.number("sliding_window_pattern")
    window(f, depth, every(pattern))
    if f.values.get("layer_types") is None:
        f.agree(_sliding_window_pattern=pattern)
    f.ignore("_sliding_window_pattern")


_GELU_2 = partial(same_activation, other="hidden_act")

ROWS: Mapping[str, Row] = {
    "llama": Row(
        biases=ANY_BIAS,
        ffn_bias="mlp_bias",
    ),
    "mistral": Row(
        refused=NEVER,
        window=window_everywhere,
    ),
    "qwen2": Row(
        spec={"attention_bias": QKV},
        refused={"attention_bias": False, "qkv_bias": True},
        window=window_where_used,
    ),
    "qwen3": Row(
        spec={"qk_norm": "head"},
        biases=ANY_BIAS,
        window=window_where_used,
    ),
    "gemma": Row(
        defaults={"sliding_window": 4096},
        spec={"embedding_scale": True},
        **_GEMMA_HAS,
        parts=(gelu_is_tanh, partial(same_activation, other="hidden_activation")),
    ),
    "gemma2": Row(
        spec={"embedding_scale": True, "norm_position": "both"},
        activation="hidden_activation",
        **_GEMMA_HAS,
        parts=(_GELU_2, cap_scores, cap_logits),
        window=partial(window, full=every(2)),
    ),
    "gemma3_text": Row(
        defaults={"sliding_window_pattern": 6},
        spec={"embedding_scale": True, "norm_position": "both", "qk_norm": "head"},
        activation="hidden_activation",
        **_GEMMA_HAS,
        parts=(_GELU_2, no_cap_of_scores, cap_logits),
        window=window_of_gemma_3,
    ),
    "phi3": Row(
        partial_rotary=1.0,
        refused=NEVER,
        window=window_everywhere,
    ),
    "olmo2": Row(
        spec={"norm_position": "output", "qk_norm": "all"},
        biases=ANY_BIAS,
    ),
}

LLAMAS = families(ROWS)
