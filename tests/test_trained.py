"""How many parameters are trained: all of a model, those of adapters, or those of some layers."""

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Tcost, golden
from drawn import DOUBLE, MODERN, _tiny, everything
from hypothesis import given
from hypothesis import strategies as st

from tcost import Sizes, evaluate, load_spec
from tcost.conventions import CONVENTIONS
from tcost.sizes import Lora
from tcost.training_step import training_step

ADAPTERS = golden("adapters")
LORA = "train: {lora: {rank: 16, targets: [query, value]}}\n"
TRAINED = 32 * 16 * ((4096 + 4096) + (4096 + 1024))
"""Of Llama 3 8B: in each of 32 layers rank times the rows and columns of the query's and the value's matrix."""


@pytest.fixture
def adapted(tmp_path: Path) -> Path:
    """Return the path of Llama 3 8B with adapters beside its queries and values."""
    path = tmp_path / "adapted.yaml"
    text = Path(__file__).parents[1].joinpath("model_specs", "llama-3-8b.yaml").read_text()
    path.write_text(text + LORA)
    return path


@pytest.mark.parametrize("convention", ["torch", "exact"])
@pytest.mark.parametrize("case", ADAPTERS, ids=lambda case: case["case"])
def test_adapters_of_peft(case: dict[str, Any], convention: str, tmp_path: Path) -> None:
    """All parameters and those that are trained are what peft's model has, on every family."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(case["config"]))
    lora = Lora(rank=case["rank"], targets=tuple(case["targets"]))
    totals = evaluate(replace(load_spec(str(path)).at(), train=lora), "bp", convention).totals
    assert (totals.parameters, totals.trained_parameters) == (case["parameters"], case["trained"])


@pytest.mark.parametrize("convention", CONVENTIONS)
@given(s=everything() | st.sampled_from([*MODERN.values()]))
def test_what_is_trained_is_what_is_updated(convention: str, s: Sizes) -> None:
    """The rows of trained parameters are those of operations that are updated, whatever shares their weights."""
    step = training_step(s, "bp", convention)
    users: dict[str, set[bool]] = {}
    for op in step.model.trace.ops:
        if op.weight:
            users.setdefault(op.weight, set()).add(op.is_trained)
    assert all(len(each) == 1 for each in users.values())  # a weight is trained or is not, for all that share it
    trained = sum(number for op, number in step.parameters.items() if users[str(op.weight)] == {True})
    result = evaluate(s, "bp", convention, optimizer="momentum", errata=False)
    assert result.totals.trained_parameters == trained == result.memory.of("optimizer").elements
    whole = evaluate(replace(s, train=None), "bp", convention, errata=False).totals
    if s.train is None and "stored" not in (s.positions, s.encoder_positions):
        assert whole.trained_parameters == whole.parameters


V, D, F = 7, 8, 5
BLOCK = 4 * D * D + (2 * D * F + F + D) + 2 * 2 * D
CROSS = 4 * D * D + 2 * D


@pytest.mark.parametrize(
    ("s", "trained"),
    [
        (_tiny(), 2 * BLOCK + 2 * V * D),
        (_tiny(train=(1,)), BLOCK),
        (_tiny(train=("attention",)), 2 * 4 * D * D),
        (_tiny(train=("vocabulary_projection",)), V * D),
        (_tiny(train=("vocabulary_projection",), tie_embeddings=True), V * D),
        (_tiny(train=("decoder",), tie_embeddings=True), 2 * BLOCK + V * D),
        (_tiny(**DOUBLE, train=("decoder",)), 2 * (BLOCK + CROSS) + V * D),
        (_tiny(**DOUBLE, train=("decoder",), share_embeddings=True), 2 * (BLOCK + CROSS) + V * D),
        (_tiny(**DOUBLE, train=("vocabulary_projection",), share_embeddings=False, tie_embeddings=True), V * D),
        (_tiny(n_decoder_layers=4, n_unique_layers=2, train=Lora(rank=3, targets=("down",))), 2 * 3 * (F + D)),
    ],
    ids=lambda each: str(each.train) if isinstance(each, Sizes) else "",
)
def test_trained_by_hand(s: Sizes, trained: int) -> None:
    """Of frozen layers nothing is trained; a table that something trained shares is, once."""
    assert evaluate(s, "bp", "exact").totals.trained_parameters == trained


def test_what_shares_a_table_is_updated_with_it() -> None:
    """A tied table that the decoder trains has the gradients of both of its users: a look-up and a product."""
    rows = evaluate(_tiny(train=("decoder",), tie_embeddings=True), "bp", "exact").rows
    updated = {(row.layer, row.operation): row for row in rows if row.phase == "weight_update"}
    assert updated["vocabulary_projection", "projection"].macc == 4 * V * D
    assert updated["decoder.embedding", "token"].flop == 4 * D


def test_published_totals_leave_out_what_is_trained_or_not() -> None:
    """What an erratum leaves out of the parameters it leaves out of those that are trained, where they are."""
    s = MODERN["two vocabularies"]
    totals = [evaluate(replace(s, train=train), convention="paper").totals for train in (None, ("decoder",))]
    assert totals[0].trained_parameters == totals[0].parameters
    assert totals[1].trained_parameters == 2 * (BLOCK + CROSS)


def test_everywhere(adapted: Path, tcost: Tcost, tmp_path: Path) -> None:
    """JSON, CSV, tables, formulas, sweeps and budgets have the number, tables only where it is not that of all."""
    assert TRAINED == 6_815_744
    how = ("--convention", "exact")
    (result,) = json.loads(tcost("compute", adapted, *how, "--format", "json").out)["results"]
    assert result["totals"]["trained_parameters"] == TRAINED
    assert result["totals"]["parameters"] == 8_030_261_248 + TRAINED
    assert {row["operation"] for row in result["rows"] if row["trained_parameters"]} == {
        *("query_lora_a", "query_lora_b", "value_lora_a", "value_lora_b")
    }
    for command in ("compute", "compare"):
        header, *lines = csv.reader(io.StringIO(tcost(command, adapted, *how, "--format", "csv").out))
        column = [int(line[header.index("trained_parameters")]) for line in lines]
        assert (sum(column) if command == "compute" else min(column)) == TRAINED
    for form in ("table", "markdown"):
        assert "8.037 G parameters, 6.816 M trained" in tcost("compute", adapted, *how, "--format", form).out
        assert "trained" not in tcost("compute", "llama-3-8b", *how, "--by", "phase", "--format", form).out
    text = tcost("explain", "--formula", adapted, *how, "--format", "python").out
    module: dict[str, Any] = {}
    exec(text, module)  # noqa: S102  # the text is our own
    assert module["trained_parameters"]() == TRAINED
    assert "trained" not in tcost("explain", "--formula", "llama-3-8b", *how).out
    swept = tcost("sweep", adapted, "--over", "batch=1,2", "--measures", "trained_parameters", *how, "--format", "csv")
    assert [line.rpartition(",")[2] for line in swept.out.splitlines()] == ["trained_parameters", *[str(TRAINED)] * 2]
    for most, status in ((TRAINED, 0), (TRAINED - 1, 1)):
        assert tcost("check", adapted, *how, "--max", f"trained_parameters={most}").status == status
    for spec, has in ((adapted, True), ("llama-3-8b", False)):
        page = tmp_path / "page.html"
        assert tcost("report", spec, *how, "--context", 64, "--output", page).status == 0
        assert bool(re.search(r">trained</th>", page.read_text())) is has
        assert ("6.816 M" in page.read_text()) is has


def test_results_saved_before(adapted: Path, tcost: Tcost, tmp_path: Path) -> None:
    """A result of a version without the number is read; a difference leaves it out, and a limit of it is refused."""
    saved, old = tmp_path / "saved.json", tmp_path / "old.json"
    how = ("--convention", "exact")
    text = tcost("compute", adapted, *how, "--format", "json").out
    saved.write_text(text)
    old.write_text(re.sub(r',\s*"trained_parameters": \d+', "", text))
    assert "trained" not in old.read_text()
    totals = {}
    for base, head in ((saved, saved), (old, adapted), (adapted, old), (old, old)):
        outcome = tcost("diff", base, head, "--format", "json")
        assert outcome.status == 0
        totals[base, head] = json.loads(outcome.out)["differences"][0]["totals"]
        assert tcost("diff", base, head).out.count("nothing has changed") == 1
    assert totals[saved, saved].pop("trained_parameters") == {
        "base": TRAINED,
        "head": TRAINED,
        "difference": 0,
        "percent": 0.0,
    }
    assert all(each == totals[saved, saved] for each in totals.values())
    assert tcost("check", old, "--max", "parameters=9G").status == 0
    for words in ((old,), (adapted, "--against", old)):
        outcome = tcost("check", *words, "--max", "trained_parameters=9G")
        assert outcome.status == 2
        assert [line.strip() for line in outcome.err.splitlines()] == [
            "error: the saved result of llama-3-8b under bp has no trained_parameters",
            "save it anew with tcost compute",
        ]


def test_a_row_that_lacks_what_the_total_has(adapted: Path, tcost: Tcost, tmp_path: Path) -> None:
    """A saved total is refused of which a row says nothing; a row may say what the total does not."""
    document = json.loads(tcost("compute", adapted, "--convention", "exact", "--format", "json").out)
    (result,) = document["results"]
    path = tmp_path / "saved.json"
    kept = result["rows"][2].pop("trained_parameters")
    path.write_text(json.dumps(document))
    outcome = tcost("diff", path, path)
    assert (outcome.status, outcome.out) == (2, "")
    assert "totals.trained_parameters is 6,815,744, but one of its rows has none\n" in outcome.err
    result["rows"][2]["trained_parameters"] = kept
    del result["totals"]["trained_parameters"]
    path.write_text(json.dumps(document))
    assert tcost("diff", path, path).status == 0
