"""Decoder-only families with mixtures of experts, a row each."""

from collections.abc import Mapping
from functools import partial

from tcost.importers.fields import Fields
from tcost.importers.latent import ROWS as LATENT_ROWS
from tcost.importers.llama_kin import clip, granite
from tcost.importers.mixtures import Mixture, all_but_every, by_interval, said_not_counted
from tcost.importers.parts import ALL, QKV, window_everywhere, window_where_used
from tcost.importers.routed import ROWS as ROUTED_ROWS
from tcost.importers.rows import ANY_BIAS, Row, families

_OF_OLMO = Mixture(count="num_experts", width="intermediate_size", normalise="norm_topk_prob")


def window_of_qwen3_moe(f: Fields, depth: int) -> None:
    """Set the sliding window of all layers where a flag says that it is used."""
    window_everywhere(f, depth, is_used=f.flag("use_sliding_window"))
    f.ignore("max_window_layers")


def correction_not_counted(f: Fields, depth: int) -> None:
    """Say that the class registers corrections of the scores, which no gradient reaches."""
    experts = f.spec["experts"]
    number = (depth - len(experts.get("dense_layers", []))) * experts["n_experts"]
    f.notes.append(f"not counted: corrections of the router's scores, {number} parameters, which are not trained")


def bias_of_head(f: Fields, _depth: int, *, flag: str) -> None:
    """Set the bias of the vocabulary projection where a flag is true."""
    has_bias = f.flag(flag)
    if has_bias:
        f.put("head_bias", flag, has_bias)


ROWS: Mapping[str, Row] = {
    "mixtral": Row(
        refused={"attention_bias": False},
        parts=(Mixture(count="num_local_experts", width="intermediate_size", normalise=True),),
        window=window_everywhere,
    ),
    "qwen2_moe": Row(
        defaults={"mlp_only_layers": []},
        biases={"qkv_bias": QKV},
        parts=(
            Mixture(
                count="num_experts",
                width="moe_intermediate_size",
                normalise="norm_topk_prob",
                d_shared="shared_expert_intermediate_size",
                must_share=True,
                shared_gate=True,
                dense=all_but_every,
            ),
        ),
        window=partial(window_where_used, late=False),
    ),
    "qwen3_moe": Row(
        defaults={"mlp_only_layers": []},
        spec={"qk_norm": "head"},
        refused={"use_qk_norm": True},
        biases=ANY_BIAS,
        parts=(
            Mixture(
                count="num_experts", width="moe_intermediate_size", normalise="norm_topk_prob", dense=all_but_every
            ),
        ),
        window=window_of_qwen3_moe,
    ),
    "qwen3_vl_moe_text": Row(
        defaults={
            "mlp_only_layers": [],
            "norm_topk_prob": False,
            "use_sliding_window": False,
            "max_window_layers": 28,
            "sliding_window": 4096,
        },
        spec={"qk_norm": "head"},
        biases=ANY_BIAS,
        ignored=("norm_topk_prob",),  # the class always normalises
        parts=(Mixture(count="num_experts", width="moe_intermediate_size", normalise=True, dense=all_but_every),),
    ),
    "granitemoe": Row(
        biases=ANY_BIAS,
        parts=(Mixture(count="num_local_experts", width="intermediate_size", router="chosen_softmax"), granite),
    ),
    "granitemoeshared": Row(
        biases=ANY_BIAS,
        parts=(
            Mixture(
                count="num_local_experts",
                width="intermediate_size",
                router="chosen_softmax",
                d_shared="shared_intermediate_size",
            ),
            granite,
        ),
    ),
    "olmoe": Row(
        spec={"qk_norm": "all"},
        biases=ANY_BIAS,
        parts=(_OF_OLMO, clip),
    ),
    "flex_olmo": Row(
        spec={"qk_norm": "all", "norm_position": "output"},
        biases=ANY_BIAS,
        parts=(_OF_OLMO,),
    ),
    "ernie4_5_moe": Row(
        biases={"use_bias": ALL},
        ffn_bias="use_bias",
        ignored=("moe_norm_min",),
        parts=(
            Mixture(
                count="moe_num_experts",
                width="moe_intermediate_size",
                chosen="moe_k",
                normalise=True,
                shared="moe_num_shared_experts",
                dense=by_interval,
            ),
            partial(bias_of_head, flag="use_bias"),
            correction_not_counted,
        ),
    ),
    "hunyuan_v1_moe": Row(
        spec={"qk_norm": "head"},
        biases=ANY_BIAS,
        refused={"mlp_bias": False},
        ignored=("eod_token_id",),
        parts=(
            Mixture(
                count="num_experts",
                width="intermediate_size",
                chosen="moe_topk",
                normalise=True,
                d_shared="intermediate_size",
            ),
        ),
    ),
    "phimoe": Row(
        spec={"norm": "layer_norm"},
        biases=ANY_BIAS,
        refused={"num_experts_per_tok": 2},
        ignored=("input_jitter_noise", "router_jitter_noise"),
        parts=(
            Mixture(count="num_local_experts", width="intermediate_size"),
            partial(bias_of_head, flag="lm_head_bias"),
            said_not_counted("a second softmax of the router's scores (SparseMixer)"),
        ),
        window=window_everywhere,
    ),
}

_ALL = {**ROWS, **LATENT_ROWS, **ROUTED_ROWS}

EXPERTS = families({**_ALL, "kimi_k2": _ALL["deepseek_v3"]})
