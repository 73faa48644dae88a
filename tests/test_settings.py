"""Every setting is stated once, and every document, caption and difference states every setting."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

import pytest
from bundling import SPECS
from conftest import GOLDEN, Tcost

import tcost as package
from tcost import InputError, evaluate, load_spec
from tcost.cli import command_of
from tcost.commands import NAMES as COMMANDS
from tcost.settings import NAMES, Option, Settings, Storage, flat, in_words, options, said_over, values_of
from tcost.sweep import Sweep, parse_axis

SPEC = """
name: tiny
vocab_size: 100
d_model: 32
n_heads: 4
d_ff: 64
n_encoder_layers: 2
n_decoder_layers: 3
context_length: 16
encoder_context_length: 24
"""

SECOND = {
    "algo": "pepita",
    "convention": "torch",
    "context": 8,
    "encoder_context": 5,
    "batch": 3,
    "optimizer": "adam",
    "causal": "half",
    "attention": "flash",
    "recompute": "block",
    "loss": "chunked:2",
    "dtype": "bf16",
    "weights_dtype": "fp16",
    "gradients_dtype": "fp16",
    "activations_dtype": "fp16",
    "optimizer_dtype": "fp16",
    "master_weights": True,
    "errata": False,
}
"""Of every option a value that is not as usual."""

OPTIONS = {option.name: option for option in options()}

DOCUMENTS = {
    "compute": "compute tiny.yaml",
    "compare": "compare tiny.yaml --algos bp",
    "memory": "memory tiny.yaml",
    "sweep --break-even": "sweep --break-even tiny.yaml --over d_ff --measures macc --algos bp pepita",
    "explain --formula": "explain --formula tiny.yaml --in d_ff",
    "explain": "explain tiny.yaml decoder.feed_forward",
    "reconcile": "reconcile tiny.yaml",
    "verify": "verify tiny.yaml --algos bp",
    "diff": "diff tiny.yaml tiny.yaml",
    "check": "check tiny.yaml --max flop=1T",
}
"""A command line of every command that writes a document of a step."""

PRICING = {*DOCUMENTS, "sweep", "report", "plot"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a folder that has a spec."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(SPEC)


def words_for(name: str, value: Any) -> list[str]:
    """Return an option with a value, as it is written."""
    flag = OPTIONS[name].flag
    if isinstance(value, bool):
        return [flag if value else f"--no{flag.removeprefix('-')}"]
    return [flag, str(value)]


def test_every_setting_is_declared_whole() -> None:
    """A default of its type, a sentence of help, a flag of its own, a second value here, and words unless unusual."""
    assert set(SECOND) == set(OPTIONS)
    assert len({option.flag for option in OPTIONS.values()}) == len(OPTIONS)
    for option in OPTIONS.values():
        assert option.help.endswith("."), option.name
        known = get_args(option.type)
        assert not known or option.default in (*known, None), option.name
    usual = in_words([Settings()])
    assert usual == "convention exact, 1 sequence per step"
    for name in NAMES:
        said = in_words([said_over(Settings(), {each: SECOND[each] for each in of_setting(name)})])
        is_said_elsewhere = name in ("algo", "context", "encoder_context")  # in titles and as lengths
        assert (said == usual) == is_said_elsewhere, name


def of_setting(name: str) -> list[str]:
    """Return the options of a setting."""
    return [option.name for option in OPTIONS.values() if option.path[0] == name]


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_an_option_changes_its_setting_alone(option: Option) -> None:
    """What an option says is in its setting, and everything else is as it was."""
    before = Settings(storage=Storage(has_master_weights=option.name == "dtype"))
    after = said_over(before, {option.name: SECOND[option.name]})
    changed = {name for name, value in values_of(after).items() if value != getattr(before, name)}
    assert changed == {option.path[0]}
    if option.name == "dtype":
        assert after.storage == Storage(dtype="bf16", has_master_weights=True)
    elif option.path[1:]:
        (field,) = (
            each.name
            for each in fields(Storage)
            if getattr(after.storage, each.name) != "fp32" and each.name in option.path
        )
        assert getattr(after.storage, field) == SECOND[option.name]


@pytest.mark.parametrize("name", [each.name for each in fields(Settings) if get_args(each.type)])
def test_an_unknown_value_is_refused(name: str) -> None:
    """A value that a setting does not have is an error with those that it has."""
    wrong: dict[str, Any] = {name: "hlaf"}
    with pytest.raises(InputError, match=f"unknown {name} 'hlaf'"):
        evaluate(load_spec("gpt2"), **wrong)
    with pytest.raises(InputError, match="unknown type 'fp64'"):
        Storage(weights="fp64")  # type: ignore[arg-type]  # which mypy knows, too


def test_the_types_of_keywords(tmp_path: Path) -> None:
    """A keyword that is no setting, or has not its type, is an error for mypy; right ones are none."""
    (tmp_path / "calls.py").write_text(
        "from tcost import compare, evaluate, load_spec, measure\n"
        'spec = load_spec("gpt2")\n'
        'evaluate(spec, "pepita", "paper", batch=8, causal="half", errata=False)\n'
        'compare([spec], ["bp"], "exact", context=[1, 2], recompute="block")\n'
        'evaluate(spec, causal="hlaf")\n'
        'compare([spec], ["bp"], recompute="blok")\n'
        "measure(spec, storge=3)\n"
    )
    config = Path(__file__).parent.parent / "pyproject.toml"
    command = [sys.executable, "-m", "mypy", "--config-file", str(config), "--no-warn-unused-configs", "calls.py"]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert re.findall(r"calls\.py:(\d+): error", outcome.stdout) == ["5", "6", "7"]


def stated(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the settings of everything in a document that states some."""
    if isinstance(document, dict):
        if {"optimizer", "causal"} <= set(document):
            yield {name: document[name] for name in NAMES if name in document}
        for value in document.values():
            yield from stated(value)
    for value in document if isinstance(document, list) else ():
        yield from stated(value)


def unanswered(command: str) -> set[str]:
    """Return the options that a command takes only to say why it cannot answer them."""
    hidden = {param.name for param in command_of(command).params if getattr(param, "hidden", False)}
    return hidden & set(OPTIONS)


@pytest.mark.parametrize("command", DOCUMENTS)
def test_documents_state_every_setting(command: str, tcost: Tcost) -> None:
    """Every option that a command answers changes what its document states of that setting, and of no other."""
    *words, known = *DOCUMENTS[command].split(), unanswered(command)

    def document(*more: str) -> list[dict[str, Any]]:
        outcome = tcost(*words, *more, "--format", "json")
        assert outcome.status in (0, 1), outcome.err
        return list(stated(json.loads(outcome.out)))

    before = document()
    assert before
    missing = set(NAMES) - set(before[0])
    assert missing == {"sweep --break-even": {"algo"}, "reconcile": {"convention"}}.get(command, set())
    for name, value in SECOND.items():
        setting = OPTIONS[name].path[0]
        is_given = name == "algo" and command in (
            "compare",
            "sweep --break-even",
            "verify",
        )  # by --algos, in words above
        if name in known or setting in missing or is_given or (command == "verify" and "context" in name):
            continue
        after = document(*words_for(name, value))
        assert len(after) == len(before)
        for one, other in zip(before, after, strict=True):
            assert {key for key in one if one[key] != other[key]} == {setting}, (command, name)


@pytest.mark.parametrize("command", ["compute", "compare", "memory", "sweep --break-even", "verify", "reconcile"])
def test_csv_has_the_settings_of_json(command: str, tcost: Tcost) -> None:
    """The columns of a step are the fields of the JSON, flat, as the same words."""
    words = [*DOCUMENTS[command].split(), "--optimizer", "adam", "--recompute", "block"]
    (first, *_) = stated(json.loads(tcost(*words, "--format", "json").out))
    (row, *_) = csv.DictReader(io.StringIO(tcost(*words, "--format", "csv").out))
    expected = {name: "" if value is None else str(value) for name, value in flat(first)}
    expected |= {name: value.lower() for name, value in expected.items() if value in ("True", "False")}
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize("name", sorted(set(SECOND) - {"algo", "convention"}))
def test_sweeps_state_every_setting(name: str) -> None:
    """A setting changes the columns of a sweep's rows, and what tells the sweep from others."""
    spec, axes = load_spec("tiny.yaml"), (parse_axis("d_ff=1,2"),)
    before, after = (
        Sweep(spec=spec, axes=axes, settings=said_over(Settings(), said)) for said in ({}, {name: SECOND[name]})
    )
    assert before.fingerprint != after.fingerprint
    one, other = (of.fixed(of.chunk(0)) for of in (before, after))
    assert {key for key in one if one[key] != other[key]} == {OPTIONS[name].path[0]}
    assert before.columns == after.columns


@pytest.mark.parametrize("command", sorted(PRICING))
def test_what_a_command_cannot_answer_is_said(command: str, tcost: Tcost) -> None:
    """A command takes every option of a setting; one that it cannot answer is refused with the reason."""
    params = {param.name for param in command_of(command).params}
    several = {"algo": "algos", "convention": "conventions", "context": "contexts"}
    assert {name for name in OPTIONS if name not in params and several.get(name) not in params} == set()
    required = (
        ["-o", "x.svg"] if command in ("plot", "report") else ["--over", "d_ff=1,2"] if command == "sweep" else []
    )
    words = DOCUMENTS.get(command, f"{command} tiny.yaml").split()
    for name in unanswered(command):
        outcome = tcost(*words, *required, *words_for(name, SECOND[name]))
        assert outcome.status == 2
        assert re.match(rf"error: {OPTIONS[name].flag}: .+\n +.+", outcome.err), outcome.err


def test_what_torch_does_not_execute_is_said(tcost: Tcost) -> None:
    """Beside --torch an option that it does not heed is refused, not passed over."""
    for words in (["--algos", "pepita"], ["--optimizer", "sgd"], ["--recompute", "block"], ["--seed", "1"]):
        outcome = tcost("verify", "gpt2", "--torch", *words)
        assert (outcome.status, outcome.err.splitlines()[0]) == (
            *(2, f"error: {words[0]}: with --torch one step under bp is executed, without an optimizer"),
        )


def test_every_command_is_priced_or_has_no_step() -> None:
    """A new command that takes settings is in the lists above."""
    assert {name for name in COMMANDS if {"optimizer"} <= {param.name for param in command_of(name).params}} == PRICING


NEW = """    flavour: Literal["plain", "spicy"] = setting("plain", "How it tastes.", _unless("plain", "flavour {}"))
"""

SHOWS = """
import json, os, subprocess, sys
from commands import words
from tcost.commands import NAMES

def run(line):
    return subprocess.run([sys.executable, "-m", "tcost", *line.split()], capture_output=True, text=True, check=False)

spicy = "--flavour spicy"
found = {
    "help": {name: "--flavour" in run(f"{name} --help").stdout for name in NAMES},
    "words": [line for line in words().splitlines() if "--flavour" in line],
    "json": run(f"compute tiny.yaml {spicy} --format json").stdout,
    "csv": run(f"memory tiny.yaml {spicy} --format csv").stdout,
    "caption": run(f"compute tiny.yaml {spicy}").stdout,
    "schema": run("list schema result").stdout,
    "budget": run("list schema budget").stdout,
    "lines": run(f"sweep tiny.yaml --over d_ff=1,2 {spicy} --format jsonl").stdout,
    "diff": run(f"diff before.json tiny.yaml {spicy}").stdout,
    "wrong": run("compute tiny.yaml --flavour sweet").stderr,
}
print(json.dumps(found))
"""


def test_a_new_setting_is_one_declaration(tmp_path: Path, tcost: Tcost) -> None:
    """A setting that is added to a copy of the program is an option, a field, a column, words, and a difference."""
    copy = tmp_path / "copy" / "tcost"
    shutil.copytree(Path(str(package.__file__)).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(SPECS, copy.parent / "model_specs")
    declared = (copy / "settings.py").read_text()
    assert declared.count("    storage: Storage = setting(") == 1
    (copy / "settings.py").write_text(
        declared.replace("    storage: Storage = setting(", f"{NEW}    storage: Storage = setting(")
    )
    (tmp_path / "before.json").write_text(tcost("compute", "tiny.yaml", "--format", "json").out)
    path = os.pathsep.join(map(str, (copy.parent, Path(__file__).parent)))
    outcome = subprocess.run(
        [sys.executable, "-c", SHOWS],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    found = json.loads(outcome.stdout)
    assert {name for name, is_there in found["help"].items() if is_there} == PRICING
    assert {line.split("\t")[0] for line in found["words"]} == PRICING
    assert json.loads(found["json"])["results"][0]["flavour"] == "spicy"
    assert next(csv.DictReader(io.StringIO(found["csv"])))["flavour"] == "spicy"
    assert "1 sequence per step, flavour spicy" in found["caption"]
    assert json.loads(found["lines"].splitlines()[0])["flavour"] == "spicy"
    for name in ("schema", "budget"):
        assert "How it tastes" in found[name]
    assert "not the same: flavour plain → spicy" in found["diff"]
    assert "'sweet' is not one of 'plain', 'spicy'" in found["wrong"]


def test_results_of_version_1_are_read(tcost: Tcost) -> None:
    """What an earlier version has saved means what it did: against the same spec nothing has changed."""
    saved = GOLDEN / "saved_version_1.json"
    document = json.loads(saved.read_text())
    assert document["schema_version"] == 1
    outcome = tcost("diff", saved, "tiny.yaml", "--format", "json")
    assert outcome.status == 0, outcome.err
    for pair, was in zip(json.loads(outcome.out)["differences"], document["results"], strict=True):
        assert pair["base"] == pair["head"]
        assert pair["changes"] == []
        assert all(change["difference"] == 0 for change in pair["totals"].values())
        assert pair["base"]["errata"] == was["has_errata"]
        assert {name: pair["base"][name] for name in NAMES if name in was and name != "errata"} == {
            name: was[name] for name in NAMES if name in was and name != "errata"
        }
    shown = tcost("diff", saved, "tiny.yaml").out
    assert all(slip["slip"].split(",")[0] in " ".join(shown.split()) for slip in document["results"][0]["errata"])


def test_defaults_are_those_of_python_and_the_command_line(tcost: Tcost) -> None:
    """What is not said is the same from everywhere."""
    (result,) = json.loads(tcost("compute", "gpt2", "--format", "json").out)["results"]
    priced = evaluate(load_spec("gpt2"))
    assert values_of(priced) == values_of(replace(Settings(), context=1024))
    assert result["totals"]["flop"] == priced.totals.flop
