"""Closed forms: those of the paper by hand, those of any model against its counts, and what the command writes."""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
from bundling import few_first
from conftest import Tcost, draws
from drawn import FAMILIES, MODERN, models, parts
from hypothesis import given, settings
from hypothesis import strategies as st

from tcost import InputError, Result, Sizes, evaluate, load_spec
from tcost.conventions import CONVENTIONS
from tcost.cost import group_by
from tcost.formulas import Formulas, Quantity, formulas, python_text, shortest, value_of
from tcost.kinds import PHASES
from tcost.learning_rules import LEARNING_RULES
from tcost.report.formula import latex, python_module
from tcost.settings import Settings
from tcost.symbols import ONE_STACK, PART_SYMBOLS, SYMBOLS, Symbol

sympy = pytest.importorskip("sympy")

RULES = [*LEARNING_RULES]
PUBLISHED = ("--convention", "paper")
CASES = [*product(RULES, CONVENTIONS)]
MEASURES = ("macc", "flop")

J = "M*N*N*h"
ATTENTION = {
    "forward": ("2*M*d**2 + 2*N*d**2 + 2*M*N*d", "2*(2*M*d**2 + 2*N*d**2 + 2*M*N*d) + 6*M*N*h"),
    "backward": (
        f"2*M*d**2 + 2*N*d**2 + 4*M*N*d + {J}",
        f"2*(2*M*d**2 + 2*N*d**2 + 4*M*N*d + {J}) + M*N*h",
    ),
    "weight_update": ("2*M*d**2 + 2*N*d**2", "4*M*d**2 + 4*N*d**2"),
    "parameters": "4*d**2",
}
PAPER: Mapping[str, Mapping[str, Any]] = {
    "embedding": {"forward": ("M*V*d", "2*M*V*d"), "parameters": "V*d"},
    "cross_attention": ATTENTION,
    "attention": {
        name: tuple(each.replace("N", "M") for each in cells) if isinstance(cells, tuple) else cells
        for name, cells in ATTENTION.items()
    },
    "feed_forward": {
        "forward": ("2*M*d*f", "4*M*d*f + 9*M*f + M*d"),
        "backward": ("2*M*d*f", "4*M*d*f + 13*M*f"),
        "weight_update": ("2*M*d*f", "4*M*d*f"),
        "parameters": "2*d*f + f + d",
    },
    "add_norm": {
        "forward": ("0", "9*M*d"),
        "backward": ("M*d**2", "11*M*d**2 + 2*M*d"),
        "weight_update": ("M*d", "3*M*d"),
        "parameters": "2*d",
    },
    "vocabulary_projection": {
        "forward": ("M*d*V", "2*M*d*V + 5*M*V"),
        "backward": ("M*V*d", "2*M*V*d"),
        "weight_update": ("M*V*d", "2*M*V*d"),
        "parameters": "d*V",
    },
    "error_projection": {"error_projection": ("M*V*d", "2*M*V*d"), "parameters": "0"},
    "encoder_error_projection": {
        "error_projection": ("N*M*V + N*V*d", "2*N*M*V + 6*M*N + 2*N*V*d"),
        "parameters": "0",
    },
}
"""What Pau & Aymone, Eng 2024, 5(1), 34-50 publish for one copy of each layer: MACCs and FLOPs, and parameters."""

EXACT: Mapping[str, Mapping[str, Any]] = {
    "attention": {
        # q, k, v and output; scores and context; scale 1 and softmax 5 per score
        "forward": ("4*M*d**2 + 2*M**2*d", "2*(4*M*d**2 + 2*M**2*d) + 6*M**2*h"),
        # the softmax's product 1 MACC and 2 more, the scale 1; gradients of q, k, v and the residual meet
        "backward": ("4*M*d**2 + 4*M**2*d + M**2*h", "2*(4*M*d**2 + 4*M**2*d + M**2*h) + 3*M**2*h + 3*M*d"),
        "weight_update": ("4*M*d**2", "8*M*d**2"),
        "parameters": "4*d**2",
    },
    "feed_forward": {
        # biases f and d, GELU (tanh) 8
        "forward": ("2*M*d*f", "4*M*d*f + M*f + M*d + 8*M*f"),
        # its gradient 12; the residual's gradient meets
        "backward": ("2*M*d*f", "4*M*d*f + 12*M*f + M*d"),
        "weight_update": ("2*M*d*f", "4*M*d*f + M*f + M*d"),
        "parameters": "2*d*f + f + d",
    },
    "add_norm": {
        # residual 1; per element 1 MACC and 5, per row 5
        "forward": ("M*d", "M*d + 2*M*d + 5*M*d + 5*M"),
        "backward": ("M*d", "2*M*d + 6*M*d + 2*M"),
        "weight_update": ("M*d", "2*M*d + M*d"),
        "parameters": "2*d",
    },
    "vocabulary_projection": {
        # softmax 5 per element, log and sum per row
        "forward": ("M*d*V", "2*M*d*V + 5*M*V + 2*M"),
        "backward": ("M*d*V", "2*M*d*V + M*V + M"),
        "weight_update": ("M*d*V", "2*M*d*V"),
        "parameters": "V*d",
    },
}
"""The same for convention `exact`, from the scalar operations of its kinds."""


def assert_equal(quantity: Quantity, by_hand: str) -> None:
    """Check a closed form against one written by hand: SymPy finds no difference."""
    letters = {letter: sympy.Symbol(letter, positive=True, integer=True) for letter in "MNdfhV"}
    assert sympy.simplify(quantity.expression - sympy.sympify(by_hand, locals=letters)) == 0


@pytest.mark.parametrize(
    ("convention", "layer"), [*(("paper", layer) for layer in PAPER), *(("exact", layer) for layer in EXACT)]
)
def test_every_cell_by_hand(convention: str, layer: str) -> None:
    """Every layer of the paper's transformer has the published closed forms, and `exact` those of its kinds."""
    cells = (PAPER if convention == "paper" else EXACT)[layer]
    (part,) = formulas(layer=layer, settings=Settings(convention=convention)).parts
    assert part.is_one_copy
    found = {each.name: each for each in part.quantities}
    for name, by_hand in cells.items():
        if name == "parameters":
            assert_equal(found[name], by_hand)
        else:
            for measure, form in zip(MEASURES, by_hand, strict=True):
                assert_equal(found[f"{name}_{measure}"], form)
    assert {each.phase for each in part.quantities if each.phase and each.expression != 0} == {*cells} - {"parameters"}
    for measure in MEASURES:
        assert_equal(found[measure], " + ".join(f"({each[MEASURES.index(measure)]})" for each in phases_of(cells)))


def phases_of(cells: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the cells of phases."""
    return [each for name, each in cells.items() if name != "parameters"]


def test_gradients_that_meet_across_copies() -> None:
    """The encoder's output is used by every layer's keys and values, so that `exact` has all copies together."""
    (part,) = formulas(layer="cross_attention", settings=Settings(convention="exact")).parts
    assert not part.is_one_copy
    (backward,) = (each for each in part.quantities if each.name == "backward_macc")
    M, N, d, h, L = sympy.symbols("M N d h L_dec", positive=True, integer=True)  # noqa: N806  # the field's letters
    assert sympy.expand(backward.expression - L * (2 * M * d**2 + 2 * N * d**2 + 4 * M * N * d + M * N * h)) == 0
    (flop,) = (each for each in part.quantities if each.name == "backward_flop")
    meets = L * M * d + (2 * L - 1) * N * d  # q with the residual; k and v of every layer
    assert sympy.expand(flop.expression - 2 * backward.expression - L * 3 * M * N * h - meets) == 0


OF_SOME = ("active_parameters", "trained_parameters")
"""What has a closed form only where it is not that of all parameters."""


def counts(result: Result) -> dict[str, int]:
    """Return a result's sums by the names of closed forms."""
    amounts = {"": result.totals, **{f"{phase}_": each for phase, each in result.phases.items()}}
    found = {f"{name}{measure}": getattr(each, measure) for name, each in amounts.items() for measure in MEASURES}
    return found | {name: getattr(result.totals, name) for name in ("parameters", *OF_SOME)}


def run(found: Formulas) -> dict[str, Any]:
    """Return the functions of a module of Python, which has no builtins but these."""
    module: dict[str, Any] = {"__builtins__": {"min": min, "max": max}}
    exec(python_module(found), module)  # noqa: S102  # the text is our own
    return {name: function for name, function in module.items() if callable(function)}


def assert_gives(functions: Mapping[str, Any], result: Result, **sizes: int) -> None:
    """Check that printed functions give a result's counts at these sizes, as integers; what they lack is zero."""
    for name, number in counts(result).items():
        if name in functions:
            given = functions[name](**sizes)
            assert type(given) is int
            assert given == number
        else:
            assert number == 0 or name in OF_SOME


@settings(max_examples=draws(50))  # each takes SymPy a fifth of a second
@given(family=st.sampled_from(FAMILIES), case=st.sampled_from(CASES), data=st.data())
def test_printed_python_at_other_sizes(family: str, case: tuple[str, str], data: st.DataObject) -> None:
    """What is printed for one model gives, at the sizes of another one of its family, what that one costs."""
    algo, convention = case
    first, second = data.draw(models(family)), data.draw(models(family))
    batch = data.draw(st.integers(1, 3))
    found = formulas(first, algo=algo, settings=Settings(convention=convention, batch=2))
    sizes = {each.key: batch if each.key == "batch" else getattr(second, each.key) for each in found.symbols}
    assert_gives(run(found), evaluate(second, algo, convention, batch=batch), **sizes)


@settings(max_examples=draws(50))
@given(
    s=st.sampled_from([*MODERN.values()]) | parts(),
    case=st.sampled_from(CASES),
    optimizer=st.sampled_from(["none", "adamw"]),
    data=st.data(),
)
def test_printed_python_of_any_model(s: Sizes, case: tuple[str, str], optimizer: str, data: st.DataObject) -> None:
    """Windows, experts, latent attention, adapters, classifiers: functions give the counts, at another context, too."""
    algo, convention = case
    step: dict[str, Any] = {"optimizer": optimizer, "batch": data.draw(st.integers(1, 3))}
    if algo == "bp":
        step |= {"recompute": data.draw(st.sampled_from(["none", "block", "full"]))}
        step |= {"attention": data.draw(st.sampled_from(["eager", "flash"]))}
    step["causal"] = s.causal
    functions = run(formulas(s, algo=algo, settings=Settings(convention=convention, **step)))
    assert_gives(functions, evaluate(s, algo, convention, **step))
    context = data.draw(st.integers(2, 9))
    other = evaluate(replace(s, context_length=context), algo, convention, **step)
    assert_gives(functions, other, context_length=context)


@pytest.mark.parametrize("name", few_first())
def test_values_of_bundled_specs(name: str) -> None:
    """At the sizes of every bundled spec, its closed forms are its counts."""
    for algo, convention in CASES:
        result = evaluate(load_spec(name), algo, convention, causal="half")
        found = formulas(load_spec(name), algo=algo, settings=Settings(convention=convention, causal="half"))
        (part,) = found.parts
        expected = counts(result)
        assert {each.name: value_of(each.expression, found.symbols) for each in part.quantities} == {
            each.name: expected[each.name] for each in part.quantities
        }


@pytest.mark.parametrize("model", MODERN)
def test_layers_of_modern_models(model: str) -> None:
    """The closed forms of every layer, times its copies, are the counts of the layer's rows."""
    s = MODERN[model]
    for convention in ("paper", "exact"):
        rows = [row for row in evaluate(s, "bp", convention, errata=False).rows if row.kind != "erratum"]
        layers = group_by(rows, "layer")
        for path in dict.fromkeys(str(row.layer) for row in layers):
            found = formulas(s, path, settings=Settings(convention=convention))
            (part,) = found.parts
            (layer,) = part.layers
            assert layer.path == path
            copies = value_of(layer.copies, found_symbols(s)) if part.is_one_copy else 1
            for each in part.quantities:
                if each.phase:
                    (row,) = (row for row in layers if (row.layer, row.phase) == (path, each.phase))
                    assert copies * value_of(each.expression, found.symbols) == getattr(row, each.measure)


def found_symbols(s: Sizes) -> tuple[Symbol, ...]:
    """Return the symbols of a model's depths, in which copies are given."""
    return tuple(
        Symbol(name, "", depth, "")
        for name, depth in (
            ("L", s.n_encoder_layers or s.n_decoder_layers),
            ("L_enc", s.n_encoder_layers),
            ("L_dec", s.n_decoder_layers),
            ("U", s.n_unique_layers),
        )
        if depth is not None
    )


def test_one_letter() -> None:
    """In one letter a closed form is a polynomial by its powers."""
    (part,) = formulas(load_spec("gpt2"), of=["context_length"], settings=Settings(convention="paper")).parts
    forms = {each.name: python_text(shortest(each.expression)) for each in part.quantities}
    assert forms["macc"] == "144*M**3 + 55296*M**2 + 423367680*M"


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("gpt2", ["context_length"]),
        ("gpt2", ["d_model", "batch"]),
        ("gpt2", ["d_head"]),
        ("gpt2", ["n_positions", "vocab_size"]),
        ("t5-base", ["context_length"]),
        ("whisper-tiny", ["encoder_context_length"]),
        ("deepseek-v3", ["experts.experts_per_token", "latent_attention.kv_rank"]),
        ("gemma-3-1b", ["sliding_window"]),
    ],
)
def test_only_some_letters(name: str, keys: list[str]) -> None:
    """With `of` these sizes alone are letters, and the value is that of the spec; the encoder follows the context."""
    spec = load_spec(name)
    found = formulas(spec, of=keys, settings=Settings(convention="exact", causal="half", context=64))
    assert {each.key for each in found.symbols} == {*keys}
    for each in found.parts[0].quantities:
        expected = counts(evaluate(spec, "bp", "exact", causal="half", context=64))[each.name]
        assert value_of(each.expression, found.symbols) == expected
    if keys == ["context_length"]:
        other = evaluate(spec, "bp", "exact", causal="half", context=7)
        assert_gives(run(found), other, context_length=7)


def read_latex(line: str) -> str:
    r"""Return a right side of our LaTeX as Python: fractions, powers, \min, and letters side by side as products."""
    text = re.sub(r"_\{\\mathrm\{(\w+)\}\}", r"_\1", line)
    text = text.replace(r"\left(", "(").replace(r"\right)", ")").replace(r"\min", "min").replace(r"\cdot", " ")
    while r"\frac" in text:
        before, _, rest = text.partition(r"\frac")
        above, rest = group(rest)
        below, rest = group(rest)
        text = f"{before} (({above})/({below})) {rest}"
    text = re.sub(r"\^\{(\d+)\}", r"**\1", text)
    tokens: list[str] = re.findall(r"\*\*\d+|\w+|[-+/,()]", text)
    written = tokens[0]
    for left, right in pairwise(tokens):
        ends = left == ")" or re.fullmatch(r"\w+|\*\*\d+", left)
        starts = right == "(" or re.fullmatch(r"\w+", right)
        written += ("*" if ends and starts and left != "min" else "") + right
    return written


def group(text: str) -> tuple[str, str]:
    """Return what is in the braces that a text begins with, and what follows."""
    depth = 0
    for index, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0:
            return text[1:index], text[index + 1 :]
    raise AssertionError(text)


@pytest.mark.parametrize("name", ["gpt2", "alexatm-20b", "gemma-3-1b", "deepseek-v3", "llama-3-8b", "albert-base"])
@pytest.mark.parametrize("layer", ["", "attention"])
def test_latex_says_the_same(name: str, layer: str) -> None:
    """Each line of LaTeX is mathematics that a second typesetter reads, and gives the counts."""
    mathtext = pytest.importorskip("matplotlib.mathtext").MathTextParser("path")
    layer = "latent_attention" if layer and name == "deepseek-v3" else layer
    found = formulas(load_spec(name), layer, settings=Settings(convention="exact", causal="half"))
    lines = [line for line in latex(found).splitlines() if "&=" in line]
    quantities = [each for part in found.parts for each in part.quantities]
    symbols = {each.name: sympy.Symbol(each.name, positive=True, integer=True) for each in found.symbols}
    for line, quantity in zip(lines, quantities, strict=True):
        left, _, right = line.removesuffix(r" \\").partition(" &= ")
        mathtext.parse(f"${left} = {right}$")
        assert left.startswith(r"\mathrm{")
        read = sympy.sympify(read_latex(right), locals={**symbols, "min": sympy.Min})
        assert sympy.expand(read - quantity.expression) == 0


def test_latex_document(tcost: Tcost) -> None:
    """LaTeX is an aligned display with comments that say what it is of, and balanced braces."""
    outcome = tcost("explain", "--formula", "alexatm-20b", "--format", "latex")
    assert (outcome.status, outcome.err) == (0, "")
    comments = [line for line in outcome.out.splitlines() if line.startswith("%")]
    assert comments[0].startswith("% alexatm-20b under backpropagation (bp)")
    assert r"% $L_{\mathrm{dec}}$: decoder layers = 32" in comments
    body = [line for line in outcome.out.splitlines() if not line.startswith("%")]
    assert (body[:2], body[-2:]) == ([r"\[", r"\begin{aligned}"], [r"\end{aligned}", r"\]"])
    assert all(line.count("{") == line.count("}") for line in body)
    assert body[2].startswith(r"\mathrm{MACC}_{\mathrm{forward}} &= ")
    assert r"\mathrm{FLOP}_{\mathrm{weight\ update}} &= " in outcome.out


@pytest.mark.parametrize("name", few_first())
def test_tables_fit(name: str, tcost: Tcost) -> None:
    """Tables fit 100 columns, whole models and their feed-forwards, and nothing is cut."""
    for args in ([], ["--integers", "--convention", "exact", "--algo", "pepita", "--batch", 8]):
        out = tcost("explain", "--formula", name, *args).out
        assert max(map(len, out.splitlines())) <= 100
        assert "…" not in out
    layers = [row.layer for row in evaluate(load_spec(name)).rows if "attention" in str(row.layer)]
    assert max(map(len, tcost("explain", "--formula", name, layers[0], "--causal", "half").out.splitlines())) <= 100


def test_the_table(tcost: Tcost) -> None:
    """A line per phase and measure with formula and value; a legend of the letters that occur."""
    outcome = tcost("explain", "--formula", "gpt2", "--integers", "--algo", "mempepita", *PUBLISHED)
    assert (outcome.status, outcome.err) == (0, "")
    title, settings, _, head, *lines = outcome.out.splitlines()
    assert title == "gpt2 under MEMPEPITA (mempepita)"
    assert settings == "convention paper, 1 sequence per step, context M"
    assert head.split() == ["formula", "value"]
    result = evaluate(load_spec("gpt2"), "mempepita", "paper")
    (forward,) = (line for line in lines if line.startswith("forward × 3  "))
    assert re.split(" {2,}", forward)[1:3] == ["MACCs", "6·M·d·(L·M + 2·L·d + L·f + V)"]
    assert forward.endswith(f" {result.phases['forward'].macc:,}")
    totals = result.totals
    assert any(line.startswith("total") and line.endswith(f"{totals.macc:,}") for line in lines)
    assert "M = 1024 (context), d = 768 (model width)" in outcome.out
    assert "h = 12" not in tcost("explain", "--formula", "gpt2", "feed_forward", *PUBLISHED).out


def test_layers_by_their_last_name(tcost: Tcost) -> None:
    """A name that several layers have shows each, those whose closed forms are equal together; a path shows one."""
    out = tcost("explain", "--formula", "alexatm-20b", "attention").out
    assert [line for line in out.splitlines() if ": one of" in line] == [
        *("encoder.attention: one of L_enc", "decoder.attention: one of L_dec")
    ]
    assert out.count("not counted:") == 1
    lines = tcost("explain", "--formula", "gpt2", "add_norm", *PUBLISHED).out.splitlines()
    assert lines[2:4] == ["decoder.add_norm: one of L", "decoder.add_norm_2: one of L"]
    assert tcost("explain", "--formula", "gpt2", "add_norm_2", *PUBLISHED).out.splitlines()[2:4] == [
        "decoder.add_norm_2: one of L",
        "",
    ]
    assert tcost("explain", "--formula", "gpt2", "decoder.add_norm", *PUBLISHED).out.splitlines()[2:4] == [
        "decoder.add_norm: one of L",
        "",
    ]


def test_a_phase(tcost: Tcost) -> None:
    """--phase leaves out the others and the totals."""
    out = tcost("explain", "--formula", "gpt2", "--phase", "weight_update", *PUBLISHED).out
    assert [line.split()[:2] for line in out.splitlines()[5:7]] == [["weight", "update"], ["FLOPs", "2·M·d·(4·L·d"]]
    assert "total" not in out
    outcome = tcost("explain", "--formula", "gpt2", "--phase", "error_projection")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.endswith("under bp\n       what runs: forward, backward, weight_update\n")


def test_json(tcost: Tcost) -> None:
    """JSON has what the closed forms depend on, and Python in their letters that gives integers."""
    document = json.loads(
        tcost("explain", "--formula", "llama-3-8b", "attention", "--batch", 3, "--format", "json").out
    )
    assert (document["schema_version"], document["tool"]["name"]) == (2, "tcost")
    found = document["formulas"]
    assert (found["spec"], found["context"], found["batch"]) == ("llama-3-8b", "M", "B")
    symbols = {each["name"]: each["value"] for each in found["symbols"]}
    assert {each["key"]: each["name"] for each in found["symbols"]}["n_kv_heads"] == "h_kv"
    (part,) = found["parts"]
    assert part["layers"] == [{"layer": "decoder.attention", "copies": "L"}]
    rows = [row for row in evaluate(load_spec("llama-3-8b"), batch=3).rows if row.layer == "decoder.attention"]
    for phase, forms in part["formulas"].items():
        for measure, form in forms.items():
            value = eval(form, {"__builtins__": {}}, symbols)  # noqa: S307  # the text is our own
            assert type(value) is int
            own = [row for row in rows if phase in ("total", row.phase)]
            assert value * 32 == sum(getattr(row, measure) for row in own)
    assert [*part["formulas"]] == [*(phase for phase in PHASES[:3]), "total"]


def test_python_of_several_layers(tcost: Tcost) -> None:
    """Functions of several layers have their layer's name; a layer without a spec has no defaults."""
    out = tcost("explain", "--formula", "alexatm-20b", "attention", "--format", "python").out
    assert "def encoder_attention_forward_macc(encoder_context_length" not in out
    assert "def encoder_attention_forward_macc(" in out
    assert "def decoder_attention_parameters(" in out
    out = tcost("explain", "--formula", "feed_forward", "--format", "python").out
    module: dict[str, Any] = {"__builtins__": {}}
    exec(out, module)  # noqa: S102  # the text is our own
    assert module["forward_macc"](3, 5, 7) == 2 * 3 * 5 * 7
    assert "def forward_macc(context_length, d_model, d_ff):" in out


def test_a_path_wins_over_a_layer(tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of a layer's name is a spec, as everywhere."""
    monkeypatch.chdir(tmp_path)
    spec = Path(__file__).parent.parent / "model_specs" / "gpt2.yaml"
    (tmp_path / "attention").write_text(spec.read_text())
    assert tcost("explain", "--formula", "attention").out == tcost("formula", "gpt2").out
    assert tcost("explain", "--formula", "--in", "context_length", "attention").out.startswith("gpt2 under")


def test_several_keys_after_one_flag(tcost: Tcost) -> None:
    """--in takes several keys, and ends where a spec or a layer begins."""
    before = tcost("explain", "--formula", "--in", "context_length", "batch", "gpt2", "attention")
    assert before.status == 0
    assert before == tcost("explain", "--formula", "gpt2", "--in", "context_length,batch", "attention")
    assert before == tcost("explain", "--formula", "gpt2", "attention", "--in", "batch", "--in", "context_length")
    assert "B = 1 (batch)" in before.out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("atention", "'atention' is neither a spec nor a layer; did you mean 'attention'?\n       known: tcost list"),
        ("gtp2", "'gtp2' is neither a spec nor a layer; did you mean 'gpt2'?"),
        ("bp", "'bp' is a learning rule, not a spec"),
        ("attention gpt2", "the spec comes first: tcost explain --formula SPEC attention"),
        (
            "latent_attention",
            "has no layer 'latent_attention'\n       name a spec that has it, as in tcost explain --formula deepseek",
        ),
        (
            "norm",
            "the paper's transformer has no layer 'norm'\n       name a spec that has it, as in tcost explain ",
        ),
        ("output_projection", "name a spec that has it: tcost explain --formula SPEC output_projection\n"),
        (
            "gpt2 norm --convention paper",
            "gpt2 has no layer 'norm' under convention paper\n       it has: decoder.embedding, ",
        ),
        ("gpt2 atention", "gpt2 has no layer 'atention' under convention exact; did you mean "),
        (
            "error_projection --algo bp",
            "has no layer 'error_projection' in a step under bp\n       it has one under pepita and mempepita\n",
        ),
        ("gpt2 --in d_modle", "unknown size of gpt2 'd_modle'; did you mean 'd_model'?"),
        ("gpt2 --in sliding_window", "unknown size of gpt2 'sliding_window'"),
        (
            "gemma-3-1b --in n_decoder_layers",
            "the layers of gemma-3-1b differ, so that n_decoder_layers stays a number",
        ),
        ("attention --in d_model", "attention of the paper's transformer has letters for all sizes"),
        ("attention --context 5", "attention of the paper's transformer has letters for all sizes"),
        ("gpt2 --convention papr", "unknown convention 'papr'; did you mean 'paper'"),
        ("gpt2 --algo pepita --recompute block", "recompute is for rules that run a backward"),
        ("gpt2 --context 0", "the context must be"),
        ("gpt2 --batch 0", "the batch must be"),
    ],
)
def test_refused(args: str, message: str, tcost: Tcost) -> None:
    """Bad input is one message on standard error that says what would be right, with status 2."""
    outcome = tcost("explain", "--formula", *args.split())
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err


def test_what_an_error_names_works(tcost: Tcost) -> None:
    """The example in the message for a layer that the paper's transformer lacks is a command that works."""
    for layer in ("norm", "classifier", "mixture_of_experts", "relative_positions"):
        command = tcost("explain", "--formula", layer).err.partition("as in tcost ")[2].split()
        assert tcost(*command).status == 0


def test_the_table_of_letters() -> None:
    """Every letter is in docs/formulas.md, and no two sizes that a model may have together share one."""
    text = (Path(__file__).parent.parent / "docs" / "formulas.md").read_text()
    named = {**SYMBOLS, **PART_SYMBOLS}
    assert all(f"| `{letter}` | `{key}`: {meaning} |" in text for key, (letter, meaning) in named.items())
    assert len({letter for letter, _ in named.values()} | {ONE_STACK[0], "B"}) == len(named) + 2
    assert len({key.rpartition(".")[2] for key in named} | {"batch"}) == len(named) + 1  # arguments in Python


def test_nothing_is_not_whole() -> None:
    """A value that is no integer is a bug, not a rounded number."""
    half = Symbol("M", "context", 3, "context_length")
    with pytest.raises(ValueError, match="no whole number"):
        value_of(sympy.Symbol("M", positive=True, integer=True) / 2, [half])


def test_without_sympy(tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SymPy is not installed, the message says how to install it."""
    monkeypatch.setitem(sys.modules, "sympy", None)
    expected = (2, "", "error: formulas need SymPy\n       pip install 'tcost[formula]'\n")
    assert tcost("explain", "--formula", "gpt2") == tcost("formula", "attention") == expected
    with pytest.raises(InputError, match="formulas need SymPy"):
        formulas(load_spec("gpt2"))


def test_help_and_output(tcost: Tcost, tmp_path: Path) -> None:
    """The command has help with an example, and --output writes what standard output would hold."""
    assert "Example: tcost explain gpt2 --formula --in context_length" in tcost("explain", "--formula", "--help").out
    path = tmp_path / "gpt2.py"
    assert tcost("explain", "--formula", "gpt2", "--format", "python", "-o", path) == (0, "", "")
    assert path.read_text() == tcost("explain", "--formula", "gpt2", "--format", "python").out
