"""Large but honest models: a million tokens, 1,000 layers, 512 experts, ten million words, exact to the last unit."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Tcost

from tcost.cost.comparison import MAX_RESULTS

SMALL = {"context_length": 2048, "n_decoder_layers": 24, "vocab_size": 50_000, "n_experts": 8}
LARGE = {"context_length": 1_000_000, "n_decoder_layers": 1000, "vocab_size": 10_000_000, "n_experts": 512}
D, H, F, PER_TOKEN = 8192, 64, 28_672, 8

SPEC = """\
name: large
vocab_size: {vocab_size}
d_model: 8192
n_heads: 64
d_ff: 28672
n_encoder_layers: 0
n_decoder_layers: {n_decoder_layers}
context_length: {context_length}
norm: rms_norm
norm_position: pre
positions: rotary
ffn_bias: false
ffn_gated: true
activation: silu
final_norm: true
experts: {{n_experts: {n_experts}, experts_per_token: 8, d_expert: 28672}}
"""


def closed_form(context_length: int, n_decoder_layers: int, vocab_size: int, n_experts: int) -> dict[str, int]:
    """Return MACCs by phase and parameters, every matrix product by itself.

    A layer has four projections d x d, two products of scores M x M x d, a router d x experts, and the three matrices
    d x f of each of the experts that a token goes through. A weight gradient is as much as its product, and so is the
    gradient of each of the factors of a product; only the tokens need none.
    """
    m, layers, v, experts = context_length, n_decoder_layers, vocab_size, n_experts
    learned = layers * (4 * m * D * D + m * D * experts + 3 * m * PER_TOKEN * D * F) + m * D * v
    products = layers * 2 * m * m * D
    parameters = layers * (4 * D * D + D * experts + 3 * experts * D * F + 2 * D) + D + 2 * v * D
    return {
        "forward": learned + products,
        "backward": learned + 2 * products,
        "weight_update": learned,
        "parameters": parameters,
        "active": parameters - layers * 3 * (experts - PER_TOKEN) * D * F,
    }


CASES: list[dict[str, int]] = [{**SMALL, key: LARGE[key]} for key in LARGE]


@pytest.fixture(params=[*CASES, LARGE], ids=[*LARGE, "all"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, int]]:
    """A spec, and its closed form."""
    path = tmp_path / "large.yaml"
    path.write_text(SPEC.format(**request.param))
    return path, closed_form(**request.param)


def test_the_largest_is_beyond_64_bits() -> None:
    """What is tested is more than any machine word holds."""
    assert closed_form(**LARGE)["forward"] > 2**64


def test_work_is_exact(case: tuple[Path, dict[str, int]], tcost: Tcost) -> None:
    """Every phase, both units and the parameters are the closed form's, beyond 64 bits; all commands say the same."""
    path, expected = case
    args = ("--convention", "torch", "--format", "json")
    result: dict[str, Any] = json.loads(tcost("compute", path, *args).out)["results"][0]
    for phase in ("forward", "backward", "weight_update"):
        assert result["phases"][phase] == {"macc": expected[phase], "flop": 2 * expected[phase]}
    whole = expected["forward"] + expected["backward"] + expected["weight_update"]
    assert result["totals"]["macc"] == whole
    assert (result["totals"]["parameters"], result["totals"]["active_parameters"]) == (
        *(expected["parameters"], expected["active"]),
    )
    held = json.loads(tcost("memory", path, *args).out)["results"][0]["memory"]["parameters"]
    assert held == {"elements": expected["parameters"], "bytes": 4 * expected["parameters"]}
    compared = json.loads(tcost("compare", path, "--algos", "bp", "mempepita", *args).out)["results"]
    assert compared[0]["totals"] == result["totals"]
    # MEMPEPITA: three forward passes, the weight update, and the projection of the error, M·V·d.
    context = result["context"]
    (vocabulary,) = (int(line.split()[1]) for line in path.read_text().splitlines() if line.startswith("vocab_size"))
    update = 3 * expected["forward"] + expected["weight_update"] + context * vocabulary * D
    assert compared[1]["totals"]["macc"] == update


def test_budgets_are_exact(case: tuple[Path, dict[str, int]], tcost: Tcost) -> None:
    """The very amount is within its budget, one less is not, and a difference has every digit."""
    path, expected = case
    flop = 2 * (expected["forward"] + expected["backward"] + expected["weight_update"])
    args = ("check", path, "--convention", "torch", "--max")
    assert tcost(*args, f"flop={flop}").status == 0
    outcome = tcost(*args, f"flop={flop - 1}")
    assert outcome.status == 1
    assert f"FLOPs {flop:,} is 1 over max {flop - 1}" in outcome.err
    (pair,) = json.loads(tcost("diff", path, path, "--batch", 3, "--format", "json", "--convention", "torch").out)[
        "differences"
    ]
    assert pair["totals"]["flop"]["head"] == 3 * flop


@pytest.mark.parametrize("format_", ["table", "json"])
def test_the_largest_comparison_needs_little_memory(format_: str, tmp_path: Path) -> None:
    """As many results as a comparison may have, of a model with many layers, take less than 250 MB."""
    contexts = list(map(str, range(1, MAX_RESULTS + 1)))
    line = ["compare", "deepseek-v3", "--convention", "exact", "--algos", "bp", "--format", format_, "-o", "x"]
    code = f"""
from pathlib import Path
from tcost.__main__ import run
assert run({[*line, "--context", *contexts]}) == 0
status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
print(status["VmHWM"].split()[0])  # of this process alone, where getrusage has that of the one that started it, too
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", code]
    outcome = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=environment)
    assert int(outcome.stdout) < 250_000
    assert (tmp_path / "x").read_text().count("deepseek-v3") >= len(contexts) * (format_ == "json")
