"""The peak of a step: what real steps of the classes of transformers have alive at once, and what bounds it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import golden
from drawn import MODERN, models, modern
from hypothesis import example, given
from hypothesis import strategies as st
from peaks import OWN

from tcost import Sizes, load_spec
from tcost.memory import CATEGORIES, measure
from tcost.optimizers import OPTIMIZERS

CASES = golden("peaks")
RULES = ("bp", "pepita", "mempepita")
CONVENTIONS = ("paper", "exact", "torch")


@pytest.mark.parametrize("convention", ["exact", "torch"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_executed_peaks(case: dict[str, Any], convention: str, tmp_path: Path) -> None:
    """The peak is that of the class to the last byte, but for the elements that it has of its own, each by its formula.

    Of more than three cases in four nothing is to be named.
    """
    path = tmp_path / "config.json"
    path.write_text(json.dumps(case["config"]))
    s = load_spec(path).at(case["context"], case["encoder_context"])
    own = OWN[case["name"]].elements(s, case["batch"]) if case["name"] in OWN else 0
    assert measure(s, "bp", convention, batch=case["batch"]).peak.bytes == case["bytes"] - 4 * own
    assert OWN.keys() <= {each["name"] for each in CASES}
    assert 4 * len(OWN) < len(CASES)


def test_the_table_of_the_docs() -> None:
    """The table of docs/memory.md has the executed peaks, and names what classes have of their own."""
    lines = (Path(__file__).parents[1] / "docs" / "memory.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    table = {row[0]: row[4:] for row in cells if len(row) == 8 and row[3].isdecimal()}
    assert list(table) == [case["name"] for case in CASES]
    for case in CASES:
        executed, predicted, ratio, own = table[case["name"]]
        assert executed == f"{case['bytes']:,}"
        formula, _, elements = own.partition(" = ")
        assert formula == (OWN[case["name"]].formula if case["name"] in OWN else "")
        more = 4 * int(elements.replace(",", "") or 0)
        assert int(predicted.replace(",", "")) == case["bytes"] - more  # which test_executed_peaks compares
        assert ratio == f"{case['bytes'] / (case['bytes'] - more):.4f}"


def test_the_peak_at_the_loss() -> None:
    """At the loss 4·M·V are alive: logits, log-probabilities, and the gradients of both. The rest is stored."""
    s = load_spec("gpt2").at(512)
    memory = measure(s, "bp", "exact", batch=3)
    at = memory.peak_moment
    assert at is not None
    assert (at.phase, at.layer, at.operation) == ("backward", "vocabulary_projection", "softmax")
    logits = 3 * 512 * s.vocab_size
    stored = memory.of("stored_activations").elements
    assert (at.activations, at.passing) == (stored + logits + 1, 2 * logits)  # the loss's gradient in a sum's place
    assert memory.peak.elements == memory.of("parameters").elements + stored + 3 * logits + 1


def test_gradients_of_a_tied_table() -> None:
    """A tied table has two gradients and, as the projection's is a view, their sum at once; one that is not has one."""
    for name, more in (("gpt2", 2), ("llama-3.2-1b", 2), ("llama-2-7b", 0)):
        memory = measure(load_spec(name), "bp", "exact", context=1)
        s, most = memory.step.sizes, max(moment.gradients for moment in memory.liveness.ledger.moments)
        assert most == memory.of("gradients").elements + more * s.vocab_size * s.d_model


@st.composite
def headed(draw: st.DrawFn) -> Sizes:
    """Draw a tiny model with any head, input, width of the embedding and part that is trained."""
    s, few = draw(modern()), st.integers(1, 3)
    of = draw(st.sampled_from(["tokens", "patches", "audio"])) if s.family != "decoder-only" else "tokens"
    changes: dict[str, Any] = {
        "head": draw(st.sampled_from(["vocabulary", "classifier", "token_classifier"])),
        "n_classes": draw(few),
        "vocab_size": draw(st.integers(1, 10**6)),
        "encoder_input": of,
        "patch_size": draw(few) if of == "patches" else None,
        "n_channels": draw(few) if of != "tokens" else None,
    }
    if of == "patches":
        changes["encoder_context_length" if s.family == "encoder-decoder" else "context_length"] = draw(
            st.integers(2, 4)
        )
    head = "vocabulary_projection" if changes["head"] == "vocabulary" else "classifier"
    if s.n_unique_layers is None:
        changes["train"] = draw(st.sampled_from([s.train, (head,), ("attention_or_latent", head)]))
        if changes["train"] == ("attention_or_latent", head):
            changes["train"] = ("latent_attention" if s.latent_attention else "attention", head)
    return replace(s, **changes)


@example(s=MODERN["head trained"], algo="bp", convention="paper", optimizer="none", batch=1)
@example(s=MODERN["value adapter"], algo="bp", convention="paper", optimizer="none", batch=2)
@given(
    s=st.one_of(models(), modern(), headed()),
    algo=st.sampled_from(RULES),
    convention=st.sampled_from(CONVENTIONS),
    optimizer=st.sampled_from(list(OPTIMIZERS)),
    batch=st.integers(1, 4),
)
def test_nothing_is_negative(s: Sizes, algo: str, convention: str, optimizer: str, batch: int) -> None:
    """No category, peak or moment is ever negative, nor a row but a slip's; a peak holds what is there throughout."""
    memory = measure(s, algo, convention, batch=batch, optimizer=optimizer)
    held = {category: memory.of(category) for category in CATEGORIES}
    assert all(each.elements >= 0 and each.bytes >= 0 for each in held.values())
    assert all(row.elements >= 0 or row.layer.startswith("erratum") for row in memory.rows)
    static = sum(held[name].bytes for name in ("parameters", "optimizer", "projection"))
    assert memory.peak.bytes >= static + held["stored_activations"].bytes * (algo != "mempepita") > 0
