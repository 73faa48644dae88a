"""Model specs: what is bundled, what is read, and what is said of bad ones."""

import io
import json
import sys
from pathlib import Path

import pytest
from bundling import SPECS

from tcost import InputError, ModelSpec, load_spec
from tcost.bundled import BUNDLED

GOOD = """\
name: tiny
vocab_size: 50_257
d_model: 8
n_heads: 2
d_ff: 16
n_encoder_layers: 0
n_decoder_layers: 1
context_length: 4
"""


def problem(text: str | bytes, tmp_path: Path) -> str:
    """Return what is said of a bad spec, less the folder that it is in."""
    path = tmp_path / "bad.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InputError) as caught:
        load_spec(path)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_bundled_specs() -> None:
    """Those that were promised are bundled, more than 30 in all, each with a description and a source."""
    promised = "gpt2 gpt2-medium gpt2-large gpt2-xl gpt3-small gpt3 bert-base bert-large distilbert t5-base bart-base"
    assert {*promised.split(), "transformer-base", "alexatm-20b"} <= set(BUNDLED)
    assert len(BUNDLED) > 30
    for name in BUNDLED:
        spec = load_spec(name)
        assert spec.name == name
        assert spec.description
        assert spec.source


@pytest.mark.parametrize("name", BUNDLED)
def test_the_module_of_bundled_specs_is_their_yaml(name: str) -> None:
    """What is loaded without reading YAML has the sizes of the YAML, at every context; no file is without."""
    spec, sizes = load_spec(SPECS / f"{name}.yaml"), BUNDLED[name]()
    lengths = [(None, None), (7, None), *([(None, 9), (7, 9)] if sizes.family == "encoder-decoder" else [])]
    for context, encoder_context in lengths:
        assert sizes.at(context, encoder_context) == spec.at(context, encoder_context)
    assert list(BUNDLED) == sorted(path.stem for path in SPECS.glob("*.yaml"))


HF_CONFIGS = {
    # vocab_size, d_model, n_heads, d_ff, encoder, decoder, context: config.json of each model on the Hugging Face hub
    "gpt2": (50257, 768, 12, 3072, 0, 12, 1024),
    "gpt2-medium": (50257, 1024, 16, 4096, 0, 24, 1024),
    "bert-base": (30522, 768, 12, 3072, 12, 0, 512),
    "distilbert": (30522, 768, 12, 3072, 6, 0, 512),
    "t5-base": (32128, 768, 12, 3072, 12, 12, 512),
    "bart-base": (50265, 768, 12, 3072, 6, 6, 1024),
    # Brown et al. 2020, table 2.1, and section 2.1 for d_ff = 4 d_model and the context
    "gpt3": (50257, 12288, 96, 4 * 12288, 0, 96, 2048),
    # Vaswani et al. 2017, table 3
    "transformer-base": (37000, 512, 8, 2048, 6, 6, 256),
}


@pytest.mark.parametrize("name", HF_CONFIGS)
def test_bundled_sizes(name: str) -> None:
    """Bundled sizes equal the published configurations."""
    s = load_spec(name).at()
    stacks = (s.n_encoder_layers, s.n_decoder_layers)
    assert (s.vocab_size, s.d_model, s.n_heads, s.d_ff, *stacks, s.context_length) == HF_CONFIGS[name]
    assert s.n_heads * s.d_head == s.d_model


def test_a_spec_is_read(tmp_path: Path) -> None:
    """A spec gives its numbers, underscores between digits included, and derives the width of a head."""
    path = tmp_path / "tiny.yaml"
    path.write_text(GOOD)
    spec = load_spec(path)
    assert spec.vocab_size == 50257
    assert spec.at().d_head == 4
    assert load_spec(str(path)) == spec


@pytest.mark.parametrize("scalar", ["010", "0xA", "0o12", "10", "+10", "1_0"])
def test_integers_are_those_of_yaml_1_2(scalar: str, tmp_path: Path) -> None:
    """Ten, written in every way that YAML 1.2 has, and never octal by a leading zero."""
    path = tmp_path / "tiny.yaml"
    path.write_text(GOOD.replace("d_ff: 16", f"d_ff: {scalar}"))
    assert load_spec(path).d_ff == 10


def test_width_of_a_head_need_not_divide(tmp_path: Path) -> None:
    """With d_head given, the number of heads need not divide the model's width."""
    path = tmp_path / "tiny.yaml"
    path.write_text(GOOD.replace("n_heads: 2", "n_heads: 3\nd_head: 12"))
    assert load_spec(path).at().d_head == 12


def test_a_path_wins_over_a_bundled_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`gpt2` is the bundled spec, with or without a suffix, unless there is such a file here."""
    monkeypatch.chdir(tmp_path)
    assert load_spec("gpt2.yaml") == load_spec("gpt2.yml") == load_spec("gpt2")
    Path("gpt2").write_text(GOOD)
    assert load_spec("gpt2").name == "tiny"
    assert load_spec("gpt2.yaml").name == "gpt2"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` is standard input, with or without a byte-order mark."""
    for mark in (b"", b"\xef\xbb\xbf"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(mark + GOOD.encode())))
        assert load_spec("-").name == "tiny"


def test_specs_are_frozen() -> None:
    """A spec does not change under a result."""
    with pytest.raises(ValueError, match="frozen"):
        load_spec("gpt2").d_model = 1


D_MODEL = "bad.yaml:3:10: d_model: "


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("true", "expected a whole number, not true (a boolean)"),
        ("yes", 'expected a whole number, not "yes" (text)'),
        ('"768"', 'expected a whole number, not "768" (text); write 768 without quotes'),
        ("1e3", "expected a whole number, not 1e3 (a decimal number); write 1000"),
        ("8.5", "expected a whole number, not 8.5 (a decimal number)"),
        (".nan", "expected a whole number, not .nan (a decimal number)"),
        ("-.inf", "expected a whole number, not -.inf (a decimal number)"),
        ("1:30", 'expected a whole number, not "1:30" (text)'),
        ("~", "expected a whole number, not nothing"),
        ("[8]", "expected a whole number, not a list"),
        ("{8: 8}", None),
        ("{a: 8}", "expected a whole number, not a mapping"),
        ("0", "must be at least 1, not 0"),
        ("-8", "must be at least 1, not -8"),
        ("9999999999999999999", "must be at most 10^18, not 9999999999999999999"),
    ],
)
def test_a_value_that_is_not_a_size(value: str, message: str | None, tmp_path: Path) -> None:
    """A wrong number is named as it was written, with its place and what would be right."""
    said = problem(GOOD.replace("d_model: 8", f"d_model: {value}"), tmp_path)
    assert said == (D_MODEL + message if message else "bad.yaml:3:11: a key must be text")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "bad.yaml: the file is empty\nexpected keys such as name, d_model and n_heads"),
        ("# only a comment\n", "bad.yaml: the file is empty\nexpected keys such as name, d_model and n_heads"),
        ("- a\n", "bad.yaml:1:1: expected keys with values, such as 'd_model: 768'"),
        ("name: [a\n", "bad.yaml:2:1: while parsing a flow sequence: expected ',' or ']', but got '<stream end>'"),
        ("name: a: b\n", "bad.yaml:1:8: mapping values are not allowed here"),
        ("a: 1\n---\nb: 2\n", "bad.yaml:2:1: expected a single document in the stream: but found another document"),
        (GOOD + "d_model: 9\n", "bad.yaml:9:1: duplicate key 'd_model', first given on line 3; keep one of them"),
        (
            GOOD + "train: 3\n",
            "bad.yaml:9:8: train: expected 'all' or keys with values or a list, not 3 (a whole number)",
        ),
        (
            GOOD + "train: {lora: {rank: 0, targets: []}}\n",
            "bad.yaml:9:22: train.lora.rank: must be at least 1, not 0\nbad.yaml:9:34: train.lora.targets: must not be",
        ),
        (GOOD + "train: [1.5]\n", "bad.yaml:9:9: train.0: expected a whole number or text, not 1.5 (a decimal number)"),
        (
            GOOD + "sliding_window: 2\nfull_attention_layers: {every: x}\n",
            'bad.yaml:10:32: full_attention_layers.every: expected a whole number, not "x" (text)',
        ),
        (GOOD + "experts: {n_expert: 8}\n", "bad.yaml:9:11: unknown key 'experts.n_expert'; did you mean 'n_exp"),
        (GOOD + "experts: {n_experts: 8}\n", "bad.yaml: missing 'experts.experts_per_token', 'experts.d_expert'"),
        (
            GOOD + "attention_bias: [output, out]\n",
            "bad.yaml:9:26: attention_bias.1: expected 'query', ",
        ),
        (GOOD + "d_modle: 9\n", "bad.yaml:9:1: unknown key 'd_modle'; did you mean 'd_model'?"),
        (GOOD + "<<: {d_model: 9}\n", "bad.yaml:9:1: unknown key '<<'; known: name, description"),
        (GOOD + "2: 9\n", "bad.yaml:9:1: a key must be text"),
        (GOOD + "? [a]\n: 9\n", "bad.yaml:9:3: a key must be text"),
        (GOOD.replace("tiny", "7"), "bad.yaml:1:7: name: expected text, not 7 (a whole number); put it in quotes"),
        (GOOD.replace("tiny", '""'), "bad.yaml:1:7: name: must not be empty"),
        (GOOD.replace("tiny", "x" * 101), "bad.yaml:1:7: name: String should have at most 100 characters"),
        (
            GOOD.replace("n_heads: 2", "n_heads: 3"),
            "bad.yaml:4:10: n_heads 3 does not divide d_model 8; give a divisor",
        ),
        (GOOD.replace("decoder_layers: 1", "decoder_layers: 0"), "bad.yaml:7:19: a model needs layers"),
        (GOOD + "encoder_context_length: 4\n", "bad.yaml:9:25: encoder_context_length is for encoder-decoder models"),
        (
            "name: a\nd_ff: true\n",
            "bad.yaml:2:7: d_ff: expected a whole number, not true (a boolean)\nbad.yaml: missing",
        ),
        (b"name: a\n\xff\n", "bad.yaml:2: the file is not UTF-8 text; save it as UTF-8"),
        ("name: a\nd_ff: \x07\n", "bad.yaml:2: YAML does not allow the character U+0007"),
        ("a: &x [1]\nb: *x\n", "bad.yaml:1:4: anchors and aliases are not allowed; write the value out"),
        ("a: *x\n", "bad.yaml:1:4: anchors and aliases are not allowed; write the value out"),
        ("a: !!python/object/apply:os.system [ls]\n", "bad.yaml:1:4: tags are not allowed"),
        (GOOD.replace("8", "9" * 31), "bad.yaml:3:10: a number of more than 30 digits"),
        ("a: " + "[" * 100_000, "bad.yaml:1:19: nested deeper than 16 levels"),
        ("a: " + "x" * 300_000, "bad.yaml is larger than 256 KiB, which no spec is"),
    ],
)
def test_a_bad_spec_is_explained(text: str | bytes, message: str, tmp_path: Path) -> None:
    """Every kind of bad file is refused with its place and what is wrong."""
    assert problem(text, tmp_path).startswith(message)


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    """Three mistakes are three lines, each with its place."""
    said = problem(GOOD.replace("8", "-8").replace("16", "x") + "extra: 1\n", tmp_path)
    assert [line.split(": ")[0] for line in said.splitlines()] == ["bad.yaml:3:10", "bad.yaml:5:7", "bad.yaml:9:1"]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (
            "gtp2",
            ("gtp2", "no spec 'gtp2': neither a file nor a bundled spec; did you mean 'gpt2'?"),
        ),
        ("missing/model.yaml", "no spec 'missing/model.yaml': neither a file nor a bundled spec"),
        (".", ". is a directory\nexpected a spec"),
        ("dangling.yaml", "cannot read dangling.yaml: No such file or directory"),
        ("/dev/zero", "/dev/zero is larger than 256 KiB"),
    ],
)
def test_a_spec_that_is_not_there(word: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads nowhere is answered with the names that there are."""
    monkeypatch.chdir(tmp_path)
    Path("dangling.yaml").symlink_to("nowhere")
    with pytest.raises(InputError) as caught:
        load_spec(word)
    assert str(caught.value).startswith(message)


def test_the_schema_is_strict_from_python_too() -> None:
    """The model refuses what YAML would have to convert."""
    with pytest.raises(ValueError, match="d_model"):
        ModelSpec.model_validate(json.loads(json.dumps({**load_spec("gpt2").model_dump(), "d_model": "768"})))


@pytest.mark.parametrize(
    "head", ["head: classifier\nn_classes: 2", "head: token_classifier\nn_classes: 2", "head: pooler"]
)
@pytest.mark.parametrize(
    "key", ["tie_embeddings: true", "head_transform: true", "logit_softcap: true", "output_scale: true"]
)
def test_a_key_that_the_head_does_not_use(head: str, key: str, tmp_path: Path) -> None:
    """What belongs to a vocabulary projection is refused beside another head: no key does nothing in silence."""
    said = problem(f"{GOOD}{head}\npooler: tanh\n{key}\n", tmp_path)
    name, kind = key.partition(":")[0], head.split()[1]
    assert f"{name} is given, but nothing of the model uses it: head is {kind}" in said


def test_keys_of_heads_that_are_not_there(tmp_path: Path) -> None:
    """The activation of a head transform needs one, a pooler at the end has no projection with a bias."""
    said = problem(f"{GOOD}head_activation: gelu\n", tmp_path)
    assert "head_activation is given, but there is no head_transform to use it" in said
    said = problem(f"{GOOD}head: pooler\npooler: tanh\nhead_bias: true\n", tmp_path)
    assert "head_bias is given, but nothing of the model uses it: head is pooler" in said
