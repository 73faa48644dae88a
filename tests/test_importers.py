"""Hugging Face configurations: what each becomes, and what is said of those that are not understood."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import GOLDEN, Tcost, draws, golden
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from test_families import INSIDE

from tcost import InputError, evaluate, load_spec
from tcost.importers import FAMILIES, import_config
from tcost.spec import ModelSpec, import_spec_from, to_yaml

CONFIGS = sorted((GOLDEN / "configs").glob("*.json"))
LLAMA = json.loads((GOLDEN / "configs" / "tiny-llama.json").read_text())

PUBLISHED: dict[str, tuple[dict[str, Any], int]] = {
    "Pythia": (
        {
            "architectures": ["GPTNeoXForCausalLM"],
            "bos_token_id": 0,
            "eos_token_id": 0,
            "hidden_act": "gelu",
            "hidden_size": 2048,
            "initializer_range": 0.02,
            "intermediate_size": 8192,
            "layer_norm_eps": 1e-05,
            "max_position_embeddings": 2048,
            "model_type": "gpt_neox",
            "num_attention_heads": 16,
            "num_hidden_layers": 24,
            "rotary_emb_base": 10000,
            "rotary_pct": 0.25,
            "tie_word_embeddings": False,
            "torch_dtype": "float16",
            "transformers_version": "4.24.0",
            "use_cache": True,
            "vocab_size": 50304,
            "use_parallel_residual": True,
        },
        1_414_647_808,
    ),
    "BLOOM": (
        {
            "apply_residual_connection_post_layernorm": False,
            "attention_dropout": 0.0,
            "bos_token_id": 1,
            "attention_softmax_in_fp32": True,
            "bias_dropout_fusion": True,
            "eos_token_id": 2,
            "n_embed": 4096,
            "pad_token_id": 3,
            "unk_token_id": 0,
            "hidden_dropout": 0.0,
            "initializer_range": 0.02,
            "n_layer": 30,
            "layer_norm_epsilon": 1e-05,
            "masked_softmax_fusion": True,
            "model_type": "bloom",
            "vocab_size": 250880,
            "n_inner": None,
            "num_attention_heads": 32,
            "offset_alibi": 100,
            "pretraining_tp": 4,
            "skip_bias_add": True,
            "skip_bias_add_qkv": False,
            "transformers_version": "4.20.0",
            "use_cache": True,
        },
        7_069_016_064,
    ),
    "Falcon": (
        {
            "alibi": False,
            "apply_residual_connection_post_layernorm": False,
            "architectures": ["FalconForCausalLM"],
            "bias": False,
            "hidden_size": 4544,
            "model_type": "falcon",
            "multi_query": True,
            "vocab_size": 65024,
            "new_decoder_architecture": False,
            "num_attention_heads": 71,
            "num_hidden_layers": 32,
            "parallel_attn": True,
            "torch_dtype": "bfloat16",
            "auto_map": {"AutoConfig": "x"},
        },
        6_921_720_704,
    ),
    "Gemma 3": (
        {
            "model_type": "gemma3",
            "architectures": ["Gemma3ForConditionalGeneration"],
            "text_config": {
                "hidden_size": 2560,
                "intermediate_size": 10240,
                "model_type": "gemma3_text",
                "num_hidden_layers": 34,
                "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
                "sliding_window": 1024,
                "num_attention_heads": 8,
                "num_key_value_heads": 4,
                "vocab_size": 262208,
            },
            "vision_config": {"hidden_size": 1152, "model_type": "siglip_vision_model"},
        },
        3_880_263_168,
    ),
}
"""Configurations as checkpoints publish them, with older names and few fields, and the parameters of the text part."""


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_yaml_says_the_same(path: Path, tmp_path: Path) -> None:
    """The spec that is written is the spec that is priced directly."""
    spec, imported = import_spec_from(path)
    written = tmp_path / "spec.yaml"
    written.write_text(to_yaml(spec))
    assert tuple(spec.notes) == imported.notes
    assert load_spec(written) == spec == load_spec(path)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_configurations(name: str, tmp_path: Path) -> None:
    """Older names and left-out fields are understood: the parameters are the checkpoint's."""
    values, parameters = PUBLISHED[name]
    path = tmp_path / "config.json"
    path.write_text(json.dumps(values))
    assert evaluate(load_spec(path), convention="torch").totals.parameters == parameters


def test_the_text_part_is_said(tmp_path: Path, tcost: Tcost) -> None:
    """Of a model of several inputs the text part is priced, and the spec says so."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(PUBLISHED["Gemma 3"][0]))
    out, note = tcost("import", path).out, "a model of several inputs (gemma3): its text part alone is priced"
    assert f"notes: ['{note}']\n" in out
    for command in ("compute", "compare"):
        assert note in tcost(command, path).out.replace("\n  ", " ")
    assert json.loads(tcost("compute", path, "--format", "json").out)["results"][0]["notes"] == [note]
    assert "full_attention_layers: {every: 6, first: 5}" in out


@pytest.mark.parametrize("family", sorted({*FAMILIES} - INSIDE))
def test_an_unknown_field_is_named(family: str) -> None:
    """A field that no family knows is an error that names it, in every family."""
    config = next(case["config"] for case in golden("families") if case["config"]["model_type"] == family)
    import_config(json.dumps(config), "c.json")
    with pytest.raises(InputError, match=r"c.json: not understood: n_turbo_layers\nthese fields may change the cost"):
        import_config(json.dumps(config | {"n_turbo_layers": 3}), "c.json")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "lama"}, "unknown model_type 'lama'\nnearest by its fields: "),
        ({"model_type": 3}, "unknown model_type '3'"),
        ({"hidden_act": "mish"}, "c.json: field 'hidden_act' is 'mish'\nexpected one of gelu, "),
        ({"hidden_size": "48"}, "c.json: field 'hidden_size' is '48'\nexpected a whole number from 1 to 10^18"),
        ({"hidden_size": True}, "field 'hidden_size' is True"),
        (
            {"num_hidden_layers": 10**18},
            "field 'num_hidden_layers' is 1000000000000000000\nexpected at most 100000 layers",
        ),
        ({"num_hidden_layers": 0}, "field 'num_hidden_layers' is 0"),
        ({"num_key_value_heads": 4}, "field 'num_key_value_heads' is 4\nexpected a divisor of the 6 heads"),
        ({"attention_bias": "no"}, "field 'attention_bias' is 'no'\nexpected true or false"),
        ({"architectures": ["LlamaForMultipleChoice"]}, "architecture LlamaForMultipleChoice is not understood"),
        ({"rope_parameters": {"partial_rotary_factor": 2.0}}, "expected a number above 0, at most 1"),
        ({"sliding_window": "4"}, "field 'sliding_window' is '4'\nexpected a whole number from 0"),
        ({"use_sliding_window": True}, "field 'use_sliding_window' is True\nexpected False or None"),
        ({"layer_types": ["sliding_attention"] * 2}, "expected ['full_attention', 'full_attention'], which follows"),
        (
            {"model_type": "qwen2", "use_sliding_window": True, "sliding_window": 4, "layer_types": ["chunked"] * 2},
            "expected a list of 2 words, full_attention",
        ),
    ],
)
def test_values_that_cannot_be(changes: dict[str, Any], message: str) -> None:
    """A value that cannot be is shown with its field, and what would be right."""
    with pytest.raises(InputError) as error:
        import_config(json.dumps(LLAMA | changes), "c.json")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"model_type": "llama"', "c.json:1:23: not JSON"),
        ('{"model_type": "llama", "hidden_size": NaN}', "c.json: field 'hidden_size' is nan"),
        ('{"model_type": "llama", "hidden_size": ' + "9" * 31 + "}", "c.json: a number of more than 30 digits"),
        ('{"model_type": "llama", "model_type": "gpt2"}', "field 'model_type' is given twice"),
        ('{"model_type": ' + "[" * 100_000, "c.json: nested deeper than any configuration"),
        ("[1]", "c.json: expected fields with values"),
    ],
)
def test_texts_that_are_none(text: str, message: str) -> None:
    """What is no configuration is refused with its place, never a traceback."""
    with pytest.raises(InputError) as error:
        import_config(text, "c.json")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("family", "architecture"),
    [
        ("t5", "T5ForMultipleChoice"),
        ("bart", "BartEncoderModel"),
        ("bart", "BartForTokenClassification"),
        ("t5", "T5ForCausalLM"),
        ("gpt2", "GPT2DoubleHeadsModel"),
    ],
)
def test_other_heads_are_refused(family: str, architecture: str) -> None:
    """A class that is a part of the family's model, or ends in what cannot be said, is named."""
    config = next(case["config"] for case in golden("families") if case["config"]["model_type"] == family)
    with pytest.raises(InputError, match=f"architecture {architecture} is not understood"):
        import_config(json.dumps(config | {"architectures": [architecture]}), "c.json")


def test_a_classifier_of_albert(tmp_path: Path) -> None:
    """It pools the first row through a dense layer and tanh, and has a bias: 11,685,122 parameters."""
    sizes = {"hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072}
    config = {"model_type": "albert", "architectures": ["AlbertForSequenceClassification"], **sizes}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    assert evaluate(load_spec(path), convention="torch").totals.parameters == 11_685_122


def test_unknown_families_list_the_known_ones() -> None:
    """An unknown model_type is answered with all that there are."""
    with pytest.raises(InputError) as error:
        import_config('{"model_type": "zzz"}', "c.json")
    assert all(family in str(error.value) for family in FAMILIES)


scalars = st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats() | st.text(max_size=5)
anything = scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.text(max_size=5), scalars, max_size=3)


@given(case=st.sampled_from(golden("families")), data=st.data())
@settings(max_examples=draws(300))
def test_any_value_is_read_or_refused(case: dict[str, Any], data: st.DataObject) -> None:
    """Whatever a field's value is, the configuration becomes a spec or an error, never a traceback."""
    config = dict(case["config"])
    for name in data.draw(st.lists(st.sampled_from(sorted(config)), min_size=1, max_size=3)):
        config[name] = data.draw(anything)
    with suppress(InputError):
        from_text = import_config(json.dumps(config), "c.json")
        assert from_text.spec["name"]
        with suppress(ValidationError):
            evaluate(ModelSpec.model_validate(from_text.spec), convention="torch")


def test_the_command(tmp_path: Path, tcost: Tcost) -> None:
    """`tcost import` writes a spec that is priced like the configuration, and explains each field."""
    config, spec = GOLDEN / "configs" / "tiny-mixtral.json", tmp_path / "spec.yaml"
    assert tcost("import", config, "--output", spec) == (0, "", "")
    command = ("--convention", "torch", "--format", "json")
    direct, written = (json.loads(tcost("compute", each, *command).out)["results"][0] for each in (config, spec))
    assert direct == written
    assert direct["totals"]["parameters"] == 194_544
    explained = tcost("import", config, "--explain").out
    assert "num_local_experts        experts.n_experts          5\n" in explained
    outcome = tcost("import", spec)
    assert (outcome.status, outcome.out) == (2, "")
    assert "is no Hugging Face configuration" in outcome.err
