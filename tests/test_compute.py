"""The first screen of `tcost compute`: the answer, one table of what matters, and few notes."""

import re
from fractions import Fraction
from itertools import product

import pytest
from bundling import few_first
from conftest import Tcost

from tcost import Result, evaluate, load_spec
from tcost.bundled import BUNDLED
from tcost.conventions import CONVENTIONS
from tcost.cost import group_by

RULES = ("bp", "pepita", "mempepita")


def lines_of(out: str) -> dict[str, list[str]]:
    """Return the numbers of each line of the table by its label, which has no two spaces."""
    _, table, *_ = out.split("\n\n")
    rows = [re.split(r"  +", line.strip()) for line in table.split("─\n")[-1].splitlines()]
    return {label: numbers for label, *numbers in rows}


def number(cell: str) -> int:
    """Return the exact integer of a cell; a dash is nothing."""
    return 0 if cell == "-" else int(cell.replace(",", ""))


@pytest.mark.parametrize(("algo", "convention"), list(product(RULES, CONVENTIONS)))
def test_the_answer(algo: str, convention: str, tcost: Tcost) -> None:
    """FLOPs of the step and of a token beside six for each parameter, parameters, MACCs, and the peak of memory."""
    line = ("compute", "gpt2", "--algo", algo, "--convention", convention, "--batch", 3, "--integers")
    answer, sizes, settings, _ = tcost(*line).out.replace("\n  ", " ").split("\n")[:4]
    result = evaluate(load_spec("gpt2"), algo, convention, batch=3)
    totals, tokens = result.totals, 3 * 1024
    ratio = totals.flop / (6 * totals.parameters * tokens)
    per_token = round(Fraction(totals.flop, tokens))
    assert answer == (
        f"gpt2 under {algo}: {totals.flop:,} FLOPs per step, {per_token:,} per token, {ratio:.3g} × 6 × parameters"
    )
    assert sizes.startswith(f"{totals.parameters:,} parameters; {totals.macc:,} MACCs")
    assert sizes.endswith(f"; peak memory {result.memory.peak.bytes:,} bytes")
    assert settings == f"convention {convention}, 3 sequences per step, context 1,024 (the spec's; --context)"


def test_experts_and_adapters(tcost: Tcost) -> None:
    """Of experts a token uses some: the answer has how many, and the six are for these."""
    out = tcost("compute", "mixtral-8x7b").out.replace("\n  ", " ")
    totals = evaluate(load_spec("mixtral-8x7b")).totals
    ratio = totals.flop / (6 * totals.active_parameters * 32_768)
    assert f", {ratio:.3g} × 6 × active parameters\n" in out
    assert "\n46.70 G parameters, 12.88 G active; " in out
    assert " per token of the decoder, " in tcost("compute", "t5-base").out.replace("\n  ", " ")


def sums(result: Result, measure: str) -> dict[str, int]:
    """Return the amounts of a measure by layer."""
    found: dict[str, int] = {}
    for row in group_by(result.rows, "layer"):
        found[str(row.layer)] = found.get(str(row.layer), 0) + row.amount(measure)
    return found


@pytest.mark.parametrize("name", few_first())
@pytest.mark.parametrize("measure", ["flop", "macc"])
def test_layers_add_up(name: str, measure: str, tcost: Tcost) -> None:
    """What is shown is a thousandth of the whole, or a slip; everything else is one line; all of it adds up."""
    for algo, convention in product(("bp", "mempepita"), ("exact", "paper")):
        line = ["compute", name, "--algo", algo, "--convention", convention, "--integers"]
        lines = lines_of(tcost(*line, *(["--macc"] if measure == "macc" else [])).out)
        result = evaluate(load_spec(name), algo, convention)
        amounts, total = sums(result, measure), lines.pop("total")
        whole = result.totals.amount(measure)
        shown = {label.partition(" ×")[0].removesuffix(" *"): number(cells[-3]) for label, cells in lines.items()}
        others = [label for label in shown if label.startswith("other (")]
        small = [layer for layer, amount in amounts.items() if layer not in shown]
        assert others == ([f"other ({len(small)} layers)"] if small else [])
        assert len(small) != 1
        assert all(1000 * abs(amounts[layer]) < abs(whole) for layer in small)
        assert all(shown[layer] == amounts[layer] for layer in shown if layer not in others)
        if len(small) > 1:
            assert all(
                1000 * abs(amounts[layer]) >= abs(whole) or layer.startswith("erratum")
                for layer in shown
                if layer in amounts
            )
        assert sum(shown.values()) == number(total[-3]) == whole
        parameters = [number(cells[-1]) for cells in lines.values()]
        assert sum(parameters) == number(total[-1]) == result.totals.parameters
        for place in range(len(total) - 3):
            assert sum(number(cells[place]) for cells in lines.values()) == number(total[place])


@pytest.mark.parametrize("name", list(BUNDLED))
def test_few_notes(name: str, tcost: Tcost) -> None:
    """At most three, of which the last says where there are more."""
    out = tcost("compute", name, "--convention", "paper", "--algo", "pepita").out
    notes = out.rpartition("\n\n")[2].rstrip().replace("\n  ", " ").split("\n")
    assert len(notes) <= 3


def test_errata_are_listed(tcost: Tcost) -> None:
    """A note says how many there are and what lists them, which has every slip of any rule, of memory, too."""
    result = evaluate(load_spec("alexatm-20b"), "bp", "paper")
    out = tcost("compute", "alexatm-20b", "--convention", "paper").out
    some = f"{len(result.slips)} errata" if len(result.slips) > 1 else "1 erratum"
    assert f"{some} of the published totals counted: tcost list errata alexatm-20b\n" in out
    listed = tcost("list", "errata", "alexatm-20b")
    assert (listed.status, listed.err) == (0, "")
    for algo in RULES:
        result = evaluate(load_spec("alexatm-20b"), algo, "paper")
        for layer, slip in (*result.slips, *result.memory.slips):
            assert re.search(rf"^{layer.removeprefix('erratum: ')} +{re.escape(slip)}$", listed.out, re.MULTILINE)
    assert tcost("list", "errata").err == (
        "error: errata are those of a spec\n       expected one, as in: tcost list errata gpt3-small\n"
    )
    assert tcost("list", "algos", "gpt2").status == 2
