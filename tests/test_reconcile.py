"""Why two conventions differ: terms that add up, formulas that give them, estimators, and the commands."""

import csv
import io
import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from bundling import few_first
from conftest import Tcost
from drawn import models
from hypothesis import given
from hypothesis import strategies as st

from tcost import InputError, Row, Sizes, evaluate, load_spec
from tcost.bundled import BUNDLED
from tcost.conventions import CONVENTIONS
from tcost.estimators import ESTIMATORS, PARAMETERS, Parameters, estimates, parameters_of
from tcost.learning_rules import LEARNING_RULES
from tcost.reconcile import Reconciliation, reconcile
from tcost.settings import Settings

RULES = [*LEARNING_RULES]
PAIRS = [*product(CONVENTIONS, repeat=2)]
HUGE = 10**18


def value(formula: str, symbols: dict[str, int]) -> int:
    """Return what a formula gives for the values of its symbols."""
    number: int = eval(formula, {"__builtins__": {}}, symbols)  # noqa: S307  # the formula is our own
    return number


def assert_adds_up(reconciliation: Reconciliation) -> None:
    """Check that the terms' sums are the difference of the totals, and each formula its term."""
    before, after, terms = reconciliation.from_.totals, reconciliation.to.totals, reconciliation.terms
    assert sum(term.macc for term in terms) == after.macc - before.macc == reconciliation.difference.macc
    assert sum(term.flop for term in terms) == after.flop - before.flop == reconciliation.difference.flop
    symbols = {symbol.name: symbol.value for symbol in reconciliation.symbols}
    for term in terms:
        assert (term.macc, term.flop) != (0, 0)
        assert value(term.macc_formula, symbols) == term.macc
        assert value(term.flop_formula, symbols) == term.flop


@pytest.mark.parametrize("algo", RULES)
@pytest.mark.parametrize("name", few_first())
def test_terms_and_formulas(name: str, algo: str) -> None:
    """For every pair of conventions the terms add up to the difference, and each formula gives its integers."""
    for from_, to in PAIRS:
        reconciliation = reconcile(load_spec(name), from_, to, Settings(algo))
        assert reconciliation.from_ == evaluate(load_spec(name), algo, from_)
        assert reconciliation.to == evaluate(load_spec(name), algo, to)
        assert_adds_up(reconciliation)
        assert bool(reconciliation.terms) == (from_ != to)


@given(s=models(), algo=st.sampled_from(RULES), pair=st.sampled_from(PAIRS), data=st.data())
def test_any_model(s: Sizes, algo: str, pair: tuple[str, str], data: st.DataObject) -> None:
    """Odd head widths, an encoder of its own shape, every part, a batch and no errata change nothing of that."""
    width, flag = s.d_model, st.booleans()
    parts: dict[str, Any] = {
        name: data.draw(flag)
        for name in ("ffn_bias", "embedding_norm", "final_norm", "head_transform", "tie_embeddings")
    }
    if s.family == "encoder-decoder":
        divisors = [number for number in range(1, width + 1) if width % number == 0]
        parts |= {"encoder_n_heads": data.draw(st.sampled_from(divisors)), "encoder_d_ff": data.draw(st.integers(1, 9))}
    s = replace(
        s,
        d_head=s.d_head + data.draw(st.integers(0, 1)),
        activation=data.draw(st.sampled_from(["gelu", "gelu_tanh", "relu"])),
        norm_position=data.draw(st.sampled_from(["pre", "post"])),
        positions=data.draw(st.sampled_from(["learned", "sinusoidal", "none"])),
        n_segments=data.draw(st.integers(0, 2)),
        **parts,
    )
    assert_adds_up(reconcile(s, *pair, Settings(algo, batch=data.draw(st.integers(1, 3)), errata=data.draw(flag))))


def test_the_largest_term_of_gpt3_small() -> None:
    """The explicit Jacobian of the softmax comes first: M·N·N·h less the M·N·h of its vector product, per layer."""
    first = reconcile(load_spec("gpt3-small"), "paper", "exact").terms[0]
    assert first.title == "softmax, backward: an N x N Jacobian per query row and head (paper)"
    assert (first.kind, first.phase, first.macc) == ("softmax", "backward", -12 * 12 * 2048**2 * (2048 - 1))
    assert (first.macc_formula, first.flop_formula) == ("-L*M**2*h*(M - 1)", "-2*L*M**2*h*(M - 2)")


def test_an_erratum_is_a_term_of_its_own() -> None:
    """Each slip in published totals stands by its name, with its formula; without errata there is none."""
    alexatm = load_spec("alexatm-20b")
    terms = {term.title: term for term in reconcile(alexatm, "paper", "exact").terms if term.kind == "erratum"}
    assert [*terms] == ["erratum: cross-attention"]
    assert terms["erratum: cross-attention"].macc_formula == "-L_dec*M*N*h*(M - N)"
    assert terms["erratum: cross-attention"].macc == -32 * 2048 * 100 * 32 * (2048 - 100)
    clean = reconcile(alexatm, "paper", "exact", Settings(errata=False))
    assert not any(term.kind == "erratum" for term in clean.terms)


def test_reasons_are_those_of_the_conventions() -> None:
    """A title says what a convention charges otherwise, does not count, or does not have in its model."""
    titles = [term.title for term in reconcile(load_spec("bert-base"), "paper", "exact").terms]
    assert "embedding, forward: a dense product with one-hot rows (paper)" in titles
    assert "linear, forward: without head transform (paper)" in titles
    assert "gelu, forward: not in the model (paper)" in titles
    assert "gelu tanh, forward: not in the model (exact)" in titles
    assert all(
        "not counted (torch)" in term.title for term in reconcile(load_spec("bert-base"), "torch", "exact").terms
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"from_": "papr"}, "unknown convention 'papr'; did you mean 'paper'"),
        ({"to": "exat"}, "unknown convention 'exat'; did you mean 'exact'"),
        ({"algo": "pepitta"}, "unknown learning rule 'pepitta'; did you mean 'pepita'"),
        ({"context": 0}, "the context must be"),
        ({"encoder_context": 5}, "this one is decoder-only"),
        ({"batch": 0}, "the batch must be"),
    ],
)
def test_refused(arguments: dict[str, Any], message: str) -> None:
    """What `evaluate` refuses, `reconcile` refuses in the same words."""
    words = {"from_": "paper", "to": "exact"} | arguments
    sides = words.pop("from_"), words.pop("to")
    with pytest.raises(InputError, match=message):
        reconcile(load_spec("gpt2"), *sides, Settings(**words))


ESTIMATES = {
    "Kaplan et al. 2020": 1_043_677_052_928,  # 6 · 84,934,656 · 2048
    "Kaplan et al. 2020, with context": 1_275_605_286_912,  # and 6 · 12 · 2048 · 768 · 2048
    "Hoffmann et al. 2022, Chinchilla": 2_461_538_451_456,  # 3 · (2 · 158,094,852,096 + 12 · 42,026,926,080)
    "Chowdhery et al. 2022, PaLM": 2_002_636_505_088,  # 2048 · (6 · 125,226,240 + 12 · 12 · 768 · 2048)
    "Narayanan et al. 2021, Megatron-LM": 2_484_329_250_816,  # 96 s l h² + 16 s² l h + 6 s h V
    "6·N·D, without embeddings": 1_045_168_128_000,  # 6 · 2048 · (125,226,240 - (50257 + 2048) · 768)
    "6·N·D, all parameters": 1_538_780_037_120,  # 6 · 2048 · 125,226,240
}
"""GPT-3 Small at context 2048, worked out by hand: d 768, 12 heads of 64, f 3072, V 50257, 12 layers."""


def test_estimates_by_hand() -> None:
    """Every estimator gives for GPT-3 Small the integer that its paper's formula gives by hand."""
    found = estimates(load_spec("gpt3-small").at())
    assert {each.estimator.name: each.flop for each in found} == ESTIMATES
    exact = evaluate(load_spec("gpt3-small"), "bp", "exact").totals
    assert exact.parameters == 125_226_240
    assert all(each.exact == exact.flop for each in found)
    assert all((each.error + 1) * exact.flop == each.flop for each in found)


def test_the_formula_of_an_estimator_is_its_function() -> None:
    """What is printed as an estimator's formula gives what its function gives, for every model that it is for."""
    for spec in map(load_spec, BUNDLED):
        reconciliation = reconcile(spec, "torch", "exact", Settings(batch=3))
        symbols = {symbol.name: symbol.value for symbol in reconciliation.symbols}
        symbols |= parameters_of(evaluate(spec, "bp", "exact"))._asdict()
        assert len(reconciliation.estimates) == (0 if spec.at().family == "encoder-decoder" else len(ESTIMATORS))
        for each in reconciliation.estimates:
            assert value(each.estimator.formula, symbols) == each.flop


def flops(rows: Iterable[Row]) -> int:
    """Return the FLOPs of rows."""
    return sum(row.flop for row in rows)


@given(family=st.sampled_from(["encoder-only", "decoder-only"]), data=st.data())
def test_estimators_are_parts_of_what_torch_counts(family: str, data: st.DataObject) -> None:
    """Each estimator is what FlopCounterMode counts, less what its authors leave out and with what they add.

    Kaplan: the layers' weights, then half of the full scores as well. Hoffmann: a dense embedding and 3 per
    score. PaLM: every parameter as a weight. Megatron, where f = 4 d: the layers' forward once more.
    """
    s = data.draw(models(family))
    s = replace(s, d_ff=4 * s.d_model)
    m, v, d = s.context_length, s.vocab_size, s.d_model
    rows = evaluate(s, "bp", "torch").rows
    inside = [row for row in rows if row.layer != "vocabulary_projection"]
    weights = flops(row for row in inside if row.kind == "linear")
    scores = flops(row for row in inside if row.kind == "contract")
    depth = s.n_encoder_layers + s.n_decoder_layers
    parameters = evaluate(s, "bp", "exact").totals.parameters
    assert [each.flop for each in estimates(s)] == [
        weights,
        weights + scores // 2,
        flops(rows) + 3 * 2 * m * v * d + 3 * 3 * s.n_heads * m * m * depth,
        6 * parameters * m + scores,
        flops(rows) + flops(row for row in inside if row.phase == "forward"),
        6 * (parameters - 2 * v * d) * m,  # models of the paper have no positions
        6 * parameters * m,
    ]


def test_the_published_compute_of_gpt3() -> None:
    """6 N D is within 1 % of the 3.14e23 FLOPs for 300 billion tokens in Brown et al. 2020, table D.1."""
    found = {each.estimator.name: each.flop for each in estimates(load_spec("gpt3").at())}
    published = 314 * 10**21 * 2048 // (300 * 10**9)
    for name in ("Kaplan et al. 2020", "6·N·D, without embeddings"):
        assert 100 * abs(found[name] - published) < published


@pytest.mark.parametrize(
    ("name", "tokens", "expected"),
    [
        # wte is 50257 · 768, wpe 1024 · 768; the vocabulary projection is wte
        ("gpt2", 1024, Parameters(124_439_808, 124_439_808, 85_056_000)),
        # the embedding and the vocabulary projection are 128256 · 4096 each
        ("llama-3-8b", 8192, Parameters(8_030_261_248, 8_030_261_248, 8_030_261_248 - 2 * 525_336_576)),
        # 2 of 8 experts, each of 3 · 4096 · 14336 in 32 layers; twice 32000 · 4096
        ("mixtral-8x7b", 32768, Parameters(46_702_792_704, 12_879_925_248, 12_879_925_248 - 2 * 131_072_000)),
        # words 30522, positions 512 and segments 2 of 768; the bias of the vocabulary projection is no embedding
        ("bert-base", 512, Parameters(109_514_298, 109_514_298, 109_514_298 - (30_522 + 512 + 2) * 768)),
        # its convolution and class token are no embeddings of words; positions are: 197 · 768
        ("vit-base", 197, Parameters(86_567_656, 86_567_656, 86_567_656 - 197 * 768)),
    ],
)
def test_six_n_d(name: str, tokens: int, expected: Parameters) -> None:
    """6 N D takes the model's own parameters, gates and groups included: all that a token uses, or the inner ones."""
    s = load_spec(name).at()
    assert s.context_length == tokens
    assert parameters_of(evaluate(s, "bp", "exact")) == expected
    found = {each.estimator.name: each.flop for each in estimates(s)}
    assert found["6·N·D, without embeddings"] == 6 * expected.P_in * tokens
    assert found["6·N·D, all parameters"] == 6 * expected.P_act * tokens


def test_published_parameters_without_embeddings() -> None:
    """The model card of Pythia 1.4B gives both numbers to the last unit; its projection is not tied, and left out."""
    found = parameters_of(evaluate(load_spec("pythia-1.4b"), "bp", "exact"))
    assert found == Parameters(1_414_647_808, 1_414_647_808, 1_208_602_624)


def test_the_symbols_of_parameters_are_explained() -> None:
    """Each symbol of parameters has a meaning."""
    assert tuple(PARAMETERS) == Parameters._fields


def test_json(tcost: Tcost) -> None:
    """JSON has exact integers: both totals, the terms that lead from one to the other, symbols and estimates."""
    outcome = tcost("reconcile", "gpt3-small", "--from", "torch", "--to", "paper", "--batch", 2, "--format", "json")
    assert (outcome.status, outcome.err) == (0, "")
    document = json.loads(outcome.out)
    assert (document["schema_version"], document["tool"]["name"]) == (2, "tcost")
    found = document["reconciliation"]
    assert [found[key] for key in ("spec", "algo", "context", "encoder_context", "batch")] == [
        *("gpt3-small", "bp", 2048, None, 2)
    ]
    for side, convention in (("from", "torch"), ("to", "paper")):
        totals = evaluate(load_spec("gpt3-small"), "bp", convention, batch=2).totals
        assert found[side] == {"convention": convention, "totals": {"macc": totals.macc, "flop": totals.flop}}
    symbols = {symbol["name"]: symbol["value"] for symbol in found["symbols"]}
    for amount in ("macc", "flop"):
        difference = found["to"]["totals"][amount] - found["from"]["totals"][amount]
        assert difference == sum(term[amount] for term in found["terms"]) == found["difference"][amount]
        assert all(value(term[f"{amount}_formula"], symbols) == term[amount] for term in found["terms"])
    assert {each["name"]: each["flop"] for each in found["estimates"]} == ESTIMATES
    assert found["not_estimated"] == ""


def test_csv(tcost: Tcost) -> None:
    """CSV says of each line which part it is; the first total and all terms add up to the second."""
    out = tcost("reconcile", "gpt2", "--algo", "pepita", "--format", "csv").out
    lines = list(csv.DictReader(io.StringIO(out)))
    parts = [line["part"] for line in lines]
    assert parts == sorted(parts, key=["from", "term", "to", "estimate"].index)
    for amount in ("macc", "flop"):
        sums = {
            part: sum(int(line[amount]) for line in lines if line["part"] == part) for part in ("from", "term", "to")
        }
        assert sums["from"] + sums["term"] == sums["to"]
    assert [int(line["flop"]) for line in lines if line["part"] == "estimate"] == [
        each.flop for each in estimates(load_spec("gpt2").at())
    ]


@pytest.mark.parametrize("name", few_first())
def test_tables_fit(name: str, tcost: Tcost) -> None:
    """Tables of every bundled spec fit 100 columns, in SI units and in integers, and nothing is cut short."""
    for algo, integers in product(("bp", "pepita"), ([], ["--integers"])):
        out = tcost("reconcile", name, "--algo", algo, *integers).out
        assert max(map(len, out.splitlines())) <= 100
        assert "…" not in out


def test_the_table(tcost: Tcost) -> None:
    """The table has each term with its formulas, both totals and their difference; the estimators follow."""
    outcome = tcost("reconcile", "gpt3-small", "--integers")
    assert (outcome.status, outcome.err) == (0, "")
    title, settings, _, head, *_ = lines = outcome.out.splitlines()
    assert title == "gpt3-small under backpropagation (bp): from paper to exact"
    assert settings == "1 sequence per step, context 2,048 (the spec's; --context)"
    assert head.split() == ["term", "formula", "MACCs", "FLOPs"]
    assert any("-L·M²·h·(M - 1) MACCs" in line and line.split()[-2] == "-1,236,346,601,472" for line in lines)
    sums = [line.split()[-2:] for line in lines if line.startswith(("total under", "difference"))]
    before, after, difference = ([int(cell.replace(",", "")) for cell in cells] for cells in sums)
    totals = evaluate(load_spec("gpt3-small"), "bp", "paper").totals
    assert before == [totals.macc, totals.flop]
    assert difference == [there - here for here, there in zip(before, after, strict=True)]
    (kaplan,) = (line for line in lines if line.startswith("Kaplan et al. 2020  "))
    assert kaplan.split()[-3:] == ["1,043,677,052,928", "-47.6", "%"]


def test_markdown_is_not_folded(tcost: Tcost) -> None:
    """A term is one line of markdown, its two formulas in one cell."""
    lines = tcost("reconcile", "gpt3-small", "--format", "markdown").out.splitlines()
    (line,) = (line for line in lines if line.startswith("| softmax, backward"))
    assert "| -L·M²·h·(M - 1) MACCs; -2·L·M²·h·(M - 2) FLOPs | -1.236 T | -2.471 T |" in line


def test_estimators_are_not_for_encoder_decoders(tcost: Tcost) -> None:
    """Of an encoder-decoder every format says that the estimators are not defined, or has none."""
    assert "not defined for\n  encoder-decoders" in tcost("reconcile", "t5-base").out
    assert "Published estimators" not in tcost("reconcile", "t5-base").out
    found = json.loads(tcost("reconcile", "t5-base", "--format", "json").out)["reconciliation"]
    assert found["estimates"] == []
    assert "not defined for encoder-decoders" in found["not_estimated"]


def test_a_convention_beside_itself(tcost: Tcost) -> None:
    """Nothing differs: no terms, and a difference of 0."""
    out = tcost("reconcile", "gpt2", "--from", "exact", "--to", "exact").out
    assert [line.split() for line in out.splitlines() if line.startswith("difference")] == [["difference", "0", "0"]]


def test_sizes_past_any_terminal(tcost: Tcost, tmp_path: Path) -> None:
    """Numbers that leave no room for text widen the table; they are never cut."""
    path = tmp_path / "huge.yaml"
    sizes = ("vocab_size", "d_model", "d_ff", "n_decoder_layers", "context_length")
    path.write_text("name: huge\nn_heads: 1\nn_encoder_layers: 0\n" + "".join(f"{size}: {HUGE}\n" for size in sizes))
    outcome = tcost("reconcile", path, "--integers")
    assert outcome.status == 0
    assert f"{evaluate(load_spec(str(path))).totals.macc:,}" in outcome.out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("--from papr", "unknown convention 'papr'; did you mean 'paper'?\n       known: paper, torch, exact\n"),
        ("--to tourch", "unknown convention 'tourch'; did you mean 'torch'?\n       known: paper, torch, exact\n"),
        ("--algo pepitta", "unknown learning rule 'pepitta'; did you mean 'pepita'?"),
        ("--encoder-context 8", "gpt2: an encoder context is for encoder-decoder models"),
        ("bert-base", "Got unexpected extra argument(s) (bert-base)"),
    ],
)
def test_bad_usage(args: str, message: str, tcost: Tcost) -> None:
    """Bad input is one message on standard error that says what would be right, with status 2."""
    outcome = tcost("reconcile", "gpt2", *args.split())
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err


def test_without_sympy(tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SymPy is not installed, the message says how to install it; other commands do without."""
    monkeypatch.setitem(sys.modules, "sympy", None)
    assert tcost("reconcile", "gpt2") == (2, "", "error: formulas need SymPy\n       pip install 'tcost[formula]'\n")
    assert tcost("compare", "gpt2").status == 0


def test_help_and_output(tcost: Tcost, tmp_path: Path) -> None:
    """The command has help with an example, and --output writes what standard output would hold."""
    outcome = tcost("reconcile", "--help")
    assert (outcome.status, outcome.err) == (0, "")
    assert "Example: tcost reconcile gpt3-small" in outcome.out
    path = tmp_path / "terms.json"
    assert tcost("reconcile", "gpt2", "--format", "json", "-o", path) == (0, "", "")
    assert path.read_text() == tcost("reconcile", "gpt2", "--format", "json").out
