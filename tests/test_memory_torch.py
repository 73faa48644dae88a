"""Parameters and optimizers of real torch models, and what torch says of its fused attention, where it is installed."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from conftest import golden
from test_families import build, inputs

from tcost import evaluate, load_spec
from tcost.memory import measure

torch: Any = pytest.importorskip("torch", reason="what is held is elements times bytes in test_memory.py, too")
pytest.importorskip("transformers", reason="likewise")

CASES = [case for case in golden("families") if case["batch"] == 1]

OPTIMIZERS = {
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.1),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=0.1),
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.1),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["hf_class"])
def test_parameters_and_optimizer(case: dict[str, Any], optimizer: str, tmp_path: Path) -> None:
    """Parameters and what the optimizer holds for them take the bytes of the tensors of a real model and optimizer.

    Adam holds a counter of its steps beside them, one number for each tensor of parameters.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = build(case)
        at_work = OPTIMIZERS[optimizer](model.parameters())
        out = model(**inputs(case, model.config))
        (out.loss if out.loss.requires_grad else out.logits.sum()).backward()
        at_work.step()
    state = [tensors for tensors in at_work.state_dict()["state"].values() if tensors]
    held = sum(size(x) for tensors in state for name, x in tensors.items() if name != "step" and x is not None)
    counters = sum(size(tensors["step"]) for tensors in state if "step" in tensors)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(case["config"]))
    memory = measure(load_spec(path), "bp", "exact", optimizer=optimizer, context=case["context"])
    assert memory.of("parameters").bytes == sum(map(size, model.parameters()))
    assert memory.of("optimizer").bytes == held
    assert counters == (4 * len(state) if optimizer.startswith("adam") else 0)


def size(tensor: Any) -> int:
    """Return the bytes of a tensor."""
    return int(tensor.numel() * tensor.element_size())


@pytest.mark.parametrize("name", ["gpt2", "bert-base", "bart-base", "llama-2-7b"])
def test_flops_of_fused_attention(name: str) -> None:
    """Under convention torch fused attention has the FLOPs that torch states for its kernel, forward and backward."""
    from torch.utils.flop_counter import sdpa_backward_flop_count, sdpa_flop_count

    s, batch = load_spec(name).at(128), 2
    found = evaluate(s, "bp", "torch", attention="flash", batch=batch)
    products = [row for row in found.rows if row.operation in ("scores", "context")]
    attentions = [(s.n_decoder_layers, s.context_length, s.context_length)]
    if s.n_encoder_layers:
        read = s.encoder_context_length or s.context_length
        attentions += [(s.n_encoder_layers, read, read), (s.n_decoder_layers, s.context_length, read)]
    forward = backward = 0
    for depth, queries, keys in attentions:
        q, k = (batch, s.n_heads, queries, s.d_head), (batch, s.n_heads, keys, s.d_head)
        forward += depth * sdpa_flop_count(q, k, k)
        backward += depth * sdpa_backward_flop_count(q, q, k, k)
    assert sum(row.flop for row in products if row.phase == "forward") == forward
    assert sum(row.flop for row in products if row.phase in ("backward", "recomputed_forward")) == backward
