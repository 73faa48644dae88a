"""Names that a configuration class has for its own fields: which of two wins where a file gives both."""

from collections.abc import Mapping
from typing import Any

_GPT = {
    "hidden_size": "n_embd",
    "max_position_embeddings": "n_positions",
    "num_attention_heads": "n_head",
    "num_hidden_layers": "n_layer",
}
_T5 = {
    "hidden_size": "d_model",
    "num_attention_heads": "num_heads",
    "num_hidden_layers": "num_layers",
    "head_dim": "d_kv",
}
_BART = {
    "num_attention_heads": "encoder_attention_heads",
    "hidden_size": "d_model",
    "num_hidden_layers": "encoder_layers",
}
_EXPERTS = {"num_local_experts": "num_experts"}
_ROUTED = {"num_local_experts": "n_routed_experts"}
_DEEPSEEK = {**_ROUTED, "num_nextn_predict_layers": "num_mtp_layers"}

SYNONYMS: Mapping[str, Mapping[str, str]] = {
    "gpt2": _GPT,
    "gptj": _GPT,
    "codegen": _GPT,
    "gpt_bigcode": _GPT,
    "gpt_neo": {"num_attention_heads": "num_heads", "num_hidden_layers": "num_layers"},
    "openai-gpt": _GPT,
    "xglm": {"num_attention_heads": "attention_heads", "hidden_size": "d_model", "num_hidden_layers": "num_layers"},
    "bloom": {"num_hidden_layers": "n_layer", "num_attention_heads": "n_head", "n_embed": "hidden_size"},
    "falcon": {"n_embed": "hidden_size"},
    "mpt": {"num_attention_heads": "n_heads", "hidden_size": "d_model", "num_hidden_layers": "n_layers"},
    "gpt_oss": {"num_experts": "num_local_experts"},
    "mixtral": {"num_experts": "num_local_experts"},
    "deepseek_v2": {"num_experts": "n_routed_experts"},
    "deepseek_v3": _DEEPSEEK,
    "kimi_k2": _DEEPSEEK,
    "mistral4": _ROUTED,
    "solar_open": _ROUTED,
    "dots1": _ROUTED,
    "axk1": _ROUTED,
    "glm4_moe": _DEEPSEEK,
    "glm4_moe_lite": {**_ROUTED, "head_dim": "qk_rope_head_dim"},
    "qwen3_moe": _EXPERTS,
    "qwen3_vl_moe_text": _EXPERTS,
    "olmoe": _EXPERTS,
    "flex_olmo": _EXPERTS,
    "hy_v3": _EXPERTS,
    "ernie4_5_moe": {"num_experts": "moe_num_experts", "num_experts_per_tok": "moe_k"},
    "hunyuan_v1_moe": {"num_experts_per_tok": "moe_topk", "num_local_experts": "num_experts"},
    "minimax_m2": {"num_experts": "num_local_experts"},
    "t5": _T5,
    "mt5": _T5,
    "umt5": _T5,
    "bart": _BART,
    "mbart": _BART,
    "marian": _BART,
    **dict.fromkeys(("plbart", "blenderbot", "blenderbot-small", "pegasus", "m2m_100"), _BART),
    "whisper": {**_BART, "num_key_value_heads": "encoder_attention_heads"},
    "distilbert": {"hidden_size": "dim", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers"},
}
"""Of each family, the other names that its configuration class in transformers 5.24 takes for a field of its own.

The class sets its own fields first and the other names after them, in the order of the file: the last one wins.
"""


def chosen_names(family: str, values: Mapping[str, Any]) -> dict[str, str]:
    """Return the name by which a file says each field that the family has another name for, where it says it at all."""
    own = {field: field for field in SYNONYMS.get(family, {}).values() if values.get(field) is not None}
    given = {SYNONYMS[family][name]: name for name in values if name in SYNONYMS.get(family, {})}
    return own | {field: name for field, name in given.items() if values[name] is not None}


def contradictions(family: str, values: Mapping[str, Any]) -> list[str]:
    """Say which of two names that disagree is read."""
    chosen = chosen_names(family, values)
    return [
        f"{chosen[field]} {values[chosen[field]]} is read and {name} {values[name]} is not, as in the family's class"
        for other, field in SYNONYMS.get(family, {}).items()
        for name in (other, field)
        if name in values
        and field in chosen
        and name != chosen[field]
        and values[name] not in (None, values[chosen[field]])
    ]
