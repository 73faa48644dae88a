"""The proof by execution: counts, gradients, PEPITA's rule, and whether it learns."""

import csv
import io
import json
import sys
from dataclasses import replace
from functools import cache
from math import log
from typing import Any

import numpy as np
import pytest
from bundling import few_first
from conftest import Tcost, draws
from drawn import MODERN, WITHOUT_HEAD, modern, parts
from hypothesis import given, settings
from hypothesis import strategies as st

from tcost import InputError, Sizes, evaluate, load_spec
from tcost.cost import Row
from tcost.execution.execution import Execution
from tcost.execution.keeping import KEPT_BY_KERNELS
from tcost.execution.numbers import Tally, values
from tcost.execution.step import Parameters, Step
from tcost.execution.steps import STEPS, modulated_inputs
from tcost.kinds import KINDS, keeps
from tcost.models import Model, trace_model
from tcost.optimizers import OPTIMIZERS
from tcost.settings import Settings
from tcost.tracing import Trace
from tcost.tracing.operations import activate, bias, cross_entropy, linear, look_up
from tcost.verify import execute, shrink, verify

RULES = list(STEPS)


@pytest.mark.parametrize("algo", RULES)
@given(s=parts(), optimizer=st.sampled_from(list(OPTIMIZERS)), seed=st.integers(0, 9))
@settings(max_examples=draws(60))
def test_execution_equals_prediction(algo: str, s: Sizes, optimizer: str, seed: int) -> None:
    """Every scalar operation of every layer and phase is executed as often as predicted, whatever the parts."""
    verification = verify(s, Settings(algo, optimizer=optimizer, causal=s.causal), seed)
    assert verification.holds
    assert all(line.difference == 0 for line in verification.lines)
    assert sum(line.executed for line in verification.lines) > 0


@pytest.mark.parametrize("recompute", ["none", "block", "full"])
@pytest.mark.parametrize("s", WITHOUT_HEAD.values(), ids=WITHOUT_HEAD)
def test_a_model_without_a_head_executes_as_predicted(s: Sizes, recompute: Any) -> None:
    """What ends in its pooler, or without one, is given the gradient of its output, in which nothing is executed."""
    assert verify(s, Settings("bp", recompute=recompute, optimizer="adamw")).holds
    ends = [row for row in evaluate(s, convention="exact").rows if row.operation == "end"]
    assert {row.phase for row in ends} == {"forward"}
    assert not any(row.flop or row.macc for row in ends)


@pytest.mark.parametrize("algo", RULES)
@pytest.mark.parametrize("name", MODERN)
def test_every_modern_part_executes_as_predicted(name: str, algo: str) -> None:
    """Groups, windows, experts, latent attention, rotations, adapters and the rest, under each rule."""
    verification = verify(MODERN[name], Settings(algo, optimizer="adamw", causal=MODERN[name].causal))
    assert verification.holds
    assert all(line.difference == 0 for line in verification.lines)


@given(s=modern(), optimizer=st.sampled_from(list(OPTIMIZERS)), recompute=st.sampled_from(["block", "full"]))
@settings(max_examples=draws(100))
def test_recomputation_executes_as_predicted(s: Sizes, optimizer: str, recompute: Any) -> None:
    """What is not kept but computed again is executed as often as predicted, and as much is alive; gradients stay."""
    verification = verify(s, Settings("bp", optimizer=optimizer, recompute=recompute, causal=s.causal))
    assert verification.holds
    assert any(line.phase == "recomputed_forward" and line.executed for line in verification.lines)
    kept, again = (
        execute(s, Settings("bp", causal=s.causal)),
        execute(s, Settings("bp", recompute=recompute, causal=s.causal)),
    )
    assert kept.gradients.keys() == again.gradients.keys()
    for name, gradients in kept.gradients.items():
        for a, b in zip(gradients, again.gradients[name], strict=True):
            assert np.array_equal(values(a), values(b))


@given(s=modern(), algo=st.sampled_from(RULES), seed=st.integers(0, 9))
@settings(max_examples=draws(150))
def test_any_combination_executes_as_predicted(s: Sizes, algo: str, seed: int) -> None:
    """So do combinations of them that nobody has trained."""
    assert verify(s, Settings(algo, optimizer="adam", causal=s.causal), seed).holds


@pytest.mark.parametrize("name", few_first())
def test_shrunk_specs_keep_their_parts(name: str) -> None:
    """Every bundled spec, shrunk, keeps its parts and executes as predicted, with and without its mask's half."""
    spec = load_spec(name)
    for causal in ("full", "half"):
        small = replace(shrink(spec.at()), causal=causal)
        assert verify(small, Settings("bp", optimizer="adamw", causal=small.causal)).holds
        operations = {row.operation for row in evaluate(small, "bp", "exact").rows}
        assert operations == {row.operation for row in evaluate(spec, "bp", "exact").rows}


@cache
def small_specs() -> list[tuple[Sizes, list[Row]]]:
    """Return small models of every kind of operation, each with its rows under all rules."""
    specs = [*(shrink(load_spec(name).at()) for name in ("gpt2", "bert-base", "transformer-base")), *MODERN.values()]
    return [(s, [row for algo in RULES for row in evaluate(s, algo, "exact").rows]) for s in specs]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("phase", ["forward", "backward", "weight_update"])
def test_a_wrong_prediction_shows(kind: str, phase: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were any kind to state another count in any phase that it runs in, the proof would fail."""
    stated = getattr(KINDS[kind], phase)
    probe = [row for _, rows in small_specs() for row in rows if row.kind == kind]
    if not any(row.phase == phase and row.scalars for row in probe):
        phases = {"forward", "error_projection"} if phase == "forward" else {phase}
        assert not any(row.scalars for row in probe if row.phase in phases - {"error_projection"})
        return
    changed: dict[str, Any] = {phase: lambda op: {**stated(op), "add": stated(op).get("add", 0) + 1}}
    wrong = replace(KINDS[kind], **changed)
    monkeypatch.setitem(KINDS, kind, wrong)
    having = [s for s, rows in small_specs() if any(row.kind == kind for row in rows)]
    assert not all(
        verify(s, Settings(algo, optimizer="adamw", causal=s.causal)).holds for s in having for algo in RULES
    )


@given(s=parts())
@settings(max_examples=draws(15))
def test_gradients_equal_finite_differences(s: Sizes) -> None:
    """A sample of every weight's gradients under backpropagation equals the slope of the loss."""
    smooth = replace(s, activation="gelu")  # a relu has kinks
    step = execute(smooth, Settings("bp", causal=smooth.causal))
    for name, weights in step.parameters.items():
        for index, weight in enumerate(weights):
            place = np.unravel_index(len(name) % weight.size, weight.shape)
            slope = (loss_at(step, name, index, place, 1e-5) - loss_at(step, name, index, place, -1e-5)) / 2e-5
            assert step.gradients[name][index][place].value == pytest.approx(slope, rel=1e-4, abs=1e-7)


def loss_at(step: Step, name: str, index: int, place: Any, shift: float) -> float:
    """Return the loss with one parameter shifted."""
    weights = [weight.copy() for weight in step.parameters[name]]
    weights[index][place] = weights[index][place] + shift
    shifted = replace(step, parameters={**step.parameters, name: tuple(weights)})
    step.build(Execution(shifted))
    return shifted.loss


@given(s=parts())
@settings(max_examples=draws(30))
def test_pepita_and_mempepita_make_the_same_update(s: Sizes) -> None:
    """Recomputing the first pass rather than storing it changes no update."""
    stored, recomputed = (
        execute(s, Settings("pepita", causal=s.causal)),
        execute(s, Settings("mempepita", causal=s.causal)),
    )
    assert stored.gradients.keys() == recomputed.gradients.keys() == stored.parameters.keys()
    for name, gradients in stored.gradients.items():
        for a, b in zip(gradients, recomputed.gradients[name], strict=True):
            assert np.array_equal(values(a), values(b))


@given(s=parts())
@settings(max_examples=draws(30))
def test_the_update_is_the_rule(s: Sizes) -> None:
    """A projection's update is (a - a_err)(a_err of the layer before)', the last one's e (a_err of the layer before)'.

    Recomputed from two passes of their own in plain NumPy. Source: Dellaferrera & Kreiman, ICML 2022, algorithm 1.
    """
    untied = replace(s, tie_embeddings=False)
    step = execute(untied, Settings("pepita", causal=untied.causal))
    fresh = replace(step, gradients={}, tally=Tally(), data=dict(step.data))
    first = Execution(fresh)
    model = trace_model(untied, first)
    embedded = [first.values[tensor] for tensor in model.embedded]
    inputs = iter(modulated_inputs(fresh, model, first.values[model.output], embedded))

    class SecondPass(Execution):
        def run(self, op: Any, x: Any) -> Any:
            y = super().run(op, x)
            return next(inputs) if op.kind == "embedding" else y

    second = SecondPass(fresh)
    trace_model(untied, second)
    for before, after in zip(first.calls, second.calls, strict=True):
        if before.op.kind == "linear" and before.op.name != "projection":
            error = values(first.values[before.op.output]) - values(second.values[after.op.output])
            letters = {axis: chr(97 + number) for number, axis in enumerate(before.op.einsum.sizes)}
            x, y, w = (
                "".join(letters[axis] for axis in axes)
                for axes in (before.op.einsum.operands[0], before.op.einsum.output, before.op.einsum.weight)
            )
            update = np.einsum(f"{x},{y}->{w}", values(after.inputs[0]), error)
            assert np.allclose(values(step.gradients[before.op.weight or ""][0]), update, rtol=1e-9, atol=1e-12)
    wrong = values(first.values[model.output]) - np.eye(untied.vocab_size)[step.targets]
    projection = next(call for call in second.calls if call.op.name == "projection")
    gradient = values(step.gradients["vocabulary_projection.projection"][0])
    assert np.allclose(gradient, values(projection.inputs[0]).T @ wrong, rtol=1e-9, atol=1e-12)


def fully_connected(trace: Trace) -> Model:
    """Call a net of two hidden layers on one token per row."""
    with trace.scope("net"):
        x = look_up("token", trace.input("decoder tokens", 8, 8), "q vocab -> q d", d=8)
        h = activate("relu", bias("b1", linear("w1", x, "q d -> q f", f=24), "q f", "f"))
        h = activate("relu", bias("b2", linear("w2", h, "q f -> q g", g=24), "q g", "g"))
        y = cross_entropy(linear("w3", h, "q g -> q vocab", vocab=8))
    return Model(trace, (x,), y)


def trained(algo: str, seed: int, steps: int, rate: float) -> list[float]:
    """Return the losses of a fully connected net that learns a permutation."""
    draw = np.random.default_rng(seed)
    losses: list[float] = []
    parameters: Parameters = {}
    fixed: dict[str, Any] = {}
    for number in range(steps):
        tally = Tally()
        data = {"decoder tokens": np.arange(8)}
        if not number:
            fixed = {"feedback 0": draw.normal(size=(8, 8)) * 0.1}
        data |= {name: tally.array(matrix) for name, matrix in fixed.items()}
        step = Step(fully_connected, data, list(np.random.default_rng(seed).permutation(8)), tally, seed)
        step.parameters = parameters
        STEPS[algo](step)
        losses.append(step.loss)
        parameters = {
            name: tuple(
                tally.array(values(w) - rate * values(g)) for w, g in zip(weights, step.gradients[name], strict=True)
            )
            for name, weights in step.parameters.items()
        }
    return losses


@pytest.mark.parametrize("algo", RULES)
@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3, 4))])
def test_a_fully_connected_net_learns(algo: str, seed: int) -> None:
    """A small fully connected net learns under every rule and seed: its loss falls well below that of guessing."""
    losses = trained(algo, seed, steps=40, rate=0.3 if algo == "bp" else 0.03)
    assert losses[-1] < 1 < log(8) < losses[0]


def test_the_command_prints_what_was_executed(tcost: Tcost) -> None:
    """`tcost verify` shows sizes, rules and counts, and that they agree; status 0."""
    outcome = tcost("verify", "gpt2", "--algo", "pepita")
    assert (outcome.status, outcome.err) == (0, "")
    assert "vocab_size 11" in outcome.out
    assert "executed as predicted" in outcome.out
    assert "decoder.attention" in outcome.out


def test_the_command_covers_every_family(tcost: Tcost) -> None:
    """Without a spec, one model of each family is verified under every rule."""
    out = tcost("verify").out
    assert out.count("executed as predicted") == 9
    assert all(name in out for name in ("gpt2", "bert-base", "bart-base"))


def test_the_command_for_machines(tcost: Tcost) -> None:
    """JSON and CSV carry the lines of the table, and the sizes that the spec was shrunk to."""
    (found,) = json.loads(tcost("verify", "gpt2", "--algo", "bp", "--format", "json").out)["verifications"]
    assert (found["spec"], found["algo"], found["holds"], found["sizes"]["vocab_size"]) == ("gpt2", "bp", True, 11)
    lines = list(csv.DictReader(io.StringIO(tcost("verify", "gpt2", "--algo", "bp", "--format", "csv").out)))
    assert [int(line["executed"]) for line in lines] == [line["executed"] for line in found["lines"]]


def test_half_of_the_mask_is_executed(tcost: Tcost) -> None:
    """`--causal half` executes the pairs that the mask leaves: of 4 rows 10, with a window of 3 rows 9."""
    command = ("verify", "gemma-3-1b", "--algo", "bp", "--format", "json", "--causal")
    pairs = {}
    for causal in ("full", "half"):
        (found,) = json.loads(tcost(*command, causal).out)["verifications"]
        assert found["holds"]
        for line in found["lines"]:
            if (line["phase"], line["scalar"]) == ("forward", "cmp") and line["layer"].endswith(".attention"):
                pairs[causal, line["layer"].split(".")[1]] = line["executed"]
    heads = 4
    assert pairs == {
        ("full", "sliding"): 2 * heads * 16,
        ("full", "full"): heads * 16,
        ("half", "sliding"): 2 * heads * 9,
        ("half", "full"): heads * 10,
    }


def test_a_wrong_peak_is_status_1(tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prediction that keeps one number too many for every row of a norm is not what is executed."""
    wrong = {**KEPT_BY_KERNELS, "layer_norm": keeps(elements=1, rows=2)}
    monkeypatch.setattr("tcost.verify.KEPT_BY_KERNELS", wrong)
    outcome = tcost("verify", "gpt2", "--algo", "bp", "--optimizer", "none")
    assert outcome.status == 1
    assert "gpt2 under bp does not verify" in outcome.err
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("alive at once")]
    assert line.endswith("DIFFERS")
    assert tcost("verify", "gpt2", "--algos", "pepita", "mempepita").status == 0  # they keep nothing for gradients


def test_the_command_recomputes(tcost: Tcost) -> None:
    """`tcost verify --recompute` executes it where there is a backward, and refuses it where there is none."""
    out = json.loads(tcost("verify", "gpt2", "--recompute", "block", "--format", "json").out)
    assert [(each["algo"], each["recompute"], each["holds"]) for each in out["verifications"]] == [
        ("bp", "block", True),
        ("pepita", "none", True),
        ("mempepita", "none", True),
    ]
    assert "recompute block; shrunk to" in tcost("verify", "gpt2", "--algo", "bp", "--recompute", "block").out
    assert tcost("verify", "gpt2", "--algo", "pepita", "--recompute", "block").status == 2


def test_a_difference_is_status_1(tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """A count that was not executed as predicted is named, and the command exits with status 1."""
    wrong = replace(KINDS["scale"], forward=lambda op: {"mul": 2 * op.elements})
    monkeypatch.setitem(KINDS, "scale", wrong)
    outcome = tcost("verify", "gpt2", "--algo", "bp")
    assert outcome.status == 1
    assert "DIFFERS" in outcome.out
    assert outcome.err.startswith("error: gpt2 under bp does not verify")


def test_without_numpy(tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where NumPy is missing the message says what to install."""
    monkeypatch.setitem(sys.modules, "numpy", None)
    outcome = tcost("verify", "gpt2")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err == "error: an executed proof needs NumPy\n       pip install 'tcost[verify]'\n"


@pytest.mark.parametrize("name", few_first())
def test_bundled_specs_verify(name: str) -> None:
    """Every bundled spec, shrunk, executes what is predicted under every rule; `parts` draws the optimizers."""
    s = shrink(load_spec(name).at())
    for algo in RULES:
        assert verify(s, Settings(algo, optimizer="adamw", causal=s.causal)).holds


def test_unknown_names() -> None:
    """A rule or an optimizer that there is not is refused."""
    s = shrink(load_spec("gpt2").at())
    with pytest.raises(InputError, match="learning rule"):
        verify(s, Settings("pepitta", optimizer="adamw", causal=s.causal))
    with pytest.raises(InputError, match="did you mean 'adam'"):
        verify(s, Settings("bp", optimizer="adan", causal=s.causal))
