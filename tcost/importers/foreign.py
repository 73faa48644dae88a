"""Files that stand beside a config.json, or come of other tools: what each is, and which file is wanted instead."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Foreign(NamedTuple):
    """A kind of file: what it is, which file is wanted, and the keys that tell it."""

    what: str
    wanted: str
    keys: tuple[str, ...]
    """Keys that are all there."""
    others: tuple[str, ...] = ()
    """Keys of which one is there, where it has any."""


BESIDE = "the config.json that stands beside it"
OF_THE_BASE = "the config.json of the model that it is for"
LLAMA = "a config.json of the converted model, or a spec: dim is d_model, n_layers is n_decoder_layers"

FOREIGN = (
    Foreign("the adapter_config.json of an adapter (PEFT)", f"{OF_THE_BASE}, base_model_name_or_path", ("peft_type",)),
    Foreign(
        "the index of a pipeline (model_index.json)",
        "a config.json of one of its text models",
        (),
        ("_diffusers_version",),
    ),
    Foreign("an index of weights (safetensors or PyTorch)", BESIDE, ("weight_map",)),
    Foreign("a quantize_config.json of GPTQ", BESIDE, ("bits", "group_size")),
    Foreign("a quant_config.json of AWQ", BESIDE, ("w_bit", "q_group_size")),
    Foreign("a configuration of DeepSpeed", OF_THE_BASE, (), ("zero_optimization", "train_micro_batch_size_per_gpu")),
    Foreign(
        "a configuration of axolotl",
        f"{OF_THE_BASE}, base_model",
        ("base_model",),
        ("datasets", "sequence_len", "micro_batch_size"),
    ),
    Foreign(
        "a model_config of litgpt",
        f"{OF_THE_BASE}, hf_config",
        (),
        ("n_query_groups", "mlp_class_name", "norm_class_name"),
    ),
    Foreign("keys of a GGUF file", "the config.json of the model before it was converted", ("general.architecture",)),
    Foreign(
        "the params.json of a Llama or Mistral of its makers",
        LLAMA,
        ("dim", "n_layers", "n_heads"),
        ("norm_eps", "multiple_of"),
    ),
    Foreign("a model of Keras", "the config.json of a checkpoint of Hugging Face", ("class_name", "config")),
    Foreign("a tokenizer_config.json", BESIDE, (), ("added_tokens_decoder", "clean_up_tokenization_spaces")),
    Foreign("a tokenizer_config.json", BESIDE, ("tokenizer_class", "model_max_length")),
    Foreign("a tokenizer.json", BESIDE, ("added_tokens", "model")),
    Foreign("a map of special tokens", BESIDE, (), ("additional_special_tokens",)),
    Foreign(
        "the configuration of a processor of images or sound",
        BESIDE,
        (),
        ("image_processor_type", "feature_extractor_type", "processor_class"),
    ),
    Foreign("a trainer_state.json", BESIDE, ("log_history",)),
    Foreign(
        "a configuration of sentence-transformers",
        BESIDE,
        (),
        ("do_lower_case", "word_embedding_dimension", "__version__"),
    ),
    Foreign(
        "a configuration of LLaMA-Factory",
        f"{OF_THE_BASE}, model_name_or_path",
        ("model_name_or_path",),
        ("finetuning_type", "stage"),
    ),
    Foreign("a generation_config.json", BESIDE, (), ("_from_model_config",)),
    Foreign("a generation_config.json", BESIDE, (), ("do_sample", "max_new_tokens", "bos_token_id", "eos_token_id")),
)
"""By the first row whose keys are there."""

GENERATION = "generation_config.json"


def foreign(values: Mapping[str, Any], *, has_sizes: bool) -> Foreign | None:
    """Return the kind of a file that is no configuration of a model, None for one that is not known.

    What has the sizes of a model is no generation_config.json, even where it says how to generate.
    """
    if "model_type" in values and "_diffusers_version" not in values:
        return None
    for row in FOREIGN:
        if all(key in values for key in row.keys) and (not row.others or any(key in values for key in row.others)):
            return None if has_sizes and GENERATION in row.what else row
    return None
