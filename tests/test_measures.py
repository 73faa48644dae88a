"""Amounts of work are price lists over vectors of scalar operations, and a measure is one declaration."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Tcost

import tcost as package
from tcost import InputError, evaluate, load_spec
from tcost.bundled import BUNDLED
from tcost.conventions import CONVENTIONS
from tcost.cost import By, group_by
from tcost.learning_rules import LEARNING_RULES

FLOPS = {
    "paper": {
        "macc": 2,
        **dict.fromkeys(("mul", "add", "div", "exp", "log", "cmp", "sqrt", "tanh", "erf", "other"), 1),
    },
    "exact": {"macc": 2, **dict.fromkeys(("mul", "add", "div", "exp", "log", "cmp", "sqrt", "tanh", "erf"), 1)},
    "torch": {"macc": 2},
}
"""The FLOPs of each scalar operation under each convention, by hand."""


@pytest.mark.parametrize("name", list(BUNDLED))
@pytest.mark.parametrize("convention", FLOPS)
def test_amounts_are_priced_vectors(name: str, convention: str) -> None:
    """MACCs and FLOPs of rows, of rows that share a line, of phases and of totals are sums of prices times numbers."""
    for algo in LEARNING_RULES:
        if load_spec(name).at().head == "pooler" and algo != "bp":
            continue
        result = evaluate(load_spec(name), algo, convention, optimizer="adam")
        prices = FLOPS[convention]
        macc = flop = 0
        for row in result.rows:
            assert row.macc == row.scalars.get("macc", 0)
            assert row.flop == sum(prices[scalar] * number for scalar, number in row.scalars.items())
            macc, flop = macc + row.macc, flop + row.flop
        assert (result.totals.macc, result.totals.flop) == (macc, flop)
        assert sum(each.flop for each in result.phases.values()) == flop
        for by in ("layer", "phase"):
            kind: By = "layer" if by == "layer" else "phase"
            grouped = group_by(result.rows, kind)
            assert (sum(row.macc for row in grouped), sum(row.flop for row in grouped)) == (macc, flop)


def test_every_convention_is_above() -> None:
    """A new convention has its prices here."""
    assert set(FLOPS) == set(CONVENTIONS)


def test_a_scalar_operation_without_a_price_is_named() -> None:
    """What a convention has no price for is an error with its name, not nothing."""
    with pytest.raises(InputError, match="unknown scalar operation under convention exact 'sin'"):
        CONVENTIONS["exact"].check(["macc", "sin"])


NEW = """    "energy": PriceList("Energy, in units of an addition.", lambda _: {"macc": 4, "add": 1}),
"""

SHOWS = """
import json, subprocess, sys

def run(line):
    return subprocess.run([sys.executable, "-m", "tcost", *line.split()], capture_output=True, text=True, check=False)

spec = "gpt2"
found = {
    "json": run(f"compute {spec} --by operation --format json").stdout,
    "csv": run(f"compute {spec} --format csv").stdout,
    "compare": run(f"compare {spec} --algos bp --format csv").stdout,
    "sweep": run(f"sweep {spec} --over batch=1,2 --measures energy --format csv").stdout,
    "lines": run(f"sweep {spec} --over batch=1,2 --measures energy --format jsonl").stdout,
    "check": run(f"check {spec} --max energy=1 --format json").stdout,
    "diff": run(f"diff {spec} gpt2-medium --format json").stdout,
    "saved": run(f"diff before.json {spec} --format json").stdout,
    "breakeven": run("sweep --break-even gpt3-small --measures energy --format json").stdout,
    "schema": run("list schema result").stdout,
    "budget": run("list schema budget").stdout,
    "help": run("sweep --help").stdout,
    "wrong": run(f"check {spec} --max energi=1").stderr,
}
print(json.dumps(found))
"""


def test_a_new_measure_is_one_declaration(tmp_path: Path, tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """A price list that is added to a copy of the program is a field, a column, a limit, a difference and a word."""
    monkeypatch.chdir(tmp_path)
    copy = tmp_path / "copy" / "tcost"
    shutil.copytree(Path(str(package.__file__)).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(Path(str(package.__file__)).parents[1] / "model_specs", copy.parent / "model_specs")
    declared = (copy / "cost" / "prices.py").read_text()
    assert declared.count('    "flop": PriceList(') == 1
    (copy / "cost" / "prices.py").write_text(declared.replace('    "flop": PriceList(', f'{NEW}    "flop": PriceList('))
    (tmp_path / "before.json").write_text(tcost("compute", "gpt2", "--format", "json").out)
    environment = {**os.environ, "PYTHONPATH": str(copy.parent)}
    command = [sys.executable, "-c", SHOWS]
    outcome = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found = json.loads(outcome.stdout)
    rows = evaluate(load_spec("gpt2")).rows
    energy = sum(4 * row.scalars.get("macc", 0) + row.scalars.get("add", 0) for row in rows)
    (result,) = json.loads(found["json"])["results"]
    assert result["totals"]["energy"] == energy
    assert sum(phase["energy"] for phase in result["phases"].values()) == energy
    assert [row["energy"] for row in result["rows"]] == [
        4 * row["scalars"].get("macc", 0) + row["scalars"].get("add", 0) for row in result["rows"]
    ]
    assert sum(int(row["energy"]) for row in csv.DictReader(io.StringIO(found["csv"]))) == energy
    assert [int(row["energy"]) for row in csv.DictReader(io.StringIO(found["compare"]))] == [energy]
    assert [int(row["energy"]) for row in csv.DictReader(io.StringIO(found["sweep"]))] == [energy, 2 * energy]
    assert [json.loads(line)["energy"] for line in found["lines"].splitlines()] == [energy, 2 * energy]
    assert json.loads(found["check"])["checks"][0]["limits"][0]["excess"] == energy - 1
    (pair,) = json.loads(found["diff"])["differences"]
    assert pair["totals"]["energy"]["base"] == energy
    assert (
        sum(each["difference"] for each in pair["changes"] if each["measure"] == "energy")
        == (pair["totals"]["energy"]["difference"])
    )
    (against,) = json.loads(found["saved"])["differences"]
    assert "energy" not in against["totals"]  # which the saved result does not say
    assert json.loads(found["breakeven"])["points"][0]["measure"] == "energy"
    assert found["schema"].count("Energy, in units of an addition.") > 1
    assert "Energy, in units of an addition." in found["budget"]
    assert "macc, energy, flop" in " ".join(found["help"].split())
    assert "did you mean 'energy'?" in found["wrong"]
