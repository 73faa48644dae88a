"""Llama and the decoder-only families that are like it: RMSNorm, rotary positions, a gated feed-forward."""

from collections.abc import Mapping
from typing import Any

from tcost.importers.fields import Families, Fields
from tcost.importers.heads import head
from tcost.importers.parts import (
    ACTIVATIONS,
    ALL,
    LLAMA,
    QKV,
    biases,
    every,
    llama_like,
    no_window,
    window,
    window_everywhere,
    window_where_used,
)

LLAMAS = Families(head)

_QWEN: Mapping[str, Any] = {**LLAMA, "use_sliding_window": False, "max_window_layers": 28, "sliding_window": 4096}
_GEMMA: Mapping[str, Any] = {
    "hidden_act": "gelu_pytorch_tanh",
    "hidden_activation": "gelu_pytorch_tanh",
    "tie_word_embeddings": True,
    "attention_bias": False,
    "head_dim": 256,
    "attn_logit_softcapping": None,
    "final_logit_softcapping": None,
    "sliding_window": 4096,
    "max_position_embeddings": 8192,
}


@LLAMAS.family("llama", LLAMA, mlp_bias=False, vocab_size=32000, max_position_embeddings=2048)
def llama(f: Fields) -> None:
    """Read a Llama."""
    depth = llama_like(f)
    biases(f, "attention_bias", ALL)
    f.set(ffn_bias=f.flag("mlp_bias"))
    no_window(f, depth)


@LLAMAS.family("mistral", LLAMA, num_key_value_heads=8, sliding_window=4096, max_position_embeddings=131072)
def mistral(f: Fields, partial: float | None = None) -> None:
    """Read a Mistral."""
    depth = llama_like(f, partial=partial)
    f.refuse(attention_bias=False, mlp_bias=False)
    window_everywhere(f, depth)


@LLAMAS.family("qwen2", _QWEN, max_position_embeddings=32768)
def qwen2(f: Fields) -> None:
    """Read a Qwen2: biases on queries, keys and values."""
    depth = llama_like(f)
    f.set(attention_bias=QKV)
    f.refuse(attention_bias=False, qkv_bias=True)
    window_where_used(f, depth)


@LLAMAS.family("qwen3", _QWEN, head_dim=128, max_position_embeddings=32768)
def qwen3(f: Fields) -> None:
    """Read a Qwen3: queries and keys are normalised per head."""
    depth = llama_like(f)
    f.set(qk_norm="head")
    biases(f, "attention_bias", ALL)
    window_where_used(f, depth)


@LLAMAS.family("gemma", _GEMMA)
def gemma(f: Fields) -> None:
    """Read a Gemma: embeddings are scaled; `gelu` in its configuration means the approximation by tanh."""
    depth = _gemma_like(f, "hidden_act")
    if f.spec["activation"] == "gelu":
        f.put("activation", "hidden_act", "gelu_tanh")
    _same_activation(f, "hidden_activation")
    no_window(f, depth)


def _gemma_like(f: Fields, act: str) -> int:
    f.refuse(use_bidirectional_attention=(None, False))
    depth = llama_like(f, act)
    biases(f, "attention_bias", ALL)
    f.set(embedding_scale=True)
    f.ignore("query_pre_attn_scalar")
    return depth


def _same_activation(f: Fields, other: str) -> None:
    """Read the field of another Gemma for the activation, which this one's class does not read."""
    f.ignore(other)
    given = f.values.get(other)
    meant = "gelu_tanh" if given == "gelu" else ACTIVATIONS.get(given) if isinstance(given, str) else None
    if given is not None and meant != f.spec["activation"]:
        raise f.wrong(other, f"another word for {f.spec['activation']}; the class does not read this field")


@LLAMAS.family("gemma2", _GEMMA, attn_logit_softcapping=50.0, final_logit_softcapping=30.0)
def gemma2(f: Fields) -> None:
    """Read a Gemma 2: norms on both sides, soft caps, a window on every second layer."""
    depth = _gemma_like(f, "hidden_activation")
    _same_activation(f, "hidden_act")
    f.set(norm_position="both")
    f.put("attention_softcap", "attn_logit_softcapping", _soft_cap(f, "attn_logit_softcapping"))
    _cap_logits(f)
    window(f, depth, every(2))


def _soft_cap(f: Fields, name: str) -> bool:
    cap = f.get(name)
    if cap is not None and (isinstance(cap, bool) or not isinstance(cap, int | float)):
        raise f.wrong(name, "a number or null")
    return cap is not None


def _cap_logits(f: Fields) -> None:
    """Set the soft cap of the logits, which the causal language model has, and no model of several inputs."""
    has_cap = _soft_cap(f, "final_logit_softcapping")
    if has_cap and f.inputs_of:
        f.notes.append(f"final_logit_softcapping is not used: the class of {f.inputs_of} does not apply it")
        has_cap = False
    f.put("logit_softcap", "final_logit_softcapping", has_cap)


@LLAMAS.family(
    "gemma3_text",
    _GEMMA,
    vocab_size=262208,
    hidden_size=2304,
    intermediate_size=9216,
    num_hidden_layers=26,
    num_attention_heads=8,
    num_key_value_heads=4,
    max_position_embeddings=131072,
    sliding_window_pattern=6,
)
def gemma3(f: Fields) -> None:
    """Read a Gemma 3: norms of queries and keys, full attention on every sixth layer, no soft cap of scores."""
    depth = _gemma_like(f, "hidden_activation")
    _same_activation(f, "hidden_act")
    f.set(norm_position="both", qk_norm="head")
    if _soft_cap(f, "attn_logit_softcapping"):
        f.notes.append("attn_logit_softcapping is not used: the class of Gemma 3 does not apply it")
    _cap_logits(f)
    pattern = f.number("sliding_window_pattern")
    window(f, depth, every(pattern))
    if f.values.get("layer_types") is None:
        f.agree(_sliding_window_pattern=pattern)
    f.ignore("_sliding_window_pattern")


@LLAMAS.family("phi3", LLAMA, vocab_size=32064, max_position_embeddings=4096, sliding_window=None)
def phi3(f: Fields) -> None:
    """Read a Phi-3: a Mistral of which a part of each head may be rotated."""
    mistral(f, partial=1.0)


@LLAMAS.family("olmo2", LLAMA, vocab_size=50304, max_position_embeddings=2048)
def olmo2(f: Fields) -> None:
    """Read an OLMo 2: norms of what parts give, and of queries and keys over all heads."""
    depth = llama_like(f)
    f.set(norm_position="output", qk_norm="all")
    biases(f, "attention_bias", ALL)
    no_window(f, depth)
