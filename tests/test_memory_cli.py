"""`tcost memory`, and what the other commands say of memory."""

import csv
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import GOLDEN, Tcost

from tcost import InputError, load_spec
from tcost.bundled import BUNDLED
from tcost.memory import CATEGORIES, measure
from tcost.memory.fitting import SETTINGS
from tcost.units import binary, parse_bytes

HELD = (*CATEGORIES, "peak")


def results(out: str) -> list[dict[str, Any]]:
    """Return the results of a JSON document."""
    found: list[dict[str, Any]] = json.loads(out)["results"]
    return found


def test_table(tcost: Tcost) -> None:
    """A line per layer in the order of the model, a column per category, the total, and the peak with its moment."""
    outcome = tcost("memory", "gpt2", "--convention", "exact", "--optimizer", "adamw", "--context", 512)
    assert (outcome.status, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    peak = measure(load_spec("gpt2"), "bp", "exact", context=512, optimizer="adamw").peak
    assert lines[0] == f"gpt2 under bp: peak {binary(peak.bytes)}"
    assert lines[4].startswith("MiB  ")
    assert lines[1:3] == ["convention exact, 1 sequence per step, context 512", "optimizer adamw, fp32"]
    layers = [line.split()[0] for line in lines[6:14]]
    assert layers == [
        *("decoder.embedding", "decoder.positions", "decoder.norm", "decoder.attention", "decoder.norm_2"),
        *("decoder.feed_forward", "decoder.final_norm", "vocabulary_projection"),
    ]
    memory = measure(load_spec("gpt2"), "bp", "exact", context=512, optimizer="adamw")
    shown = [memory.of(category).bytes for category in ("parameters", "gradients", "optimizer", "stored_activations")]
    total = next(line for line in lines if line.startswith("total"))
    sums = [f"{(20 * amount + 2**20) // 2**21 / 10:,.1f}" for amount in (*shown, sum(shown), peak.bytes)]
    assert total.split()[1:] == sums[:-1]
    assert next(line for line in lines if line.startswith("peak ")).split()[1:] == sums[-1:]
    assert "peak: everything that is alive in the backward of vocabulary_projection, softmax\n" in outcome.out
    assert "196,412,929 stored activations" in outcome.out


def test_every_table_fits(tcost: Tcost) -> None:
    """Tables of all bundled models, rules and conventions fit 100 columns."""
    for name in BUNDLED:
        for convention in ("paper", "exact"):
            args = ("--algos", "bp", "mempepita", "--convention", convention, "--optimizer", "adam")
            assert max(map(len, tcost("memory", name, *args).out.splitlines())) <= 100
    assert max(map(len, tcost("compare", "--algos", "bp", "mempepita").out.splitlines())) <= 100


def test_integers(tcost: Tcost) -> None:
    """`--integers` shows every amount whole."""
    out = tcost("memory", "gpt2", "--context", 64, "--integers").out
    memory = measure(load_spec("gpt2"), context=64)
    assert f"{memory.peak.bytes:,}" in out
    assert "iB" not in out


def test_json(tcost: Tcost) -> None:
    """Sums, peak and rows as elements and bytes; the rows of a category add up to its sum."""
    args = ("memory", "alexatm-20b", "--algos", "bp", "pepita", "mempepita", "--context", 32, "--format", "json")
    for convention in ("paper", "exact", "torch"):
        for result in results(tcost(*args, "--convention", convention, "--optimizer", "adam").out):
            assert tuple(result["memory"]) == HELD
            for category in CATEGORIES:
                rows = [row for row in result["rows"] if row["category"] == category]
                for field in ("elements", "bytes"):
                    assert sum(row[field] for row in rows) == result["memory"][category][field]
            assert (result["peak_at"] is None) == (convention == "paper")
            assert result["encoder_context"] == 100
            assert (result["storage"]["weights"], result["storage"]["has_master_weights"]) == ("fp32", False)
    paper = (*args, "--convention", "paper")
    slips = results(tcost(*paper).out)[0]["slips"]
    assert [slip["layer"] for slip in slips] == [
        *("erratum: parameters", "erratum: attention map", "erratum: softmax layer", "erratum: encoder output")
    ]
    assert results(tcost(*paper, "--no-errata").out)[0]["slips"] == []


def test_other_commands(tcost: Tcost) -> None:
    """Results of `compute` and `compare` say the same of memory as `memory` does."""
    (held,) = results(tcost("memory", "gpt2", "--format", "json").out)
    (computed,) = results(tcost("compute", "gpt2", "--format", "json").out)
    (compared,) = results(tcost("compare", "gpt2", "--algo", "bp", "--format", "json").out)
    assert held["memory"] == computed["memory"] == compared["memory"]
    (line,) = csv.DictReader(io.StringIO(tcost("compare", "gpt2", "--algo", "bp", "--format", "csv").out))
    for name in HELD:
        assert int(line[f"{name}_bytes"]) == held["memory"][name]["bytes"]
        assert int(line[f"{name}_elements"]) == held["memory"][name]["elements"]


def test_csv(tcost: Tcost) -> None:
    """A line per layer and category, and one for the peak."""
    lines = list(csv.DictReader(io.StringIO(tcost("memory", "gpt2", "--format", "csv").out)))
    (held,) = results(tcost("memory", "gpt2", "--format", "json").out)
    assert [(line["layer"], line["category"], int(line["elements"])) for line in lines[:-1]] == [
        (row["layer"], row["category"], row["elements"]) for row in held["rows"]
    ]
    assert (lines[-1]["layer"], lines[-1]["category"]) == ("", "peak")
    assert int(lines[-1]["bytes"]) == held["memory"]["peak"]["bytes"]


def test_markdown(tcost: Tcost) -> None:
    """Markdown has the columns of the table and no escaped line break."""
    out = tcost("memory", "gpt2", "--format", "markdown").out
    assert "| weights | gradients | stored | total |" in out
    assert "\\n" not in out


MIXED = ("--dtype", "bf16", "--activations-dtype", "int8", "--master-weights")


def test_types(tcost: Tcost) -> None:
    """`--dtype` is of all numbers, those of a kind go before it; master weights are four bytes for each parameter."""
    args = ("memory", "gpt2", "--convention", "exact", "--optimizer", "adam", "--format", "json")
    (plain,) = results(tcost(*args).out)
    (mixed,) = results(
        tcost(
            *args, "--dtype", "bf16", "--activations-dtype", "int8", "--optimizer-dtype", "fp32", "--master-weights"
        ).out
    )
    parameters = 124_439_808
    assert plain["memory"]["optimizer"]["bytes"] == 8 * parameters
    assert mixed["memory"]["optimizer"] == {"elements": 3 * parameters, "bytes": 12 * parameters}
    assert mixed["memory"]["parameters"]["bytes"] == mixed["memory"]["gradients"]["bytes"] == 2 * parameters
    assert mixed["memory"]["stored_activations"]["bytes"] == plain["memory"]["stored_activations"]["elements"]
    out = tcost("memory", "gpt2", *MIXED).out
    types = "weights bf16, gradients bf16, activations int8, optimizer bf16, master weights fp32"
    assert f"no optimizer, {types}" in out.replace("\n  ", " ")


def test_standard_input(monkeypatch: pytest.MonkeyPatch, tcost: Tcost) -> None:
    """A spec from standard input is read once."""
    text = (GOLDEN / "configs" / "tiny-gpt2.json").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    outcome = tcost("memory", "-", "--convention", "paper")
    assert (outcome.status, outcome.err) == (0, "")
    assert "under exact, what PyTorch keeps" in outcome.out


def test_a_configuration(tcost: Tcost) -> None:
    """A Hugging Face configuration is a spec here, too."""
    path, args = GOLDEN / "configs" / "gpt2-small.json", ("--convention", "exact", "--context", 512, "--format", "json")
    (result,) = results(tcost("memory", path, *args).out)
    assert result["memory"]["stored_activations"]["bytes"] == 785_651_716


def test_budget(tcost: Tcost) -> None:
    """A budget is held against the peak; what fits is said exactly, and is status 0."""
    args = ("memory", "gpt2", "--convention", "exact", "--optimizer", "adamw", "--budget", "24GiB")
    outcome = tcost(*args, "--format", "json")
    (result,) = results(outcome.out)
    assert (outcome.status, outcome.err) == (0, "")
    peak = result["memory"]["peak"]["bytes"]
    found = result["budget"]
    assert found == {
        "bytes": 24 * 2**30,
        "fits": True,
        "spare": 24 * 2**30 - peak,
        "largest_context": found["largest_context"],
        "largest_batch": found["largest_batch"],
    }
    for option, number in (("--context", found["largest_context"]), ("--batch", found["largest_batch"])):
        assert tcost(*args, option, number).status == 0
        assert tcost(*args, option, number + 1).status == 1
    out = tcost(*args).out
    assert out.startswith(
        f"gpt2 under bp: peak {binary(peak)}, fits into 24.00 GiB, {binary(found['spare'])} to spare\n"
    )
    assert f"largest batch, at context 1,024: {found['largest_batch']}" in out
    assert "a context above 1,024 rows needs a longer table of positions" in out


def test_over_budget(tcost: Tcost) -> None:
    """A step that does not fit is status 1, and the message has the exact shortfall; the table is printed."""
    outcome = tcost("memory", "gpt2", "--budget", "1 GB")
    peak = measure(load_spec("gpt2")).peak.bytes
    assert outcome.status == 1
    assert outcome.err == (
        f"error: gpt2 under bp: the peak of {peak:,} bytes is {peak - 10**9:,} over the budget of 1,000,000,000\n"
    )
    assert "does not fit" in outcome.out
    assert "none fits" in outcome.out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--budget", "much"), "'much' is not an amount of bytes\n       expected a number and a unit, as in 24GiB"),
        (("--budget", "0.3B"), "'0.3B' is no whole number of bytes"),
        (("--dtype", "fp64"), "'fp64' is not one of 'fp32', 'bf16', 'fp16', 'int8'"),
        (("--recompute", "all"), "'all' is not one of 'none', 'block', 'full'"),
        (("--attention", "sparse"), "'sparse' is not one of 'eager', 'flash'"),
        (("--batch", "0"), "the batch must be a whole number from 1 to 10^18, not 0"),
    ],
)
def test_bad_input(tcost: Tcost, args: tuple[str, ...], message: str) -> None:
    """What is wrong is said in two lines, with what would be right."""
    outcome = tcost("memory", "gpt2", *args)
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err


def test_library_refuses_unknown_words() -> None:
    """The library names what it knows, as the command line does."""
    for option in ({"recompute": "some"}, {"attention": "sparse"}):
        with pytest.raises(InputError, match="known: "):
            measure(load_spec("gpt2"), **option)  # type: ignore[arg-type]


def test_columns_of_compute(tcost: Tcost) -> None:
    """What runs again has a column and a line of its own, and is said beside the convention."""
    plain = tcost("compute", "gpt2", "--convention", "exact").out
    again = tcost("compute", "gpt2", "--convention", "exact", "--recompute", "full", "--attention", "flash").out
    assert "recomputed" not in plain
    assert "convention exact, 1 sequence per step, attention flash, recompute full" in again
    assert "recomputed" in again
    by_phase = tcost("compute", "gpt2", "--recompute", "block", "--by", "phase").out
    assert "recomputed forward     1" in by_phase
    (result,) = results(tcost("compute", "gpt2", "--recompute", "block", "--format", "json").out)
    assert result["recompute"] == "block"
    assert sum(row["flop"] for row in result["rows"]) == result["totals"]["flop"]
    assert result["phases"]["recomputed_forward"]["flop"] > 0


def test_amounts_of_bytes() -> None:
    """Binary and decimal units, exact."""
    assert [parse_bytes(text) for text in ("0", "1 kB", "1KiB", "2.5 mib", "24GiB", "1_000B", "80 GB")] == [
        *(0, 1000, 1024, 2_621_440, 25_769_803_776, 1000, 80_000_000_000)
    ]
    assert [binary(n) for n in (0, 1023, 1024, 1536, 2**20 - 1, 3_572_423_684, -1536)] == [
        *("0 B", "1,023 B", "1.000 KiB", "1.500 KiB", "1.000 MiB", "3.327 GiB", "-1.500 KiB")
    ]


def test_writes_a_file(tcost: Tcost, tmp_path: Path) -> None:
    """`--output` writes the table whole, also where the budget is not kept."""
    path = tmp_path / "memory.txt"
    assert tcost("memory", "gpt2", "--budget", "1B", "--output", path).status == 1
    assert path.read_text().startswith("gpt2 under bp: peak ")


@pytest.mark.parametrize(("algo", "budget"), [("bp", "12GiB"), ("bp", "2GiB"), ("pepita", "8GiB")])
def test_one_change_that_makes_it_fit(algo: str, budget: str, tcost: Tcost, tmp_path: Path) -> None:
    """Each that is named fits, with the very peak; of those that are tried no other does, nor one layer more."""
    line = ("memory", "gpt2", "--algo", algo, "--optimizer", "adamw", "--batch", 8, "--budget", budget)
    found = results(tcost(*line, "--format", "json").out)[0]["fitting"]
    assert [each["peak"] for each in found] == sorted(each["peak"] for each in found)
    named = {each["change"]: each["peak"] for each in found}
    for change in (*SETTINGS, "--dtype bf16", *(each for each in named if each.startswith("--"))):
        outcome = tcost(*line, *change.split(), "--format", "json")
        assert (outcome.status == 0) == (change in named)
        if change in named:
            assert results(outcome.out)[0]["memory"]["peak"]["bytes"] == named[change]
    path, spec = tmp_path / "some.yaml", Path("model_specs/gpt2.yaml").read_text()
    for change in (each for each in named if each.startswith("train: ")):
        number = int(re.findall(r"[0-9]+", change)[0])
        for more, status in ((0, 0), (1, 1)):
            path.write_text(f"{spec}\ntrain: {list(range(12 - number - more, 12))}\n")
            outcome = tcost("memory", path, *line[2:], "--format", "json")
            assert outcome.status == status
            peak = results(outcome.out)[0]["memory"]["peak"]["bytes"]
            assert (peak == named[change]) == (more == 0)
    out = " ".join(tcost(*line).out.split())
    assert ("no single change makes it fit" in out) == (not named)
    assert all(change in out for change in named)
    assert results(tcost(*line[:-1], "1TiB", "--format", "json").out)[0]["fitting"] == []
