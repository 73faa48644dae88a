"""Convention `paper` against the published totals, and against the paper's forms written out by hand."""

from dataclasses import replace
from typing import Any

import pytest
from conftest import Tcost, golden
from drawn import models
from hypothesis import given
from published import command
from readme import PAPER_PAGE

from tcost import Result, Sizes, evaluate, load_spec
from tcost.conventions import CONVENTIONS, convention_of

CASES = golden("paper")
IDS = [f"{case['model']}-{case['context_length']}" for case in CASES]
RULES = ["bp", "pepita", "mempepita"]


def priced(case: dict[str, Any], algo: str, *, errata: bool = True) -> Result:
    """Price a golden case from its bundled spec."""
    spec = load_spec(case["model"])
    encoder_context = case.get("encoder_context_length")
    return evaluate(spec, algo, "paper", context=case["context_length"], encoder_context=encoder_context, errata=errata)


@pytest.mark.parametrize("algo", RULES)
@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_published_totals(case: dict[str, Any], algo: str) -> None:
    """MACCs, FLOPs and parameters of every published case equal ours under every rule."""
    result = priced(case, algo)
    assert {"macc": result.totals.macc, "flop": result.totals.flop} == case[algo]
    assert result.totals.parameters == case["parameters"]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_published_phases(case: dict[str, Any]) -> None:
    """Forward, backward and weight update, each run once, equal the published ones."""
    phases = priced(case, "bp").phases
    for phase, published in case["phases_once"].items():
        assert {"macc": phases[phase].macc, "flop": phases[phase].flop} == published


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_bundled_sizes_are_the_published_ones(case: dict[str, Any]) -> None:
    """The bundled specs of the published models have the published sizes."""
    spec = load_spec(case["model"])
    for key in ("n_encoder_layers", "n_decoder_layers", "d_model", "d_ff", "n_heads", "vocab_size"):
        assert getattr(spec, key) == case[key]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_the_page_of_the_paper(case: dict[str, Any], tcost: Tcost) -> None:
    """Each line of docs/paper.md has the published numbers, twice, and its command prints them."""
    model, context = case["model"], case["context_length"]
    section = PAPER_PAGE.read_text().partition(f"`{command(model, 2048)}`")[2]
    out = tcost(*command(model, context).split()[1:]).out
    for algo in RULES:
        numbers = (case[algo]["macc"], case[algo]["flop"], case["stored_activations_elements"][algo])
        cells = " | ".join(f"{number:,} | {number:,}" for number in numbers)
        assert f"\n| {context} | {algo} | {cells} |\n" in section
        printed = f"{numbers[0]:,}", f"{numbers[1]:,}", f"{4 * numbers[2]:,}"
        line = next(line for line in out.splitlines() if f" {algo} " in line)
        assert [number for number in printed if number not in line.split()] == []


def forms(s: Sizes, algo: str) -> dict[str, int]:
    """Write the paper's model out from the table of its layers, without errata.

    Source: Pau & Aymone, Eng 2024, 5(1), 34-50; M query rows, N key rows, as there.
    """
    d, f, h, v = s.d_model, s.d_ff, s.n_heads, s.vocab_size
    macc = dict.fromkeys(("forward", "backward", "weight_update", "error_projection"), 0)
    flop = dict(macc)

    def add(times: int, phase: str, maccs: int, others: int = 0) -> None:
        macc[phase] += times * maccs
        flop[phase] += times * (2 * maccs + others)

    def attention(times: int, m: int, n: int) -> None:
        linear = 2 * m * d * d + 2 * n * d * d
        add(times, "forward", linear + 2 * m * n * d, 6 * m * n * h)
        add(times, "backward", linear + 4 * m * n * d + m * n * n * h, m * n * h)
        add(times, "weight_update", linear)

    def feed_forward(times: int, m: int) -> None:
        add(times, "forward", 2 * m * d * f, 9 * m * f + m * d)
        add(times, "backward", 2 * m * d * f, 13 * m * f)
        add(times, "weight_update", 2 * m * d * f)

    def add_norm(times: int, m: int) -> None:
        add(times, "forward", 0, 9 * m * d)
        add(times, "backward", m * d * d, 9 * m * d * d + 2 * m * d)
        add(times, "weight_update", m * d, m * d)

    encoders, decoders, m = s.n_encoder_layers, s.n_decoder_layers, s.context_length
    two_stacks = encoders and decoders
    n = s.encoder_context_length if two_stacks else m
    rows_and_depths = (
        [(n, encoders)] if not decoders else [(m, decoders)] if not encoders else [(n, encoders), (m, decoders)]
    )
    for rows, depth in rows_and_depths:
        add(1, "forward", rows * v * d)
        attention(depth, rows, rows)
        feed_forward(depth, rows)
        add_norm(2 * depth, rows)
    if two_stacks:
        attention(decoders, m, n)
        add_norm(decoders, m)
        add(1, "error_projection", n * m * v, 6 * m * n)
        add(1, "error_projection", n * v * d)
    add(1, "forward", m * d * v, 5 * m * v)
    add(1, "backward", m * v * d)
    add(1, "weight_update", m * d * v)
    add(1, "error_projection", m * v * d)

    runs = {"bp": (1, 1, 1, 0), "pepita": (2, 0, 1, 1), "mempepita": (3, 0, 1, 1)}[algo]
    return {
        "macc": sum(times * count for times, count in zip(runs, macc.values(), strict=True)),
        "flop": sum(times * count for times, count in zip(runs, flop.values(), strict=True)),
    }


@pytest.mark.parametrize("algo", RULES)
@given(s=models())
def test_without_errata_the_forms_of_the_paper(algo: str, s: Sizes) -> None:
    """Without errata, any model of any family costs what the paper's closed forms add up to."""
    result = evaluate(s, algo, "paper", errata=False)
    assert {"macc": result.totals.macc, "flop": result.totals.flop} == forms(s, algo)


@pytest.mark.parametrize("algo", RULES)
@given(s=models("encoder-decoder"))
def test_errata_are_the_published_slips(algo: str, s: Sizes) -> None:
    """The errata of an encoder-decoder are the published slips, and its result is larger by just their rows."""
    m, n, h, v, d = s.context_length, s.encoder_context_length, s.n_heads, s.vocab_size, s.d_model
    slips = {
        "bp": s.n_decoder_layers * (m * n * m * h - m * n * n * h),
        "pepita": n * m * v + (m * v * d - n * v * d),
        "mempepita": m * v * d - n * v * d,
    }
    result, clean = evaluate(s, algo, "paper"), evaluate(s, algo, "paper", errata=False)
    errata = [row for row in result.rows if row.kind == "erratum"]
    assert sum(row.macc for row in errata) == slips[algo]
    assert sum(row.flop for row in errata) == 2 * slips[algo]
    assert result.totals.macc - clean.totals.macc == slips[algo]
    assert result.totals.flop - clean.totals.flop == 2 * slips[algo]
    assert not any(row.kind == "erratum" for row in clean.rows)


@given(s=models())
def test_parameters_with_and_without_errata(s: Sizes) -> None:
    """The table's parameters per layer add up; errata leave out what the published totals leave out."""
    d, f, v, encoders, decoders = s.d_model, s.d_ff, s.vocab_size, s.n_encoder_layers, s.n_decoder_layers
    block = 4 * d * d + (2 * d * f + f + d) + 2 * (2 * d)
    cross = (4 * d * d + 2 * d) * decoders if encoders and decoders else 0
    embeddings = (2 if encoders and decoders else 1) * v * d
    whole = (encoders + decoders) * block + cross + embeddings + d * v
    left_out = {"encoder-only": d * v, "decoder-only": 0, "encoder-decoder": embeddings}[s.family]
    assert evaluate(s, "bp", "paper", errata=False).totals.parameters == whole
    assert evaluate(s, "pepita", "paper").totals.parameters == whole - left_out


def test_errata_are_explained() -> None:
    """Every erratum among the rows is named in the result with what the slip is."""
    result = evaluate(load_spec("alexatm-20b"), "pepita", "paper")
    layers = [row.layer for row in result.rows if row.kind == "erratum"]
    assert layers == [layer for layer, _ in result.slips]
    assert layers == ["erratum: map to encoder", "erratum: encoder rows", "erratum: parameters"]


def test_the_jacobians_decide_the_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    """GPT-3 Small at 2048: what PEPITA and MEMPEPITA cost against BP changes sign without the explicit Jacobians.

    The second line of ratios is of `paper` with vector-Jacobian products of softmax and LayerNorm,
    which every framework executes, and nothing else changed; the third is of `exact`.
    """
    paper = convention_of("paper")
    jacobians = {("softmax", "backward"), ("layer_norm", "backward")}
    products = {key: override for key, override in paper.overrides.items() if key not in jacobians}
    monkeypatch.setitem(CONVENTIONS, "products", replace(paper, overrides=products))

    def ratios(convention: str) -> list[str]:
        maccs = [evaluate(load_spec("gpt3-small"), algo, convention).totals.macc for algo in RULES]
        return [f"{macc / maccs[0]:.3f}" for macc in maccs]

    rows = evaluate(load_spec("gpt3-small"), "bp", "paper").rows
    assert sum(row.macc for row in rows) == 2_335_935_823_872
    softmax = [row.macc for row in rows if (row.kind, row.phase) == ("softmax", "backward")]
    assert softmax == [1_236_950_581_248]
    assert ratios("paper") == ["1.000", "0.493", "0.668"]
    assert ratios("products") == ["1.000", "1.075", "1.457"]
    assert ratios("exact") == ["1.000", "1.001", "1.334"]
