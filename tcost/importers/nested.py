"""Models of several inputs: the text part of their configuration, which is priced alone."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from tcost.errors import InputError


class Outer(NamedTuple):
    """What the class of a model of several inputs does with its text part."""

    family: str
    """The family of the text part where the part does not say."""
    ties: bool | Literal["inner"] | None
    """Whether the tables are tied where the outer field does not say; None: where either of the two fields says so;
    `inner`: where that of the text part does, whatever the outer one says."""


NESTED: Mapping[str, Outer] = {
    "clip": Outer("clip_text_model", ties="inner"),
    "deepseek_vl": Outer("llama", ties=True),
    "deepseek_vl_hybrid": Outer("llama", ties=True),
    "gemma3": Outer("gemma3_text", ties=True),
    "got_ocr2": Outer("qwen2", ties=True),
    "idefics2": Outer("mistral", ties=False),
    "idefics3": Outer("llama", ties=False),
    "internvl": Outer("qwen2", ties=True),
    "janus": Outer("llama", ties=True),
    "kimi_k25": Outer("deepseek_v3", ties=True),
    "lighton_ocr": Outer("qwen3", ties=True),
    "llama4": Outer("llama4_text", ties="inner"),
    "llava": Outer("llama", ties=None),
    "llava_next": Outer("llama", ties=False),
    "llava_next_video": Outer("llama", ties=None),
    "llava_onevision": Outer("qwen2", ties=None),
    "mistral3": Outer("mistral", ties=True),
    "ovis2": Outer("qwen2", ties=True),
    "paligemma": Outer("gemma", ties=True),
    "qianfan_ocr": Outer("qwen3", ties=False),
    "qwen2_5_vl": Outer("qwen2_5_vl_text", ties=None),
    "qwen2_vl": Outer("qwen2_vl_text", ties=None),
    "qwen3_vl": Outer("qwen3_vl_text", ties=False),
    "qwen3_vl_moe": Outer("qwen3_vl_moe_text", ties=False),
    "siglip": Outer("siglip_text_model", ties="inner"),
    "smolvlm": Outer("llama", ties=False),
    "video_llama_3": Outer("qwen2", ties=None),
    "video_llava": Outer("llama", ties=False),
    "vipllava": Outer("llama", ties=False),
}
"""The classes of transformers 5.24, by model_type."""

TIES = "tie_word_embeddings"
PASSED_ON = ("architectures", "_name_or_path")
"""Outer fields that a text part has from outside where it does not have them itself."""


def text_part(values: Mapping[str, Any], where: str, ties_by_family: Mapping[str, Any]) -> dict[str, Any]:
    """Return the text part of a model of several inputs, with the ties that its outer class makes.

    `ties_by_family` is what each family does where its own field is left out. Raises InputError for a model
    whose class is not known, where the two fields that say whether tables are tied do not agree.
    """
    kind, inner = values.get("model_type"), values["text_config"]
    outer = NESTED.get(kind) if isinstance(kind, str) else None
    part = {"model_type": outer.family if outer else None, **inner}
    part |= {name: values[name] for name in PASSED_ON if name in values and part.get(name) is None}
    if outer is None:
        do_agree = TIES in values and TIES in inner and values[TIES] is inner[TIES]
        if not do_agree and part["model_type"] in ties_by_family:  # else it is the family that is not known
            raise InputError(
                f"{where}: unknown model of several inputs '{kind}', whose class decides whether tables are tied\n"
                f"give '{TIES}' outside and in text_config alike, or text_config as a configuration of its own"
            )
        return part
    if outer.ties == "inner":
        return part
    given = values.get(TIES, outer.ties)
    if outer.ties is None and given in (None, False):
        given = inner.get(TIES, ties_by_family.get(str(part["model_type"])))
    part[TIES] = given  # what is no truth value is refused where it is read
    return part
