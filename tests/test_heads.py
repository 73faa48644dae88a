"""Heads and bare models: what tcost says of each class is what the class executed."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import golden

from tcost import InputError, evaluate, load_spec
from tcost.importers import import_config
from tcost.spec import ModelSpec

CASES = golden("heads")
FORMS = ("config", "config_saved")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["hf_class"])
def test_executed_heads(case: dict[str, Any], form: str, tmp_path: Path) -> None:
    """Parameters without those that never run, forward and step are the class's, in both forms of its file."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(case[form]))
    spec = load_spec(path)
    reads_tokens, is_double = spec.encoder_input == "tokens", spec.n_encoder_layers and spec.n_decoder_layers
    lengths: dict[str, Any] = {
        "context": case["context"] if reads_tokens or is_double else None,
        "encoder_context": case["encoder_context"] if reads_tokens and is_double else None,
    }
    result = evaluate(spec, convention="torch", batch=case["batch"] * case.get("choices", 1), **lengths)
    found = (result.totals.parameters, result.phases["forward"].flop, result.totals.flop)
    assert found == (case["parameters"] - case["without_use"], case["forward"], case["step"])


def test_another_head_than_the_file_names() -> None:
    """A head that is asked for wins over the file's, by the name of its class or by what that ends in."""
    config = next(case["config"] for case in CASES if case["hf_class"] == "LlamaModel")
    kinds = {"LlamaForCausalLM": "vocabulary", "ForQuestionAnswering": "token_classifier", "Model": "none"}
    for name, head in kinds.items():
        spec = import_config(json.dumps(config), "c.json", head=name).spec
        assert ModelSpec.model_validate(spec).head == head
    with pytest.raises(InputError, match="architecture ForDreaming is not understood"):
        import_config(json.dumps(config), "c.json", head="ForDreaming")


@pytest.mark.parametrize("labels", [{"num_labels": 3}, {"id2label": {"0": "a"}}])
def test_a_span_has_two_labels(labels: dict[str, Any]) -> None:
    """A class whose scores are as many as its labels runs with two of them alone; others have two all the same."""
    bert = next(case["config"] for case in CASES if case["hf_class"] == "BertForQuestionAnswering")
    with pytest.raises(InputError, match="expected two labels, a start and an end"):
        import_config(json.dumps(bert | labels), "c.json")
    llama = next(case["config"] for case in CASES if case["hf_class"] == "LlamaForQuestionAnswering")
    assert import_config(json.dumps(llama | labels), "c.json").spec["n_classes"] == 2


@pytest.mark.parametrize("algo", ["pepita", "mempepita"])
def test_a_bare_model_has_no_error(algo: str) -> None:
    """What ends in its last hidden state has no probabilities, whose error PEPITA projects."""
    config = next(case["config"] for case in CASES if case["hf_class"] == "LlamaModel")
    with pytest.raises(InputError, match="ends in its last hidden state and has no loss, whose error"):
        evaluate(ModelSpec.model_validate(import_config(json.dumps(config), "c.json").spec), algo)
