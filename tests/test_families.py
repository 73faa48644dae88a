"""The golden file of families, executed anew by FlopCounterMode on the classes of transformers."""

import os
import warnings
from importlib.util import find_spec
from typing import Any

import pytest
from conftest import golden

from tcost.importers.experts import EXPERTS as EXPERT_FAMILIES
from tcost.importers.images import IMAGES

HAS_TORCH = bool(find_spec("torch") and find_spec("transformers"))
CASES = golden("families")
INSIDE = {
    *("qwen2_vl", "qwen2_vl_text", "qwen2_5_vl", "qwen2_5_vl_text", "qwen3_vl_text", "qwen3_vl_moe_text"),
}
"""Families that are text parts alone: tests/golden/nested*.json have them."""
EXPERTS = {*EXPERT_FAMILIES} - {"minicpm3"}


def inputs(case: dict[str, Any], config: Any) -> dict[str, Any]:
    """Return what a training step calls the class with: zeros, and no padding."""
    import torch

    batch, rows, name = case["batch"], case["context"], case["hf_class"]
    if config.model_type in IMAGES and not config.model_type.endswith("text_model"):
        pixels = {"pixel_values": torch.zeros(batch, config.num_channels, config.image_size, config.image_size)}
        has_loss = name.endswith("ForImageClassification")
        return {**pixels, "labels": torch.zeros(batch, dtype=torch.long)} if has_loss else pixels
    words = torch.zeros(batch, rows, dtype=torch.long)
    if config.model_type in IMAGES:
        return {"input_ids": words}
    if config.model_type == "whisper":
        audio = torch.zeros(batch, config.num_mel_bins, 2 * config.max_source_positions)
        return {"input_features": audio, "decoder_input_ids": words, "labels": words}
    read = torch.zeros(batch, case["encoder_context"] or rows, dtype=torch.long)
    labels = torch.zeros(batch, dtype=torch.long) if name.endswith("ForSequenceClassification") else words
    labels = labels.float() if name == "ElectraForPreTraining" else labels
    return {"input_ids": read, "attention_mask": torch.ones_like(read), "labels": labels}


def counted(model: Any, given: dict[str, Any]) -> tuple[int, int]:
    """Return the FLOPs of a forward and a backward."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as forward:
        out = model(**given)
    loss = loss_of(out)
    with FlopCounterMode(display=False) as backward:
        loss.backward()
    return forward.get_total_flops(), backward.get_total_flops()


def loss_of(out: Any) -> Any:
    """Return the loss of what a class gives; of one without a loss, the sum of its outputs."""
    if getattr(out, "loss", None) is None:
        return sum(each.sum() for each in out.values() if each.requires_grad)
    # Some losses are no sum of logits that autograd can take back over zeros alone.
    return out.loss if out.loss.requires_grad else out.logits.sum()


def saved(model: Any, given: dict[str, Any]) -> int:
    """Return the elements that a forward pass keeps for the backward: of its own, each memory once."""
    import torch

    own = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers())}
    found: dict[int, Any] = {}

    def keep(tensor: Any) -> Any:
        if tensor.is_floating_point() and tensor.untyped_storage().data_ptr() not in own:
            found[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = model(**given)  # holds what it keeps until that is counted
    elements = sum(int(storage.nbytes()) // 4 for storage in found.values())
    del out
    return elements


def saved_by_flash(model: Any, given: dict[str, Any]) -> int | None:
    """Return the same with fused attention, None where the class has none or gives it a mask."""
    from torch.utils._python_dispatch import TorchDispatchMode

    masked: list[bool] = []

    class Kernels(TorchDispatchMode):  # type: ignore[misc]  # torch is no type where it is not installed
        def __torch_dispatch__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if "scaled_dot_product_flash_attention_for_cpu" in str(function):
                masked.append((kwargs or {}).get("attn_mask") is not None)
            return function(*args, **(kwargs or {}))

    try:
        model.set_attn_implementation("sdpa")
    except ValueError:
        return None
    with Kernels():
        model(**given)
    found = saved(model, given) if masked and not any(masked) else None
    model.set_attn_implementation("eager")
    return found


def class_of(family: str) -> str:
    """Return the family whose class in transformers a family has: its own, in most."""
    return {"kimi_k2": "deepseek_v3", "internlm3": "llama"}.get(family, family)


def build(case: dict[str, Any]) -> Any:
    """Return a class with eager attention, built at a case's configuration."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import transformers

    transformers.utils.logging.set_verbosity_error()
    values = {key: value for key, value in case["config"].items() if key not in ("model_type", "architectures")}
    # The default numbers of special tokens lie outside a small vocabulary.
    tokens = dict.fromkeys(("decoder_start_token_id", "bos_token_id", "eos_token_id"), 0) | {"pad_token_id": 1}
    config = transformers.CONFIG_MAPPING[class_of(case["config"]["model_type"])](**(tokens | values))
    config._attn_implementation, config.use_cache = "eager", False  # fused attention reports no FLOPs
    return getattr(transformers, case["hf_class"])(config).eval()


def execute(case: dict[str, Any]) -> dict[str, int | None]:
    """Return the FLOPs of each phase, the parameters and what is kept of a class, built at a case's configuration.

    Gradients of weights are what the backward executes less once the matrices are frozen.
    """
    import torch

    model = build(case)
    config, given = model.config, inputs(case, model.config)
    kept: dict[str, int | None] = {"saved": None, "saved_flash": None}
    if case["saved"] is not None:  # grouped experts refuse the widths of the other cases
        kept = {"saved": saved(model, given), "saved_flash": saved_by_flash(model, given)}
    if config.model_type in EXPERTS:
        config._experts_implementation = "batched_mm"  # grouped experts report no FLOPs
    forward, backward = counted(model, given)
    for parameter in model.parameters():
        is_row = parameter.dim() != 2 and parameter.numel() == parameter.shape[-1]  # no matrix
        parameter.requires_grad_(is_row)
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding):
            module.register_forward_hook(lambda _module, _inputs, y: y if y.requires_grad else y.requires_grad_())
    _, activations = counted(model, given)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {
        "parameters": parameters,
        "forward": forward,
        "backward": activations,
        "weight_update": backward - activations,
        **kept,
    }


@pytest.mark.skipif(not HAS_TORCH, reason="torch and transformers are missing: test_torch.py has what they counted")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['hf_class']}-{case['batch']}")
def test_recorded_families(case: dict[str, Any]) -> None:
    """What the golden file has is what the class executes here and now."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = execute(case)
    unexplained = {name for name in ("saved", "saved_flash") if case[name] is None}
    assert {name: found[name] for name in found.keys() - unexplained} == {
        name: case[name] for name in found.keys() - unexplained
    }
