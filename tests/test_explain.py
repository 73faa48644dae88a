"""Where a number comes from: what is explained of a layer adds up to what it costs, and says who says so."""

import json
import re
import sys
from collections import defaultdict
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from bundling import few_first
from conftest import Tcost
from drawn import MODERN, parts
from hypothesis import given
from hypothesis import strategies as st

from tcost import Sizes, evaluate, load_spec
from tcost.conventions import CONVENTIONS, convention_of
from tcost.cost import group_by
from tcost.explain import Explanation, explain
from tcost.kinds import KINDS, PHASES
from tcost.learning_rules import LEARNING_RULES
from tcost.report.explain import in_numbers
from tcost.settings import Settings
from tcost.training_step import Spec

pytest.importorskip("sympy")

RULES = [*LEARNING_RULES]
CASES = [*product(RULES, CONVENTIONS)]

Sums = dict[tuple[str, str, str], tuple[int, int]]


def explained(explanation: Explanation) -> Sums:
    """Return the MACCs and FLOPs of every layer, operation and phase, added up from single scalar operations."""
    found: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for each in explanation.operations:
        sums = found[each.layer, each.operation, each.phase]
        for count in each.counts:
            sums[0] += each.times * count.number * (count.scalar == "macc")
            sums[1] += each.times * count.number * count.price
        assert (each.amount.macc, each.amount.flop) == (
            each.times * sum(count.number for count in each.counts if count.scalar == "macc"),
            each.times * sum(count.number * count.price for count in each.counts),
        )
    return {key: (macc, flop) for key, (macc, flop) in found.items()}


def computed(spec: Spec, algo: str, convention: str, **options: Any) -> Sums:
    """Return what `tcost compute --by operation` says of the same."""
    rows = group_by(evaluate(spec, algo, convention, errata=False, **options).rows, "operation")
    return {(str(row.layer), str(row.operation), row.phase): (row.macc, row.flop) for row in rows}


@pytest.mark.parametrize("algo", RULES)
@pytest.mark.parametrize("name", few_first())
def test_adds_up_for_bundled_specs(name: str, algo: str) -> None:
    """What is said of every operation of every layer is what it costs, under each convention."""
    for convention in CONVENTIONS:
        assert explained(explain(load_spec(name), algo=algo, settings=Settings(convention=convention))) == computed(
            load_spec(name), algo, convention
        )


@given(
    s=st.sampled_from([*MODERN.values()]) | parts(),
    case=st.sampled_from(CASES),
    optimizer=st.sampled_from(["none", "adamw"]),
    data=st.data(),
)
def test_adds_up_for_any_model(s: Sizes, case: tuple[str, str], optimizer: str, data: st.DataObject) -> None:
    """So it is for any combination of parts, a batch, an optimizer, fused kernels and what is computed again."""
    algo, convention = case
    step: dict[str, Any] = {"optimizer": optimizer, "batch": data.draw(st.integers(1, 3)), "causal": s.causal}
    if algo == "bp":
        step |= {"recompute": data.draw(st.sampled_from(["none", "block", "full"]))}
        step |= {"attention": data.draw(st.sampled_from(["eager", "flash"]))}
    assert explained(explain(s, algo=algo, settings=Settings(convention=convention, **step))) == computed(
        s, algo, convention, **step
    )


def test_a_layer_by_hand() -> None:
    """The attention of GPT-2 under `paper` at context 10: 4 projections of 10·768², 12 heads of 10·10 scores."""
    explanation = explain(load_spec("gpt2"), "attention", settings=Settings(convention="paper", context=10))
    found = {(each.operation, each.phase): each for each in explanation.operations}
    query = found["query", "forward"]
    assert (query.pattern, query.copies, query.runs, query.times) == ("q d, d e g kv -> kv g q e", 12, 1, 12)
    assert query.axes == {"q": 10, "d": 768, "e": 64, "g": 1, "kv": 12}
    (count,) = query.counts
    assert (count.scalar, count.number, count.price) == ("macc", 10 * 768**2, 2)
    assert str(count.formula) == "M*d**2"
    assert query.amount.flop == 12 * 2 * 10 * 768**2
    jacobian = found["softmax", "backward"]
    assert [(each.scalar, each.number) for each in jacobian.counts] == [("macc", 12 * 10**3)]
    assert jacobian.citation == "an N x N Jacobian per query row and head: M·N·N·h MACCs"
    assert jacobian.derivation == ""
    assert found["softmax", "forward"].pattern == "[12, 1, 10, 10]"
    assert found["softmax", "forward"].derivation.startswith("row maximum, difference, exponential")
    assert found["query_bias", "forward"].nothing == "not in the paper's model"


def test_each_kind_and_layer_says_what_it_is() -> None:
    """Every layer has its source, and every kind that executes something on purpose its derivation."""
    silent = {kind for kind in KINDS if not KINDS[kind].derivation}
    assert silent == {"added_constant", "scale", "relu", "split_heads", "first_row"}
    for name in ("gpt2", "t5-base", "deepseek-v3", "whisper-tiny"):
        documentation = explain(load_spec(name), algo="pepita", settings=Settings(convention="exact")).documentation
        assert all("Source: " in each for each in documentation.values())


def test_why_nothing_is_counted() -> None:
    """A zero has its reason: not in the convention's model, no matrix product, not charged, or free."""
    gpt2 = load_spec("gpt2")

    def reasons(layer: str, convention: str) -> set[str]:
        found = explain(gpt2, layer, settings=Settings(convention=convention)).operations
        assert all(each.counts or each.nothing or each.citation for each in found)
        return {each.nothing for each in found if not each.counts}

    assert reasons("positions", "paper") == {"not in the paper's model"}
    assert reasons("attention", "torch") == {"no matrix product, so that nothing is counted"}
    assert reasons("embedding", "exact") == {"nothing is executed"}
    assert reasons("embedding", "paper") == {""}


def test_the_table(tcost: Tcost) -> None:
    """An operation has its axes, a line per scalar operation that ends in integers, and sums that are compute's."""
    outcome = tcost("explain", "gpt2", "attention", "--convention", "paper", "--integers")
    assert (outcome.status, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0] == "decoder.attention: gpt2 under backpropagation (bp)"
    assert lines[1] == "convention paper, 1 sequence per step, context 1,024 (the spec's; --context)"
    assert any(re.fullmatch(r" +macc M·d² = 1024·768² = +12 +7,247,757,312 +14,495,514,624", line) for line in lines)
    short = tcost("explain", "gpt2", "attention", "--phase", "forward").out.splitlines()
    assert any(re.fullmatch(r"query +linear: q d, d e g kv -> kv g q e", line) for line in short)
    wanted = r" +macc M·d² = 1024·768² = 603,979,776 +12 +7.248 G +14.50 G"
    assert any(re.fullmatch(wanted, line) for line in short)
    rows = [row for row in evaluate(load_spec("gpt2"), "bp", "paper").rows if row.layer == "decoder.attention"]
    sums = [line.split()[-2:] for line in lines if line.startswith(("total", "all phases"))]
    phases = [[row for row in rows if row.phase == phase] for phase in PHASES[:3]]
    assert sums == [[f"{sum(getattr(row, m) for row in own):,}" for m in ("macc", "flop")] for own in [*phases, rows]]
    assert "M = 1024 (context), d = 768 (model width), h = 12 (heads)" in outcome.out
    assert "axes: q 1024, d 768, e 64, g 1, kv 12, k 1024" in outcome.out
    assert "FLOPs: 2 per macc, 1 per mul" in outcome.out
    assert "Source: Vaswani et al. 2017, section 3.2" in outcome.out
    assert f"paper: {convention_of('paper').source}"[:60] in outcome.out.replace("\n  ", " ")
    assert "erratum" not in tcost("explain", "alexatm-20b", "cross_attention").out


@pytest.mark.parametrize("name", few_first())
def test_tables_fit(name: str, tcost: Tcost) -> None:
    """Tables of all layers fit 100 columns, and nothing is cut."""
    out = tcost("explain", name, "--convention", "exact", "--causal", "half").out
    assert max(map(len, out.splitlines())) <= 100
    assert "…" not in out


def test_formulas_in_numbers(tcost: Tcost) -> None:
    """Every formula in JSON gives its count, whether evaluated in letters or with the numbers put in."""
    document = json.loads(
        tcost("explain", "gemma-3-1b", "--causal", "half", "--convention", "exact", "--format", "json").out
    )
    found = document["explanation"]
    explanation = explain(load_spec("gemma-3-1b"), settings=Settings(convention="exact", causal="half"))
    symbols = {each["name"]: each["value"] for each in found["symbols"]}
    builtins = {"__builtins__": {"min": min, "max": max}}
    for each in found["operations"]:
        for count in each["counts"]:
            assert eval(count["formula"], builtins, symbols) == count["count"]  # noqa: S307  # the text is our own
            put_in = in_numbers(count["formula"], explanation.symbols)
            assert eval(put_in, builtins, {}) == count["count"]  # noqa: S307  # likewise
    totals = evaluate(load_spec("gemma-3-1b"), convention="exact", causal="half").totals
    assert sum(each["macc"] for each in found["operations"]) == totals.macc
    assert sum(each["flop"] for each in found["operations"]) == totals.flop
    assert (document["schema_version"], found["spec"], found["causal"]) == (2, "gemma-3-1b", "half")
    assert found["documentation"]["decoder.full.attention"].startswith("Multi-head self-attention")


def test_layers_phases_and_rules(tcost: Tcost) -> None:
    """A name of several layers shows each; a phase leaves out the others; a rule's own layer is found."""
    out = tcost("explain", "alexatm-20b", "attention", "--phase", "backward").out
    assert [line.partition(":")[0] for line in out.splitlines() if " under " in line] == [
        *("encoder.attention", "decoder.attention")
    ]
    assert "all phases" not in out
    assert "\nforward" not in out
    out = tcost("explain", "gpt2", "error_projection").out
    assert out.startswith("error_projection: gpt2 under PEPITA (pepita)")
    assert "macc M·V·d = 1024·50257·768 =" in out
    assert "\nforward × 3\n" in tcost("explain", "gpt2", "feed_forward", "--algo", "mempepita").out
    assert "adam, per parameter: Kingma" in tcost("explain", "gpt2", "final_norm", "--optimizer", "adam").out + "".join(
        tcost("explain", "gpt2", "feed_forward", "--optimizer", "adam").out.splitlines()
    )


def test_markdown_and_output(tcost: Tcost, tmp_path: Path) -> None:
    """Markdown has a line per line; --output writes what standard output would hold."""
    out = tcost("explain", "gpt2", "feed_forward", "--format", "markdown").out
    assert out.startswith("### decoder.feed_forward: gpt2 under")
    assert "| macc M·d·f = 1024·768·3072 = 2,415,919,104 |" in out
    path = tmp_path / "explanation.md"
    assert tcost("explain", "gpt2", "feed_forward", "--format", "markdown", "-o", path) == (0, "", "")
    assert path.read_text() == out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("gpt2 atention", "gpt2 has no layer 'atention' under convention exact; did you mean "),
        ("gpt2 norm --convention paper", "gpt2 has no layer 'norm' under convention paper"),
        (
            "gpt2 error_projection --algo bp",
            "gpt2 has no layer 'error_projection' in a step under bp\n       it has one",
        ),
        ("gpt2 attention --phase error_projection", "nothing runs in the phase error_projection under bp"),
        ("gtp2 attention", "no spec 'gtp2': neither a file nor a bundled spec; did you mean 'gpt2'?"),
        ("gpt2 attention --convention papr", "unknown convention 'papr'; did you mean 'paper'"),
        ("gpt2 attention --context 0", "the context must be"),
        ("gpt2 attention --batch 0", "the batch must be"),
        ("gpt2 attention --format csv", "'csv' is not one of"),
    ],
)
def test_refused(args: str, message: str, tcost: Tcost) -> None:
    """Bad input is one message on standard error that says what would be right, with status 2."""
    outcome = tcost("explain", *args.split())
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err


def test_without_sympy(tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SymPy is not installed, the message says how to install it."""
    monkeypatch.setitem(sys.modules, "sympy", None)
    expected = (2, "", "error: formulas need SymPy\n       pip install 'tcost[formula]'\n")
    assert tcost("explain", "gpt2", "attention") == expected


def test_help(tcost: Tcost) -> None:
    """The command has help with an example."""
    assert "Example: tcost explain gpt2 attention --phase forward" in tcost("explain", "--help").out
