"""Decoder-only families with mixtures of experts or latent attention."""

from collections.abc import Mapping
from typing import Any

from tcost.importers.fields import Families, Fields
from tcost.importers.heads import head
from tcost.importers.parts import (
    ALL,
    GATED,
    LLAMA,
    QKV,
    activation,
    biases,
    decoder,
    llama_like,
    window_everywhere,
    window_where_used,
)

EXPERTS = Families(head)

_QWEN: Mapping[str, Any] = {
    **LLAMA,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
    "norm_topk_prob": False,
    "qkv_bias": True,
    "use_sliding_window": False,
    "max_window_layers": 28,
    "sliding_window": 4096,
    "max_position_embeddings": 32768,
}
_DEEPSEEK: Mapping[str, Any] = {
    **LLAMA,
    "kv_lora_rank": 512,
    "q_lora_rank": 1536,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
}

LATENT = {
    "kv_rank": "kv_lora_rank",
    "d_nope": "qk_nope_head_dim",
    "d_rope": "qk_rope_head_dim",
    "d_value": "v_head_dim",
}
"""The sizes of latent attention, and what DeepSeek calls them."""


def _experts(f: Fields, count: str, width: str) -> dict[str, Any]:
    """Read the number of experts, how many a token takes and their width."""
    names = {"n_experts": count, "experts_per_token": "num_experts_per_tok", "d_expert": width}
    experts = {key: f.number(name) for key, name in names.items()}
    for key, name in names.items():
        f.became(name, f"experts.{key}", experts[key])
    if experts["experts_per_token"] > experts["n_experts"]:
        raise f.wrong("num_experts_per_tok", f"at most the {experts['n_experts']} experts that there are")
    return experts


@EXPERTS.family(
    "mixtral",
    LLAMA,
    num_key_value_heads=8,
    num_local_experts=8,
    num_experts_per_tok=2,
    sliding_window=None,
    max_position_embeddings=131072,
)
def mixtral(f: Fields) -> None:
    """Read a Mixtral: the weights of the chosen experts sum to one."""
    depth = llama_like(f)
    f.refuse(attention_bias=False)
    f.set(experts=_experts(f, "num_local_experts", "intermediate_size") | {"normalise": True})
    window_everywhere(f, depth)


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


@EXPERTS.family(
    "qwen2_moe",
    _QWEN,
    num_experts=60,
    num_experts_per_tok=4,
    moe_intermediate_size=1408,
    shared_expert_intermediate_size=5632,
)
def qwen2_moe(f: Fields) -> None:
    """Read a Qwen2 with experts: a shared one with a gate of its own."""
    depth = llama_like(f)
    biases(f, "qkv_bias", QKV)
    shared = f.number("shared_expert_intermediate_size")
    f.became("shared_expert_intermediate_size", "experts.d_shared", shared)
    experts = _experts(f, "num_experts", "moe_intermediate_size")
    f.set(experts=experts | {"d_shared": shared, "shared_gate": True} | _sparse(f, depth))
    window_where_used(f, depth, late=False)


@EXPERTS.family(
    "qwen3_moe", _QWEN, num_experts=128, num_experts_per_tok=8, moe_intermediate_size=768, num_key_value_heads=4
)
def qwen3_moe(f: Fields) -> None:
    """Read a Qwen3 with experts: queries and keys are normalised per head."""
    depth = llama_like(f)
    biases(f, "attention_bias", ALL)
    f.set(qk_norm="head")
    f.set(experts=_experts(f, "num_experts", "moe_intermediate_size") | _sparse(f, depth))
    window_everywhere(f, depth, is_used=f.flag("use_sliding_window"))
    f.ignore("max_window_layers")


def deepseek(f: Fields, router: str) -> None:
    """Read a DeepSeek: latent attention, experts after some dense layers, shared ones for every token."""
    depth = decoder(f)
    f.take("d_ff", "intermediate_size")
    f.set(**GATED, positions="rotary")
    f.ignore("rope_parameters", "rope_scaling", "rope_interleave")
    latent = {key: f.number(name) for key, name in LATENT.items()}
    f.agree(num_key_value_heads=f.spec["n_heads"], head_dim=latent["d_rope"])
    f.agree(qk_head_dim=latent["d_nope"] + latent["d_rope"])
    rank = f.optional("q_lora_rank")
    f.set(latent_attention=latent if rank is None else {**latent, "q_rank": rank})
    for key, name in {**LATENT, "q_rank": "q_lora_rank"}.items():
        f.became(name, f"latent_attention.{key}", f.spec["latent_attention"].get(key))
    has_bias = f.flag("attention_bias")
    f.set(attention_bias=["output"] if has_bias else [])
    activation(f, "hidden_act")
    f.refuse(mlp_bias=False, moe_layer_freq=1, scoring_func=router)
    f.ignore("n_group", "topk_group", "topk_method", "ep_size")
    _deepseek_experts(f, router, depth)
    if f.optional("num_mtp_layers", "num_nextn_predict_layers", least=0):
        f.notes.append("layers that predict further tokens (num_nextn_predict_layers) are left out")


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


@EXPERTS.family(
    "deepseek_v2",
    _DEEPSEEK,
    first_k_dense_replace=0,
    n_routed_experts=64,
    n_shared_experts=2,
    routed_scaling_factor=1.0,
    norm_topk_prob=False,
    moe_intermediate_size=1407,
    max_position_embeddings=2048,
)
def deepseek_v2(f: Fields) -> None:
    """Read a DeepSeek-V2."""
    deepseek(f, "softmax")


@EXPERTS.family(
    "deepseek_v3",
    _DEEPSEEK,
    first_k_dense_replace=3,
    n_routed_experts=256,
    n_shared_experts=1,
    routed_scaling_factor=2.5,
    norm_topk_prob=True,
    moe_intermediate_size=2048,
    num_experts_per_tok=8,
    max_position_embeddings=4096,
)
def deepseek_v3(f: Fields) -> None:
    """Read a DeepSeek-V3."""
    deepseek(f, "sigmoid")
