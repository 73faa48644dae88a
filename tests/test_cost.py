"""Properties of any cost: what adds up, what is linear, what never falls."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
import sympy
from drawn import models
from hypothesis import given
from hypothesis import strategies as st

from tcost import InputError, Result, Sizes, compare, evaluate, load_spec
from tcost.conventions import CONVENTIONS
from tcost.cost import group_by
from tcost.kinds import PHASES

rules = st.sampled_from(["bp", "pepita", "mempepita"])
conventions = st.sampled_from(["paper", "torch", "exact"])
GRIDDED = (
    "vocab_size",
    "d_model",
    "n_heads",
    "d_head",
    "d_ff",
    "n_encoder_layers",
    "n_decoder_layers",
    "context_length",
)


@given(s=models(), algo=rules, convention=conventions)
def test_totals_are_the_sum_of_the_rows(s: Sizes, algo: str, convention: str) -> None:
    """Totals, phases and every grouping are sums of the same rows, and each row stands for one thing."""
    result = evaluate(s, algo, convention)
    assert result.totals.macc == sum(row.macc for row in result.rows)
    assert result.totals.flop == sum(row.flop for row in result.rows)
    assert tuple(result.phases) == PHASES[:4]
    assert sum(amount.flop for amount in result.phases.values()) == result.totals.flop
    bys: tuple[Literal["layer", "phase", "operation"], ...] = ("layer", "phase", "operation")
    for by in bys:
        grouped = group_by(result.rows, by)
        assert sum(row.macc for row in grouped) == sum(row.macc for row in result.rows) == result.totals.macc
        assert sum(row.flop for row in grouped) == sum(row.flop for row in result.rows) == result.totals.flop
        assert sum(row.parameters for row in grouped) == result.totals.parameters
        keys = [(row.layer, row.operation, row.phase) for row in grouped]
        assert len(set(keys)) == len(keys)


@given(s=models(), algo=rules, convention=conventions, batch=st.integers(1, 9))
def test_linear_in_the_batch(s: Sizes, algo: str, convention: str, batch: int) -> None:
    """A step of several sequences costs that many times one; it has no more parameters."""
    one, many = evaluate(s, algo, convention), evaluate(s, algo, convention, batch=batch)
    assert (many.totals.macc, many.totals.flop) == (batch * one.totals.macc, batch * one.totals.flop)
    assert many.totals.parameters == one.totals.parameters


@given(s=models("decoder-only"), algo=rules, convention=conventions)
def test_linear_in_the_depth(s: Sizes, algo: str, convention: str) -> None:
    """Each further layer costs the same."""
    flops = [evaluate(replace(s, n_decoder_layers=depth), algo, convention).totals.flop for depth in (1, 2, 3)]
    assert flops[2] - flops[1] == flops[1] - flops[0]


@given(s=models(), algo=rules, convention=conventions, name=st.sampled_from(GRIDDED))
def test_never_falls_when_a_size_grows(s: Sizes, algo: str, convention: str, name: str) -> None:
    """No size makes a model cheaper; errata, which are differences, are left out."""
    if not getattr(s, name):
        return
    larger = replace(s, **{name: getattr(s, name) + 1})
    before, after = (evaluate(sizes, algo, convention, errata=False).totals for sizes in (s, larger))
    assert after.macc >= before.macc
    assert after.flop >= before.flop


@given(s=models(), convention=conventions)
def test_phases_run_as_often_as_the_rule_says(s: Sizes, convention: str) -> None:
    """PEPITA is 2 forwards and a weight update, MEMPEPITA 3, with the same error projection and no backward.

    Source: Pau & Aymone, Eng 2024, 5(1), 34-50, Table 2.
    """
    bp, pepita, mempepita = (
        evaluate(s, algo, convention, errata=False).phases for algo in ("bp", "pepita", "mempepita")
    )
    assert bp["error_projection"].macc == 0
    for result, runs in ((pepita, 2), (mempepita, 3)):
        assert result["forward"].flop == runs * bp["forward"].flop
        assert result["backward"].flop == 0
        assert result["weight_update"] == pepita["weight_update"]
        assert result["weight_update"].macc == bp["weight_update"].macc
        assert convention == "exact" or result["weight_update"] == bp["weight_update"]
        assert result["error_projection"] == pepita["error_projection"]
        assert result["error_projection"].macc > 0


@given(s=st.lists(models("encoder-decoder"), min_size=1, max_size=5), algo=rules, convention=conventions)
def test_arrays_price_a_grid(s: list[Sizes], algo: str, convention: str) -> None:
    """NumPy object arrays give, through the same layers, the integers of each model alone."""
    fields = (*GRIDDED, "encoder_context_length")
    columns: dict[str, Any] = {name: np.array([getattr(each, name) for each in s], dtype=object) for name in fields}
    grid = Sizes(**columns)
    result = evaluate(grid, algo, convention)
    alone = [evaluate(each, algo, convention) for each in s]
    assert result.totals.macc.tolist() == [each.totals.macc for each in alone]
    assert result.totals.flop.tolist() == [each.totals.flop for each in alone]
    assert result.totals.parameters.tolist() == [each.totals.parameters for each in alone]


def test_arrays_do_not_wrap() -> None:
    """A grid past 2^64 is exact."""
    s = load_spec("gpt3").at(10**6)
    grid = replace(s, context_length=np.array([10**6, 10**7], dtype=object))
    assert evaluate(grid).totals.macc.tolist() == [evaluate(s.at(context)).totals.macc for context in (10**6, 10**7)]
    assert evaluate(s.at(10**7)).totals.macc > 2**64


@pytest.mark.parametrize("algo", ["bp", "pepita", "mempepita"])
@pytest.mark.parametrize("convention", ["paper", "torch", "exact"])
@given(s=models("encoder-decoder"))
def test_symbols_give_a_formula(convention: str, algo: str, s: Sizes) -> None:
    """SymPy symbols give a polynomial through the same layers that takes the same integers."""
    symbols = {name: sympy.Symbol(name, positive=True) for name in (*GRIDDED, "encoder_context_length")}
    result: Result = evaluate(Sizes(**symbols), algo, convention)
    values = {symbol: getattr(s, name) for name, symbol in symbols.items()}
    number = evaluate(s, algo, convention)
    assert result.totals.macc.subs(values) == number.totals.macc
    assert result.totals.flop.subs(values) == number.totals.flop
    assert result.totals.parameters.subs(values) == number.totals.parameters


def test_the_symbolic_form_of_attention() -> None:
    """The forward MACCs of self-attention come out as the paper's 4Md² + 2M²d, with h e = d."""
    m, d, h = sympy.symbols("M d h", positive=True)
    s = Sizes(
        vocab_size=1,
        d_model=d,
        n_heads=h,
        d_head=d / h,
        d_ff=1,
        n_encoder_layers=0,
        n_decoder_layers=1,
        context_length=m,
    )
    rows = [row for row in evaluate(s).rows if row.layer == "decoder.attention" and row.phase == "forward"]
    assert sympy.expand(sum(row.macc for row in rows)) == 4 * m * d**2 + 2 * m**2 * d


def test_a_grid_cannot_mix_families() -> None:
    """A grid in which a stack is there and not there is refused rather than priced wrongly."""
    s = load_spec("gpt2").at()
    with pytest.raises(InputError, match="mixes models"):
        evaluate(replace(s, n_encoder_layers=np.array([0, 1], dtype=object)))


def test_compare_is_evaluate_beside_the_first_rule() -> None:
    """Each line of a comparison is a result of `evaluate`, and its change is exact."""
    specs = [load_spec("gpt2"), load_spec("t5-base")]
    lines = compare(specs, ["pepita", "bp"], "torch", context=[16, 32], encoder_context=8, batch=2)
    assert len(lines) == 8
    for line in lines:
        encoder_context = 8 if line.result.spec == "t5-base" else None
        spec = load_spec(line.result.spec)
        for result, algo in ((line.result, line.result.algo), (line.baseline, "pepita")):
            assert result == evaluate(
                spec, algo, "torch", context=result.context, encoder_context=encoder_context, batch=2
            )
        assert (line.macc + 1) * line.baseline.totals.macc == line.result.totals.macc
        assert (line.flop + 1) * line.baseline.totals.flop == line.result.totals.flop


def test_the_encoder_context_follows_the_context() -> None:
    """An encoder context that the spec leaves to its default is the context, also when that is replaced."""
    t5, alexatm = load_spec("t5-base"), load_spec("alexatm-20b")
    assert t5.at(100).encoder_context_length == 100
    assert t5.at(100, 7).encoder_context_length == 7
    assert alexatm.at(7).encoder_context_length == 100
    assert load_spec("bert-base").at(7).encoder_context_length is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"algo": "pepitta"}, "did you mean 'pepita'"),
        ({"convention": "tourch"}, "did you mean 'torch'"),
        ({"context": 0}, "the context must be"),
        ({"context": 10**19}, "the context must be"),
        ({"batch": 0}, "the batch must be"),
        ({"encoder_context": 5}, "this one is decoder-only"),
    ],
)
def test_refused(arguments: dict[str, object], message: str) -> None:
    """What a model cannot have is refused with a message that says what would be right."""
    with pytest.raises(InputError, match=message):
        evaluate(load_spec("gpt2"), **arguments)  # type: ignore[arg-type]  # that is the point


def test_no_layers_at_all() -> None:
    """Sizes without layers have no family."""
    s = load_spec("gpt2").at()
    with pytest.raises(InputError, match="needs layers"):
        evaluate(replace(s, n_decoder_layers=0))


def test_encoder_context_for_no_encoder() -> None:
    """An encoder context that no compared model has is refused, not ignored."""
    with pytest.raises(InputError, match="none is among the specs"):
        compare([load_spec("gpt2")], encoder_context=5)


def test_a_scalar_operation_without_a_price_is_not_a_silent_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """A convention that does not know a scalar operation says so and lists those that it knows."""
    prices = {name: price for name, price in CONVENTIONS["paper"].prices.items() if name != "tanh"}
    monkeypatch.setitem(CONVENTIONS, "paper", replace(CONVENTIONS["paper"], prices=prices))
    with pytest.raises(InputError, match=r"unknown scalar operation under convention paper 'tanh'(.|\n)*known: macc"):
        evaluate(load_spec("gpt2"), "bp", "paper")
