"""Break-even points: published integers, every value by itself, and the command."""

import csv
import io
import json
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from conftest import Tcost, draws
from drawn import models
from hypothesis import given, settings
from hypothesis import strategies as st

from tcost import InputError, ModelSpec, Sizes, evaluate, load_spec
from tcost.breakeven import BreakEven, break_even
from tcost.bundled import BUNDLED
from tcost.conventions import CONVENTIONS
from tcost.learning_rules import LEARNING_RULES
from tcost.settings import Settings
from tcost.sweep import MEASURES, parse_axis

RULES = [*LEARNING_RULES]
PAPER = ("--convention", "paper")


def cost(spec: ModelSpec, algo: str, convention: str, measure: str, context: int, **options: Any) -> int:
    """Return what `evaluate` gives at one context."""
    counted: int = MEASURES[measure](evaluate(spec, algo, convention, context=context, **options))
    return counted


@pytest.mark.parametrize(("name", "published"), [("distilbert", (1340, 1167)), ("gpt3-small", (1251, 1064))])
def test_published(name: str, published: tuple[int, int]) -> None:
    """The contexts from which MEMPEPITA is cheaper than BP under `paper`, in MACCs and in FLOPs."""
    found = break_even(load_spec(name), ["mempepita", "bp"], settings=Settings(convention="paper"))
    assert tuple(each.start for each in found[:2]) == published
    assert [each.limit for each in found[:2]] == [0, 0]


def test_published_of_alexatm() -> None:
    """AlexaTM 20B: none below 2048 in MACCs, 1344 in FLOPs."""
    macc, flop, _ = break_even(load_spec("alexatm-20b"), ["mempepita", "bp"], settings=Settings(convention="paper"))
    assert flop.start == 1344
    assert macc.start is not None
    assert macc.start > 2048


def assert_on_both_sides(found: BreakEven, spec: ModelSpec, convention: str, **options: Any) -> None:
    """Check a break-even point and the ends of every run with `evaluate`: cheaper inside, not cheaper outside."""
    for low, high in found.cheaper:
        inside, outside = [low, *([high] if high else [])], [low - 1, *([high + 1] if high else [])]
        for context in inside + outside:
            if context:
                first, second = (
                    cost(spec, rule, convention, found.measure, context, **options)
                    for rule in (found.first, found.second)
                )
                assert (first < second) == (context in inside)
    if found.start is not None:
        assert found.at is not None
        pair = [cost(spec, rule, convention, found.measure, found.start) for rule in (found.first, found.second)]
        assert [found.at.first, found.at.second] == pair
        assert found.cheaper[-1] == (found.start, None)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("name", ["gpt2", "bert-base", "alexatm-20b", "llama-3-8b", "mixtral-8x7b", "t5-base"])
def test_both_sides(name: str, convention: str) -> None:
    """At n the first rule is cheaper; at n - 1 the other one is, or they are equal. So it is at every end of a run."""
    spec = load_spec(name)
    for algos in (["mempepita", "bp", "pepita"], ["pepita", "bp"], ["bp", "mempepita"]):
        for each in break_even(spec, algos, settings=Settings(convention=convention)):
            assert_on_both_sides(each, spec, convention)


@pytest.mark.parametrize("convention", ["paper", "exact"])
def test_the_peak(convention: str) -> None:
    """The peak is the largest of many closed forms; its break-even points are exact all the same."""
    spec = load_spec("gpt3-small")
    for each in break_even(
        spec, ["mempepita", "bp", "pepita"], "context_length", ("peak_bytes",), settings=Settings(convention=convention)
    ):
        assert_on_both_sides(each, spec, convention)
        assert each.cheaper


@settings(max_examples=draws(60))
@given(s=models(), data=st.data())
def test_every_value_by_itself(s: Sizes, data: st.DataObject) -> None:
    """Of small models the runs are those that are found by trying every context."""
    first, second = data.draw(st.permutations(RULES))[:2]
    convention = data.draw(st.sampled_from([*CONVENTIONS]))
    measure = data.draw(st.sampled_from(["macc", "flop", "stored_activations_elements", "peak_elements"]))
    spec = ModelSpec(
        name="drawn",
        vocab_size=s.vocab_size,
        d_model=s.d_model,
        n_heads=s.n_heads,
        d_ff=s.d_ff,
        n_encoder_layers=s.n_encoder_layers,
        n_decoder_layers=s.n_decoder_layers,
        context_length=s.context_length,
        encoder_context_length=s.encoder_context_length,
    )
    start, step = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 5))
    tried = range(start, start + 40 * step, step)
    over = f"context_length={tried.start}:{tried[-1]}:{step}"
    (found,) = break_even(spec, [first, second], over, [measure], settings=Settings(convention=convention))
    wins = [
        context
        for context in tried
        if cost(spec, first, convention, measure, context) < cost(spec, second, convention, measure, context)
    ]
    assert [value for low, high in found.cheaper for value in range(low, (high or 0) + 1, step)] == wins
    assert all(a[1] is not None and b[0] > a[1] + step for a, b in pairwise(found.cheaper))
    last = found.cheaper[-1] if found.cheaper else (None, None)
    assert found.start == (last[0] if last[1] == tried[-1] else None)


def test_limits() -> None:
    """The ratio at infinity is that of the leading terms: the forwards of three runs and one, or nothing beside M³."""
    spec = load_spec("gpt2")
    macc, _, stored = break_even(spec, ["mempepita", "pepita"], settings=Settings(convention="paper"))
    # Scores and context, 2·M²·d a forward: three forwards beside two, and no other term in M².
    assert macc.limit == Fraction(3, 2)
    assert (macc.start, macc.cheaper) == (None, ())
    # The largest set is M·V + 2·M·d. PEPITA stores in every layer what projections read, queries, keys, values
    # and what is mixed (d each), hidden units (4·d), inputs and normalised rows of two norms; then 2·M·d.
    assert stored.limit == Fraction(50257 + 2 * 768, (12 * (6 + 4 + 4) + 2) * 768)
    (back,) = break_even(spec, ["bp", "mempepita"], measures=["macc"], settings=Settings(convention="paper"))
    assert (back.start, back.limit, back.is_open) == (None, None, True)
    assert back.cheaper == ((1, 1250),)


def test_axes_of_some_values() -> None:
    """Where only some values are asked for, each is one of them, and there is no limit."""
    spec = load_spec("gpt2")
    (heads,) = break_even(
        spec, ["mempepita", "bp"], "n_heads=1,2,3,4,6,12,24,48", ["macc"], settings=Settings(convention="paper")
    )
    tried = [
        value
        for value in (1, 2, 3, 4, 6, 12, 24, 48)
        if evaluate(spec.model_copy(update={"n_heads": value}), "mempepita", "paper").totals.macc
        < evaluate(spec.model_copy(update={"n_heads": value}), "bp", "paper").totals.macc
    ]
    assert tried
    assert heads.start == tried[0]
    assert heads.limit is None
    (wide,) = break_even(
        spec, ["mempepita", "bp"], "d_model=12:12000:12", ["macc"], settings=Settings(convention="paper")
    )
    for low, high in wide.cheaper:
        assert low % 12 == 0
        assert high is not None
        assert high % 12 == 0


@pytest.mark.parametrize(
    ("algos", "over", "message"),
    [
        (["bp"], "context_length", "a break-even point is between two rules"),
        (["bp", "pepita"], "n_heads", "not every n_heads fits the model"),
        (["bp", "pepita"], "n_headz", "unknown size to vary 'n_headz'"),
        (["bp", "pepita"], "context_length=3,2", "'context_length=3,2' does not increase"),
        (["bp", "pepitta"], "context_length", "unknown learning rule 'pepitta'"),
        (["bp", "pepita"], "encoder_context_length", "an encoder context is for encoder-decoder models"),
    ],
)
def test_refused(algos: list[str], over: str, message: str) -> None:
    """What has no break-even point is refused with its reason."""
    with pytest.raises(InputError) as refused:
        break_even(load_spec("gpt2"), algos, over)
    assert message in str(refused.value)


def test_no_closed_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """An axis that has a form of its own at every value, as of layers that differ, is refused beyond some values."""
    monkeypatch.setattr("tcost.breakeven.MAX_PIECES", 20)
    gemma = load_spec("gemma-2-9b")
    found = break_even(gemma, ["mempepita", "bp"], "n_decoder_layers=1:20", measures=["macc"])
    assert len(found) == 1
    with pytest.raises(InputError, match="there is no closed form along n_decoder_layers\ngive at most 20 values"):
        break_even(gemma, ["mempepita", "bp"], "n_decoder_layers=1:21", measures=["macc"])


def test_table(tcost: Tcost) -> None:
    """A line per measure: the integer, the changes on both sides, and the ratio at infinity."""
    outcome = tcost(
        "sweep", "--break-even", "gpt3-small", "--algos", "mempepita", "bp", "--over", "context_length", *PAPER
    )
    assert (outcome.status, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0] == "gpt3-small: from which context_length on mempepita is cheaper"
    assert lines[1] == "convention paper, 1 sequence per step"
    (macc,) = (line.split() for line in lines if line.startswith("MACCs"))
    assert macc == ["MACCs", "bp", "1,251", "+0.0235", "%", "-0.0267", "%", "0"]
    assert "not counted: loss" in outcome.out
    never = tcost("sweep", "--break-even", "gpt3-small", "--algos", "bp", "mempepita", *PAPER).out
    assert "never" in never
    assert "MACCs: bp is cheaper than mempepita only at context_length 1 to 1,250" in never


@pytest.mark.parametrize("name", list(BUNDLED))
def test_tables_fit(name: str, tcost: Tcost) -> None:
    """Every bundled model has break-even points, or none, in a table of at most 100 columns."""
    outcome = tcost("sweep", "--break-even", name, "--algos", *RULES)
    assert (outcome.status, outcome.err) == (0, "")
    assert max(map(len, outcome.out.splitlines())) <= 100


def test_json_and_csv(tcost: Tcost) -> None:
    """JSON and CSV have exact integers and the ratio at infinity as two of them."""
    document = json.loads(
        tcost("sweep", "--break-even", "gpt2", "--over", "n_decoder_layers", *PAPER, "--format", "json").out
    )
    macc = document["points"][0]
    assert (document["convention"], macc["measure"], macc["start"], macc["limit"]) == ("paper", "macc", 24, "1265/1521")
    assert macc["cheaper"] == [[24, None]]
    spec = load_spec("gpt2")
    for place, layers in (("at", 24), ("below", 23)):
        deep = spec.model_copy(update={"n_decoder_layers": layers})
        assert macc[place] == {
            "value": layers,
            "first": evaluate(deep, "mempepita", "paper").totals.macc,
            "second": evaluate(deep, "bp", "paper").totals.macc,
        }
    lines = list(
        csv.DictReader(
            io.StringIO(
                tcost("sweep", "--break-even", "gpt2", "--algos", "bp,mempepita", *PAPER, "--format", "csv").out
            )
        )
    )
    assert [(line["start"], line["limit"]) for line in lines] == [("", "infinity")] * 3
    over = tcost("sweep", "--break-even", "gpt2", "--over", "n_decoder_layers", *PAPER, "--format", "csv").out
    assert next(csv.DictReader(io.StringIO(over)))["at_first"] == str(macc["at"]["first"])


def test_bad_usage(tcost: Tcost) -> None:
    """Bad input is one message on standard error with status 2."""
    outcome = tcost("sweep", "--break-even", "gpt2", "--algos", "bp")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err == (
        "error: a break-even point is between two rules\n       name both, as in --algos mempepita bp\n"
    )


def test_axis_is_parsed_as_in_a_sweep() -> None:
    """The axis of a break-even point is that of a sweep."""
    (found,) = break_even(load_spec("gpt2"), ["mempepita", "bp"], "batch=1:9:2", measures=["flop"])
    assert found.axis == parse_axis("batch=1:9:2")
    assert found.cheaper == ()


@pytest.mark.parametrize("library", ["numpy", "sympy"])
def test_a_library_that_is_missing(library: str) -> None:
    """Where NumPy or SymPy is not installed, the message says how to install it."""
    code = f"import sys; sys.modules['{library}'] = None; from tcost.__main__ import run; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "sweep", "--break-even", "gpt2"]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    message = "sweeps and break-even points need NumPy and SymPy\n       pip install 'tcost[sweep]'\n"
    assert outcome.stderr == f"error: {message}"
