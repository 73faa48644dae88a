"""The files that people have: what is passed over, what is asked, and what each other file is said to be."""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import defaults
import pytest
from conftest import Tcost, golden
from test_families import class_of
from test_fields_torch import unrun

from tcost import InputError, evaluate, load_spec
from tcost.importers import FAMILIES, import_config
from tcost.importers.classes import class_defaults, classes, nearest_families
from tcost.importers.foreign import FOREIGN
from tcost.importers.harmless import BOOKKEEPING, is_harmless
from tcost.reading import Reading
from tcost.spec import ModelSpec, parse_spec

HAS_TORCH = bool(find_spec("torch") and find_spec("transformers"))
SIZES = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
LLAMA: dict[str, Any] = {"model_type": "llama", **SIZES, "vocab_size": 100, "num_key_value_heads": 2}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return what writes values as JSON into a file."""

    def to_file(values: Any, name: str = "c.json") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(values if isinstance(values, str) else json.dumps(values))
        return path

    return to_file


def spec_of(values: dict[str, Any], reading: Reading = Reading()) -> dict[str, Any]:
    """Return the keys that a configuration becomes."""
    return import_config(json.dumps(values), "c.json", reading).spec


@pytest.mark.parametrize(
    "fields",
    [
        {"turbo": None, "fast": False, "list": [], "map": {}, "word": "", "number": 0, "part": 0.0},
        {"is_llama_config": True, "rope_interleaved": False, "max_sequence_length": 2048, "emb_size": 64},
        {"sequence_parallel_enabled": True, "selective_checkpoint_enabled": False, "tokenizer_name": "x"},
        {"unsloth_version": "2025.1", "unsloth_fixed": True, "transformers.js_config": {"dtype": "q4"}},
        {"use_mrope": False, "full_attn_mod": 1, "interpolate_factor": 1, "lm_head_bias": False, "layers_to_keep": []},
        {"is_decoder": False, "add_cross_attention": False, "init_config": {"a": 1}, "tie_weights_": True},
        {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_kv_heads": 2, "d_kv": 16, "ffn_dim": 128, "n_vocab": 100},
        {"router_z_loss_coef": 0.1, "some_dropout": 0.3, "image_token_id": 7, "rope_theta": {"__float__": "Infinity"}},
    ],
)
def test_what_costs_nothing_passes(fields: dict[str, Any]) -> None:
    """What is empty, bookkeeping, or says what was derived in other words changes no key of the spec."""
    assert spec_of(LLAMA | fields) == spec_of(LLAMA)


@pytest.mark.parametrize(
    "fields",
    [
        {"turbo": 1},
        {"use_mrope": True},
        {"full_attn_mod": 2},
        {"full_attn_mod": True},
        {"lm_head_bias": True},
        {"layers_to_keep": [1]},
        {"emb_size": 32},
        {"n_layer": 3},
        {"add_cross_attention": True},
        {"draft_vocab_size": 32000},
        {"block_size": 16},
    ],
)
def test_what_may_cost_is_refused(fields: dict[str, Any]) -> None:
    """Another value than those that are stated is named, and the message offers to ignore it; ignored, it is said."""
    (name,) = fields
    with pytest.raises(InputError) as error:
        spec_of(LLAMA | fields)
    assert str(error.value) == (
        f"c.json: not understood: {name}\n"
        f"these fields may change the cost; if you know that they do not: --ignore {name}"
    )
    imported = import_config(json.dumps(LLAMA | fields), "c.json", Reading(ignore=(name,)))
    assert (imported.spec, imported.notes) == (spec_of(LLAMA), (f"ignored, as asked: {name}",))


def test_a_default_that_is_not_kept_is_no_trifle() -> None:
    """A field that the family's class has, and that its reader does not read, must be as it is by default."""
    assert is_harmless("new_list", [], {}, {"new_list": []})
    assert is_harmless("new_list", [], {}, {})
    assert not is_harmless("new_list", [], {}, {"new_list": [1]})
    assert not is_harmless("n_turbo", 0, {}, {"n_turbo": 2})
    fields = {name: value for name, value in class_defaults("llama").items() if name not in LLAMA}
    assert spec_of(LLAMA | fields) == spec_of(LLAMA)


def test_many_fields_are_no_wall() -> None:
    """Of sixty fields that are not understood a few are named."""
    with pytest.raises(InputError) as error:
        spec_of(LLAMA | {f"turbo_{number}": number + 1 for number in range(60)})
    assert "and 52 more\n" in str(error.value)
    assert len(str(error.value)) < 500  # some lines of a terminal


def test_bookkeeping_states_its_values() -> None:
    """Every row says which values it allows."""
    assert all(BOOKKEEPING.values())


@pytest.mark.skipif(not HAS_TORCH, reason="transformers is missing")
def test_the_table_of_defaults() -> None:
    """The table is what the classes have, of every family that is read, and no reader has another default."""
    for family, row in classes().items():
        assert defaults.row(family) == row, family
    for family, each in FAMILIES.items():
        told = class_defaults(family)
        assert told or defaults.row(family) is None, f"{family}: run python tests/defaults.py"
        stated = {name: value for name, value in told.items() if value is not None}
        assert {name: each.defaults[name] for name in stated} == stated, family


OF_ITS_OWN = {
    "deepseek_v2": "field 'num_experts_per_tok' is None",
    "glm4_moe": "96 heads do not divide the width 4096",
}
"""Families whose class has no model of defaults alone, and what is said."""


@pytest.mark.skipif(not HAS_TORCH, reason="transformers is missing")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_of_defaults(family: str) -> None:
    """A file that says its family alone is the class with its defaults: the parameters are equal."""
    import torch
    import transformers

    case = next((each for each in golden("families") if each["config"]["model_type"] == family), None)
    if case is None or family == "opt" or class_of(family) != family:
        pytest.skip("no class of its own is on record, or, of opt, it reads a field that its configuration fills")
    name = case["hf_class"]
    values = {"model_type": family, "architectures": [name]}
    if family in OF_ITS_OWN:
        with pytest.raises(InputError, match=OF_ITS_OWN[family]):
            spec_of(values)
        return
    try:
        with torch.device("meta"):
            model = getattr(transformers, name)(transformers.CONFIG_MAPPING[family]())
    except TypeError:
        pytest.skip("its class cannot be built of its defaults alone, one of which is None")
    spec = ModelSpec.model_validate(spec_of(values))
    found = evaluate(spec, convention="torch", context=2 if spec.encoder_input == "tokens" else None)
    registered = sum(each.numel() for each in model.parameters())
    assert found.totals.parameters + unrun(import_config(json.dumps(values), "c.json").notes, spec) == registered


def test_mistral_7b(write: Write, tcost: Tcost) -> None:
    """`{"model_type": "mistral"}` is Mistral 7B, and `--explain` says what is a default."""
    path = write({"model_type": "mistral"})
    assert evaluate(load_spec(path), convention="torch", context=8).totals.parameters == 7_241_732_096
    explained = tcost("import", path, "--explain").out
    assert "num_key_value_heads      n_kv_heads        8  (a default of the class)\n" in explained
    assert "(a default" not in tcost("import", write(LLAMA), "--explain").out.split("hidden_size", 1)[1].split("\n")[0]


@pytest.mark.parametrize(
    ("values", "family"),
    [
        ({**SIZES, "type_vocab_size": 2, "hidden_act": "gelu"}, "bert"),
        ({"n_embd": 64, "n_head": 4, "n_layer": 2, "n_positions": 8, "n_ctx": 8}, "gpt2"),
        ({"dim": 64, "hidden_dim": 128, "n_heads": 4, "n_layers": 2, "activation": "gelu"}, "distilbert"),
        ({**SIZES, "architectures": ["LlamaForCausalLM"]}, "llama"),
    ],
)
def test_no_model_type(values: dict[str, Any], family: str) -> None:
    """A family that the fields tell, or the class, is read, and the note says by what."""
    imported = import_config(json.dumps(values), "c.json")
    assert imported.spec == spec_of({**values, "model_type": family})
    assert imported.notes[0].startswith(f"model_type is missing: read as {family}, which is told by its ")


def test_as_a_family(write: Write, tcost: Tcost) -> None:
    """`--as` reads a configuration as one of a family, and the output says so; it takes no other word."""
    unknown = {**LLAMA, "model_type": "lama"}
    path = write(unknown)
    refused = tcost("compute", path)
    assert refused.status == 2  # bad input
    assert "unknown model_type 'lama'\n       nearest by its fields: " in refused.err
    out = tcost("compute", path, "--as", "llama").out.replace("\n  ", " ")
    assert "read as llama, as asked; its model_type is lama" in out
    assert "no family that is read" in tcost("compute", path, "--as", "lama").err
    assert "no SPEC is one" in tcost("compute", "gpt2", "--as", "llama").err


@pytest.mark.parametrize("family", [family for family in FAMILIES if family in classes()])
def test_the_nearest_family(family: str) -> None:
    """A file with all fields of a class is nearest to it, or to one that has the same."""
    own = dict.fromkeys(class_defaults(family), 1)
    near = nearest_families(own, FAMILIES)
    assert family in near or class_defaults(near[0]).keys() >= own.keys()


COMMANDS = (
    *(("compute",), ("memory",), ("compare",), ("diff", "gpt2"), ("check", "--max", "flop=9P"), ("import",)),
    ("list", "errata"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_ignoring_on_the_command_line(command: tuple[str, ...], write: Write, tcost: Tcost) -> None:
    """`--ignore` may stand many times, is said in what is written, and names what is there."""
    path = write({**LLAMA, "turbo": 1, "fast": 2})
    words = (*command, path) if command[0] == "list" else (command[0], path, *command[1:])
    assert "--ignore fast --ignore turbo" in tcost(*words).err.replace("\n  ", " ")
    outcome = tcost(*words, "--ignore", "turbo", "--ignore", "fast")
    assert (outcome.status, outcome.err) == (0, "")
    assert tcost(*words, "--ignore", "turbo,fast").out == outcome.out
    if command[0] in ("compute", "compare", "import"):
        assert "ignored, as asked: turbo" in outcome.out.replace("\n  ", " ")
    assert "--ignore slow: no SPEC has such a field" in tcost(*words, "--ignore", "turbo", "fast", "slow").err


@pytest.mark.parametrize("what", ["specs", "algos", "schema"])
def test_what_is_no_spec_is_read_in_no_way(what: str, tcost: Tcost) -> None:
    """Where there is no SPEC, how one is read is no option that does nothing."""
    assert "no SPEC is one" in tcost("list", what, "--as", "llama").err


@pytest.mark.parametrize("row", FOREIGN, ids=lambda row: row.what)
def test_foreign_files(row: Any, write: Write) -> None:
    """A file that is something else is answered in two lines: what it is, and which file is wanted."""
    path = write(dict.fromkeys((*row.keys, *row.others[:1]), "x"))
    with pytest.raises(InputError) as error:
        load_spec(path)
    first, second = str(error.value).split("\n")
    assert first.startswith(f"{path} is ")
    assert second.startswith("wanted: ")


def test_foreign_yaml() -> None:
    """A recipe of axolotl in YAML is no spec with thirty unknown keys."""
    with pytest.raises(InputError, match=r"is a configuration of axolotl\nwanted: the config.json of the model"):
        parse_spec("base_model: x\nsequence_len: 8\nadapter: lora\n", "a.yaml")


def test_other_json(write: Write) -> None:
    """What is nobody's is answered in two lines, too."""
    with pytest.raises(InputError, match="neither a spec nor a configuration of Hugging Face"):
        load_spec(write({f"key_{number}": number for number in range(60)}))


def test_a_folder_is_a_spec(write: Write, tmp_path: Path, tcost: Tcost) -> None:
    """A folder with a config.json is one, named after the folder, or as the checkpoint names itself."""
    path = write(LLAMA, "my-model/config.json")
    assert load_spec(path.parent).name == load_spec(path).name == "my-model"
    assert tcost("compute", path.parent).out.startswith("my-model under bp: ")
    write(LLAMA | {"_name_or_path": "someone/theirs"}, "my-model/config.json")
    assert load_spec(path.parent).name == "theirs"
    with pytest.raises(InputError, match=r"is a directory\nexpected a spec: a YAML file, a folder with a config.json"):
        load_spec(tmp_path)


@pytest.mark.parametrize(
    "number", ["Infinity", "-Infinity", "NaN", '{"__float__": "Infinity"}', '{"__float__": "NaN"}']
)
def test_numbers_that_json_lacks(number: str) -> None:
    """They are read in fields that do not matter, and refused in those that do."""
    text = json.dumps(LLAMA)[:-1]
    assert import_config(
        f'{text}, "rope_theta": {number}, "time_step_limit": [0.0, {number}]}}'.replace(
            '"time_step_limit"', '"bad_words_ids"'
        ),
        "c.json",
    ).spec == spec_of(LLAMA)
    with pytest.raises(InputError, match="field 'head_dim' is "):
        import_config(f'{text}, "head_dim": {number}}}', "c.json")


def test_a_large_configuration(write: Write) -> None:
    """One that names two hundred thousand labels is read; a spec of that size is not."""
    labels = {str(number): f"LABEL_{number}" for number in range(200_000)}
    path = write(LLAMA | {"architectures": ["LlamaForSequenceClassification"], "id2label": labels})
    assert path.stat().st_size > 4 * 2**20
    assert load_spec(path).n_classes == len(labels)
    with pytest.raises(InputError, match="is larger than 256 KiB"):
        load_spec(write(f"description: {'x' * 300_000}\n", "s.yaml"))
    with pytest.raises(InputError, match="is larger than 16384 KiB"):
        load_spec(write(LLAMA | {"x": "x" * 17 * 2**20}))


def test_what_is_said() -> None:
    """Numbers in another type, and a class of the checkpoint's own, are said."""
    quantized = {"quantization_config": {"quant_method": "gptq", "bits": 4}}
    (note,) = import_config(json.dumps(LLAMA | quantized), "c.json").notes
    assert note.startswith("quantization_config (gptq): ")
    assert "memory in the type that --dtype says" in note
    own = {"auto_map": {"AutoConfig": "a.B", "AutoModelForCausalLM": "modeling_x.XForCausalLM"}}
    (note,) = import_config(json.dumps(LLAMA | own), "c.json").notes
    assert (
        note
        == "auto_map: the checkpoint has a class of its own, modeling_x.XForCausalLM; priced as that of transformers"
    )
    assert not import_config(json.dumps(LLAMA | {"auto_map": {"AutoConfig": "a.B"}}), "c.json").notes


def test_a_draft(write: Write, tcost: Tcost) -> None:
    """A draft has the keys that are understood, and what is not as comments; it is a spec that says what it is."""
    path = write({**LLAMA, "model_type": "lama", "turbo": {"a": [1]}, "hidden_act": "mish", "architectures": ["LM"]})
    outcome = tcost("import", path, "--draft")
    assert outcome.status == 0
    for line in ('# not understood: turbo: {"a": [1]}\n', '# not understood: hidden_act: "mish"\n', "d_model: 64\n"):
        assert line in outcome.out
    assert "# not understood: c.json" in outcome.out.replace(str(path.parent) + "/", "")
    drafted = parse_spec(outcome.out, "draft.yaml")
    assert drafted.notes[0].startswith("a draft: read as ")
    assert "leave one of them out" in tcost("import", path, "--draft", "--explain").err
    assert "no field is one of a family" in tcost("import", write({"model_type": "x", "y": 1}), "--draft").err
