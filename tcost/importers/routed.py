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
from tcost.importers.unrotated import rotated_where_sliding, unrotated_by_list


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


def attention_of_llama_4(f: Fields, depth: int) -> None:
    """Set which layers are rotated, and normalised behind it; the others' queries may be scaled by their position."""
    rotated = unrotated_by_list(f, depth)
    chunk = f.optional("attention_chunk_size")
    f.agree(layer_types=["chunked_attention" if each and chunk else "full_attention" for each in rotated])
    f.ignore("attn_scale", "floor_scale", "attention_chunk_size")
    if any(rotated):
        f.put("qk_norm", "use_qk_norm", "rotated" if f.flag("use_qk_norm") else "none")
    else:
        f.set(positions="none")
        f.spec.pop("unrotated_layers")
        f.ignore("use_qk_norm")
    is_scaled = f.flag("attn_temperature_tuning") and not all(rotated)
    f.put("query_position_scale", "attn_temperature_tuning", "unrotated" if is_scaled else "none")
    if chunk:
        f.notes.append(f"attention in chunks of {chunk} rows is priced as that of all rows before")


def dense_layers_of_llama_4(f: Fields, depth: int) -> list[int]:
    """Return the layers without experts: all that a list has not, by default all but every so many."""
    step, given = f.number("interleave_moe_layer_step"), f.values.get("moe_layers")
    f.ignore("moe_layers")
    sparse = range(step - 1, depth, step) if given is None else given
    if not isinstance(sparse, list | range) or any(type(each) is not int for each in sparse):
        raise f.wrong("moe_layers", "a list of layers, counted from zero")
    dense = [layer for layer in range(depth) if layer not in sparse]
    f.became("interleave_moe_layer_step" if given is None else "moe_layers", "experts.dense_layers", dense)
    return dense


def every_expert_runs(f: Fields, depth: int) -> None:
    """Say that the class sends every row through every expert, and what that is beside what is priced."""
    experts = f.spec["experts"]
    spare = experts["n_experts"] - experts["experts_per_token"]
    layers = depth - len(experts.get("dense_layers", []))
    more = layers * spare * 3 * f.spec["d_model"] * experts["d_expert"]
    f.notes.append(
        "priced are the chosen experts; the class runs all on every row, those not chosen on zeros: "
        f"{more} MACCs more per row in each phase"
    )


ROWS: Mapping[str, Row] = {
    "llama4_text": Row(
        width="intermediate_size_mlp",
        biases=ANY_BIAS,
        parts=(
            Mixture(
                count="num_local_experts",
                width="intermediate_size",
                router="chosen_sigmoid",
                weighs_input=True,
                d_shared="intermediate_size",
                dense=dense_layers_of_llama_4,
            ),
            every_expert_runs,
        ),
        window=attention_of_llama_4,
    ),
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
