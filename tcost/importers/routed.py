"""Decoder-only families with the experts of DeepSeek-V3, or a router of sigmoids, a row each."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tcost.importers.fields import Fields
from tcost.importers.mixtures import GROUPS, LIKE_DEEPSEEK, Mixture, by_list, further_tokens_left_out
from tcost.importers.parts import ALL, LLAMA, QKV, every, window
from tcost.importers.rows import Row

_ANY_BIAS = {"attention_bias": ALL}


_QKV_BIAS = {"attention_bias": QKV}


_GLM: Mapping[str, Any] = {
    **LLAMA,
    "num_key_value_heads": 8,
    "max_position_embeddings": 131072,
    "num_experts_per_tok": 8,
    "n_shared_experts": 1,
    "n_routed_experts": 128,
    "routed_scaling_factor": 1.0,
    "first_k_dense_replace": 1,
    "norm_topk_prob": True,
    "use_qk_norm": False,
}


def window_of_dots(f: Fields, depth: int) -> None:
    """Set the sliding window of the layers from `max_window_layers` on."""
    first = f.number("max_window_layers", least=0)
    window(f, depth, list(range(min(first, depth))))


def window_of_exaone(f: Fields, depth: int) -> None:
    """Set the sliding window of all layers but every so many, by default the fourth."""
    pattern = f.optional("sliding_window_pattern") or 1
    window(f, depth, every(pattern))
    f.ignore("sliding_window_pattern")


def rotary_dims_of_minimax(f: Fields, _depth: int) -> None:
    """Set the rotated part of a head where the file gives its width."""
    f.ignore("rotary_dim")
    given = f.part("rope_parameters") or f.part("rope_scaling")
    dims = f.optional("rotary_dim")
    if dims and "partial_rotary_factor" not in given and "partial_rotary_factor" not in f.values:
        if dims > f.spec["d_head"] or dims % 2:
            raise f.wrong("rotary_dim", f"an even number, at most the {f.spec['d_head']} of a head")
        if dims != f.spec["d_head"]:
            f.put("rotary_dims", "rotary_dim", dims)


def no_dense_width(f: Fields, _depth: int) -> None:
    """Set the width of a feed-forward that no layer has to that of an expert."""
    f.ignore("intermediate_size", "first_k_dense_replace")
    f.set(d_ff=f.number("moe_intermediate_size"))


def norm_of_heads(f: Fields, _depth: int) -> None:
    """Set whether queries and keys are normalised, per head."""
    f.put("qk_norm", "use_qk_norm", "head" if f.flag("use_qk_norm") else "none")


def by_list_else_one(f: Fields, depth: int) -> list[int]:
    """Return the layers that a list says are dense, else the first; the class has no other word for it."""
    if f.values.get("mlp_layer_types") is None:
        f.agree(first_k_dense_replace=1)
    return by_list(f, depth)


ROWS: Mapping[str, Row] = {
    "solar_open": Row(
        defaults={
            **_GLM,
            "vocab_size": 196608,
            "hidden_size": 4096,
            "num_hidden_layers": 48,
            "num_attention_heads": 64,
            "head_dim": 128,
            "moe_intermediate_size": 1280,
        },
        width=None,
        biases=_QKV_BIAS,
        partial_rotary=1.0,
        refused={"mlp_bias": False, "use_qk_norm": False, "moe_layer_freq": 1, "scoring_func": "sigmoid"},
        ignored=GROUPS,
        parts=(no_dense_width, replace(LIKE_DEEPSEEK, dense=None)),
    ),
    "glm4_moe": Row(
        defaults={
            **_GLM,
            "vocab_size": 151552,
            "hidden_size": 4096,
            "intermediate_size": 10944,
            "num_hidden_layers": 46,
            "num_attention_heads": 96,
            "moe_intermediate_size": 1408,
        },
        biases=_QKV_BIAS,
        partial_rotary=0.5,
        refused={"mlp_bias": False, "moe_layer_freq": 1, "scoring_func": "sigmoid"},
        ignored=GROUPS,
        parts=(norm_of_heads, LIKE_DEEPSEEK, further_tokens_left_out),
    ),
    "dots1": Row(
        defaults={
            **LLAMA,
            "vocab_size": 152064,
            "hidden_size": 4608,
            "intermediate_size": 10944,
            "moe_intermediate_size": 1408,
            "num_hidden_layers": 62,
            "num_attention_heads": 32,
            "num_key_value_heads": 32,
            "first_k_dense_replace": 0,
            "norm_topk_prob": False,
            "max_position_embeddings": 2048,
            "routed_scaling_factor": 1.0,
            "sliding_window": 4096,
            "max_window_layers": 62,
        },
        spec={"qk_norm": "head"},
        biases=_ANY_BIAS,
        refused={"mlp_bias": False, "moe_layer_freq": 1, "scoring_func": "sigmoid"},
        ignored=GROUPS,
        parts=(LIKE_DEEPSEEK,),
        window=window_of_dots,
    ),
    "exaone_moe": Row(
        defaults={
            **LLAMA,
            "vocab_size": 102400,
            "hidden_size": 4096,
            "intermediate_size": 16384,
            "num_hidden_layers": 32,
            "num_attention_heads": 32,
            "num_key_value_heads": 32,
            "max_position_embeddings": 2048,
            "sliding_window": 4096,
            "sliding_window_pattern": 4,
            "first_k_dense_replace": 1,
            "moe_intermediate_size": 1024,
            "num_experts": 64,
            "num_experts_per_tok": 8,
            "num_shared_experts": 1,
            "norm_topk_prob": True,
            "routed_scaling_factor": 2.5,
        },
        spec={"qk_norm": "head"},
        refused={"attention_bias": False, "mlp_bias": False, "moe_layer_freq": 1, "scoring_func": "sigmoid"},
        ignored=GROUPS,
        parts=(
            replace(LIKE_DEEPSEEK, count="num_experts", shared="num_shared_experts", dense=by_list),
            further_tokens_left_out,
        ),
        window=window_of_exaone,
    ),
    "hy_v3": Row(
        defaults={
            **LLAMA,
            "vocab_size": 120832,
            "hidden_size": 4096,
            "intermediate_size": 13312,
            "num_hidden_layers": 80,
            "num_attention_heads": 64,
            "num_key_value_heads": 8,
            "head_dim": 128,
            "max_position_embeddings": 131072,
            "mlp_bias": False,
            "num_experts": 192,
            "num_experts_per_tok": 8,
            "num_shared_experts": 1,
            "moe_intermediate_size": 1536,
            "router_scaling_factor": 2.826,
            "first_k_dense_replace": 1,
        },
        spec={"qk_norm": "head"},
        biases=_ANY_BIAS,
        ffn_bias="mlp_bias",
        ignored=("enable_moe_fp32_combine",),
        parts=(
            Mixture(
                count="num_experts",
                width="moe_intermediate_size",
                router="sigmoid",
                normalise=True,
                scale="router_scaling_factor",
                must_share=True,
                shared="num_shared_experts",
                dense=by_list_else_one,
            ),
        ),
    ),
    "minimax_m2": Row(
        defaults={
            **LLAMA,
            "vocab_size": 200064,
            "hidden_size": 3072,
            "intermediate_size": 1536,
            "num_hidden_layers": 62,
            "num_attention_heads": 48,
            "num_key_value_heads": 8,
            "head_dim": 128,
            "max_position_embeddings": 196608,
            "num_experts_per_tok": 8,
            "num_local_experts": 256,
        },
        spec={"qk_norm": "all"},
        partial_rotary=1.0,
        refused={
            "attention_bias": False,
            "use_qk_norm": True,
            "qk_norm_type": "per_layer",
            "scoring_func": "sigmoid",
            "use_routing_bias": (True, False),
        },
        parts=(
            Mixture(count="num_local_experts", width="intermediate_size", router="sigmoid", normalise=True),
            rotary_dims_of_minimax,
        ),
    ),
}
