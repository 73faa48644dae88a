"""The loss: held, dropped, fused or in chunks; what it stores, what is alive at it, and what runs once more."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import Tcost, draws
from drawn import POOLED, losses, modern
from hypothesis import given, settings
from hypothesis import strategies as st

from tcost import InputError, Sizes, evaluate, load_spec, measure
from tcost.execution.numbers import values
from tcost.memory import Memory
from tcost.memory.budget import within
from tcost.optimizers import OPTIMIZERS
from tcost.settings import Recompute, Settings
from tcost.training_step import training_step
from tcost.verify import execute, verify

CHUNKS = (1, 2, 4, 8)


@given(
    s=modern(),
    words=st.sampled_from([11, 97]),
    optimizer=st.sampled_from(list(OPTIMIZERS)),
    recompute=st.sampled_from(["none", "block", "full"]),
    data=st.data(),
)
@settings(max_examples=draws(150))
def test_a_loss_executes_as_predicted(
    s: Sizes, words: int, optimizer: str, recompute: Recompute, data: st.DataObject
) -> None:
    """What every loss executes is predicted, and what is alive; loss and gradients are the same, chunked or not."""
    s = replace(s, vocab_size=words) if s.head == "vocabulary" else s
    asked = Settings(causal=s.causal, optimizer=optimizer, recompute=recompute, loss=data.draw(losses(s)))
    assert verify(s, asked).holds
    plain, other = execute(s, Settings(causal=s.causal)), execute(s, asked)
    assert other.loss == pytest.approx(plain.loss, rel=1e-12)
    assert other.gradients.keys() == plain.gradients.keys()
    for name, gradients in plain.gradients.items():
        for a, b in zip(gradients, other.gradients[name], strict=True):
            assert np.allclose(values(a), values(b), rtol=1e-9, atol=1e-12)


ROWS, LOGITS, WEIGHT = 64 * 1024, 64 * 1024 * 50257, 50257 * 768
"""BM, BMV and Vd: of GPT-2 as published, with 64 sequences."""


def held_by_gpt2(loss: str) -> Memory:
    """Return what GPT-2 holds with 64 sequences of 1,024, which is most at the loss."""
    return measure(load_spec("gpt2"), batch=64, loss=loss)


def test_what_is_stored() -> None:
    """Of the last layer its input is, and the log-probabilities with a number, or the gradient; in chunks, no more."""
    of_layer = {
        loss: sum(row.elements for row in held_by_gpt2(loss).rows if _is_stored_at_loss(row))
        for loss in ("held", "dropped", "fused", "chunked:8")
    }
    of_input = ROWS * 768
    assert of_layer == {
        "held": of_input + LOGITS + 1,
        "dropped": of_input + LOGITS + 1,
        "fused": of_input + LOGITS,
        "chunked:8": of_input,
    }
    targets = {loss: held_by_gpt2(loss).of("indices").elements for loss in of_layer}
    assert targets["held"] - targets["fused"] == ROWS
    assert targets["held"] == targets["dropped"] == targets["chunked:8"]


def _is_stored_at_loss(row: Any) -> bool:
    return bool(row.category == "stored_activations" and row.layer == "vocabulary_projection")


@pytest.mark.parametrize("chunks", [2, 4, 8])
def test_peaks_at_the_loss(chunks: int) -> None:
    """Log-probabilities, their gradient and that of the logits: 3 BMV, and BMV where the caller holds the logits.

    A fused loss has BMV, with which the projection makes the gradient of its input and of its weight. At the last of
    the chunks those of the others are there, and that of the weight: 3 BMV / N + (N - 1) BMd / N + Vd.
    """
    stored = held_by_gpt2("chunked:1").of("stored_activations").elements
    static = held_by_gpt2("held").of("parameters").elements
    loss_and_its_gradient = 2
    waiting = static + stored + loss_and_its_gradient
    of_input = ROWS * 768
    assert held_by_gpt2("held").peak.elements == waiting + 4 * LOGITS
    assert held_by_gpt2("dropped").peak.elements == waiting + 3 * LOGITS
    assert held_by_gpt2("fused").peak.elements == waiting + LOGITS + of_input + WEIGHT
    in_chunks = held_by_gpt2(f"chunked:{chunks}").peak.elements
    assert chunks * (in_chunks - waiting - WEIGHT) == 3 * LOGITS + (chunks - 1) * of_input


@pytest.mark.parametrize("convention", ["exact", "paper", "torch"])
@pytest.mark.parametrize("name", ["gpt2", "bert-base", "bart-base", "vit-base", "gemma-2-9b"])
def test_what_runs_once_more(name: str, convention: str) -> None:
    """In chunks the forward of the last layer, at any number of them; of the others nothing."""
    spec = load_spec(name)
    plain = evaluate(spec, "bp", convention, batch=8)
    last = plain.memory.step.model.trace.ops[-1].layer
    forward = [row for row in plain.rows if row.phase == "forward" and row.layer == last and row.scalars]
    for loss in ("dropped", "fused", *(f"chunked:{chunks}" for chunks in CHUNKS)):
        found = evaluate(spec, "bp", convention, batch=8, loss=loss)
        again = [row for row in found.rows if row.phase == "recomputed_forward"]
        assert [row for row in found.rows if row.phase != "recomputed_forward"] == list(plain.rows)
        if loss.startswith("chunked"):
            assert {(row.operation, row.macc, row.flop) for row in again if row.scalars} == {
                (row.operation, row.macc, row.flop) for row in forward
            }
        else:
            assert not again


def test_gpt2_runs_its_product_once_more() -> None:
    """That is BMVd MACCs."""
    again = evaluate(load_spec("gpt2"), batch=64, loss="chunked:8").phases["recomputed_forward"]
    assert again.macc == ROWS * 50257 * 768


def test_a_loss_and_everything_computed_again() -> None:
    """A loss of its own is in no other segment: in chunks the last layer runs again once, not twice; fused, never."""
    for loss, times in (("held", 1), ("dropped", 1), ("fused", 0), ("chunked:4", 1)):
        again = evaluate(load_spec("gpt2"), loss=loss, recompute="full").rows
        products = [row for row in again if row.operation == "projection" and row.phase == "recomputed_forward"]
        assert sum(row.macc for row in products) == times * 1024 * 50257 * 768


@given(s=modern(), batch=st.integers(1, 3), loss=st.sampled_from(["dropped", "fused"]))
def test_what_is_let_go_is_not_more(s: Sizes, batch: int, loss: str) -> None:
    """A loss that is dropped or fused stores no more than one that is held, and has no higher peak but for a number."""
    options: dict[str, Any] = {"batch": batch, "causal": s.causal}
    held, other = measure(s, **options), measure(s, **options, loss=loss)
    assert other.of("stored_activations").elements <= held.of("stored_activations").elements
    assert other.peak.elements <= held.peak.elements + 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("gpt2 --loss helt", "unknown loss 'helt'; did you mean 'held'?"),
        ("gpt2 --loss chunked", "loss 'chunked' has no number of chunks from 1 to 1,000,000"),
        ("gpt2 --loss chunked:0", "write chunked:8"),
        ("gpt2 --loss chunked:1e3", "write chunked:8"),
        ("gpt2 --loss chunked:٨", "write chunked:8"),
        ("gpt2 --loss held:2", "unknown loss 'held:2'"),
        ("gpt2 --loss chunked:7", "loss chunked:7 needs a multiple of 7 rows; this step has 1,024"),
        ("vit-base --loss chunked:2", "this step has 1"),
        ("gpt2 --loss dropped --algo pepita", "loss is for rules that run a backward; pepita runs none"),
    ],
)
def test_refused(words: str, message: str, tcost: Tcost) -> None:
    """A loss that there is not, that has no equal chunks, or that the rule does not have."""
    outcome = tcost("compute", *words.split())
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err


def test_a_model_without_a_loss() -> None:
    """What ends in its pooler has none to be fused."""
    with pytest.raises(InputError, match="ends in its pooler and has no loss to be fused"):
        evaluate(POOLED, loss="fused")


def test_rows_of_grids() -> None:
    """Every context of a grid has to have the chunks, and has the peak that it has by itself."""
    gpt2, contexts = load_spec("gpt2").at(), np.array([8, 64, 1000], dtype=object)
    grid = measure(replace(gpt2, context_length=contexts), loss="chunked:8").peak.elements
    assert list(grid) == [measure(gpt2.at(int(each)), loss="chunked:8").peak.elements for each in contexts]
    with pytest.raises(InputError, match="needs a multiple of 16 rows"):
        measure(replace(gpt2, context_length=contexts), loss="chunked:16")


def test_of_several_rules(tcost: Tcost) -> None:
    """A loss goes to the rules that run a backward."""
    out = tcost("memory", "gpt2", "--algos", "bp", "pepita", "--loss", "fused", "--format", "json").out
    assert [each["loss"] for each in json.loads(out)["results"]] == ["fused", "held"]


@pytest.mark.parametrize("name", ["gpt2", "vit-base"])
def test_what_fits_has_equal_chunks(name: str) -> None:
    """The largest context and batch are such that the rows have the chunks; with the next such it does not fit."""
    spec, chunks, batch = load_spec(name), 12, 48
    step = training_step(spec, batch=batch, loss=f"chunked:{chunks}")
    limit = 2 * Memory(step).peak.bytes
    found = within(limit, step)

    def fits(batch: int = batch, context: int | None = None) -> bool:
        memory = measure(spec, batch=batch, context=context, loss=f"chunked:{chunks}")
        return bool(memory.peak.bytes <= limit)

    assert found.largest_context
    assert found.largest_batch
    of_batch = 3 if name == "gpt2" else 12  # with 1,024 rows a sequence, with one
    assert found.largest_batch % of_batch == 0
    assert fits(context=found.largest_context)
    assert not fits(context=found.largest_context + 1)
    assert fits(batch=found.largest_batch)
    assert not fits(batch=found.largest_batch + of_batch)


def test_the_command_executes_it(tcost: Tcost) -> None:
    """`tcost verify` executes the loss that is asked, in as many chunks as the few rows of the shrunk model have."""
    out = tcost("verify", "gpt2", "--algos", "bp", "pepita", "--loss", "chunked:8", "--format", "json").out
    found = json.loads(out)["verifications"]
    assert [(each["algo"], each["loss"], each["holds"]) for each in found] == [
        ("bp", "chunked:4", True),
        ("pepita", "held", True),
    ]
    assert "loss fused; shrunk to" in tcost("verify", "gpt2", "--algo", "bp", "--loss", "fused").out


def test_a_caption_says_it(tcost: Tcost) -> None:
    """What is not as usual is in the caption, and in the result."""
    assert "loss chunked:8" in tcost("compute", "gpt2", "--loss", "chunked:8").out
    assert "loss" not in tcost("compute", "gpt2").out.splitlines()[1]
    (result,) = json.loads(tcost("compute", "gpt2", "--loss", "fused", "--format", "json").out)["results"]
    assert result["loss"] == "fused"
