"""Configurations from the field that were priced wrong or refused in the wrong words, with what is right."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import golden

from tcost import InputError, evaluate, load_spec
from tcost.importers import Imported, import_config
from tcost.importers.images import IMAGES
from tcost.importers.nested import NESTED
from tcost.memory import measure
from tcost.spec import ModelSpec, import_spec_from, parse_spec

FIELD = golden("field")
TIES = golden("nested_ties")
BERT = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96, "vocab_size": 100}
LLAMA = {"model_type": "llama", **BERT, "max_position_embeddings": 64}


def read(config: dict[str, Any]) -> Imported:
    """Import a configuration."""
    return import_config(json.dumps(config), "c.json")


def spec_of(config: dict[str, Any]) -> ModelSpec:
    """Return the spec that a configuration becomes."""
    return ModelSpec.model_validate(read(config).spec)


@pytest.mark.parametrize("case", FIELD, ids=lambda case: case["name"])
def test_cases(case: dict[str, Any], tmp_path: Path) -> None:
    """Parameters, FLOPs of each phase and what is kept for the backward are those that were executed."""
    path, expected = tmp_path / "config.json", case["expected"]
    path.write_text(json.dumps(case["config"]))
    lengths = {"context": case["context"], "encoder_context": case["encoder_context"], "batch": case["batch"]}
    result = evaluate(load_spec(path), convention="torch", **lengths)
    flops = {phase: cost.flop for phase, cost in result.phases.items()}
    found = {
        "parameters": result.totals.parameters,
        "forward": flops["forward"],
        "backward": flops["backward"] + flops["weight_update"],
        "step": result.totals.flop,
        "saved": measure(load_spec(path), "bp", "exact", **lengths).of("stored_activations").elements
        - case.get("kept_otherwise", 0),
    }
    assert {name: found[name] for name in expected if name in found} == {
        name: value for name, value in expected.items() if name in found
    }


NOTES: dict[str, tuple[tuple[str, ...], Callable[[ModelSpec], int]]] = {
    "a fourth table": (
        ("bart", "mbart", "marian", "plbart", "blenderbot", "blenderbot-small", "pegasus", "m2m_100"),
        lambda spec: spec.vocab_size * spec.d_model,
    ),
    "a second bias": (
        (
            *("bert", "albert", "ernie", "nomic_bert", "roberta", "xlm-roberta", "xlm-roberta-xl"),
            *("camembert", "data2vec-text", "roberta-prelayernorm"),
        ),
        lambda spec: spec.vocab_size,
    ),
}
"""What is not counted, of which families, and how much it is."""


@pytest.mark.parametrize("said", NOTES)
@pytest.mark.parametrize("case", golden("families"), ids=lambda case: case["hf_class"])
@pytest.mark.parametrize("is_tied", [True, False])
def test_what_a_class_never_runs(said: str, case: dict[str, Any], *, is_tied: bool) -> None:
    """What a class registers beside the checkpoint is in a note, with its size, where tables are not tied."""
    families, size = NOTES[said]
    config = case["config"]
    if config["model_type"] in {*IMAGES, "rembert"}:  # a RemBERT that is tied is narrow at both ends
        return
    config = config | {"tie_word_embeddings": is_tied}
    imported = read(config)
    notes = [note for note in imported.notes if said in note]
    is_language = "ForSequence" not in case["hf_class"] and "ForToken" not in case["hf_class"]
    is_shared = config.get("share_encoder_decoder_embeddings", True)
    applies = config["model_type"] in families and not is_tied and is_language and is_shared
    assert len(notes) == applies
    assert all(f"{size(ModelSpec.model_validate(imported.spec))} parameters" in note for note in notes)


@pytest.mark.parametrize("family", ["t5", "mt5"])
@pytest.mark.parametrize("is_tied", [True, False])
def test_a_fresh_t5_is_tied(family: str, *, is_tied: bool) -> None:
    """An untied T5 is priced as its checkpoint, with a note that a class built anew ties it."""
    case = next(case for case in golden("families") if case["config"]["model_type"] == family)
    imported = read(case["config"] | {"tie_word_embeddings": is_tied})
    assert any("a class of transformers 5 that is built anew ties" in note for note in imported.notes) is not is_tied
    tied = case["parameters"]
    table = imported.spec["vocab_size"] * imported.spec["d_model"]
    found = evaluate(ModelSpec.model_validate(imported.spec), convention="torch").totals.parameters
    assert found == (tied if is_tied else tied + table)


@pytest.mark.parametrize("case", TIES, ids=lambda case: case["model_type"])
def test_ties_of_models_of_several_inputs(case: dict[str, Any]) -> None:
    """The outer class decides whether the tables of its text part are tied."""
    spec = spec_of(case["config"])
    assert spec.tie_embeddings is case["tied"]
    assert evaluate(spec, convention="torch").totals.parameters == case["parameters_text_part"]


def test_every_outer_class_that_was_executed_is_read() -> None:
    """There is no model of several inputs in the golden file that is not read."""
    assert {case["model_type"] for case in TIES} <= NESTED.keys()


def test_an_unknown_outer_class() -> None:
    """Of a class that is not known the two fields must agree."""
    part = {**LLAMA, "tie_word_embeddings": True}
    both = {"model_type": "newvlm", "tie_word_embeddings": True, "text_config": part}
    assert spec_of(both).tie_embeddings
    with pytest.raises(InputError, match="unknown model_type 'newtext'"):
        read({"model_type": "newvlm", "text_config": {"model_type": "newtext"}})
    for config in ({**both, "tie_word_embeddings": False}, {"model_type": "newvlm", "text_config": part}):
        with pytest.raises(InputError) as error:
            read(config)
        first, second = str(error.value).split("\n")
        assert "unknown model of several inputs 'newvlm'" in first
        assert "text_config as a configuration of its own" in second


def test_no_soft_cap_of_logits_outside_the_language_model() -> None:
    """The class of a model of several inputs applies none to the logits of its Gemma, and the note says so."""
    gemma = next(case["config"] for case in golden("families") if case["config"]["model_type"] == "gemma2")
    assert spec_of(gemma).logit_softcap
    whole = {"model_type": "paligemma", "text_config": gemma}
    assert not spec_of(whole).logit_softcap
    assert spec_of(whole).attention_softcap
    assert "final_logit_softcapping is not used" in " ".join(read(whole).notes)


T5 = {"model_type": "t5", "d_model": 64, "d_kv": 16, "d_ff": 128, "num_layers": 2, "num_heads": 4, "vocab_size": 100}


@pytest.mark.parametrize(
    ("fields", "activation", "is_gated"),
    [
        ({}, "relu", False),
        ({"feed_forward_proj": "gated-gelu"}, "gelu_new", True),
        ({"feed_forward_proj": "gated-silu"}, "silu", True),
        ({"is_gated_act": True}, "relu", True),
        ({"dense_act_fn": "gelu_new"}, "gelu_new", False),
        ({"feed_forward_proj": "gated-gelu", "is_gated_act": False}, "gelu_new", False),
        ({"feed_forward_proj": "gated-gelu", "dense_act_fn": "gelu"}, "gelu", True),
        ({"feed_forward_proj": "relu", "is_gated_act": True, "dense_act_fn": "silu"}, "silu", True),
    ],
)
def test_the_gate_of_t5(fields: dict[str, Any], activation: str, *, is_gated: bool) -> None:
    """T5Config sets two fields of the one that says both, and then takes those of the file."""
    spec = spec_of(T5 | fields)
    assert (spec.activation, spec.ffn_gated) == (activation, is_gated)


@pytest.mark.parametrize(
    ("config", "key", "value"),
    [
        ({"model_type": "bloom", "hidden_size": 32, "n_embed": 64, "n_layer": 2, "n_head": 4}, "d_model", 64),
        ({"model_type": "bloom", "hidden_size": 32, "n_embed": None, "n_layer": 2, "n_head": 4}, "d_model", 32),
        ({"model_type": "gpt2", "n_embd": 32, "hidden_size": 64, "n_head": 4}, "d_model", 64),
        ({"model_type": "gpt2", "num_hidden_layers": 3, "n_layer": 2}, "n_decoder_layers", 3),
        ({"model_type": "gpt2", "max_position_embeddings": 3, "n_positions": 2}, "n_positions", 3),
        ({"model_type": "falcon", "hidden_size": 142, "n_embed": 284}, "d_model", 284),
        ({"model_type": "bart", "num_hidden_layers": 3, "encoder_layers": 2}, "n_encoder_layers", 3),
        ({"model_type": "bart", "num_attention_heads": 2, "encoder_attention_heads": 4}, "encoder_n_heads", 2),
        ({"model_type": "distilbert", "hidden_size": 24, "dim": 48}, "d_model", 24),
        ({**T5, "num_hidden_layers": 3, "num_decoder_layers": 2}, "n_encoder_layers", 3),
        ({**T5, "head_dim": 8}, "d_head", 8),
    ],
)
def test_two_names_of_one_field(config: dict[str, Any], key: str, value: int) -> None:
    """Where a file says one field by two names, the one that its class takes is read, and the note names both."""
    imported = read(config)
    assert imported.spec[key] == value
    said = [note for note in imported.notes if f" {value} is read and " in note]
    assert len(said) == (config.get("n_embed", 0) is not None)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({**T5, "num_hidden_layers": 3}, "field 'num_decoder_layers' is missing\nit does not follow from num_hidden"),
        ({**LLAMA, "n_embd": 64}, "not understood: n_embd"),
        ({**LLAMA, "is_encoder_decoder": True}, "field 'is_encoder_decoder' is True\nexpected False, which follows"),
        ({**T5, "is_encoder_decoder": False}, "field 'is_encoder_decoder' is False\nexpected True, which follows"),
        ({**LLAMA, "pruned_heads": {"1": [0]}}, "field 'pruned_heads' is {'1': [0]}\nexpected {} or None"),
        ({**T5, "tie_encoder_decoder": True}, "field 'tie_encoder_decoder' is True\nexpected False"),
        ({**LLAMA, "cross_attention_hidden_size": 8}, "field 'cross_attention_hidden_size' is 8"),
        ({**LLAMA, "partial_rotary_factor": 0.5}, "field 'partial_rotary_factor' is 0.5\nexpected 1.0: the family's"),
        ({"model_type": "falcon", "n_layer": 3}, "field 'n_layer' is 3\nexpected 32, which follows"),
        ({"model_type": "falcon", "n_head": 3}, "field 'n_head' is 3\nexpected 71, which follows"),
        ({"model_type": "gptj", "rotary": False}, "field 'rotary' is False\nexpected True, which follows"),
        ({"model_type": "mpt", "norm_type": "rmsnorm"}, "field 'norm_type' is 'rmsnorm'"),
        ({"model_type": "bart", "static_position_embeddings": True}, "field 'static_position_embeddings' is True"),
        ({"model_type": "marian", "decoder_vocab_size": 9}, "field 'decoder_vocab_size' is 9\nexpected 58101"),
        ({"model_type": "vit", "architectures": ["ViTModel"], "pooler_output_size": 9}, "'pooler_output_size' is 9"),
        (
            {"model_type": "gemma", **BERT, "num_key_value_heads": 4, "hidden_activation": "relu"},
            "expected another word for gelu_tanh",
        ),
    ],
)
def test_what_does_not_agree(config: dict[str, Any], message: str) -> None:
    """A field that the class does not read may only say what was read; the message has two lines."""
    with pytest.raises(InputError) as error:
        read(config)
    assert message in str(error.value)
    assert str(error.value).count("\n") == 1


@pytest.mark.parametrize("family", ["llama", "gemma", "olmo2"])
def test_a_window_that_no_class_has(family: str) -> None:
    """A window is not read where the family's class has none, and the note says so."""
    imported = read({**LLAMA, "num_key_value_heads": 4, "model_type": family, "sliding_window": 8})
    assert "sliding_window" not in imported.spec
    assert "sliding_window 8 is not used: the family's class attends to every row before" in imported.notes
    unused = {"num_key_value_heads": 4, "sliding_window": 8, "use_sliding_window": False}
    assert not read({**LLAMA, "model_type": family, **unused}).notes


def test_quantization_is_said() -> None:
    """Parameters are counted before quantization, which the note says."""
    assert any(
        "before they are quantized" in note for note in read({**LLAMA, "quantization_config": {"bits": 4}}).notes
    )
    assert read(LLAMA).notes == ()


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ({}, 2),
        ({"id2label": {"0": "a", "1": "b", "2": "c"}}, 3),
        ({"num_labels": 4}, 4),
        ({"num_labels": 4, "id2label": {"0": "a"}}, 4),
    ],
)
def test_labels(labels: dict[str, Any], classes: int) -> None:
    """The number of labels wins over their names, as in the configuration class."""
    config = {"model_type": "bert", "architectures": ["BertForSequenceClassification"], **BERT, **labels}
    assert spec_of(config).n_classes == classes


@pytest.mark.parametrize(
    ("family", "architecture", "inside", "head", "pooler"),
    [
        ("roberta", "RobertaForMaskedLM", "relu", "gelu", "none"),
        ("electra", "ElectraForMaskedLM", "relu", "gelu", "none"),
        ("bert", "BertForMaskedLM", "relu", None, "none"),
        ("albert", "AlbertForMaskedLM", "relu", None, "none"),
        ("electra", "ElectraForPreTraining", "relu", None, "relu"),
        ("electra", "ElectraForSequenceClassification", "relu", None, "gelu"),
        ("roberta", "RobertaForSequenceClassification", "relu", None, "tanh"),
    ],
)
def test_activations_of_heads(family: str, architecture: str, inside: str, head: str | None, pooler: str) -> None:
    """RoBERTa and ELECTRA have the erf form in their heads whatever the layers have; ELECTRA's detector has theirs."""
    sizes = {**BERT, "embedding_size": 48} if family in ("electra", "albert") else BERT
    spec = spec_of({"model_type": family, "architectures": [architecture], **sizes, "hidden_act": inside})
    assert (spec.activation, spec.head_activation, spec.pooler) == (inside, head, pooler)


@pytest.mark.parametrize("case", golden("poolers"), ids=lambda case: case["hf_class"])
def test_models_that_end_in_their_pooler(case: dict[str, Any]) -> None:
    """Parameters, FLOPs of both passes and what is kept are the class's, the pooler among them and no other head."""
    spec, of_step = spec_of(case["config"]), {"context": case["context"], "batch": case["batch"]}
    result = evaluate(spec, "bp", "torch", **of_step)
    assert (spec.head, result.totals.parameters) == ("pooler", case["parameters"])
    forward = result.phases["forward"].flop
    assert (forward, result.totals.flop - forward) == (case["forward_flops"], case["backward_flops"])
    assert measure(spec, "bp", "exact", **of_step).of("stored_activations").elements == case["saved_elements"]


def test_gemma_means_the_approximation() -> None:
    """`gelu` in a Gemma's hidden_act is the approximation by tanh, as its configuration class has it."""
    for given in ("gelu", "gelu_pytorch_tanh"):
        assert (
            spec_of({"model_type": "gemma", **BERT, "num_key_value_heads": 4, "hidden_act": given}).activation
            == "gelu_tanh"
        )


@pytest.mark.parametrize("algo", ["pepita", "mempepita"])
def test_a_model_without_a_head_has_no_error(algo: str) -> None:
    """What ends in its pooler has no probabilities, whose error PEPITA projects."""
    spec = spec_of({"model_type": "bert", "architectures": ["BertModel"], **BERT})
    with pytest.raises(InputError, match="ends in its pooler and has no loss, whose error"):
        evaluate(spec, algo)


def test_the_missing_model_type(tmp_path: Path) -> None:
    """A configuration without its model_type is that of the family which its fields tell, and the note says so."""
    path = tmp_path / "bert_config.json"
    path.write_text(json.dumps({**BERT, "type_vocab_size": 2, "hidden_act": "gelu"}))
    for command in (load_spec, lambda each: import_spec_from(each)[0]):
        assert command(path) == spec_of({**BERT, "model_type": "bert"}).model_copy(
            update={"name": "bert_config", "notes": command(path).notes}
        )
        assert command(path).notes[0].startswith("model_type is missing: read as bert, which is told by its fields: ")
    for unclear in ({"hidden_size": 8, "num_hidden_layers": 2, "turbo": 1}, {**BERT, "type_vocab_size": 1}):
        path.write_text(json.dumps(unclear))
        with pytest.raises(InputError, match=r"field 'model_type' is missing\nnearest by its fields: ") as error:
            load_spec(path)
        assert str(error.value).count("\n") == 1


SPEC = (
    '{"name": "%s", "vocab_size": 9, "d_model": 4, "n_heads": 2, "d_ff": 4, "n_encoder_layers": 0, '
    '"n_decoder_layers": 1, "context_length": 8}'
)


def test_a_spec_in_json_stays_one() -> None:
    """A spec in JSON, or one with a wrong key, is no configuration that lacks its model_type."""
    assert parse_spec(SPEC % "m", "s.json").name == "m"
    with pytest.raises(InputError, match="unknown key 'hidden_size'"):
        parse_spec((SPEC % "m").replace("d_ff", "hidden_size"), "s.json")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"\ud83d\udc38", "\U0001f438"),
        (r"a\uD83D\uDC38\ud83d\udc38z", "a\U0001f438\U0001f438z"),
        ("\U0001f438", "\U0001f438"),
    ],
)
def test_characters_in_two_halves(written: str, text: str) -> None:
    """JSON writes a character beyond U+FFFF as two halves, RFC 8259 section 7: it is one everywhere."""
    assert parse_spec(SPEC % written, "s.json").name == text
    assert parse_spec((SPEC % "m").replace("{", f'{{"description": "{written}", ', 1), "s.json").description == text
    assert import_config(f'{{"model_type": "gpt2", "_name_or_path": "{written}"}}', "c.json").spec["name"] == text


@pytest.mark.parametrize("written", [r"\ud83d", r"\udc38", r"\udc38\ud83d", r"\ud83d\ud83d\udc38", r"\ud83d \udc38"])
def test_a_lone_half_is_refused(written: str) -> None:
    """Half of a character is no text, wherever it stands."""
    with pytest.raises(InputError, match="half of a character"):
        parse_spec(SPEC % written, "s.json")
    for text in ('{"model_type": "gpt2", "x": ["%s"]}', '{"model_type": "gpt2", "%s": 1}', '{"model_type": "%s"}'):
        with pytest.raises(InputError, match="half of a character"):
            import_config(text % written, "c.json")


@pytest.mark.parametrize("target", ["up", "gate", "down", "router", "expert_up", "projection"])
def test_what_has_no_adapter(target: str) -> None:
    """Experts and routers have none: the message says what can have one, and never suggests what was asked for."""
    config = next(case["config"] for case in golden("families") if case["config"]["model_type"] == "mixtral")
    spec = ModelSpec.model_validate({**read(config).spec, "train": {"lora": {"rank": 2, "targets": ["query", target]}}})
    with pytest.raises(InputError) as error:
        evaluate(spec)
    assert str(error.value) == (
        f"no adapter can stand beside '{target}': tcost has none for routers, experts and the vocabulary\n"
        "what can have one: query, key, value, output"
    )


def test_an_unknown_adapter() -> None:
    """What the model does not have at all is answered with what can have an adapter."""
    spec = ModelSpec.model_validate({**read(LLAMA).spec, "train": {"lora": {"rank": 2, "targets": ["quary"]}}})
    with pytest.raises(InputError) as error:
        evaluate(spec)
    assert str(error.value) == (
        "unknown projection for an adapter 'quary'; did you mean 'query'?\n"
        "known: query, key, value, output, gate, up, down"
    )
