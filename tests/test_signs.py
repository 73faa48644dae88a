"""Nothing costs less than nothing: no total, phase or layer, whatever a published slip takes away."""

from dataclasses import replace
from typing import Any

import pytest
from conftest import Tcost
from drawn import MODERN, WITHOUT_HEAD, everything, losses
from hypothesis import given
from hypothesis import strategies as st

from tcost import Result, Sizes, evaluate, load_spec
from tcost.bundled import BUNDLED
from tcost.conventions import CONVENTIONS
from tcost.cost import By, group_by
from tcost.learning_rules import LEARNING_RULES
from tcost.optimizers import OPTIMIZERS

RULES = [*LEARNING_RULES]


def check_signs(result: Result) -> None:
    """Check every sum of a result: totals, phases, layers, and each of an operation's own rows."""
    totals = result.totals
    sums = [totals.macc, totals.flop, totals.parameters, totals.active_parameters, totals.trained_parameters]
    sums += [amount for phase in result.phases.values() for amount in (phase.macc, phase.flop)]
    sums += [result.memory.of("parameters").elements, result.memory.of("parameters").bytes]
    bys: tuple[By, ...] = ("layer", "phase", "operation")
    for by in bys:
        for row in group_by(result.rows, by):
            if not str(row.layer).startswith("erratum: "):
                sums += [row.macc, row.flop, row.parameters, row.active_parameters, row.trained_parameters]
    assert min(sums) >= 0
    assert max(totals.active_parameters, totals.trained_parameters) <= totals.parameters
    assert totals.parameters == result.memory.of("parameters").elements


@given(
    s=everything() | st.sampled_from([*MODERN.values()]),
    algo=st.sampled_from(RULES),
    convention=st.sampled_from([*CONVENTIONS]),
    optimizer=st.sampled_from([*OPTIMIZERS]),
    data=st.data(),
)
def test_nothing_is_negative(s: Sizes, algo: str, convention: str, optimizer: str, data: st.DataObject) -> None:
    """No total, phase, layer or operation of any model is, under any rule, convention and option."""
    options: dict[str, Any] = {
        "optimizer": optimizer,
        "batch": data.draw(st.integers(1, 3)),
        "causal": data.draw(st.sampled_from(["full", "half"])),
        "attention": data.draw(st.sampled_from(["eager", "flash"])),
    }
    if algo == "bp":
        options["recompute"] = data.draw(st.sampled_from(["none", "block", "full"]))
        options["loss"] = data.draw(losses(s, options["batch"]))
    check_signs(evaluate(s, algo, convention, **options))


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("s", WITHOUT_HEAD.values(), ids=WITHOUT_HEAD)
def test_nothing_of_a_model_without_a_head_is_negative(s: Sizes, convention: str) -> None:
    """Nor of a model without a loss."""
    check_signs(evaluate(s, "bp", convention))


@pytest.mark.parametrize("algo", RULES)
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_nothing_of_a_bundled_model_is_negative(convention: str, algo: str) -> None:
    """No total, phase or layer of a bundled model is."""
    for name in BUNDLED:
        check_signs(evaluate(load_spec(name), algo, convention))


def left_out(s: Sizes) -> int:
    """Return how many parameters the published total of a model has less than its layers."""
    published, whole = (evaluate(s, convention="paper", errata=has).totals.parameters for has in (True, False))
    number: int = whole - published
    return number


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("narrow embedding", 0),  # decoder-only: nothing is left out
        ("shared layers", 7 * 3),  # the softmax layer of a narrow embedding: V c
        ("classifier", 0),  # encoder-only without a softmax layer over words
        ("token classifier", 0),
        ("image", 0),
        ("audio", 7 * 8),  # the decoder's table; the encoder has none
        ("two vocabularies", 7 * 8 + 5 * 8),
        ("relative", 2 * 7 * 8),  # shared by the spec, two tables in the paper's model
        ("decoder trained", 2 * 7 * 8),
    ],
)
def test_what_is_left_out_is_what_the_model_has(name: str, parameters: int) -> None:
    """The parameters that published totals leave out, by hand: of V, c and d of those layers that there are."""
    assert left_out(MODERN[name]) == parameters


def test_albert_by_hand(tcost: Tcost) -> None:
    """ALBERT's published total would be one block, the table of tokens and its projection; a budget of one fails."""
    d, f, c, v = 768, 3072, 128, 30_000
    block = 4 * d * d + (2 * d * f + f + d) + 2 * (2 * d)
    result = evaluate(load_spec("albert-base"), convention="paper")
    assert result.totals.parameters == block + v * c + c * d == 11_023_104
    assert tcost("check", "albert-base", "--convention", "paper", "--max", "parameters=1").status == 1


def test_work_that_a_step_does_not_do_has_no_slip() -> None:
    """A slip in the backward of cross-attention is none where that is not run, because all below it is frozen."""
    s = replace(MODERN["decoder trained"], context_length=2, encoder_context_length=4)
    rows = {row.layer: row for row in evaluate(s, "bp", "paper").rows}
    assert rows["erratum: cross-attention"].macc == 2 * 4 * (2 * 4 * 2 - 2 * 4 * 4)  # layers, heads, MNM - MNN
    frozen = evaluate(replace(s, train=("vocabulary_projection",)), "bp", "paper")
    assert [layer for layer, _ in frozen.slips] == ["erratum: parameters"]


def test_slips_of_an_encoder_follow_its_rows_and_width() -> None:
    """What PEPITA's projection onto a narrow encoder slips by has that width, and as many rows as the error."""
    s = replace(MODERN["two vocabularies"], d_embedding=3, context_length=2, encoder_context_length=4)
    rows = {row.layer: row for row in evaluate(s, "pepita", "paper").rows}
    assert rows["erratum: encoder rows"].macc == (2 - 4) * 7 * 3
    assert rows["erratum: map to encoder"].macc == 4 * 2 * 7
    classes = replace(s, head="classifier", n_classes=5)
    rows = {row.layer: row for row in evaluate(classes, "pepita", "paper").rows}
    assert rows["erratum: encoder rows"].macc == (1 - 4) * 5 * 3
    assert rows["erratum: map to encoder"].macc == 4 * 1 * 5
