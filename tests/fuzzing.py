"""What is fuzzed: specs, configurations and command lines that are drawn, and what every one of them is held to.

A new command is a line in `COMMANDS`; its options are read off the parser, and what an option takes off its name.
"""

import copy
import io
import json
import os
import signal
import sys
import time
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from commands import choices_of, kinds_of, parameters
from conftest import golden
from hypothesis import strategies as st

from tcost.__main__ import run
from tcost.bundled import BUNDLED
from tcost.commands import NAMES
from tcost.conventions import CONVENTIONS
from tcost.cost import evaluate_rules
from tcost.documents.compute import to_json
from tcost.kinds import PHASES
from tcost.learning_rules import LEARNING_RULES
from tcost.optimizers import OPTIMIZERS
from tcost.spec import ModelSpec, load_spec
from tcost.sweep import MEASURES
from tcost.text import visible
from tcost.tracing import LAYERS

SECONDS = 10
"""What no input may take."""

BAD_INPUT = 2

MAX_MESSAGE = 20_000
"""Characters of a message."""

STATUSES = {0, 1, BAD_INPUT}

BROKEN_OUTPUT = 74
"""Is right where the output is a device that takes nothing."""

ODD_TEXTS = (
    *("", " ", "=1+1", "@x", "\t=1", "\r=1", "a\nb", "\x1b[31m", "\x9b2J", "\u202eabc", "\u2028", "\ud800", "\u0301"),
    *("$x", "$", "[/b]", "[red]", "%d", "{}", "\\", "|", "`", "<b>", '"""', "*/", "\\input{x}", "null", "yes", "1e3"),
    *("ａ", "é" * 50, "x" * 101, "x" * 5000, "🙂", "-", "--", "~", "..", "café", "\u0663"),
)

SIZES = (0, 1, 2, 3, 7, 8, 64, 1000, 10**5, 10**6, 2**31, 2**53 + 1, 2**64, 10**18 - 1, 10**18, 10**18 + 1, -1)

sizes = st.sampled_from(SIZES) | st.integers(1, 64)
texts = st.sampled_from(ODD_TEXTS) | st.text(max_size=8)
scalars = st.none() | st.booleans() | sizes | st.floats() | texts | st.sampled_from([10**29, 10**40, 1.5, 1e400])
odd = scalars | st.lists(scalars, max_size=3) | st.dictionaries(texts, scalars, max_size=3)

SPECS = [
    yaml.safe_load(path.read_text())
    for path in sorted((Path(__file__).parents[1] / "model_specs").glob("*.yaml"))
    if path.stem in BUNDLED
]
CONFIGS = [case["config"] for case in golden("families")]

SAVED = json.loads(to_json(evaluate_rules(load_spec("gpt2"), ["bp", "pepita"]), "phase"))
BUDGETS = {
    "defaults": {"convention": "exact", "against": "saved.json", "max_growth": {"flop": "5%"}},
    "budgets": [
        {"spec": "spec.yaml", "against": "gpt2", "max": {"flop": "2.4T", "peak_bytes": "24GiB"}, "batch": 2},
        {"spec": "saved.json", "convention": "paper", "algos": ["bp"], "max": {"parameters": 10**9}, "dtype": "bf16"},
    ],
}

PARTS: dict[str, list[Any]] = {
    "experts": [{"n_experts": 4, "experts_per_token": 2, "d_expert": 8, "dense_layers": [0]}],
    "latent_attention": [{"kv_rank": 4, "d_nope": 4, "d_rope": 2, "d_value": 4}],
    "train": [{"lora": {"rank": 2, "targets": ["query", "up"]}}, [0, 2], ["attention"], ["decoder", 1], "all"],
    "full_attention_layers": [{"every": 2}, {"every": 3, "first": 1}, [0, 1], []],
    "sliding_window": [1, 2, 10**6],
    "positions": ["learned", "rotary", "alibi", "relative", "none", "stored", "sinusoidal"],
    "head": ["vocabulary", "classifier", "token_classifier"],
    "encoder_input": ["tokens", "patches", "audio"],
    "norm_position": ["pre", "post", "both", "output"],
    "parallel": ["none", "one_norm", "two_norms"],
}
"""Values of keys that make another model, rather than another size."""

SNIPPETS = (
    *("&a ", "*a", "!!python/object/apply:os.system [ls]\n", "!x ", "\t", "\x00", "\x07", "'", '"', "{", "[", "]", "}"),
    *(
        "- ",
        ": ",
        " #",
        "\ufeff",
        "---\n",
        "...\n",
        "%YAML 9.9\n",
        "? ",
        "|\n",
        ">-\n",
        "0x",
        "9" * 31,
        "9" * 5000,
        "<<: ",
    ),
    *(
        "\n",
        "\r",
        "\u202e",
        "\u2028",
        "@",
        "`",
        ",",
        "_",
        "1e999",
        "NaN",
        "-Infinity",
        "[" * 40,
        "{a: " * 20,
        "\\u0000",
    ),
)


@st.composite
def changed(draw: st.DrawFn, documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Draw one of some documents with keys dropped, added or of other values, at the top or inside a part."""
    document = dict(draw(st.sampled_from(documents)))
    for _ in range(draw(st.sampled_from([0, 1, 1, 2, 2, 3, 4]))):
        here, keys = document, [*document]
        key = draw(st.sampled_from(keys or ["name"]))
        if isinstance(document.get(key), dict) and document[key] and draw(st.booleans()):
            here = document[key] = dict(document[key])
            key = draw(st.sampled_from([*here]))
        match draw(st.sampled_from(["size"] * 4 + ["part"] * 3 + ["odd", "drop", "rename", "other"])):
            case "size":
                here[key] = draw(sizes)
            case "odd":
                here[key] = draw(odd)
            case "drop":
                here.pop(key, None)
            case "rename":
                here[draw(texts)] = here.pop(key, None)
            case "other":
                document[draw(st.sampled_from([*ModelSpec.model_fields, *documents[0]]))] = draw(odd | sizes)
            case "part":
                name = draw(st.sampled_from([*PARTS]))
                document[name] = draw(st.sampled_from(PARTS[name]))
    return document


@st.composite
def dented(draw: st.DrawFn, document: dict[str, Any]) -> dict[str, Any]:
    """Draw a document with other values, or fewer, anywhere inside."""
    dented = copy.deepcopy(document)
    for _ in range(draw(st.sampled_from([0, 1, 1, 2, 3]))):
        here: Any = dented
        while keys := [*here] if isinstance(here, dict) else [*range(len(here))]:
            key = draw(st.sampled_from(keys))
            if isinstance(here[key], dict | list) and draw(st.sampled_from([True] * 3 + [False])):
                here = here[key]
                continue
            if draw(st.sampled_from([True] * 3 + [False])):
                here[key] = draw(odd | sizes | st.sampled_from(["5%", "2.4T", "24GiB", "gpt2", "pepita", "spec.yaml"]))
            else:
                del here[key]
            break
    return dented


@st.composite
def torn(draw: st.DrawFn, text: str) -> bytes:
    """Draw the bytes of a text in which something is put in, cut off or there twice, or that stays as it is."""
    for _ in range(draw(st.sampled_from([0] * 8 + [1, 2]))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.sampled_from([0, 0, 1, len(text)]))
        text = text[:at] + draw(st.sampled_from(SNIPPETS)) + text[at + cut :]
    return text.encode("utf-8", "surrogatepass")


def as_json(document: Any) -> str:
    """Return a document as JSON."""
    return json.dumps(document)


def _as_yaml(document: dict[str, Any]) -> str:
    """Return a document in lines, each value as JSON, which YAML has too."""
    return "".join(
        f"{key if key.isidentifier() else json.dumps(key)}: {json.dumps(value)}\n" for key, value in document.items()
    )


specs = changed(SPECS).map(_as_yaml).flatmap(torn)
budgets = dented(BUDGETS).map(json.dumps).flatmap(torn)
saved = dented(SAVED).map(json.dumps).flatmap(torn)
configs = changed(CONFIGS).map(json.dumps).flatmap(torn)
documents = specs | configs
broken = st.binary(max_size=200) | documents.flatmap(
    lambda data: st.tuples(st.integers(0, len(data)), st.binary(min_size=1, max_size=3)).map(
        lambda at: data[: at[0]] + at[1] + data[at[0] + 1 :]
    )
)
"""Bytes that may not be text."""

amounts = st.sampled_from(
    [
        *(
            "2.4T",
            "130M",
            "7B",
            "1.5k",
            "1_000",
            "7e9",
            "1e99",
            "24GiB",
            "0",
            "-1",
            "",
            "x",
            "1.5",
            "5%",
            "0.001 %",
            "5",
        ),
        *("9" * 31, "9" * 100_000, "9" * 40 + "QiB", "1__0", "1_", "\u0663", "1e3k", "%", "=", "inf", "nan"),
    ]
)

numbers = st.one_of(
    *[st.integers(1, 32).map(str)] * 4,
    st.sampled_from(SIZES).map(str),
    st.sampled_from(["", "x", "1.5", "1e3", "0x10", " 5", "1_000", "٣", "+4", "9" * 31, "9" * 100_000, "-0", "nan"]),
)


def of_names(*names: str) -> st.SearchStrategy[str]:
    """Draw one of some names or, more rarely, something like it."""
    return st.sampled_from([*8 * names, "", "x", names[0].upper(), f"{names[-1]}x", ",".join(names)])


AXES = (
    *("context_length", "batch", "n_decoder_layers", "n_encoder_layers", "d_ff", "vocab_size", "d_model", "n_heads"),
    *("encoder_context_length", "experts.n_experts", "experts.d_expert", "sliding_window", "d_head", "n_kv_heads"),
    *("rotary_dims", "latent_attention.d_rope", "name", "experts", "context", "x", "", "train.lora.rank"),
)
few = st.one_of(
    st.lists(st.integers(1, 40), min_size=1, max_size=4).map(lambda values: ",".join(map(str, values))),
    st.tuples(st.integers(1, 9), st.integers(1, 20)).map(lambda ends: f"{ends[0]}:{ends[1]}"),
    st.tuples(sizes, sizes, st.sampled_from(["x2", "x10", "x1000", "x1", "x0"])).map(
        lambda each: "{}:{}:{}".format(*each)
    ),
    st.sampled_from(
        ["768", "12:768:12", "1,2,3:5", "0", "0:0", "5:1", "1:9:0", "1:9:", ":", "1::2", "", ",", "1:2:3:4"]
    ),
    st.sampled_from(["9" * 31, "9" * 100_000, "10:20:x٣", "1e3", "-1:3", str(10**18), str(10**18 + 1), "x", "1:x2"]),
)
many = few | st.sampled_from(
    ["1:1000000000000", f"1:{10**18}", "1:1000000:7", "12:12000000000:12", f"{10**17}:{10**18}:{10**16}"]
)


def axes(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Draw an axis with values, or without."""
    named = st.tuples(st.sampled_from(AXES), values).map("=".join)
    return named | st.sampled_from([*AXES, "=", "batch=1=2"])


limits = st.tuples(of_names(*MEASURES), amounts).map("=".join) | amounts

OUTPUTS = ("out.json", "out.svg", "out.png", "out.pdf", "out.csv", "out.jsonl", "out.parquet", "out", "é.md", "\udcff")
BAD_OUTPUTS = (".", "", "/dev/null", "/dev/full", "no/such", "loop", "dangling", "x" * 300, "spec.yaml/x", "-")

VALUES: dict[str, st.SearchStrategy[str]] = {
    "--algos": of_names(*LEARNING_RULES),
    "--algo": of_names(*LEARNING_RULES),
    "--convention": of_names(*CONVENTIONS),
    "--conventions": of_names(*CONVENTIONS),
    "--from": of_names(*CONVENTIONS),
    "--to": of_names(*CONVENTIONS),
    "--optimizer": of_names(*OPTIMIZERS),
    "--phase": of_names(*PHASES),
    "--measures": of_names(*MEASURES),
    "--in": of_names(*AXES),
    "--over": axes(few),
    "--output": st.sampled_from(OUTPUTS) | st.sampled_from(BAD_OUTPUTS),
    "--budget": st.sampled_from(
        ["24GiB", "1 B", "0", "1.5 kB", "1.5", "9" * 40 + "QiB", "9" * 100_000, "", "x", "1e3", "-1"]
    ),
    "--against": st.sampled_from(["saved.json", "gpt2", "spec.yaml", "tcost.yaml", "/dev/null", ""]),
    "--config": st.sampled_from(["tcost.yaml", "spec.yaml", "loop", "", "."]),
    "--max": limits,
    "--max-growth": limits,
    "--shard": st.sampled_from(["1/1", "1/4", "4/4", "0/1", "5/4", "1/0", "x", "", "1/999999999", "9" * 100_000]),
}
"""What options take that are words; of the others their type says it."""

LEFT_OUT = {"--torch", "--distributed", "--scheduler"}
"""Options that need a program, or start processes, beside the one that is fuzzed."""

spec_words = st.one_of(
    st.just("-"),
    st.sampled_from(["gpt2", "bert-base", "bart-base", "mixtral-8x7b.yaml", "deepseek-v3", "whisper-tiny", "vit-base"]),
    st.sampled_from(
        ["spec.yaml", "config.json", ".", "loop", "dangling", "/dev/null", "/dev/zero", "gtp2", "bp", "x" * 300]
    ),
)
side_words = spec_words | st.sampled_from(["saved.json", "saved.json", "tcost.yaml"])
layer_words = st.sampled_from(
    [*LAYERS, "decoder.attention", "encoder.add_norm_2", "final_norm", "decoder", "x", "", "."]
)


def some(*words: st.SearchStrategy[str], most: int = 0) -> st.SearchStrategy[list[str]]:
    """Draw a word of each kind, and up to so many further ones of the last kind."""
    return st.tuples(st.tuples(*words), st.lists(words[-1], max_size=most)).map(lambda drawn: [*drawn[0], *drawn[1]])


COMMANDS: dict[str, st.SearchStrategy[list[str]]] = {
    "compute": some(spec_words),
    "compare": some(spec_words, most=2),
    "memory": some(spec_words),
    "sweep": some(spec_words),
    "sweep --break-even": some(spec_words),
    "explain --formula": some(spec_words) | some(layer_words) | some(spec_words, layer_words),
    "explain": some(spec_words) | some(spec_words, layer_words),
    "reconcile": some(spec_words),
    "plot": some(spec_words),
    "verify": some(spec_words, most=1),
    "diff": some(side_words, side_words),
    "check": some(side_words) | st.just([]),
    "report": some(spec_words, most=1),
    "import": some(spec_words),
    "list": some(of_names("specs", "algos", "conventions", "layers"))
    | some(st.just("schema"), of_names("spec", "result", "budget"))
    | some(st.just("errata"), spec_words),
}
"""The arguments of every command."""

QUICK = ("compute", "compare", "memory", "reconcile", "import")
"""Commands that load little, and are drawn more often."""

REQUIRED: dict[str, st.SearchStrategy[list[str]]] = {
    "sweep": some(st.just("--over"), axes(few), most=1),
    "sweep --break-even": some(st.just("--over"), axes(many)) | st.just([]),
    "plot": some(st.just("-o"), st.sampled_from(["out.svg", "out.png", "out.pdf"])),
    "report": some(st.just("-o"), st.sampled_from(["out.html", "out"])),
    "check": some(st.just("--max"), limits, most=1) | some(st.just("--config"), st.sampled_from(["tcost.yaml", "-"])),
}
"""Options without which a command says no more than that they are missing."""


def _options(name: str) -> list[tuple[str, st.SearchStrategy[str] | None]]:
    """Return the options of a command, hidden ones too, each with what it takes, None where it is a flag."""
    params = [each for each in parameters(name) if each.param_type_name == "option" and each.name != "help"]
    return [
        (word, _values(name, param))
        for param in params
        for word in (*param.opts, *param.secondary_opts)
        if word not in LEFT_OUT
    ]


def _values(command: str, param: Any) -> st.SearchStrategy[str] | None:
    name = max(param.opts, key=len)
    if choices := choices_of(command, param):
        return of_names(*choices)
    if name in VALUES:
        return VALUES[name]
    return None if param.is_flag else numbers if int in kinds_of(command, param) else texts


OPTIONS = {name: _options(name) for name in NAMES}


@dataclass(frozen=True)
class Input:
    """A command line, and what is on standard input."""

    args: tuple[str, ...]
    data: bytes = b""


def _argument(word: str) -> str:
    """Return a word as a process can be given it: without NUL, and of surrogates only those that stand for bytes."""
    return os.fsdecode(word.replace("\0", "").encode("utf-8", "surrogatepass"))


@st.composite
def command_lines(draw: st.DrawFn) -> Input:
    """Draw a command with arguments and options in any order, some twice, some without a value or unknown."""
    name = draw(st.sampled_from([*COMMANDS, *QUICK * 3]))
    groups = [[word] for word in draw(COMMANDS[name])]
    groups += [draw(REQUIRED[name])] if name in REQUIRED else []
    for option, values in draw(st.lists(st.sampled_from(OPTIONS[name]), max_size=4)) if OPTIONS[name] else []:
        taken = [] if values is None else draw(st.lists(values, min_size=1, max_size=1 + (option == "--algos")))
        is_one_word = bool(taken) and draw(st.booleans())
        groups.append([f"{option}={taken[0]}"] if is_one_word else [option, *taken])
    if draw(st.integers(0, 9)) == 0:
        groups.append([draw(st.sampled_from(["--help", "--", "--x", "-", "--algos", "--output", "-o", *ODD_TEXTS]))])
    shuffled: list[list[str]] = draw(st.permutations(groups))
    words = [_argument(word) for group in shuffled for word in group]
    return Input((*name.split(), *words), draw(documents) if "-" in words else b"")


def loaded(command: str, data: bytes) -> Input:
    """Return what reads a document and does little else."""
    return Input((command, "-", *(["--format", "json"] if command == "compute" else [])), data)


others: st.SearchStrategy[Input] = st.one_of(
    st.builds(loaded, st.just("compute"), documents),
    st.builds(loaded, st.just("import"), configs),
    st.builds(lambda data: Input(("diff", "-", "gpt2"), data), saved),
    st.builds(lambda data: Input(("check", "--config", "-"), data), budgets),
    st.builds(loaded, st.sampled_from(["compute", "import"]), broken),
)
"""Documents for commands that do little else than read them."""

inputs: st.SearchStrategy[Input] = command_lines() | others
"""A sixth of them command lines, which take longer."""


class HangError(BaseException):
    """An input takes too long; nothing that the code catches."""


@dataclass(frozen=True)
class Outcome:
    """What an input led to."""

    status: int
    seconds: float
    err: str


def _ring(*_args: object) -> None:
    raise HangError


def outcome_of(each: Input) -> Outcome:
    """Run an input in this process, in the folder it is in. Raises what the code should have caught."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace") for _ in range(2))
    into = io.TextIOWrapper(io.BytesIO(each.data))
    start = time.perf_counter()
    with (
        patch.object(sys, "stdin", into),
        patch.object(sys, "stdout", out),
        patch.object(sys, "stderr", err),
        patch.dict(os.environ, {"TCOST_DEBUG": "1"}),
    ):
        before = signal.signal(signal.SIGALRM, _ring)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            status = run(list(each.args))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    seconds = time.perf_counter() - start
    err.flush()
    return Outcome(status, seconds, err.buffer.getvalue().decode())


def check(each: Input) -> Outcome:
    """Run an input and hold it to what is promised."""
    try:
        outcome = outcome_of(each)
    except HangError:
        raise AssertionError(f"more than {SECONDS} seconds") from None
    is_broken = outcome.status == BROKEN_OUTPUT and any("/dev/full" in word for word in each.args)
    assert outcome.status in STATUSES or is_broken, outcome
    assert (outcome.err != "") == (outcome.status != 0), outcome
    assert outcome.err.startswith("error: ") or outcome.status == 0, outcome
    assert all(visible(line) == line for line in outcome.err.split("\n")), outcome
    assert len(outcome.err) < MAX_MESSAGE, len(outcome.err)
    return outcome


def prepare(folder: Path) -> "chdir[Path]":
    """Put files for command lines into an empty folder, and return what goes there."""
    (folder / "spec.yaml").write_text(_as_yaml(SPECS[0]))
    (folder / "config.json").write_text(json.dumps(CONFIGS[0]))
    (folder / "saved.json").write_text(as_json(SAVED))
    (folder / "tcost.yaml").write_text(as_json(BUDGETS))
    (folder / "loop").symlink_to("loop")
    (folder / "dangling").symlink_to("nowhere")
    return chdir(folder)
