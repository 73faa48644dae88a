"""Decoder-only families without experts. Each function reads what the family's class in transformers does."""

from collections.abc import Callable, Mapping
from typing import Any

from tcost.importers.fields import Fields
from tcost.importers.parts import (
    ACTIVATIONS,
    ALL,
    QKV,
    activation,
    biases,
    d_head,
    decoder,
    head,
    heads,
    rotary,
    window,
)

MPT_RATIO = 4
"""Feed-forward width over model width of MptMLP, whatever the configuration says."""

GATED: Mapping[str, Any] = {
    "norm": "rms_norm",
    "norm_position": "pre",
    "final_norm": True,
    "ffn_gated": True,
    "ffn_bias": False,
    "attention_bias": [],
}
"""What Llama and its like have."""


def gpt2(f: Fields) -> None:
    """Read a GPT-2."""
    f.refuse(add_cross_attention=False)
    f.ignore("scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn")
    decoder(f, context=("n_positions", "max_position_embeddings"))
    f.take("d_ff", "n_inner", default=4 * f.spec["d_model"])
    f.set(attention_bias=ALL, norm_position="pre", positions="learned", final_norm=True)
    f.set(n_positions=f.spec["context_length"], attention_scale=f.flag("scale_attn_weights"))
    activation(f, "activation_function")
    head(f)


def gptj(f: Fields) -> None:
    """Read a GPT-J: attention and feed-forward side by side, after one norm."""
    decoder(f, context=("n_positions", "max_position_embeddings"))
    f.take("d_ff", "n_inner", default=4 * f.spec["d_model"])
    f.take("rotary_dims", "rotary_dim", default=d_head(f))
    f.set(positions="rotary", parallel="one_norm", norm_position="pre", final_norm=True, head_bias=True)
    f.ignore("scale_attn_weights", "rotary")
    activation(f, "activation_function")
    head(f)


def gpt_neox(f: Fields) -> None:
    """Read a GPT-NeoX or Pythia: side by side, after two norms."""
    decoder(f)
    f.take("d_ff", "intermediate_size")
    is_parallel = f.flag("use_parallel_residual")
    f.set(parallel="two_norms" if is_parallel else "none", norm_position="pre", final_norm=True)
    biases(f, "attention_bias", ALL)
    rotary(f, "rotary_pct", 0.25)
    activation(f, "hidden_act")
    f.refuse(is_decoder=(True, False))
    head(f)


def opt(f: Fields) -> None:
    """Read an OPT: a table of positions with two rows to spare."""
    f.refuse(layer_norm_elementwise_affine=True)
    decoder(f)
    f.take("d_ff", "ffn_dim")
    has_bias, is_pre = f.flag("enable_bias"), f.flag("do_layer_norm_before")
    is_bare = f.flag("_remove_final_layer_norm")
    f.set(attention_bias=ALL if has_bias else [], ffn_bias=has_bias)
    f.set(norm_position="pre" if is_pre else "post", final_norm=is_pre and not is_bare)
    f.set(positions="learned", n_positions=f.spec["context_length"] + 2)
    width = f.optional("word_embed_proj_dim")
    if width is not None and width != f.spec["d_model"]:
        f.became("word_embed_proj_dim", "d_embedding", width)
        f.set(d_embedding=width, wide_positions=True)
    activation(f, "activation_function")
    head(f)


def bloom(f: Fields) -> None:
    """Read a BLOOM. Where the residual branches off a norm changes no count."""
    f.ignore("apply_residual_connection_post_layernorm")
    decoder(f, "n_layer", ("seq_length",))
    f.set(d_ff=4 * f.spec["d_model"], activation="gelu_tanh", attention_bias=ALL, positions="alibi")
    f.set(embedding_norm=True, norm_position="pre", final_norm=True)
    f.ignore("num_hidden_layers")
    head(f)


def falcon(f: Fields) -> None:
    """Read a Falcon: the first, one norm and one head of keys; the new architecture, two norms and groups."""
    decoder(f)
    f.take("d_ff", "ffn_hidden_size", default=4 * f.spec["d_model"])
    is_new, is_parallel = f.flag("new_decoder_architecture"), f.flag("parallel_attn")
    kv = f.optional("num_kv_heads", "n_head_kv") or f.spec["n_heads"]
    one = 1 if f.flag("multi_query") else f.spec["n_heads"]
    f.set(n_kv_heads=kv if is_new else one)
    norms = f.optional("num_ln_in_parallel_attn") or (2 if is_new else 1)
    parallel = "two_norms" if is_new and norms == 2 else "one_norm"  # noqa: PLR2004  # norms are one or two
    f.set(parallel=parallel if is_parallel else "none", norm_position="pre", final_norm=True)
    has_bias = f.flag("bias")
    f.set(attention_bias=ALL if has_bias else [], ffn_bias=has_bias)
    if f.flag("alibi"):
        f.set(positions="alibi")
        f.ignore("rope_parameters", "rope_scaling")
    else:
        rotary(f)
    f.ignore("apply_residual_connection_post_layernorm", "n_layer", "n_head")
    activation(f, "activation")
    head(f)


def mpt(f: Fields) -> None:
    """Read an MPT: no biases, LayerNorms without them, ALiBi."""
    decoder(f, "n_layers", ("max_seq_len",))
    if (ratio := f.number("expansion_ratio")) != MPT_RATIO:
        f.notes.append(f"expansion_ratio {ratio} is not used: the class in transformers has {MPT_RATIO}")
    f.set(d_ff=MPT_RATIO * f.spec["d_model"], activation="gelu", ffn_bias=False, norm_bias=False, norm_position="pre")
    f.set(final_norm=True, positions="alibi")
    f.refuse(no_bias=True, logit_scale=None)
    attention = Fields(f"{f.where}, attn_config", f.part("attn_config"))
    attention.refuse(attn_type="multihead_attention", clip_qkv=None, qk_ln=False, alibi=True, prefix_lm=False)
    attention.ignore("alibi_bias_max", "softmax_scale", "attn_impl", "attn_uses_sequence_id", "attn_pdrop")
    attention.finish()
    f.ignore("learned_pos_emb", "embedding_fraction", "norm_type", "layer_norm_type", "attn_impl")
    head(f)


def llama(f: Fields) -> None:
    """Read a Llama."""
    depth = _llama_like(f)
    biases(f, "attention_bias", ALL)
    f.set(ffn_bias=f.flag("mlp_bias"))
    window(f, depth)
    head(f)


def _llama_like(f: Fields, *, act: tuple[str, ...] = ("hidden_act",)) -> int:
    depth = decoder(f)
    heads(f)
    f.take("d_ff", "intermediate_size")
    f.set(**GATED)
    rotary(f)
    activation(f, *act)
    return depth


def mistral(f: Fields) -> None:
    """Read a Mistral."""
    depth = _llama_like(f)
    f.refuse(attention_bias=False, mlp_bias=False)
    window(f, depth)
    head(f)


def qwen2(f: Fields) -> None:
    """Read a Qwen2: biases on queries, keys and values."""
    depth = _llama_like(f)
    f.set(attention_bias=QKV)
    f.refuse(attention_bias=False, qkv_bias=True)
    late_window(f, depth)
    head(f)


def late_window(f: Fields, depth: int) -> None:
    """Set the sliding window of the layers from `max_window_layers` on, where it is used."""
    first = f.optional("max_window_layers", least=0)
    if f.flag("use_sliding_window"):
        window(f, depth, from_layer=first or 0)
    f.ignore("sliding_window", "layer_types")


def qwen3(f: Fields) -> None:
    """Read a Qwen3: queries and keys are normalised per head."""
    depth = _llama_like(f)
    f.set(qk_norm="head")
    biases(f, "attention_bias", ALL)
    late_window(f, depth)
    head(f)


def gemma(f: Fields) -> None:
    """Read a Gemma: embeddings are scaled."""
    _gemma_like(f)
    head(f)


def _gemma_like(f: Fields) -> int:
    f.refuse(use_bidirectional_attention=(None, False))
    if f.values.get("hidden_activation") is None:
        f.ignore("hidden_activation")
        depth = _llama_like(f, act=("hidden_act",))
    else:
        depth = _llama_like(f, act=("hidden_activation",))
        f.ignore("hidden_act")
    biases(f, "attention_bias", ALL)
    f.set(embedding_scale=True)
    f.ignore("query_pre_attn_scalar")
    return depth


def gemma2(f: Fields) -> None:
    """Read a Gemma 2: norms on both sides, soft caps, a window on every second layer."""
    depth = _gemma_like(f)
    f.set(norm_position="both")
    _soft_caps(f)
    window(f, depth, every=2)
    head(f)


def _soft_caps(f: Fields) -> None:
    for name, key in (("attn_logit_softcapping", "attention_softcap"), ("final_logit_softcapping", "logit_softcap")):
        cap = f.get(name)
        if cap is not None and (isinstance(cap, bool) or not isinstance(cap, int | float)):
            raise f.wrong(name, "a number or null")
        f.became(name, key, cap is not None)
        f.set(**{key: cap is not None})


def gemma3(f: Fields) -> None:
    """Read a Gemma 3: norms of queries and keys, full attention on every sixth layer."""
    depth = _gemma_like(f)
    f.set(norm_position="both", qk_norm="head")
    _soft_caps(f)
    window(f, depth, every=f.number("sliding_window_pattern", "_sliding_window_pattern"))
    head(f)


def phi(f: Fields) -> None:
    """Read a Phi: side by side after one norm, biases everywhere."""
    decoder(f)
    f.take("d_ff", "intermediate_size")
    heads(f)
    f.set(attention_bias=ALL, parallel="one_norm", norm_position="pre", final_norm=True, head_bias=True)
    f.set(qk_norm="head" if f.flag("qk_layernorm") else "none")
    rotary(f, default=0.5)
    activation(f, "hidden_act")
    head(f)


def phi3(f: Fields) -> None:
    """Read a Phi-3."""
    depth = _llama_like(f)
    f.refuse(attention_bias=False, mlp_bias=False)
    window(f, depth)
    head(f)


def olmo2(f: Fields) -> None:
    """Read an OLMo 2: norms of what parts give, and of queries and keys over all heads."""
    _llama_like(f)
    f.set(norm_position="output", qk_norm="all")
    biases(f, "attention_bias", ALL)
    head(f)


_LLAMA: dict[str, Any] = {"hidden_act": "silu", "tie_word_embeddings": False, "attention_bias": False}
_QWEN: dict[str, Any] = _LLAMA | {"use_sliding_window": False, "max_window_layers": 28, "sliding_window": 4096}
_GEMMA: dict[str, Any] = {
    "hidden_act": "gelu_pytorch_tanh",
    "tie_word_embeddings": True,
    "attention_bias": False,
    "head_dim": 256,
    "attn_logit_softcapping": None,
    "final_logit_softcapping": None,
    "sliding_window": 4096,
}

DECODERS: Mapping[str, tuple[Callable[[Fields], None], Mapping[str, Any]]] = {
    "gpt2": (
        gpt2,
        {
            "vocab_size": 50257,
            "n_positions": 1024,
            "n_embd": 768,
            "n_layer": 12,
            "n_head": 12,
            "activation_function": "gelu_new",
            "scale_attn_weights": True,
            "tie_word_embeddings": True,
        },
    ),
    "gpt_neox": (
        gpt_neox,
        {
            "hidden_act": "gelu",
            "use_parallel_residual": True,
            "attention_bias": True,
            "tie_word_embeddings": False,
            "max_position_embeddings": 2048,
        },
    ),
    "gptj": (
        gptj,
        {
            "vocab_size": 50400,
            "n_positions": 2048,
            "n_embd": 4096,
            "n_layer": 28,
            "n_head": 16,
            "rotary_dim": 64,
            "activation_function": "gelu_new",
            "tie_word_embeddings": False,
        },
    ),
    "opt": (
        opt,
        {
            "vocab_size": 50272,
            "hidden_size": 768,
            "num_hidden_layers": 12,
            "ffn_dim": 3072,
            "max_position_embeddings": 2048,
            "do_layer_norm_before": True,
            "_remove_final_layer_norm": False,
            "num_attention_heads": 12,
            "activation_function": "relu",
            "enable_bias": True,
            "tie_word_embeddings": True,
        },
    ),
    "bloom": (bloom, {"vocab_size": 250880, "tie_word_embeddings": True, "seq_length": 2048}),
    "falcon": (
        falcon,
        {
            "vocab_size": 65024,
            "hidden_size": 4544,
            "num_hidden_layers": 32,
            "num_attention_heads": 71,
            "alibi": False,
            "new_decoder_architecture": False,
            "multi_query": True,
            "parallel_attn": True,
            "bias": False,
            "max_position_embeddings": 2048,
            "activation": "gelu",
            "tie_word_embeddings": True,
        },
    ),
    "mpt": (
        mpt,
        {
            "d_model": 2048,
            "n_heads": 16,
            "n_layers": 24,
            "expansion_ratio": 4,
            "max_seq_len": 2048,
            "vocab_size": 50368,
            "tie_word_embeddings": True,
        },
    ),
    "llama": (llama, {**_LLAMA, "mlp_bias": False, "vocab_size": 32000, "max_position_embeddings": 2048}),
    "mistral": (
        mistral,
        {**_LLAMA, "num_key_value_heads": 8, "sliding_window": 4096, "max_position_embeddings": 131072},
    ),
    "qwen2": (qwen2, {**_QWEN, "max_position_embeddings": 32768}),
    "qwen3": (qwen3, {**_QWEN, "head_dim": 128, "max_position_embeddings": 32768}),
    "gemma": (gemma, {**_GEMMA, "max_position_embeddings": 8192}),
    "gemma2": (
        gemma2,
        {**_GEMMA, "max_position_embeddings": 8192, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0},
    ),
    "gemma3_text": (
        gemma3,
        {
            **_GEMMA,
            "vocab_size": 262208,
            "hidden_size": 2304,
            "intermediate_size": 9216,
            "num_hidden_layers": 26,
            "num_attention_heads": 8,
            "num_key_value_heads": 4,
            "max_position_embeddings": 131072,
            "sliding_window_pattern": 6,
        },
    ),
    "phi": (
        phi,
        {
            "vocab_size": 51200,
            "hidden_act": "gelu_new",
            "qk_layernorm": False,
            "tie_word_embeddings": False,
            "max_position_embeddings": 2048,
        },
    ),
    "phi3": (phi3, {**_LLAMA, "vocab_size": 32064, "max_position_embeddings": 4096, "sliding_window": None}),
    "olmo2": (olmo2, {**_LLAMA, "vocab_size": 50304, "max_position_embeddings": 2048}),
}
"""The reader of each family, and the defaults of its configuration class in transformers 5.23."""

__all__ = ["ACTIVATIONS", "DECODERS", "GATED", "late_window"]
