"""What is kept where something is frozen: what the classes of transformers keep, executed with torch's own hooks."""

import json
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import golden
from test_families import HAS_TORCH, build, inputs, saved, saved_by_flash
from test_memory import stored

from tcost import Sizes, load_spec
from tcost.models import trace_model
from tcost.sizes import Lora

CASES = golden("frozen")
PLACES = {"query": 0, "key": 1, "value": 2}
"""Where a projection stands in GPT-2's merged one."""


def name_of(case: dict[str, Any]) -> str:
    """Return what a case is called."""
    return f"{case['hf_class']}-{case['what']}-{case['batch']}"


def gains_plus_one(s: Sizes, _batch: int) -> int:
    """Return the elements of Gemma's gains, to which it adds one and keeps the sum, where inputs have a gradient."""
    norms = [op for op in trace_model(s).trace.ops if op.kind == "rms_norm" and op.gradients]
    return sum(op.columns * op.repeats for op in norms)


def of_merged(tensors: int) -> Callable[[Sizes, int], int]:
    """Return the elements of so many tensors of the first layer: parts of a merged projection need a gradient together.

    Where queries have an adapter, keys need a gradient, for which queries are kept; where values have one, queries,
    keys and the attention weights need theirs, for which keys, queries and values are kept.
    """
    return lambda s, batch: tensors * batch * s.context_length * s.d_model


OWN: Mapping[tuple[str, str], Callable[[Sizes, int], int]] = {
    **{("Gemma2ForCausalLM", what): gains_plus_one for what in {case["what"] for case in CASES}},
    ("GPT2LMHeadModel", "adapters"): of_merged(1),
    ("GPT2LMHeadModel", "value adapter"): of_merged(3),
}
"""What a class keeps of its own in eager attention, beyond what is counted."""


@pytest.mark.parametrize("attention", ["eager", "flash"])
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_what_frozen_classes_keep(case: dict[str, Any], attention: str, tmp_path: Path) -> None:
    """What was executed with frozen norms, adapters or trained layers is what is counted, element for element."""
    executed = case["saved"] if attention == "eager" else case["saved_flash"]
    path = tmp_path / "config.json"
    path.write_text(json.dumps(case["config"]))
    train = case["train"]
    trained = Lora(rank=train["rank"], targets=tuple(train["targets"])) if isinstance(train, dict) else tuple(train)
    s = replace(load_spec(path).at(case["context"], case["encoder_context"]), train=trained)
    own = OWN.get((case["hf_class"], case["what"])) if attention == "eager" else None
    found = stored(s, "bp", "exact", batch=case["batch"], attention=attention) + (own(s, case["batch"]) if own else 0)
    assert executed in (None, found)  # None: it has no fused attention, or gives it a mask


def adapted(base: Any, rank: int, parts: dict[int, int] | None = None) -> Any:
    """Return a module in the place of a projection: y = W x + B A x, of a merged one for the parts of that place."""
    import torch

    width, out = base.weight.shape if type(base).__name__ == "Conv1D" else reversed(base.weight.shape)
    widths = parts or {0: out}

    class Adapted(torch.nn.Module):  # type: ignore[misc]  # torch is no type where it is not installed
        def __init__(self) -> None:
            super().__init__()
            self.base = base
            self.lora_a = torch.nn.ModuleList(torch.nn.Linear(width, rank, bias=False) for _ in widths)
            self.lora_b = torch.nn.ModuleList(torch.nn.Linear(rank, n, bias=False) for n in widths.values())

        def forward(self, x: Any) -> Any:
            given = list(self.base(x).split(width, dim=-1)) if parts else [self.base(x)]
            for place, a, b in zip(widths, self.lora_a, self.lora_b, strict=True):
                given[place] = given[place] + b(a(x))
            return torch.cat(given, dim=-1) if parts else given[0]

    return Adapted()


def train_some(model: Any, case: dict[str, Any]) -> None:
    """Freeze all but what a case trains, and give it its adapters."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(bool(case["trained"] and re.search(case["trained"], name)))
    if isinstance(case["train"], dict):
        targets, rank = case["train"]["targets"], case["train"]["rank"]
        for name, module in list(model.named_modules()):
            parent, _, last = name.rpartition(".")
            if last in targets.values():
                merged = {PLACES[each]: model.config.hidden_size for each in targets} if last == "c_attn" else None
                setattr(model.get_submodule(parent), last, adapted(module, rank, merged))


def execute(case: dict[str, Any]) -> dict[str, int | None]:
    """Return what a class keeps, with eager and with fused attention."""
    model = build(case)
    train_some(model, case)
    given = inputs(case, model.config)
    return {"saved": saved(model, given), "saved_flash": saved_by_flash(model, given)}


@pytest.mark.skipif(not HAS_TORCH, reason="torch and transformers are missing: the golden file has what they kept")
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_recorded_frozen(case: dict[str, Any]) -> None:
    """What the golden file has is what the class keeps here and now."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = execute(case)
    assert found == {name: case[name] for name in found}
