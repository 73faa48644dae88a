"""`torch_check`: convention `torch` against a training step that is executed here and now.

What torch executed once is in tests/golden/torch.json; where torch is missing it stands in for the execution.
"""

import csv
import io
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import pytest
from conftest import GOLDEN, Tcost, golden
from test_torch import GROUPS

from tcost import Sizes, load_spec
from tcost.errors import InputError
from tcost.kinds import PHASES, Phase
from tcost.report.tables import draw
from tcost.report.verify import torch_check_table
from tcost.torch_check import TorchCheck, check, checking, execution
from tcost.torch_check.classes import CLASSES, Group, HuggingFaceClass, class_for
from tcost.torch_check.execution import Execution, execute

BUILT = {each.name for each in CLASSES}
CASES = [case for case in golden("torch") if case["hf_class"] in BUILT and case["model"] != "tiny-t5-gated"]
IDS = [f"{case['model']}-{case['context']}-{case['encoder_context']}-{case['batch']}" for case in CASES]
TINY = [case for case in CASES if case["model"].startswith("tiny-")]
STEP = PHASES[:3]

HAS_TORCH = bool(find_spec("torch") and find_spec("transformers"))
executed = pytest.mark.skipif(
    not HAS_TORCH, reason="torch and transformers are missing: test_recorded_executions stands in with the golden file"
)

WITH_CLASS = [
    *("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "gpt3-small", "gpt3", "bert-base", "bert-large", "distilbert"),
    *("bart-base", "t5-base"),
]
"""Bundled specs that a class builds; the others are refused."""

PARTS = {"attention": "self_attn.", "cross_attention": "cross_attn.", "feed_forward": "ffn."}
FUSED = {"query + key + value": "qkv_proj"}


def sizes_of(case: dict[str, Any]) -> Sizes:
    """Return the sizes of a golden case."""
    spec = load_spec(GOLDEN / "configs" / f"{case['model']}.json")
    return replace(spec.at(case["context"], case["encoder_context"]), name="case")


def recorded(case: dict[str, Any], chosen: HuggingFaceClass) -> Execution:
    """Return what a golden case recorded, as if it had just been executed."""
    flops: Counter[tuple[Group, Phase]] = Counter()
    for group in dict.fromkeys(group for groups in chosen.modules.values() for group in groups):
        stack, _, part = group[0].partition(".")
        name = PARTS.get(part, "") + (GROUPS | FUSED)[group[1]]
        counts = case["groups"].get(f"{stack}.{name}") or case["groups"][name]
        flops.update({(group, phase): counts[phase] for phase in STEP})
    return Execution(flops, case["parameters"], "recorded")


def at_small_context(name: str) -> TorchCheck:
    """Check a bundled spec at its real widths and a context of a few tokens."""
    spec = load_spec(name)
    return check(spec, context=16, encoder_context=12 if spec.at().family == "encoder-decoder" else None)


@executed
@pytest.mark.parametrize("name", WITH_CLASS)
def test_bundled_specs(name: str) -> None:
    """Every bundled spec that a class builds is executed as predicted: each group and phase, and the parameters."""
    result = at_small_context(name)
    assert [line for line in result.lines if line.difference] == []
    assert all(total.predicted == total.executed > 0 for total in result.totals)
    assert result.executed_parameters == result.predicted_parameters
    assert result.agrees


@executed
@pytest.mark.parametrize("case", TINY, ids=lambda case: f"{case['model']}-{case['batch']}")
def test_counter_against_golden(case: dict[str, Any]) -> None:
    """The counter itself is right: it counts in every group and phase what the golden file has for the same models."""
    s = sizes_of(case)
    chosen = class_for(s)
    counted, expected = execute(chosen, s, case["batch"]), recorded(case, chosen)
    assert chosen.name == case["hf_class"]
    assert dict(counted.flops) == dict(expected.flops)
    assert counted.parameters == expected.parameters
    assert counted.flops.total() == sum(case[phase] for phase in STEP)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_recorded_executions(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """With or without torch, predictions agree with what torch executed when the golden file was recorded."""
    monkeypatch.setattr(checking, "execute", lambda chosen, _s, _batch: recorded(case, chosen))
    result = check(sizes_of(case), batch=case["batch"])
    assert result.agrees
    assert [total.executed for total in result.totals] == [case[phase] for phase in STEP]


def test_golden_stands_in_for_torch() -> None:
    """Where torch is missing nothing goes unchecked: the golden file has every class, so every bundled spec's."""
    covered = {case["hf_class"] for case in CASES}
    assert covered == {each.name for each in CLASSES}
    assert {class_for(load_spec(name).at()).name for name in WITH_CLASS} == covered


@executed
def test_other_sizes_are_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model with a wider feed-forward than the spec's differs there, by its exact FLOPs, and nowhere else."""
    wider = 8
    monkeypatch.setattr(checking, "execute", lambda chosen, s, batch: execute(chosen, replace(s, d_ff=120), batch))
    s = sizes_of(TINY[0])
    result = check(s)
    more = 2 * s.context_length * s.d_model * wider * s.n_decoder_layers
    expected = {("decoder.feed_forward", name, phase): more for name in ("up", "down") for phase in STEP}
    assert {(line.layer, line.operation, line.phase): line.difference for line in result.lines if line.difference} == (
        expected
    )
    assert result.executed_parameters - result.predicted_parameters == wider * (2 * s.d_model + 1) * s.n_decoder_layers
    assert not result.agrees


@executed
def test_unknown_products_are_detected() -> None:
    """A product in a module that the class is not known to have is a group of its own, never dropped."""
    s = sizes_of(TINY[0])
    known = class_for(s)
    fewer = replace(known, modules={path: groups for path, groups in known.modules.items() if path != "lm_head"})
    counted, stranger = execute(fewer, s, 1).flops, ("lm_head", "product 1")
    assert [counted[stranger, phase] for phase in STEP] == [2 * s.context_length * s.d_model * s.vocab_size] * 3


@executed
def test_total_is_flop_counter_mode_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups that do not add up to FlopCounterMode's own total are an error, whatever they agree with."""
    monkeypatch.setattr(execution._Recording, "_note", lambda *_, **__: 0)
    total = sum(TINY[0][phase] for phase in STEP)
    with pytest.raises(RuntimeError, match=f"FlopCounterMode counts {total} FLOPs, the products of matrices have 0"):
        check(sizes_of(TINY[0]))


@executed
@pytest.mark.parametrize(
    ("changes", "context"),
    [({"tie_embeddings": False}, 16), ({"activation": "relu"}, 16), ({"n_positions": 3}, 16), ({}, 100)],
)
def test_variants(changes: dict[str, Any], context: int) -> None:
    """Classes are built as the spec says, and with a longer table of positions where the context needs one."""
    result = check(replace(sizes_of(TINY[0]), **changes), context=context)
    rows = max(context, changes.get("n_positions", 64))
    assert result.agrees
    assert any("so that the context fits" in note for note in result.notes) == (rows == context)


@pytest.mark.parametrize(("name", "spare"), [("gpt2", 0), ("bert-base", 0), ("distilbert", 0), ("bart-base", 2)])
def test_longer_positions(name: str, spare: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A context beyond the spec's lengthens the table of positions in prediction and configuration, and says so."""
    configs: list[dict[str, Any]] = []

    def configured(chosen: HuggingFaceClass, s: Sizes, _batch: int) -> Execution:
        configs.append(chosen.config(s))
        return Execution(Counter(), 0, "nothing")

    monkeypatch.setattr(checking, "execute", configured)
    spec, context = load_spec(name), 3000
    rows, tables = context + spare, 2 if spare else 1
    own = spec.at().n_positions
    longer, plain = check(spec, context=context), check(spec, context=8)
    assert longer.predicted_parameters - plain.predicted_parameters == tables * (rows - own) * spec.d_model
    assert f"built with {rows} positions, not {own}, so that the context fits" in longer.notes
    assert context in configs[0].values()
    assert {spec.vocab_size, spec.d_model, spec.n_heads, spec.d_ff, own - spare} <= set(configs[1].values())
    assert not plain.agrees


@executed
def test_silent() -> None:
    """A first check in a fresh process says nothing on its own, and leaves the hub switched off."""
    code = (
        "import os; from tcost import load_spec; from tcost.torch_check import check; "
        "assert check(load_spec('distilbert'), context=4).agrees; assert os.environ['HF_HUB_OFFLINE'] == '1'"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")


@pytest.mark.parametrize("library", ["torch", "transformers"])
def test_missing_library(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where torch or transformers is missing, the message says what to install."""
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(InputError) as error:
        at_small_context("gpt2")
    assert str(error.value) == "checking against torch needs torch and transformers\npip install 'tcost[torch]'"


def no_class(name: str, family: str, needs: str) -> str:
    """Return what is said of a spec that no class builds."""
    return f"{name}: Hugging Face has no class for this {family} model\n{needs}"


BART_NEEDS = (
    "BartForConditionalGeneration, the nearest, needs attention_bias: true, positions: learned, embedding_norm: true"
)
T5_NEEDS = "T5ForConditionalGeneration, the nearest, needs"
GPT2_NEEDS = "GPT2LMHeadModel, the nearest, needs heads of width d_model / n_heads, attention_bias: true"
TOO_LARGE = "gpt2: too large for torch, whose sizes are 64-bit; give a shorter context or less width"


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("transformer-base", {}, no_class("transformer-base", "encoder-decoder", BART_NEEDS)),
        (
            *("alexatm-20b", {}),
            no_class("alexatm-20b", "encoder-decoder", f"{BART_NEEDS}, tie_embeddings: true"),
        ),
        ("gpt2", {"attention_bias": [], "d_head": 32}, no_class("gpt2", "decoder-only", GPT2_NEEDS)),
        ("t5-base", {"encoder_d_ff": 8}, no_class("t5-base", "encoder-decoder", f"{T5_NEEDS} no encoder_d_ff")),
        ("gpt2", {"n_decoder_layers": 1001}, "gpt2: 1001 layers are too many to build; at most 1000 can be checked"),
        ("gpt2", {"vocab_size": 10**18}, TOO_LARGE),
    ],
)
def test_refused(name: str, changes: dict[str, Any], message: str) -> None:
    """What no class builds, or torch cannot hold, is refused with what would have to be otherwise."""
    with pytest.raises(InputError) as error:
        check(load_spec(name).model_copy(update=changes))
    assert str(error.value) == message


@pytest.mark.parametrize("model", ["tiny-gpt2", "tiny-t5"])
def test_table(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table shows every group and total, what differs unsigned, and in SI units fits 100 columns."""
    case = next(case for case in CASES if case["model"] == model)
    other = {phase: case["groups"]["lm_head"][phase] + change for phase, change in zip(STEP, (5, -5, 0), strict=True)}
    case = case | {"groups": case["groups"] | {"lm_head": other}}
    monkeypatch.setattr(checking, "execute", lambda chosen, _s, _batch: recorded(case, chosen))
    result = check(sizes_of(case), batch=case["batch"])
    assert max(map(len, draw([torch_check_table(result)]).splitlines())) <= 100
    text = draw([torch_check_table(result, integers=True)])
    assert {line.split()[0] for line in text.splitlines() if line.startswith("  ")} >= {"scores", "up", "projection"}
    assert [line.split()[-1] for line in text.splitlines() if "projection " in line] == ["10"]


def gpt2_case(monkeypatch: pytest.MonkeyPatch, change: int) -> None:
    """Let a golden case of GPT-2 at context 128, changed by some FLOPs, stand for the execution."""
    case = next(case for case in CASES if case["model"] == "gpt2-small" and case["context"] == 128)
    counts = case["groups"]["lm_head"]
    case = case | {"groups": case["groups"] | {"lm_head": counts | {"forward": counts["forward"] + change}}}
    monkeypatch.setattr(checking, "execute", lambda chosen, _s, _batch: recorded(case, chosen))


def test_the_command_agrees(tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """`tcost verify --torch` shows predicted beside executed FLOPs in every format; status 0 where they agree."""
    gpt2_case(monkeypatch, change=0)
    command = ("verify", "gpt2", "--torch", "--context", 128)
    assert "as GPT2LMHeadModel executes it" in tcost(*command).out
    (found,) = json.loads(tcost(*command, "--format", "json").out)["torch_checks"]
    assert (found["agrees"], found["executed_parameters"]) == (True, 124_439_808)
    lines = list(csv.DictReader(io.StringIO(tcost(*command, "--format", "csv").out)))
    assert sum(int(line["executed"]) for line in lines) == 3 * 32_228_179_968
    assert all(line["difference"] == "0" for line in lines)


def test_the_command_disagrees(tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """One FLOP more than predicted is shown, named on standard error, and status 1."""
    gpt2_case(monkeypatch, change=1)
    outcome = tcost("verify", "gpt2", "--torch", "--context", 128)
    assert (outcome.status, outcome.err) == (1, "error: gpt2 does not verify against torch\n")


def test_a_context_is_for_torch(tcost: Tcost) -> None:
    """A context for the proof that shrinks the model would be ignored, so it is refused."""
    outcome = tcost("verify", "gpt2", "--context", 128)
    assert outcome.status == 2
    assert "a context is for --torch" in outcome.err
