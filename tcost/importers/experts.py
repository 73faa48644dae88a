"""Decoder-only families with mixtures of experts or latent attention."""

from collections.abc import Callable, Mapping
from typing import Any

from tcost.importers.fields import Fields
from tcost.importers.parts import (
    ALL,
    GATED,
    QKV,
    activation,
    biases,
    decoder,
    early_window,
    head,
    heads,
    rotary,
    window_everywhere,
)


def _base(f: Fields) -> int:
    depth = decoder(f)
    heads(f)
    f.take("d_ff", "intermediate_size")
    f.set(**GATED)
    rotary(f)
    activation(f, "hidden_act")
    return depth


def _experts(f: Fields, count: str, width: str) -> dict[str, Any]:
    """Read the number of experts, how many a token takes and their width."""
    experts = {
        "n_experts": f.number(count),
        "experts_per_token": f.number("num_experts_per_tok"),
        "d_expert": f.number(width),
    }
    for name, (key, value) in zip((count, "num_experts_per_tok", width), experts.items(), strict=True):
        f.became(name, f"experts.{key}", value)
    if experts["experts_per_token"] > experts["n_experts"]:
        raise f.wrong("num_experts_per_tok", f"at most the {experts['n_experts']} experts that there are")
    return experts


def mixtral(f: Fields) -> None:
    """Read a Mixtral: the weights of the chosen experts sum to one."""
    depth = _base(f)
    f.refuse(attention_bias=False)
    f.set(experts=_experts(f, "num_local_experts", "intermediate_size") | {"normalise": True})
    window_everywhere(f, depth)
    head(f)


def _sparse(f: Fields, depth: int) -> dict[str, Any]:
    """Read which layers are dense: those that are named, and all but every so many."""
    step, named = f.number("decoder_sparse_step"), f.get("mlp_only_layers")
    if not isinstance(named, list) or not all(isinstance(layer, int) for layer in named):
        raise f.wrong("mlp_only_layers", "a list of layers, counted from zero")
    plain = set(named)
    dense = [layer for layer in range(depth) if layer in plain or (layer + 1) % step]
    if dense:
        f.became("decoder_sparse_step, mlp_only_layers", "experts.dense_layers", dense)
    return {"normalise": f.flag("norm_topk_prob"), **({"dense_layers": dense} if dense else {})}


def qwen2_moe(f: Fields) -> None:
    """Read a Qwen2 with experts: a shared one with a gate of its own."""
    depth = _base(f)
    biases(f, "qkv_bias", QKV)
    shared = f.number("shared_expert_intermediate_size")
    f.became("shared_expert_intermediate_size", "experts.d_shared", shared)
    experts = _experts(f, "num_experts", "moe_intermediate_size")
    f.set(experts=experts | {"d_shared": shared, "shared_gate": True} | _sparse(f, depth))
    early_window(f, depth)
    head(f)


def qwen3_moe(f: Fields) -> None:
    """Read a Qwen3 with experts: queries and keys are normalised per head."""
    depth = _base(f)
    biases(f, "attention_bias", ALL)
    f.set(qk_norm="head")
    f.set(experts=_experts(f, "num_experts", "moe_intermediate_size") | _sparse(f, depth))
    window_everywhere(f, depth, is_used=f.flag("use_sliding_window"))
    f.ignore("max_window_layers")
    head(f)


def deepseek(f: Fields, router: str) -> None:
    """Read a DeepSeek: latent attention, experts after some dense layers, shared ones for every token."""
    depth = decoder(f)
    f.take("d_ff", "intermediate_size")
    f.set(**GATED)
    f.set(positions="rotary")
    f.ignore("rope_parameters", "rope_scaling", "rope_interleave")
    latent = {
        "kv_rank": f.number("kv_lora_rank"),
        "d_nope": f.number("qk_nope_head_dim"),
        "d_rope": f.number("qk_rope_head_dim"),
        "d_value": f.number("v_head_dim"),
    }
    f.agree(num_key_value_heads=f.spec["n_heads"], head_dim=latent["d_rope"])
    f.agree(qk_head_dim=latent["d_nope"] + latent["d_rope"])
    rank = f.optional("q_lora_rank")
    f.set(latent_attention=latent if rank is None else {**latent, "q_rank": rank})
    for name, key in (
        *(("kv_lora_rank", "kv_rank"), ("qk_nope_head_dim", "d_nope"), ("qk_rope_head_dim", "d_rope")),
        *(("v_head_dim", "d_value"), ("q_lora_rank", "q_rank")),
    ):
        f.became(name, f"latent_attention.{key}", f.spec["latent_attention"].get(key))
    has_bias = f.flag("attention_bias")
    f.set(attention_bias=["output"] if has_bias else [])
    activation(f, "hidden_act")
    f.refuse(mlp_bias=False, moe_layer_freq=1, scoring_func=router)
    f.ignore("n_group", "topk_group", "topk_method", "ep_size")
    _deepseek_experts(f, router, depth)
    if f.optional("num_mtp_layers", "num_nextn_predict_layers", least=0):
        f.notes.append("layers that predict further tokens (num_nextn_predict_layers) are left out")
    head(f)


def _deepseek_experts(f: Fields, router: str, depth: int) -> None:
    experts = _experts(f, "n_routed_experts", "moe_intermediate_size")
    shared = (f.optional("n_shared_experts", least=0) or 0) * experts["d_expert"]
    dense = f.number("first_k_dense_replace", least=0)
    factor = f.get("routed_scaling_factor")
    if isinstance(factor, bool) or not isinstance(factor, int | float):
        raise f.wrong("routed_scaling_factor", "a number")
    is_normalised = f.flag("norm_topk_prob") and router == "sigmoid"  # the class of DeepSeek-V2 never normalises
    experts |= {"d_shared": shared, "router": router, "normalise": is_normalised, "scale": factor != 1}
    f.became("n_shared_experts", "experts.d_shared", shared)
    if dense:
        experts["dense_layers"] = list(range(min(dense, depth)))
        f.became("first_k_dense_replace", "experts.dense_layers", experts["dense_layers"])
    f.set(experts=experts)


def deepseek_v2(f: Fields) -> None:
    """Read a DeepSeek-V2."""
    deepseek(f, "softmax")


def deepseek_v3(f: Fields) -> None:
    """Read a DeepSeek-V3."""
    deepseek(f, "sigmoid")


_BASE: dict[str, Any] = {"hidden_act": "silu", "tie_word_embeddings": False, "attention_bias": False}
_QWEN: dict[str, Any] = _BASE | {
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
    "norm_topk_prob": False,
    "qkv_bias": True,
    "use_sliding_window": False,
    "max_window_layers": 28,
    "sliding_window": 4096,
    "max_position_embeddings": 32768,
}

EXPERTS: Mapping[str, tuple[Callable[[Fields], None], Mapping[str, Any]]] = {
    "mixtral": (
        mixtral,
        {
            **_BASE,
            "num_key_value_heads": 8,
            "num_local_experts": 8,
            "num_experts_per_tok": 2,
            "sliding_window": None,
            "max_position_embeddings": 131072,
        },
    ),
    "qwen2_moe": (
        qwen2_moe,
        {
            **_QWEN,
            "num_experts": 60,
            "num_experts_per_tok": 4,
            "moe_intermediate_size": 1408,
            "shared_expert_intermediate_size": 5632,
        },
    ),
    "qwen3_moe": (
        qwen3_moe,
        {
            **_QWEN,
            "num_experts": 128,
            "num_experts_per_tok": 8,
            "moe_intermediate_size": 768,
            "num_key_value_heads": 4,
        },
    ),
    "deepseek_v2": (
        deepseek_v2,
        {
            **_BASE,
            "first_k_dense_replace": 0,
            "kv_lora_rank": 512,
            "q_lora_rank": 1536,
            "n_routed_experts": 64,
            "n_shared_experts": 2,
            "qk_nope_head_dim": 128,
            "qk_rope_head_dim": 64,
            "v_head_dim": 128,
            "routed_scaling_factor": 1.0,
            "norm_topk_prob": False,
            "moe_intermediate_size": 1407,
            "max_position_embeddings": 2048,
        },
    ),
    "deepseek_v3": (
        deepseek_v3,
        {
            **_BASE,
            "first_k_dense_replace": 3,
            "kv_lora_rank": 512,
            "q_lora_rank": 1536,
            "n_routed_experts": 256,
            "n_shared_experts": 1,
            "qk_nope_head_dim": 128,
            "qk_rope_head_dim": 64,
            "v_head_dim": 128,
            "routed_scaling_factor": 2.5,
            "norm_topk_prob": True,
            "moe_intermediate_size": 2048,
            "num_experts_per_tok": 8,
            "max_position_embeddings": 4096,
        },
    ),
}
"""As DECODERS."""
