"""Decoder-only families with the experts of DeepSeek-V3, or a router of sigmoids, a row each."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from tcost.importers.fields import Fields
from tcost.importers.mixtures import (
    DEEPSEEK_HAS,
    GROUPS,
    LIKE_DEEPSEEK,
    Mixture,
    by_list,
    by_list_else_one,
    further_tokens_left_out,
    say_left_out,
)
from tcost.importers.parts import every, window
from tcost.importers.rows import ANY_BIAS, QKV_BIAS, Row
from tcost.importers.unrotated import rotated_where_sliding


def window_of_dots(f: Fields, depth: int) -> None:
    """Set the sliding window of the layers from `max_window_layers` on."""
    first = f.number("max_window_layers", least=0)
    window(f, depth, list(range(min(first, depth))))


def attention_of_minimax(f: Fields, depth: int) -> None:
    """Read that every layer has softmax attention, and say that layers which predict further tokens are left out."""
    f.agree(attn_type_list=[1] * depth)
    f.ignore("mtp_transformer_layers", "num_mtp_modules", "use_mtp")
    if f.values.get("use_mtp"):
        say_left_out(f, "num_mtp_modules")


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


def own_words_of_gpt_oss(f: Fields, _depth: int) -> None:
    """Read the constants of an activation that is the class's own, x s(alpha x) of what is clipped, and other names."""
    f.ignore("swiglu_limit", "initial_context_length")
    f.agree(experts_per_token=f.spec["experts"]["experts_per_token"])
    f.put("activation", "swiglu_alpha", "quick_gelu")


ROWS: Mapping[str, Row] = {
    "gpt_oss": Row(
        spec={"attention_sinks": True, "ffn_clipped": True},
        biases=ANY_BIAS,
        parts=(
            Mixture(count="num_local_experts", width="intermediate_size", router="chosen_softmax", bias=True),
            own_words_of_gpt_oss,
        ),
        window=partial(window, full=every(2)),
    ),
    "solar_open": Row(
        defaults={"first_k_dense_replace": 1, "use_qk_norm": False},
        width=None,
        biases=QKV_BIAS,
        partial_rotary=1.0,
        refused={**DEEPSEEK_HAS, "use_qk_norm": False},
        ignored=GROUPS,
        parts=(no_dense_width, replace(LIKE_DEEPSEEK, dense=None)),
    ),
    "glm4_moe": Row(
        biases=QKV_BIAS,
        partial_rotary=0.5,
        refused=DEEPSEEK_HAS,
        ignored=GROUPS,
        parts=(norm_of_heads, LIKE_DEEPSEEK, further_tokens_left_out),
    ),
    "dots1": Row(
        spec={"qk_norm": "head"},
        biases=ANY_BIAS,
        refused=DEEPSEEK_HAS,
        ignored=GROUPS,
        parts=(LIKE_DEEPSEEK,),
        window=window_of_dots,
    ),
    "exaone_moe": Row(
        spec={"qk_norm": "head"},
        refused={**DEEPSEEK_HAS, "attention_bias": False},
        ignored=GROUPS,
        parts=(
            replace(LIKE_DEEPSEEK, count="num_experts", shared="num_shared_experts", dense=by_list),
            further_tokens_left_out,
        ),
        window=partial(rotated_where_sliding, else_all=True),
    ),
    "hy_v3": Row(
        spec={"qk_norm": "head"},
        biases=ANY_BIAS,
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
            attention_of_minimax,
        ),
    ),
}
