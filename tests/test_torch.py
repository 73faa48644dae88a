"""Convention `torch` against FlopCounterMode on real model classes, and the identity that ties it to `paper`."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import GOLDEN, golden
from drawn import models
from hypothesis import given
from test_families import INSIDE

from tcost import Result, Sizes, evaluate, load_spec
from tcost.importers import FAMILIES as IMPORTED
from tcost.kinds import PHASES

CASES = golden("torch")
IDS = [f"{case['model']}-{case['context']}-{case['encoder_context']}-{case['batch']}" for case in CASES]
STEP = PHASES[:3]

GROUPS = {
    "query": "q_proj",
    "key": "k_proj",
    "value": "v_proj",
    "scores": "scores",
    "context": "context",
    "output": "out_proj",
    "up": "up",
    "gate": "gate",
    "down": "down",
    "router": "router",
    **dict.fromkeys(("expert_gate", "expert_up", "expert_down"), "experts"),
    "projection": "lm_head",
    "dense": "mlm_transform",
}
PARTS = {
    "attention": "self_attn.",
    "cross_attention": "cross_attn.",
    "feed_forward": "ffn.",
    "mixture_of_experts": "ffn.",
}
"""Our layers by what a group's name begins with."""

"""Our operations by the last word of the group that FlopCounterMode's count was filed under."""


def priced(case: dict[str, Any]) -> Result:
    """Price a golden case from its Hugging Face configuration."""
    spec = load_spec(GOLDEN / "configs" / f"{case['model']}.json")
    return evaluate(
        spec,
        convention="torch",
        context=case["context"],
        encoder_context=case["encoder_context"],
        batch=case["batch"],
    )


def by_group(result: Result, names: set[str]) -> dict[str, dict[str, int]]:
    """Sum our FLOPs into the groups that a case names: some models fuse q, k and v, some name the stack."""
    sums = {name: Counter[str]() for name in names}
    for row in result.rows:
        if not row.macc:
            continue
        stack = str(row.layer).partition(".")[0]
        part = PARTS.get(str(row.layer).rpartition(".")[2], "")
        group = part + GROUPS[str(row.operation)]
        fused = re.sub("[qkv]_proj", "qkv_proj", group)
        name = next(name for name in (f"{stack}.{group}", group, fused) if name in names)
        sums[name][row.phase] += row.flop
    return {name: {phase: counter[phase] for phase in STEP} for name, counter in sums.items()}


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_executed_groups(case: dict[str, Any]) -> None:
    """Every group that FlopCounterMode counted has our FLOPs, forward, backward and weight update."""
    assert by_group(priced(case), set(case["groups"])) == case["groups"]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_executed_totals(case: dict[str, Any]) -> None:
    """Totals per phase equal the executed ones, at 2 FLOPs per MACC."""
    phases = priced(case).phases
    for phase in STEP:
        assert phases[phase].flop == case[phase]
        assert 2 * phases[phase].macc == case[phase]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_parameters_of_real_models(case: dict[str, Any]) -> None:
    """Parameters are those of the real model, what is tied counted once."""
    assert priced(case).totals.parameters == case["parameters"]


FAMILIES = golden("families")


@pytest.mark.parametrize("case", FAMILIES, ids=lambda case: f"{case['config']['model_type']}-{case['context']}")
def test_executed_families(case: dict[str, Any], tmp_path: Path) -> None:
    """Every family with its options: FLOPs of each phase and parameters are those of the class that was executed."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(case["config"]))
    result = evaluate(
        load_spec(path),
        convention="torch",
        context=case["context"],
        encoder_context=case["encoder_context"],
        batch=case["batch"],
    )
    found = {phase: result.phases[phase].flop for phase in STEP} | {"parameters": result.totals.parameters}
    left_out = {"parameters": case.get("without_use", 0)}
    assert found == {name: case[name] - left_out.get(name, case.get("not_chosen", 0)) for name in found}


def test_every_family_was_executed() -> None:
    """There is no family in the importer that no class was executed for; `gemma3` is read as its text part."""
    assert {case["config"]["model_type"] for case in FAMILIES} | INSIDE == set(IMPORTED)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("gpt2", 124_439_808),
        ("gpt2-medium", 354_823_168),
        ("gpt2-large", 774_030_080),
        ("gpt2-xl", 1_557_611_200),
        ("gpt3-small", 125_226_240),
        ("bert-base", 109_514_298),
        ("distilbert", 66_985_530),
        ("bart-base", 139_420_416),
        ("llama-2-7b", 6_738_415_616),
        ("llama-3-8b", 8_030_261_248),
        ("llama-3-70b", 70_553_706_496),
        ("llama-3.2-1b", 1_235_814_400),
        ("mistral-7b", 7_241_732_096),
        ("mixtral-8x7b", 46_702_792_704),
        ("qwen2-7b", 7_615_616_512),
        ("qwen2.5-0.5b", 494_032_768),
        ("qwen3-8b", 8_190_735_360),
        ("qwen3-30b-a3b", 30_532_122_624),
        ("qwen1.5-moe-a2.7b", 14_315_784_192),
        ("gemma-2b", 2_506_172_416),
        ("gemma-2-9b", 9_241_705_984),
        ("gemma-3-1b", 999_885_952),
        ("phi-2", 2_779_683_840),
        ("phi-3-mini", 3_821_079_552),
        ("olmo-2-7b", 7_298_617_344),
        ("deepseek-v2-lite", 15_706_484_224),
        ("deepseek-v3", 671_026_404_352),
        ("pythia-1.4b", 1_414_647_808),
        ("gpt-j-6b", 6_050_882_784),
        ("opt-1.3b", 1_315_758_080),
        ("bloom-7b1", 7_069_016_064),
        ("falcon-7b", 6_921_720_704),
        ("mpt-7b", 6_649_286_656),
        ("roberta-base", 124_697_433),
        ("t5-base", 222_903_552),
        ("flan-t5-base", 247_577_856),
        ("mt5-small", 300_176_768),
        ("mbart-large-50", 610_879_488),
        ("whisper-tiny", 37_760_640),
        ("vit-base", 86_567_656),
    ],
)
@pytest.mark.parametrize("convention", ["exact", "torch"])
def test_parameters_of_bundled_specs(name: str, parameters: int, convention: str) -> None:
    """The bundled specs have the parameters of the published checkpoints, whatever the context."""
    spec = load_spec(name)
    assert evaluate(spec, convention=convention).totals.parameters == parameters
    assert evaluate(spec, "pepita", convention, context=7).totals.parameters == parameters


@pytest.mark.parametrize(
    ("name", "idle"),
    [
        ("mixtral-8x7b", 32 * (8 - 2) * 3 * 4096 * 14336),
        ("qwen3-30b-a3b", 48 * (128 - 8) * 3 * 2048 * 768),
        ("deepseek-v3", (61 - 3) * (256 - 8) * 3 * 7168 * 2048),
        ("llama-3-8b", 0),
    ],
)
def test_active_parameters(name: str, idle: int) -> None:
    """A token does not use the three matrices of each expert that it does not choose, in layers that have experts."""
    totals = evaluate(load_spec(name), convention="exact").totals
    assert totals.parameters - totals.active_parameters == idle


def test_parameters_of_bert_large() -> None:
    """The bundled sizes have the 335,141,888 parameters of the published BertModel, whose pooler is a dense layer.

    Ours has instead the head of the masked language model: dense layer, norm, and a bias per word.
    """
    spec = load_spec("bert-large")
    head = 2 * spec.d_model + spec.vocab_size
    assert evaluate(spec, convention="exact").totals.parameters == 335_141_888 + head


@given(s=models("decoder-only"))
def test_identity_with_paper(s: Sizes) -> None:
    """`paper` BP = `torch` BP / 2 + the Jacobians, the one-hot product and the norms' weight update, in MACCs."""
    layers, m, d, h, v = s.n_decoder_layers, s.context_length, s.d_model, s.n_heads, s.vocab_size
    jacobians = m * m * m * h * layers + 2 * layers * m * d * d
    expected = evaluate(s, convention="torch").totals.flop // 2 + jacobians + m * v * d + 2 * layers * m * d
    assert evaluate(s, convention="paper").totals.macc == expected


@given(s=models())
def test_error_projection_is_counted(s: Sizes) -> None:
    """FlopCounterMode sees the products of PEPITA's error projection and nothing else of it."""
    m, n, d, v = s.context_length, s.encoder_context_length, s.d_model, s.vocab_size
    expected = m * v * d + (n * m * v + n * v * d if s.family == "encoder-decoder" else 0)
    amount = evaluate(s, "mempepita", "torch").phases["error_projection"]
    assert (amount.macc, amount.flop) == (expected, 2 * expected)


@given(s=models())
def test_backward_is_twice_the_forward(s: Sizes) -> None:
    """Of matrix products, backward and weight update together are exactly twice the forward."""
    phases = evaluate(s, convention="torch").phases
    assert phases["backward"].flop + phases["weight_update"].flop == 2 * phases["forward"].flop
