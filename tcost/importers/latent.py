"""Decoder-only families with latent attention, a row each."""

from collections.abc import Mapping
from dataclasses import replace

from tcost.importers.mixtures import (
    DEEPSEEK_HAS,
    GROUPS,
    LIKE_DEEPSEEK,
    ROUTED,
    LatentRow,
    Mixture,
    by_list,
    by_list_else_one,
    first_ones,
    further_tokens_left_out,
)
from tcost.importers.rows import Row

ROWS: Mapping[str, Row] = {
    "deepseek_v2": LatentRow(
        refused={**DEEPSEEK_HAS, "scoring_func": "softmax"},
        ignored=(*GROUPS, "norm_topk_prob"),  # the class never normalises
        parts=(Mixture(**ROUTED, shared="n_shared_experts", dense=first_ones), further_tokens_left_out),
    ),
    "deepseek_v3": LatentRow(
        refused=DEEPSEEK_HAS,
        ignored=GROUPS,
        parts=(LIKE_DEEPSEEK, further_tokens_left_out),
    ),
    "mistral4": LatentRow(
        spec={"query_position_scale": "all"},
        head_dim=("d_nope", "d_rope"),
        refused={**DEEPSEEK_HAS, "scoring_func": "softmax"},
        ignored=GROUPS,
        parts=(replace(LIKE_DEEPSEEK, router="softmax"),),
    ),
    "glm4_moe_lite": LatentRow(
        refused=DEEPSEEK_HAS,
        ignored=GROUPS,
        parts=(replace(LIKE_DEEPSEEK, dense=by_list_else_one), further_tokens_left_out),
    ),
    "axk1": LatentRow(
        defaults={"first_k_dense_replace": 1},
        can_skip_query_rank=False,
        refused=DEEPSEEK_HAS,
        ignored=GROUPS,
        parts=(replace(LIKE_DEEPSEEK, dense=by_list, output_norm=True), further_tokens_left_out),
    ),
    "minicpm3": LatentRow(
        spec={"embedding_scale": True, "residual_scale": True, "output_scale": True},
        ffn_bias="mlp_bias",
        value_follows=True,
        ignored=("scale_emb", "scale_depth", "dim_model_base"),
    ),
}
