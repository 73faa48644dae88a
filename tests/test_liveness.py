"""What is alive at each moment: followed copy by copy, computed again, fused, on grids and with symbols."""

import json
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
import sympy
from conftest import Tcost, draws
from drawn import losses, models, modern
from hypothesis import given, settings
from hypothesis import strategies as st
from test_memory import CONVENTIONS, RECOMPUTE, RULES, stored

from tcost import Sizes, evaluate, load_spec
from tcost.cost import group_by
from tcost.execution.plan import Plan, Unrolled
from tcost.memory import CATEGORIES, Memory, measure
from tcost.models import trace_model
from tcost.sizes import AttentionKernel
from tcost.training_step import TrainingStep, training_step

# Peaks


@given(s=modern(), algo=st.sampled_from(RULES), optimizer=st.sampled_from(["none", "adam"]), data=st.data())
@settings(max_examples=draws(200))
def test_copies_stand_for_all(s: Sizes, algo: str, optimizer: str, data: st.DataObject) -> None:
    """The copies of a block that are followed have the peak of all of them, one by one; so have rows the sums."""
    recompute: Any = data.draw(st.sampled_from(RECOMPUTE)) if algo == "bp" else "none"
    depth = data.draw(st.integers(1, 9))
    deep = replace(
        s,
        n_decoder_layers=s.n_decoder_layers and depth,
        n_encoder_layers=s.n_encoder_layers and depth,
        n_unique_layers=None if s.n_unique_layers is None else data.draw(st.sampled_from(divisors(depth))),
    )
    loss = data.draw(losses(deep)) if algo == "bp" else "held"
    step = training_step(deep, algo, "exact", optimizer=optimizer, causal=s.causal, recompute=recompute, loss=loss)
    memory, every = Memory(step), Memory(unrolled(step))
    assert memory.peak == every.peak
    for category in CATEGORIES:
        if category != "indices":  # of every copy they would be of one name each
            assert memory.of(category).elements == every.of(category).elements


def divisors(number: int) -> list[int]:
    """Return the divisors of a number."""
    return [each for each in range(1, number + 1) if number % each == 0]


class OneByOne(TrainingStep):
    """A step of which every copy of a block was traced."""

    @property
    def segments(self) -> tuple[range, ...]:
        """The copies, and what is between them."""
        trace = self.model.trace
        assert isinstance(trace, Unrolled)
        return tuple(Plan.of(lambda other: trace_model(self.model_sizes, other), self.settings).segments)


def unrolled(step: TrainingStep) -> TrainingStep:
    """Return a step with a trace of every copy."""
    fields = {name: getattr(step, name) for name in TrainingStep.__dataclass_fields__}
    return OneByOne(**fields | {"model": trace_model(step.model_sizes, Unrolled())})


@given(s=modern(), batch=st.integers(1, 3))
def test_what_is_stored_is_alive(s: Sizes, batch: int) -> None:
    """As the backward begins what is stored is alive; as PEPITA's error is made, so are angles and the error.

    In the backward so is what the caller holds, the logits and an encoder's output where it is not stored, the loss
    and its gradient; the sum of the weights of the targets, which is stored, is gone.
    """
    after = {"bp": "backward", "pepita": "error_projection"}
    for algo, phase in after.items():
        memory = measure(s, algo, "exact", batch=batch, causal=s.causal)
        first = next(moment for moment in memory.liveness.ledger.moments if moment.phase == phase)
        error = batch * memory.facts.ops[-1].elements
        held = sum(memory.facts.elements(x) for x in memory.facts.given if x not in memory.facts.waiting)
        more = error + sum(memory.facts.constants.values()) if algo == "pepita" else held + 2 - 1
        assert first.activations == memory.of("stored_activations").elements + more


@given(s=models(), data=st.data())
def test_recompute(s: Sizes, data: st.DataObject) -> None:
    """Less is stored the more is computed again; what runs again is the forward of the blocks, or of everything."""
    convention, batch = data.draw(st.sampled_from(CONVENTIONS)), data.draw(st.integers(1, 3))
    found = {each: evaluate(s, "bp", convention, batch=batch, recompute=each) for each in RECOMPUTE}
    amounts = {name: result.memory.of("stored_activations").elements for name, result in found.items()}
    plain = evaluate(s, "bp", convention, batch=batch, errata=False)
    without_slips = plain.memory.of("stored_activations").elements
    assert amounts["full"] < amounts["block"] < without_slips
    assert found["block"].memory.peak.elements <= plain.memory.peak.elements + amounts["block"]
    forward = {row.layer: row for row in group_by(plain.rows, "layer") if row.phase == "forward"}
    for name in ("block", "full"):
        again = {row.layer: row for row in group_by(found[name].rows, "layer") if row.phase == "recomputed_forward"}
        inside = {layer for layer, row in forward.items() if name == "full" or row.repeats != 1 or is_block(str(layer))}
        assert {layer: (row.macc, row.flop) for layer, row in again.items()} == {
            layer: (row.macc, row.flop) for layer, row in forward.items() if layer in inside and (row.macc or row.flop)
        } | {layer: (0, 0) for layer in again if not forward[layer].flop}
        amount = found[name].phases["recomputed_forward"]
        assert amount.macc == sum(row.macc for row in again.values())
        assert amount.flop == sum(row.flop for row in again.values())


def is_block(layer: str) -> bool:
    """Tell whether a layer of the paper's transformer is a part of a block."""
    return layer.rpartition(".")[2].startswith(("attention", "cross_attention", "add_norm", "feed_forward"))


def test_recompute_needs_a_backward(tcost: Tcost) -> None:
    """A rule without a backward has nothing to compute again; of several rules those have it that can."""
    outcome = tcost("memory", "gpt2", "--algo", "pepita", "--recompute", "block")
    assert (outcome.status, outcome.out) == (2, "")
    assert "recompute is for rules that run a backward; pepita" in outcome.err
    both = json.loads(
        tcost("memory", "gpt2", "--algos", "bp", "pepita", "--recompute", "block", "--format", "json").out
    )
    assert [each["recompute"] for each in both["results"]] == ["block", "none"]


@given(s=models(), batch=st.integers(1, 3))
def test_flash_attention(s: Sizes, batch: int) -> None:
    """Scores are not kept, in their place a number for each row; with them queries, keys and values as before.

    Their product and softmax run once more. Source: Dao et al. 2022, arXiv 2205.14135, section 3.1.
    """
    eager, flash = (evaluate(s, "bp", "exact", batch=batch, attention=each) for each in get_args(AttentionKernel))
    attentions = [(s.n_decoder_layers, s.context_length, s.context_length)]
    if s.n_encoder_layers:
        read = s.encoder_context_length or s.context_length
        attentions.append((s.n_encoder_layers, read, read))
        attentions.append((s.n_decoder_layers, s.context_length, read))
    rows = batch * s.n_heads * sum(depth * queries for depth, queries, _ in attentions)
    scores = batch * s.n_heads * sum(depth * queries * keys for depth, queries, keys in attentions)
    stored_by = [each.memory.of("stored_activations").elements for each in (eager, flash)]
    assert stored_by[0] - stored_by[1] == scores - rows
    again = flash.phases["recomputed_forward"]
    assert "recomputed_forward" not in eager.phases
    assert again.macc == s.d_head * scores
    assert flash.totals.macc - eager.totals.macc == again.macc
    assert again.flop == (2 * s.d_head + 1 + 5) * scores  # scale 1, softmax 5


# Arrays and symbols


@pytest.mark.parametrize("algo", RULES)
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_grid(algo: str, convention: str) -> None:
    """A grid of contexts gives what each of them gives."""
    contexts = np.array([1, 7, 512, 4096], dtype=object)
    gpt2 = load_spec("gpt2").at()
    grid = measure(replace(gpt2, context_length=contexts), algo, convention)
    each = [measure(gpt2.at(int(context)), algo, convention) for context in contexts]
    assert list(grid.of("stored_activations").elements) == [m.of("stored_activations").elements for m in each]
    assert list(grid.peak.bytes) == [m.peak.bytes for m in each]


def test_formula() -> None:
    """With symbols for sizes the data flow gives GPT-2's closed form."""
    m, d, h, e, f, v, n = sympy.symbols("M d h e f V L", positive=True, integer=True)
    gpt2 = load_spec("gpt2").at()
    sizes = {"context_length": m, "d_model": d, "n_heads": h, "d_head": e, "d_ff": f, "vocab_size": v}
    found = stored(replace(gpt2, **sizes, n_decoder_layers=n), "bp", "exact")
    block = 4 * m * d + 4 * m * h * e + h * m**2 + 5 * m * f + 4 * m
    assert sympy.expand(found - (n * block + 2 * m * d + 2 * m + m * v + 1)) == 0
