"""`tcost check`: budgets, exact to the last unit, and what is said where one is passed."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from conftest import Tcost
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from junitparser import JUnitXml
from ruamel.yaml import YAML

from tcost import evaluate, load_spec
from tcost.budgets import Limit, Outcome
from tcost.cost.measures import MEASURES
from tcost.diff import Asked, Change, Difference, snapshot_of
from tcost.documents.schema import schema_of
from tcost.spec import to_yaml, with_values
from tcost.spec.budgets import Growths, Maxima, Measures, read_budgets

SNAPSHOT = snapshot_of(evaluate(load_spec("gpt2"), convention="exact", context=8))


def with_totals(**totals: int) -> Any:
    """Return a step with some totals of its own."""
    return type(SNAPSHOT)(**{**vars(SNAPSHOT), "totals": {**SNAPSHOT.totals, **totals}})


def write(path: Path, name: str = "gpt2", **values: int) -> Path:
    """Write a bundled spec with some other sizes."""
    path.write_text(to_yaml(with_values(load_spec(name), values)))
    return path


def test_a_budget_is_exact(tcost: Tcost) -> None:
    """What is allowed to the last unit holds; one less does not, and the message says by how much and where."""
    flop = evaluate(load_spec("gpt2"), "bp", "paper").totals.flop
    assert flop == 1_425_099_084_800
    paper = ("--convention", "paper")
    held = tcost("check", "gpt2", *paper, "--max", f"flop={flop}", "parameters=170M")
    assert (held.status, held.err) == (0, "")
    assert "within budget" in held.out
    passed = tcost("check", "gpt2", *paper, "--max", f"flop={flop - 1}")
    assert passed.status == 1
    assert passed.err == (
        "error: gpt2 under bp, convention paper: FLOPs 1,425,099,084,800 is 1 over max 1425099084799; "
        "the largest layer is decoder.attention, 600,204,902,400\n"
    )
    assert "1 of 1 limits exceeded" in passed.out


BIG = st.integers(0, 10**30)


@given(before=BIG, after=BIG, percent=st.decimals(0, 300, places=3))
def test_growth_is_exact(before: int, after: int, percent: Any) -> None:
    """A growth holds where the amount, a thousand times a hundred, is not more than so many thousandths of percent."""
    limit = Limit("flop", f"{percent}%", is_growth=True)
    outcome = Outcome(limit, with_totals(flop=after), with_totals(flop=before))
    assert outcome.holds == (100_000 * after <= before * (100_000 + int(1000 * percent)))
    assert outcome.holds == (outcome.excess <= 0)
    assert outcome.allowed == outcome.amount - outcome.excess


def test_the_layer_that_grew_most(tcost: Tcost, tmp_path: Path) -> None:
    """Of a wider feed-forward and one more token type, the feed-forward grew most, by what `compute` says."""
    base = tmp_path / "base.json"
    tcost("compute", "gpt2", "--convention", "torch", "--format", "json", "-o", base)
    wide = write(tmp_path / "wide.yaml", d_ff=4096)
    outcome = tcost("check", wide, "--against", base, "--max-growth", "flop=5%", "macc=50 %,parameters=16%")
    more = 3 * 2 * 12 * 2 * 1024 * 768 * 1024  # phases, FLOPs a MACC, layers, two projections, M·d·1024
    before = evaluate(load_spec("gpt2"), convention="torch").totals.flop
    over = more - before * 5 // 100
    assert outcome.status == 1
    assert outcome.err == (
        f"error: gpt2 under bp, convention torch: FLOPs {before:,} to {before + more:,} (+13.3 %) is {over:,} over "
        f"growth 5%; decoder.feed_forward grew most, by {more:,} (+33.3 %)\n"
    )
    assert tcost("check", wide, "--against", base, "--max-growth", "flop=14%").status == 0
    assert tcost("check", "gpt2", "--against", base, "--max-growth", "flop=0%").status == 0


def test_no_layer_grew() -> None:
    """Where no layer grew there is none to name: a shrunk model may still be over a maximum."""
    outcome = Outcome(Limit("flop", "1"), SNAPSHOT, SNAPSHOT)
    assert outcome.layer is None
    rows = evaluate(load_spec("gpt2"), convention="exact", context=8).rows
    sums = {layer: sum(row.flop for row in rows if row.layer == layer) for layer in {str(row.layer) for row in rows}}
    largest = max(sums.items(), key=lambda item: item[1])
    assert Outcome(Limit("flop", "1"), SNAPSHOT, None).layer == Change(largest[0], "", largest[1], largest[1])


def test_every_measure_has_a_budget(tcost: Tcost) -> None:
    """What a sweep measures can be limited, under its name, and JSON has the amount that `evaluate` gives."""
    assert set(Measures.model_fields) == set(Maxima.model_fields) == set(Growths.model_fields) == set(MEASURES)
    result = evaluate(load_spec("mixtral-8x7b"), "mempepita", "exact", context=64)
    limits = [f"{name}={of(result)}" for name, of in MEASURES.items()]
    args = ("check", "mixtral-8x7b", "--algo", "mempepita", "--convention", "exact", "--context", 64)
    document = json.loads(tcost(*args, "--max", *limits, "--format", "json").out)
    assert document["holds"] is True
    (check,) = document["checks"]
    assert [f"{each['measure']}={each['amount']}" for each in check["limits"]] == limits
    assert {each["excess"] for each in check["limits"]} == {0}
    assert (check["spec"], check["algo"], check["convention"], check["context"]) == (
        *("mixtral-8x7b", "mempepita", "exact", 64),
    )


def test_bytes_and_types(tcost: Tcost) -> None:
    """Bytes take their units; half the width of a number is half of them, of a model without integers in the peak."""
    peaks = []
    for dtype in ("fp32", "bf16"):
        out = tcost("check", "gpt2", "--max", "peak_bytes=1GiB", "--dtype", dtype, "--format", "json").out
        (limit,) = json.loads(out)["checks"][0]["limits"]
        assert limit["allowed"] == 2**30
        peaks.append(limit["amount"])
    assert peaks[0] == 2 * peaks[1]


BUDGETS = """\
# yaml-language-server: $schema=budget.schema.json
defaults:
  convention: torch
  max: {parameters: 130M}
budgets:
  - spec: models/wide.yaml
    against: base.json
    max_growth: {flop: 5%}
    max: {flop: 1.2T}
  - spec: gpt2
    algos: [bp, pepita]
    batch: 2
  - spec: bert-large
    max: {parameters: 335_000_000}
"""


@pytest.fixture
def folder(tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with budgets, which is not the one that the test runs in."""
    place = tmp_path / "project"
    (place / "models").mkdir(parents=True)
    write(place / "models" / "wide.yaml", d_ff=4096)
    tcost("compute", "gpt2", "--convention", "torch", "--format", "json", "-o", place / "base.json")
    (place / "tcost.yaml").write_text(BUDGETS)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return place


def test_a_file_of_budgets(folder: Path, tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are from the file's folder, defaults are filled in, and every budget that is passed has its line."""
    outcome = tcost("check", "--config", folder / "tcost.yaml", "--format", "json")
    checks = json.loads(outcome.out)["checks"]
    assert [(each["spec"], each["algo"], each["batch"]) for each in checks] == [
        *(("gpt2", "bp", 1), ("gpt2", "bp", 2), ("gpt2", "pepita", 2), ("bert-large", "bp", 1)),
    ]
    assert {each["convention"] for each in checks} == {"torch"}
    limits = [(limit["measure"], limit["written"], limit["holds"]) for each in checks for limit in each["limits"]]
    assert limits == [
        *(("flop", "1.2T", True), ("flop", "5%", False), ("parameters", "130M", True), ("parameters", "130M", True)),
        ("parameters", "335000000", False),
    ]
    assert outcome.status == 1
    lines = outcome.err.splitlines()
    assert len(lines) == 2
    assert "growth 5%; decoder.feed_forward grew most" in lines[0]
    exact = evaluate(load_spec("bert-large"), convention="torch").totals.parameters
    assert f"parameters {exact:,} is {exact - 335_000_000:,} over max 335000000" in lines[1]
    monkeypatch.chdir(folder)
    assert tcost("check", "--format", "json") == outcome


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1.2T", "[1]", "tcost.yaml:9:17: budgets.0.max.flop: expected text, not a list; put it in quotes"),
        ("1.2T", "1.5", "tcost.yaml:9:17: budgets.0.max.flop: '1.5' is no whole number; expected one, as in 2.4T or"),
        ("1.2T", "1.2X", "tcost.yaml:9:17: budgets.0.max.flop: '1.2X' is not an amount; expected a number and a unit"),
        ("5%", "5", "tcost.yaml:8:24: budgets.0.max_growth.flop: '5' is not a percentage; expected a number and the"),
        (
            "{flop: 5%}",
            "{flops: 5%}",
            "tcost.yaml:8:18: unknown key 'budgets.0.max_growth.flops'; did you mean",
        ),
        ("batch: 2", "bacth: 2", "tcost.yaml:12:5: unknown key 'budgets.1.bacth'; did you mean 'batch'?"),
        ("batch: 2", "batch: 0", "tcost.yaml:12:12: budgets.1.batch: must be at least 1, not 0"),
        ("spec: gpt2", "convention: paper", "tcost.yaml: missing 'budgets.1.spec'"),
        ("[bp, pepita]", "[bp, pepitta]", "'pepitta' is neither a learning rule nor a spec; did you mean 'pepita'?"),
        ("models/wide", "wide", "no spec '{}/wide.yaml': neither a file nor a bundled spec"),
        ("    against: base.json\n", "", "a growth is against something\n       give a saved result or a spec"),
        ("  max: {parameters: 130M}\n", "", "there is no limit to check\n       give one"),
        (BUDGETS, "budgets: []", "tcost.yaml:1:10: budgets: must not be empty"),
    ],
)
def test_a_bad_file_of_budgets(old: str, new: str, message: str, folder: Path, tcost: Tcost) -> None:
    """What is wrong in a file of budgets is bad input, with its place and what would be right."""
    (folder / "tcost.yaml").write_text(BUDGETS.replace(old, new, 1))
    outcome = tcost("check", "--config", folder / "tcost.yaml")
    assert outcome.status == 2
    assert message.format(folder) in outcome.err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("gpt2", "there is no limit to check\n       give one, such as --max flop=2.4T or --max-growth flop=5%"),
        (
            "gpt2 --max-growth flop=5%",
            "a growth is against something\n       give a saved result or a spec, as in",
        ),
        ("gpt2 --max flops=3", "unknown measure 'flops'; did you mean 'flop'?\n       known: macc, flop, parameters"),
        ("gpt2 --max flop", "--max takes MEASURE=VALUE, not 'flop'\n       measures: macc"),
        ("gpt2 --max flop=1 flop=2", "--max has flop twice: 1 and 2\n       keep one of them"),
        ("gpt2 --max flop=1X", "'1X' is not an amount\n       expected a number and a unit, as in 2.4T"),
        (
            "gpt2 --max peak_bytes=1T",
            "'1T' could be 1TB, of thousands, or 1TiB, of 1,024s\n       expected one of the two",
        ),
        ("gpt2 --max-growth flop=5 --against gpt2", "'5' is not a percentage\n       expected a number and the sign"),
        (
            "gpt2 --config x.yaml --max flop=1",
            "a file of budgets names its own specs\n       leave out SPEC, or",
        ),
        (
            "--max flop=1 --context 3",
            "--max, --context: of which spec?\n       give a SPEC, or write it into",
        ),
        ("", "there is no file of budgets tcost.yaml\n       give a SPEC and limits, or write tcost.yaml"),
        ("--config nowhere.yaml", "there is no file of budgets nowhere.yaml\n"),
        ("gpt2 --max flop=1 --against nothing", "no spec 'nothing': neither a file nor a bundled spec"),
    ],
)
def test_bad_usage(args: str, message: str, tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bad input is status 2, never the 1 of a budget that is passed."""
    monkeypatch.chdir(tmp_path)
    outcome = tcost("check", *args.split())
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err


G, T = 10**9, 10**12
SPELLINGS = dict(zip(("7e9", "7E9", "7e+9", "7.0e9", "7G", "7 G", "7_000e6"), [7 * G] * 7, strict=True)) | {
    "1_000": 1000,
    "1_000.5k": 1_000_500,
    "010": 10,
    "0": 0,
    "1.0": 1,
    "2.4T": 24 * T // 10,
    "2.4e12": 24 * T // 10,
    "0.3e1": 3,
    "3B": 3 * G,
    "7e9k": 7 * T,
    "9007199254740993.0": 2**53 + 1,
    "1.2345678901234567890123e22": 12345678901234567890123,
    "123456789012345678901234567890123456789e9": 123456789012345678901234567890123456789 * 10**9,
    "1" * 50: int("1" * 50),
    "1e99": 10**99,
}
"""Amounts that the command line takes, and what they are."""

REFUSED = ("1" * 51, "1e999", "1e400", ".5", "7.", "1.5", "1e-3", "-1", ".inf", ".nan", "7e9X", "1__0", "_1", "1e1_0")


@pytest.mark.parametrize("text", SPELLINGS)
def test_an_amount_in_a_file_is_that_of_the_command_line(text: str, tcost: Tcost, tmp_path: Path) -> None:
    """Every spelling, bare or in quotes, is the same exact integer in a file as behind --max."""
    path = tmp_path / "tcost.yaml"
    lines: list[tuple[object, ...]] = [("gpt2", "--convention", "exact", "--max", f"flop={text}")]
    for name, written in (("bare", text), ("quoted", f'"{text}"')):
        path = tmp_path / f"{name}.yaml"
        path.write_text(f"budgets: [{{spec: gpt2, convention: exact, max: {{flop: {written}}}}}]")
        lines.append(("--config", path))
        (budget,) = read_budgets(str(path))
        again = tmp_path / "again.yaml"
        again.write_text(f"budgets: [{{spec: gpt2, max: {json.dumps(budget.max.model_dump(exclude_none=True))}}}]")
        assert read_budgets(str(again))[0].max == budget.max
    for line in lines:
        (step,) = json.loads(tcost("check", *line, "--format", "json").out)["checks"]
        assert [limit["allowed"] for limit in step["limits"]] == [SPELLINGS[text]]


@pytest.mark.parametrize("text", REFUSED)
def test_an_amount_that_is_none(text: str, tcost: Tcost, tmp_path: Path) -> None:
    """What the command line refuses, a file refuses, with status 2."""
    path = tmp_path / "tcost.yaml"
    path.write_text(f"budgets: [{{spec: gpt2, max: {{flop: {text}}}}}]")
    assert tcost("check", "gpt2", "--max", f"flop={text}").status == 2
    outcome = tcost("check", "--config", path)
    assert (outcome.status, outcome.out) == (2, "")


def test_saved_results_on_both_sides(tcost: Tcost, tmp_path: Path) -> None:
    """What is checked may be saved, too; a rule that the other side has not saved is named."""
    base, head = tmp_path / "base.json", tmp_path / "head.json"
    tcost("compute", "gpt2", "--format", "json", "-o", base)
    tcost("compute", "gpt2", "--algos", "bp", "pepita", "--format", "json", "-o", head)
    assert tcost("check", head, "--max", "flop=2T").status == 0
    outcome = tcost("check", head, "--max-growth", "flop=5%", "--against", base)
    assert outcome.status == 2
    assert outcome.err.startswith(f"error: {base} has nothing to hold gpt2 under pepita against\n")
    assert tcost("check", head, "--algos", "bp", "--max-growth", "flop=5%", "--against", base).status == 0


def test_junit(tcost: Tcost, tmp_path: Path) -> None:
    """Another reader of JUnit's XML finds a case per limit and the message of each failure; names cannot break it."""
    path = write(tmp_path / "odd.yaml")
    path.write_text(path.read_text().replace("name: gpt2", 'name: "<&\\"]]>\\e\\uFFFE\\0"'))
    report = tmp_path / "cost.xml"
    args = ("check", path, "--algos", "bp", "pepita", "--max", "stored_activations_bytes=1GiB", "parameters=170M")
    outcome = tcost(*args, "--format", "junit", "--output", report)
    assert (outcome.status, outcome.out) == (1, "")
    suites = list(JUnitXml.fromfile(str(report)))
    assert [(suite.tests, suite.failures) for suite in suites] == [(2, 1), (2, 0)]
    cases = [case for suite in suites for case in suite]
    assert [case.is_passed for case in cases] == [False, True, True, True]
    assert [case.name for case in cases[:2]] == ["stored_activations_bytes max 1GiB", "parameters max 170M"]
    assert cases[0].classname == '<&"]]>\\x1b\\ufffe\\x00 under bp, convention exact, context 1024'
    (failure,) = cases[0].result
    assert f"error: {failure.message}\n" == outcome.err.replace("\ufffe", "\\ufffe")
    assert ET.fromstring(report.read_text()).get("failures") == "1"


def test_tables_and_markdown(tcost: Tcost) -> None:
    """Tables fit the page; markdown says below each why it fails, which is on standard error otherwise."""
    args = (
        "check",
        "gpt2",
        "--convention",
        "exact",
        "--max",
        *(f"{name}=1" for name in MEASURES if "bytes" not in name),
    )
    table, marked = tcost(*args), tcost(*args, "--format", "markdown")
    assert table.status == marked.status == 1
    assert max(map(len, table.out.splitlines())) <= 100
    assert "largest layer" not in table.out
    assert marked.out.count("the largest layer is") == len(table.err.splitlines()) == 7
    assert f"{evaluate(load_spec('gpt2'), convention='exact').totals.flop:,}" in tcost(*args, "--integers").out


def test_the_api(tcost: Tcost) -> None:
    """The same from Python."""
    from tcost.budgets import check, limits_of
    from tcost.documents.side import read_side

    (outcome,) = check(read_side("gpt2"), None, Asked(said={"convention": "torch"}), limits_of({"flop": "1T"}, {}))
    assert outcome.holds
    assert outcome.amount == evaluate(load_spec("gpt2"), convention="torch").totals.flop
    assert Difference(outcome.step, outcome.step).settings == {}
    assert tcost("check", "gpt2", "--convention", "torch", "--max", "flop=1T").status == 0


def test_the_schema_of_a_file_of_budgets() -> None:
    """The files of the tests and the example are of the schema, as another parser reads them; wrong ones are not."""
    schema = schema_of("budget")
    validator = Draft202012Validator(schema)
    example = Path(__file__).parent.parent / "examples" / "ci" / "tcost.yaml"
    for text in (BUDGETS, example.read_text(), BUDGETS.replace("130M", "130_000_000")):
        validator.validate(YAML(typ="safe", pure=True).load(text))
    for old, new in (
        ("batch: 2", "bacth: 2"),
        ("batch: 2", "batch: 0"),
        ("{flop: 5%}", "{flops: 5%}"),
        ("1.2T", "1.5"),
    ):
        assert not validator.is_valid(YAML(typ="safe", pure=True).load(BUDGETS.replace(old, new, 1))), new
    assert not validator.is_valid({"budgets": []})
    described = [key for each in (schema, *schema["$defs"].values()) for key in each["properties"].values()]
    assert all(key["description"].endswith(".") for key in described)


def test_the_page_of_the_docs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file of budgets that docs/ci.md shows is read, and its Python runs."""
    text = (Path(__file__).parent.parent / "docs" / "ci.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    (tmp_path / "tcost.yaml").write_text(example)
    small, large = read_budgets(str(tmp_path / "tcost.yaml"))
    assert (vars(small.max)["flop"], vars(small.max_growth)["flop"], vars(small)["optimizer"]) == (
        "2.4T",
        "5%",
        "adamw",
    )
    assert (vars(large.max)["parameters"], vars(large.max)["flop"], large.algos) == ("7B", None, ["bp", "pepita"])
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    exec(code, {})  # noqa: S102  # it is our own page
    flops = [evaluate(load_spec(name), convention="exact").totals.flop for name in ("gpt2", "gpt2-medium")]
    assert capsys.readouterr().out == f"{flops[1] - flops[0]}\nTrue\n"
