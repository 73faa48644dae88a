"""Fields of configurations that change no count: by their names, by their values, or as they say what was derived."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

NO_EFFECT = frozenset(
    (
        *("architectures", "model_type", "transformers_version", "_name_or_path", "name_or_path", "_commit_hash"),
        *("auto_map", "language", "license", "torch_dtype", "dtype", "use_bfloat16"),
        *("attn_implementation", "_attn_implementation", "_attn_implementation_autoset"),
        *("experts_implementation", "_experts_implementation", "cache_implementation"),
        *("bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id", "sep_token_id", "cls_token_id"),
        *("mask_token_id", "n_ctx", "chunk_size_feed_forward"),
        *("decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id", "bad_words_ids", "suppress_tokens"),
        *("begin_suppress_tokens", "forced_decoder_ids", "prefix", "task_specific_params", "tokenizer_class"),
        *("max_length", "min_length", "num_beams", "num_beam_groups", "early_stopping", "no_repeat_ngram_size"),
        *("length_penalty", "repetition_penalty", "temperature", "top_k", "top_p", "typical_p", "do_sample"),
        *("encoder_no_repeat_ngram_size", "diversity_penalty", "num_return_sequences", "remove_invalid_values"),
        *("exponential_decay_length_penalty", "return_dict_in_generate", "output_scores", "renormalize_logits"),
        *("dropout", "attention_dropout", "activation_dropout", "hidden_dropout", "hidden_dropout_prob"),
        *("attention_probs_dropout_prob", "resid_pdrop", "embd_pdrop", "attn_pdrop", "emb_pdrop", "dropout_rate"),
        *("classifier_dropout", "classif_dropout", "layerdrop", "encoder_layerdrop", "decoder_layerdrop", "qa_dropout"),
        *("seq_classif_dropout", "summary_first_dropout", "summary_last_dropout", "classifier_dropout_prob"),
        *("ffn_dropout", "classifier_dropout_rate", "embedding_dropout", "embed_dropout"),
        *("summary_type", "summary_use_proj", "summary_activation", "summary_proj_to_labels"),
        *("layer_norm_epsilon", "layer_norm_eps", "rms_norm_eps", "norm_eps", "initializer_range", "init_std"),
        *("initializer_factor", "init_device", "use_cache", "gradient_checkpointing", "return_dict", "torchscript"),
        *("output_attentions", "output_hidden_states", "output_past", "tf_legacy_loss", "verbose", "save_step"),
        *("problem_type", "finetuning_task", "id2label", "label2id", "num_labels", "_num_labels", "pretraining_tp"),
        *("rope_theta", "rotary_emb_base", "rope_local_base_freq", "original_max_position_embeddings"),
        *("router_aux_loss_coef", "output_router_logits", "router_jitter_noise", "aux_loss_alpha", "seq_aux"),
        *("attn_softmax_bf16", "attention_softmax_in_fp32", "masked_softmax_fusion"),
        *("bias_dropout_fusion", "skip_bias_add", "skip_bias_add_qkv", "slow_but_exact", "offset_alibi", "seq_length"),
        *("use_flash_attn", "flash_attn", "fused_dense"),
    )
)
"""Fields that change no count: tokens, dropout, generation, initialisation, precision, bookkeeping."""

ANY: Any = object()
"""Any value."""

BOOKKEEPING: Mapping[str, tuple[Any, ...]] = {
    # Of training and tooling, whatever they say.
    **dict.fromkeys(
        (
            *(
                "unsloth_*",
                "*.js_config",
                "*_dropout",
                "*_dropout_prob",
                "*_dropout_rate",
                "*_token_id",
                "*_token_index",
            ),
            *("*_coef", "*_eps", "*_init_std", "initializer_*", "is_decoder", "sequence_parallel_enabled"),
            *("selective_checkpoint_enabled", "move_model_to_device", "use_flash_attention", "use_flash_attention_2"),
            *("force_bos_token_to_be_generated", "replacing_rate", "tokenizer_name", "tokenizer_name_or_path"),
            *("init_config", "tie_weights_", "max_sequence_length", "model_max_length", "tokenizer_model_max_length"),
            *("tokenizer_padding_side", "vocab_file", "hf_quant_config", "ignore_keys_at_rope_validation"),
            *("add_bos_token", "add_eos_token", "padding_side", "rope_interleaved", "is_llama_config", "model_name"),
            *(
                "base_model",
                "task_type",
                "adapter_fusion",
                "_flash_attn_2_enabled",
                "use_flash_attn_2",
                "fp32_attention",
            ),
            *("label_smoothing", "mlm_probability", "gradient_checkpointing_kwargs", "classifier_activation"),
            *("world_size", "tensor_parallel_size", "kv_cache_dtype", "compute_dtype", "params_dtype"),
        ),
        (ANY,),
    ),
    # What must be as the class has it.
    "use_mrope": (False,),
    "full_attn_mod": (1,),
    "interpolate_factor": (1,),
    "lm_head_bias": (False,),
    "layers_to_keep": ([],),
    "moe_frequency": (1,),
    "add_cross_attention": (False,),
    "use_parallel_attention": (False,),
    "sandwich_norm": (False,),
}
"""Fields, or forms of their names, that no class reads, and the values with which they change nothing."""

SAYS: Mapping[str, tuple[str, ...]] = {
    "d_model": ("hidden_size", "d_model", "n_embd", "n_embed", "dim", "emb_size", "emb_dim", "embed_dim"),
    "n_heads": ("num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads", "decoder_attention_heads"),
    "n_kv_heads": ("num_key_value_heads", "n_kv_heads", "num_kv_heads", "n_head_kv", "num_query_groups"),
    "d_head": ("head_dim", "head_size", "kv_channels", "d_kv", "attention_head_dim", "attention_head_size"),
    "d_ff": ("intermediate_size", "ffn_dim", "n_inner", "ffn_hidden_size", "hidden_dim", "d_ff", "feedforward_size"),
    "n_layers": ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_decoder_layers", "encoder_layers"),
    "vocab_size": ("n_vocab", "padded_vocab_size", "vocabulary_size", "embedding_vocab_size"),
    "n_experts": ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"),
}
"""Names that other families have for what was derived."""


def is_harmless(name: str, value: Any, spec: Mapping[str, Any], defaults: Mapping[str, Any]) -> bool:
    """Tell a field that a family's reader did not read, and that changes no count, from one that may.

    It is null; or as the family's class has it by default; or, where that class does not know it, false, empty, zero,
    known as bookkeeping with such a value, or what was derived of the other fields in other words.
    """
    if value is None or (name in defaults and _is_same(defaults[name], value)):
        return True
    rows = [allowed for form, allowed in BOOKKEEPING.items() if fnmatchcase(name, form)]
    if any(each is ANY or _is_same(each, value) for allowed in rows for each in allowed):
        return True
    if not value:
        return not defaults.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return any(name in names and value == _derived(key, spec) for key, names in SAYS.items())
    return False


def _is_same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _derived(key: str, spec: Mapping[str, Any]) -> Any:
    """Return a size of a spec, None where it has none or two of them."""
    if key == "n_layers":
        depths = {spec.get("n_encoder_layers"), spec.get("n_decoder_layers")} - {0, None}
        return depths.pop() if len(depths) == 1 else None
    if key == "n_experts":
        return spec.get("experts", {}).get(key)
    if key == "n_kv_heads":
        return spec.get(key, spec.get("n_heads"))
    if key == "d_head" and "latent_attention" not in spec and key not in spec:
        width, heads = spec.get("d_model", 0), spec.get("n_heads", 1)
        return None if width % heads else width // heads
    return spec.get(key)
