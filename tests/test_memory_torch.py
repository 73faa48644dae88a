"""Parameters and optimizers of real torch models, and what torch says of its fused attention, where it is installed."""

import json
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import golden
from peaks import made_by_backward, peak_of
from test_families import EXPERTS, build, inputs, loss_of

from tcost import evaluate, load_spec
from tcost.kinds import kind_of
from tcost.memory import measure
from tcost.tracing import Trace
from tcost.tracing.operations import activate, contract, look_up, normalise, rotate, softmax

torch: Any = pytest.importorskip("torch", reason="what is held is elements times bytes in test_memory.py, too")
pytest.importorskip("transformers", reason="likewise")

CASES = [case for case in golden("families") if case["batch"] == 1]

OPTIMIZERS: dict[str, Any] = {
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.1),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=0.1),
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.1),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["hf_class"])
def test_parameters_and_optimizer(case: dict[str, Any], tmp_path: Path) -> None:
    """Parameters and what each optimizer holds for them take the bytes of the tensors of a real model and optimizer.

    Adam holds a counter of its steps beside them, one number for each tensor of parameters. What the class registers
    and never uses is no parameter, and has no gradient.
    """
    path = tmp_path / "config.json"
    path.write_text(json.dumps(case["config"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = build(case)
        if model.config.model_type in EXPERTS:
            model.config._experts_implementation = "batched_mm"  # grouped experts refuse some widths
        out = model(**inputs(case, model.config))
        loss_of(out).backward()
    used = sum(map(size, model.parameters())) - 4 * case.get("without_use", 0)
    for optimizer, make in OPTIMIZERS.items():
        at_work = make(model.parameters())
        at_work.step()
        state = [tensors for tensors in at_work.state_dict()["state"].values() if tensors]
        held = sum(size(x) for tensors in state for name, x in tensors.items() if name != "step" and x is not None)
        counters = sum(size(tensors["step"]) for tensors in state if "step" in tensors)
        memory = measure(load_spec(path), "bp", "exact", optimizer=optimizer, context=case["context"])
        assert memory.of("parameters").bytes == used
        assert memory.of("optimizer").bytes == held
        assert counters == (4 * len(state) if optimizer.startswith("adam") else 0)


@pytest.mark.parametrize("case", golden("peaks"), ids=lambda case: case["name"])
def test_recorded_peaks(case: dict[str, Any]) -> None:
    """What the golden file has is what is alive at once here and now."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = build(case)
        assert peak_of(model, inputs(case, model.config)) == case["bytes"]


FULL_STEPS = [case for case in golden("peaks") if case["name"].endswith("one short sequence")]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("case", FULL_STEPS, ids=lambda case: case["name"])
def test_peaks_with_optimizers(case: dict[str, Any], optimizer: str, tmp_path: Path) -> None:
    """The peak of a step that an optimizer ends is that of a real one, its second, to the last byte.

    Adam's loop over the weights has the denominator of the one before, too, until it makes the next one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = build(case)
        at_work, given = OPTIMIZERS[optimizer](model.parameters()), inputs(case, model.config)
        model(**given).loss.backward()
        at_work.step()
        executed = peak_of(model, given, at_work)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(case["config"]))
    s = load_spec(path).at(case["context"], case["encoder_context"])
    memory = measure(s, "bp", "exact", batch=case["batch"], optimizer=optimizer)
    at, weights = memory.peak_moment, [0, *map(size, model.parameters())]
    assert at is not None
    before = max(before for before, weight in pairwise(weights) if weight == max(weights))
    assert executed == memory.peak.bytes + before * (at.phase == "optimizer_step")


ACTIVATIONS = ["gelu", "gelu_new", "quick_gelu", "relu", "relu2", "silu", "tanh", "sigmoid"]


@pytest.mark.parametrize("kind", [*ACTIVATIONS, "rms_norm", "frozen rms_norm", "rotary", "softmax"])
@pytest.mark.parametrize("width", [6, 10])
def test_what_passes(kind: str, width: int) -> None:
    """The backward of each function has alive what is said to pass, beside the gradients and what is kept."""
    from transformers.activations import ACT2FN
    from transformers.models.llama.modeling_llama import LlamaRMSNorm, apply_rotary_pos_emb

    rows, trace, values = 7, Trace(), torch.randn(1, 1, 7, width)
    x = look_up("token", trace.input("tokens", rows, 3), "q vocab -> q d", d=width)
    norm = LlamaRMSNorm(width)
    norm.weight.requires_grad_(not kind.startswith("frozen"))
    cosines, sines = torch.randn(1, rows, width), torch.randn(1, rows, width)
    with trace.training(frozenset() if kind.startswith("frozen") else None):
        if kind.endswith("rms_norm"):
            normalise("rms_norm", x, "norm")
            found = made_by_backward(norm, values, [norm.weight])
        elif kind == "rotary":
            rotate("rotary", x, width)
            found = made_by_backward(lambda y: apply_rotary_pos_emb(y, y, cosines, sines)[0], values, [cosines, sines])
        elif kind == "softmax":
            softmax(x)
            found = made_by_backward(lambda y: y.softmax(-1), values)
        else:
            activate(kind, x)
            found = made_by_backward(ACT2FN[kind], values)
    op = trace.ops[-1]
    assert found == 2 * op.elements + kind_of(op).passing(op) + (kind_of(op).parameters(op) if op.is_trained else 0)


@pytest.mark.parametrize("groups", [(2, 1), (2, 3), (1, 4)])
def test_what_passes_where_heads_share_keys(groups: tuple[int, int]) -> None:
    """The gradients of keys that query heads share are made for each of these, whether or not they were copied."""
    from transformers.models.llama.modeling_llama import repeat_kv

    (kv, g), rows, width = groups, 5, 4
    trace = Trace()
    k = look_up("token", trace.input("tokens", rows, 3), "k vocab -> kv k e", kv=kv, e=width)
    contract("scores", trace.input("q", kv, g, rows, width), k, "kv g q e, kv k e -> kv g q k")
    op, queries = trace.ops[-1], torch.randn(1, kv * g, rows, width)
    made = made_by_backward(
        lambda y: queries @ repeat_kv(y, g).transpose(2, 3), torch.randn(1, kv, rows, width), (queries,)
    )
    assert made == op.elements + k.elements + kind_of(op).passing(op)


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
