"""More families that are like Llama, a row each, as their classes are."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from tcost.importers.fields import Fields
from tcost.importers.llamas import NEVER, cap_logits, cap_scores
from tcost.importers.parts import ALL, QKV, every, no_window, window, window_everywhere, window_where_used
from tcost.importers.rows import ANY_BIAS, QKV_BIAS, Row, families
from tcost.importers.unrotated import rotated_where_sliding, sliding_where_unrotated

NO_BIAS = {"attention_bias": False}
PLAIN: Mapping[str, Any] = {"norm": "layer_norm", "ffn_gated": False}
"""LayerNorm and a feed-forward without a gate."""

OF_IMAGES = ("vision_config", "image_token_id", "video_token_id", "vision_token_id", "vision_start_token_id")


def text_alone(f: Fields, _depth: int) -> None:
    """Read an old file of a model of several inputs, whose text part stands among the other fields."""
    if f.values.get("vision_config") is not None:
        f.notes.append(f"a model of several inputs ({f.family}): its text part alone is priced")
    f.ignore(*OF_IMAGES, "vision_end_token_id")
    f.refuse(text_config=None, attention_bias=False)


_QWEN_VL = Row(
    defaults={
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "use_sliding_window": False,
        "max_window_layers": 80,
        "sliding_window": 4096,
        "num_key_value_heads": 8,
        "max_position_embeddings": 32768,
    },
    spec={"attention_bias": QKV},
    parts=(text_alone,),
    window=window_where_used,
)


def granite(f: Fields, _depth: int) -> None:
    """Read Granite's constants: embeddings, branches, logits and scores are multiplied by one."""
    f.set(embedding_scale=True, residual_scale=True, logit_scale=True)
    f.ignore("embedding_multiplier", "attention_multiplier", "residual_multiplier", "logits_scaling")


def clip(f: Fields, _depth: int) -> None:
    """Set whether queries, keys and values are clipped."""
    bound = f.get("clip_qkv")
    if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int | float)):
        raise f.wrong("clip_qkv", "a number or null")
    f.put("attention_clip", "clip_qkv", bound is not None)


def _norms_of_cohere(f: Fields, _depth: int) -> None:
    """Set whether queries and keys are normalised, with a gain for each head."""
    is_normed = f.get("use_qk_norm") is not None and f.flag("use_qk_norm")
    f.put("qk_norm", "use_qk_norm", "each_head" if is_normed else "none")


_COHERE = Row(
    spec={"norm": "layer_norm", "norm_bias": False, "parallel": "one_norm", "logit_scale": True},
    biases=ANY_BIAS,
    ignored=("logit_scale",),
)

ROWS: Mapping[str, Row] = {
    **dict.fromkeys(("qwen2_vl", "qwen2_vl_text", "qwen2_5_vl", "qwen2_5_vl_text"), _QWEN_VL),
    "qwen3_vl_text": Row(
        defaults={"tie_word_embeddings": False},
        spec={"qk_norm": "head"},
        biases=ANY_BIAS,
    ),
    "ministral": Row(
        refused=NEVER,
        window=partial(window, full=[]),
    ),
    "cwm": Row(
        ffn_bias="mlp_bias",
        refused=NO_BIAS,
        window=partial(window, full={"every": 4, "first": 0}),
    ),
    "internlm3": Row(
        biases=ANY_BIAS,
        ffn_bias="mlp_bias",
        refused={"qkv_bias": False, "bias": False},
    ),
    "hunyuan_v1_dense": Row(
        spec={"qk_norm": "head"},
        biases=ANY_BIAS,
        ignored=("eod_token_id",),
    ),
    "olmo3": Row(
        spec={"norm_position": "output", "qk_norm": "all"},
        biases=ANY_BIAS,
        window=partial(window, full=every(4)),
    ),
    "ernie4_5": Row(
        biases={"use_bias": ALL},
        ffn_bias="use_bias",
        refused=NEVER,
    ),
    "seed_oss": Row(
        biases={"attention_bias": QKV, "attention_out_bias": ["output"]},
        ffn_bias="mlp_bias",
        ignored=("residual_dropout",),
    ),
    "glm": Row(
        partial_rotary=0.5,
        biases=QKV_BIAS,
    ),
    "glm4": Row(
        spec={"norm_position": "both"},
        partial_rotary=0.5,
        biases=QKV_BIAS,
    ),
    "helium": Row(
        biases=QKV_BIAS,
        ffn_bias="mlp_bias",
    ),
    "starcoder2": Row(
        spec=PLAIN,
        biases={"use_bias": ALL},
        ffn_bias="use_bias",
        refused={"norm_type": "layer_norm", "mlp_type": "default"},
        ignored=("norm_epsilon", "embedding_dropout", "residual_dropout"),
        window=window_everywhere,
    ),
    "nemotron": Row(
        spec=PLAIN,
        partial_rotary=0.5,
        biases=ANY_BIAS,
        ffn_bias="mlp_bias",
    ),
    "jais2": Row(
        spec=PLAIN,
        biases=ANY_BIAS,
        ffn_bias="mlp_bias",
    ),
    "arcee": Row(
        spec={"ffn_gated": False},
        biases=ANY_BIAS,
        ffn_bias="mlp_bias",
    ),
    "vaultgemma": Row(
        defaults={"hidden_act": "gelu_pytorch_tanh"},
        spec={"embedding_scale": True},
        activation="hidden_activation",
        biases=ANY_BIAS,
        ignored=("query_pre_attn_scalar",),
        parts=(cap_scores, cap_logits),
        window=partial(window, full=every(2)),
    ),
    "granite": Row(
        biases=ANY_BIAS,
        ffn_bias="mlp_bias",
        parts=(granite,),
    ),
    "smollm3": Row(
        biases=ANY_BIAS,
        ffn_bias="mlp_bias",
        window=sliding_where_unrotated,
    ),
    "ministral3": Row(
        spec={"query_position_scale": "all"},
        refused=NEVER,
        window=window_everywhere,
    ),
    "exaone4": Row(
        spec={"norm_position": "output", "qk_norm": "head"},
        refused=NEVER,
        window=partial(rotated_where_sliding, else_all=True),
    ),
    "cohere": replace(_COHERE, parts=(_norms_of_cohere,)),
    "cohere2": replace(
        _COHERE,
        defaults={"sliding_window_pattern": 4},
        window=partial(rotated_where_sliding, else_all=False),
    ),
    "olmo": Row(
        spec={"norm": "layer_norm", "norm_weight": False},
        biases=ANY_BIAS,
        parts=(clip,),
    ),
    "stablelm": Row(
        spec={"norm": "layer_norm"},
        partial_rotary=0.25,
        biases={"use_qkv_bias": QKV},
        refused={"qk_layernorm": False, "head_dim": None},
        parts=(lambda f, _depth: f.set(parallel="one_norm" if f.flag("use_parallel_residual") else "none"),),
        window=no_window,
    ),
}

KIN = families(ROWS)
