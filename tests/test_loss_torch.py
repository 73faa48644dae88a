"""The loss against torch: what is alive at once in real steps whose loss is held, dropped, fused or in chunks."""

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import golden
from peaks import OWN, Storages, watch
from test_families import build, inputs

from tcost import Sizes, evaluate, load_spec, measure

torch: Any = pytest.importorskip("torch", reason="closed forms and executed steps are in test_loss.py, too")
pytest.importorskip("transformers", reason="likewise")

NAMES = (
    *("GPT-2", "GPT-2, one short sequence", "GPT-2, long", "Llama", "Llama, one short sequence"),
    *("Qwen2, one short sequence", "Gemma 2"),
)
CASES = {case["name"]: case for case in golden("peaks") if case["name"] in NAMES}
LOSSES = ("held", "dropped", "fused", "chunked:1", "chunked:2", "chunked:4", "chunked:8")

Step = Callable[[Any, Mapping[str, Any]], Any]
"""From a model and what it is given to what the caller holds until the end of the step: the loss, and maybe more."""


def in_place() -> Any:
    """Return a function of logits and targets that makes the gradient of its mean loss in the place of the logits.

    Row by row, as one kernel would; what it has of a row for a moment is not in memory, and is not counted.
    """

    class Fused(torch.autograd.Function):  # type: ignore[misc]  # torch is no type where it is not installed
        @staticmethod
        def forward(ctx: Any, logits: Any, targets: Any) -> Any:
            total = logits.new_zeros(())
            with torch.utils._python_dispatch._disable_current_modes():
                for row, target in zip(logits, targets, strict=True):
                    logs = torch.log_softmax(row, 0)
                    total -= logs[target] / len(targets)
                    row.copy_(logs.exp() / len(targets))
                    row[target] -= 1 / len(targets)
            ctx.save_for_backward(logits)
            return total

        @staticmethod
        def backward(ctx: Any, _gradient: Any) -> tuple[Any, None]:
            return ctx.saved_tensors[0], None

    return Fused.apply


def head(model: Any, x: Any) -> Any:
    """Return a model's logits."""
    logits, cap = model.lm_head(x), getattr(model.config, "final_logit_softcapping", None)
    return torch.tanh(logits / cap) * cap if cap else logits


def rows_and_targets(model: Any, given: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return what a model projects onto the vocabulary, row by row, and the word that is right for each."""
    x = model.base_model(**{name: value for name, value in given.items() if name != "labels"})[0]
    return x.view(-1, x.shape[-1]), given["labels"].flatten()


def chunked(chunks: int) -> Step:
    """Return a step whose logits are made, and made again, in so many chunks of rows."""

    def part(model: Any, rows: Any, targets: Any) -> Any:
        return torch.nn.functional.cross_entropy(head(model, rows), targets)

    def step(model: Any, given: Mapping[str, Any]) -> Any:
        x, targets = rows_and_targets(model, given)
        rows, total = list(x.chunk(chunks)), 0.0
        del x
        for wanted in targets.chunk(chunks):
            again = torch.utils.checkpoint.checkpoint(part, model, rows.pop(0), wanted, use_reentrant=False)
            total = total + again
        return (total / chunks,)

    return step


STEPS: Mapping[str, Step] = {
    "held": lambda model, given: model(**given),
    "dropped": lambda model, given: (model(**given).loss,),
    "fused": lambda model, given: (_fused(*rows_and_targets(model, given), model),),
    **{f"chunked:{chunks}": chunked(chunks) for chunks in (1, 2, 4, 8)},
}


def _fused(x: Any, targets: Any, model: Any) -> Any:
    logits = head(model, x)
    del x
    return in_place()(logits, targets)


def sizes_of(case: Mapping[str, Any], folder: Path) -> Sizes:
    """Return the sizes of a case's configuration."""
    path = folder / "config.json"
    path.write_text(json.dumps(case["config"]))
    return load_spec(path).at(case["context"])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", NAMES)
def test_peaks(name: str, loss: str, tmp_path: Path) -> None:
    """Every byte is predicted, but for the elements that Gemma 2 has of its own."""
    case = CASES[name]
    s, storages = sizes_of(case, tmp_path), Storages()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = build(case)
        given = inputs(case, model.config)
        for tensor in (*model.parameters(), *given.values()):
            storages.count(tensor)
        with watch(storages) as mode:
            held = STEPS[loss](model, given)
            mode.is_backward = True
            held[0].backward()
    own = OWN[name].elements(s, case["batch"]) if name in OWN else 0
    predicted = measure(s, "bp", "exact", batch=case["batch"], loss=loss).peak.bytes
    assert storages.peak == predicted + 4 * own


@pytest.mark.parametrize("loss", LOSSES)
def test_products(loss: str, tmp_path: Path) -> None:
    """Torch counts the products that are priced, those of chunks that are made again among them."""
    from torch.utils.flop_counter import FlopCounterMode

    case = CASES["Llama, one short sequence"]
    s = sizes_of(case, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = build(case)
        with FlopCounterMode(display=False) as counter:
            STEPS[loss](model, inputs(case, model.config))[0].backward()
    assert counter.get_total_flops() == evaluate(s, "bp", "torch", batch=case["batch"], loss=loss).totals.flop


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss not in ("held", "dropped")])
def test_losses_agree(loss: str) -> None:
    """What makes the gradient in place, or in chunks, has the loss of torch's own function and all its gradients."""
    case = CASES["Llama, one short sequence"]
    model = build(case).double()
    given = inputs(case, model.config)
    x, targets = rows_and_targets(model, given)
    expected = torch.nn.functional.cross_entropy(head(model, x), targets)
    (found,) = STEPS[loss](model, given)
    assert torch.allclose(found, expected)
    parameters = list(model.parameters())
    gradients = (torch.autograd.grad(loss, parameters) for loss in (found, expected))
    for ours, its in zip(*gradients, strict=True):
        assert torch.allclose(ours, its)
