"""What other conventions and options say of the same step, and whose lengths it has."""

import csv
import io
import json
import re
from fractions import Fraction
from pathlib import Path

import pytest
from conftest import Tcost

from tcost import Result, compare, evaluate, load_spec
from tcost.bundled import BUNDLED
from tcost.conventions import CONVENTIONS
from tcost.cost import standings
from tcost.units import binary, change, si

RULES = ["bp", "pepita", "mempepita"]

NOTHING = "-"


def notes(out: str) -> list[str]:
    """Return the notes below the last table, unfolded."""
    return out.rpartition("\n\n")[2].rstrip().replace("\n  ", " ").split("\n")


def trained(tmp_path: Path, name: str, train: str) -> Path:
    """Return a bundled spec of which only a part is trained."""
    path = tmp_path / "trained.yaml"
    path.write_text(f"{Path(f'model_specs/{name}.yaml').read_text()}\ntrain: {train}\n")
    return path


def test_exact_is_the_default(tcost: Tcost) -> None:
    """Where no convention is asked for it is `exact`: GPT-2 has its published parameters, not a publication's."""
    result = json.loads(tcost("compute", "gpt2", "--format", "json").out)["results"][0]
    assert (result["convention"], result["totals"]["parameters"]) == ("exact", 124_439_808)
    assert evaluate(load_spec("gpt2")) == evaluate(load_spec("gpt2"), "bp", "exact")
    assert {each.result.convention for each in compare([load_spec("gpt2")])} == {"exact"}


@pytest.mark.parametrize("command", ["compute", "memory", "check", "diff"])
def test_every_command_names_exact(command: str, tcost: Tcost) -> None:
    """Each command that prices says that it does so under `exact`."""
    more = {"check": ["--max", "flop=1P"], "diff": ["gpt2-medium"]}
    assert "convention exact" in tcost(command, "gpt2", *more.get(command, [])).out


@pytest.mark.parametrize("format_", ["table", "markdown"])
def test_compute_says_what_paper_says(format_: str, tcost: Tcost) -> None:
    """A line has the published MACCs of a model that the publication has; a JSON stays of one convention."""
    outcome = tcost("compute", "gpt3-small", "--algos", "bp", "pepita", "--integers", "--format", format_)
    for macc in (2_335_935_823_872, 1_150_779_654_144):
        assert f"({macc:,} under paper)" in outcome.out.replace("\n  ", " ")
    assert "under paper" not in tcost("compute", "gpt3-small", "--convention", "paper").out
    assert '"convention": "paper"' not in tcost("compute", "gpt3-small", "--format", "json").out


@pytest.mark.parametrize("name", list(BUNDLED))
def test_what_paper_says_is_of_its_kind(name: str, tcost: Tcost) -> None:
    """Where nothing of a model's `paper` result is priced as `exact` does, it is said, else nothing is."""
    paper = evaluate(load_spec(name), "bp", "paper")
    line = tcost("compute", name, "--integers").out.replace("\n  ", " ")
    assert (f" MACCs ({paper.totals.macc:,} under paper); peak memory " in line) == (not paper.priced_as_exact)
    assert ("under paper" in line) == (not paper.priced_as_exact)


def test_paper_has_not_every_layer(tcost: Tcost, tmp_path: Path) -> None:
    """Where the publication's model has not what is trained, it says nothing."""
    assert "under paper" not in tcost("compute", trained(tmp_path, "gpt2", "[norm]")).out


def cells_of(out: str, algo: str) -> list[str]:
    """Return the cells of a rule's line in a comparison of one model, without the label before it."""
    line = next(line for line in out.splitlines() if f" {algo} " in line)
    return re.split(r"\s{2,}", line.partition(f" {algo} ")[2].strip())


@pytest.mark.parametrize("convention", ["exact", "paper", "torch"])
def test_compare_has_both_conventions_side_by_side(convention: str, tcost: Tcost) -> None:
    """GPT-3 Small changes as published and as executed, in the table of each convention alike."""
    out = tcost("compare", "gpt3-small", "--convention", convention).out
    results = {name: [evaluate(load_spec("gpt3-small"), algo, name) for algo in RULES] for name in CONVENTIONS}
    for place, algo in enumerate(RULES):
        own = results[convention][place]
        stored = own.memory.of("stored_activations").bytes
        macc = {name: Fraction(each[place].totals.macc, each[0].totals.macc) - 1 for name, each in results.items()}
        held = {name: _stored(each[place]) / _stored(each[0]) - 1 for name, each in results.items()}
        changes = [
            [NOTHING if algo == "bp" else change(each[name]) for name in ("exact", "paper")] for each in (macc, held)
        ]
        expected = [si(own.totals.macc), *changes[0], si(own.totals.flop), binary(stored), *changes[1]]
        assert cells_of(out, algo) == expected
    assert "-50.7 %" in cells_of(out, "pepita")  # 0.493 of backpropagation, as published


def _stored(result: Result) -> Fraction:
    return Fraction(result.memory.of("stored_activations").bytes)


def test_a_foreign_model_has_no_change_under_paper(tcost: Tcost) -> None:
    """What the publication lacks has a dash under `paper`, null in JSON and nothing in CSV, and is named."""
    out = tcost("compare", "llama-3-8b").out
    assert "- under paper: not in the publication: rotary, rms_norm, silu, multiply" in notes(out)
    document = json.loads(tcost("compare", "llama-3-8b", "gpt2", "--format", "json").out)["results"]
    assert [each["changes"]["paper"] is None for each in document] == [True] * 3 + [False] * 3
    assert [each["changes"]["exact"] == each["change"] for each in document] == [True] * 6
    lines = list(csv.DictReader(io.StringIO(tcost("compare", "llama-3-8b", "gpt2", "--format", "csv").out)))
    for line, result in zip(lines, document, strict=True):
        for convention in ("exact", "paper"):
            for measure in ("macc", "flop", "stored_activations", "peak"):
                change = result["changes"][convention]
                expected = "" if change is None else str(change[f"{measure}_percent"])
                assert line[f"{convention}_{measure}_change_percent"] == expected


def test_change_is_that_of_the_convention(tcost: Tcost) -> None:
    """`change` stays that of the convention which was asked for; `changes` are the same whatever it is."""
    found = {}
    for convention in ("exact", "paper", "torch"):
        text = tcost("compare", "gpt2", "--convention", convention, "--format", "json").out
        found[convention] = json.loads(text)["results"][2]
    assert found["exact"]["changes"] == found["paper"]["changes"] == found["torch"]["changes"]
    for convention in ("exact", "paper"):
        assert found[convention]["change"] == found[convention]["changes"][convention]
    macc = {name: each["totals"]["macc"] for name, each in found.items()}
    bp = evaluate(load_spec("gpt2"), "bp", "torch").totals.macc
    assert found["torch"]["change"]["macc_percent"] == float(f"{100 * (macc['torch'] / bp - 1):.3g}")


def test_compare_where_a_convention_has_not_what_is_trained(tcost: Tcost, tmp_path: Path) -> None:
    """The publication's model has other norms: where one of ours is trained, there is no change under `paper`."""
    path = trained(tmp_path, "gpt2", "[norm]")
    document = json.loads(tcost("compare", path, "--format", "json").out)["results"]
    assert [each["changes"]["paper"] for each in document] == [None] * 3
    out = tcost("compare", path).out
    assert "- under paper: not in the publication: layers that are trained" in notes(out)
    assert "tcost reconcile" not in out


def test_compare_counts_models(tcost: Tcost) -> None:
    """On several models the first notes have in how many each rule takes fewer MACCs, of those that there are."""
    specs = [load_spec(name) for name in BUNDLED]
    said = []
    for convention in ("exact", "paper"):
        results = [[evaluate(spec, algo, convention) for algo in RULES] for spec in specs]
        totals = [[each.totals.macc for each in line] for line in results if not line[0].priced_as_exact]
        counts = [sum(line[rule] < line[0] for line in totals) for rule in (1, 2)]
        found = standings(each.changes[convention] for each in compare(specs))
        assert [(each.cheaper, each.of) for each in found] == [(count, len(totals)) for count in counts]
        words = f"pepita in {counts[0]} of {len(totals)}, mempepita in {counts[1]} of {len(totals)}"
        said.append(f"fewer MACCs than bp under {convention}: {words}")
    assert notes(tcost("compare").out)[:2] == said


def test_compare_says_why(tcost: Tcost) -> None:
    """A note has the command that tells why the conventions differ, with the lengths that were asked for."""
    why = "why exact and paper differ: tcost reconcile {} --from paper --to exact{}"
    assert why.format("gpt2", "") in notes(tcost("compare", "gpt2").out)
    assert why.format("SPEC", "") in notes(tcost("compare", "gpt2", "bert-base").out)
    out = tcost("compare", "t5-base", "--context", 64, "--encoder-context", 32).out
    assert why.format("t5-base", " --context 64 --encoder-context 32") in notes(out)
    assert "why exact" not in tcost("compare", "gpt2", "--algos", "bp").out


@pytest.mark.parametrize("command", ["compute", "memory", "explain", "reconcile", "check --max flop=1P"])
def test_the_title_says_whose_context(command: str, tcost: Tcost) -> None:
    """A context that nobody asked for is said to be the spec's, with the option that changes it."""
    name, *more = command.split()
    assert "context 1,024 (the spec's; --context)" in tcost(name, "gpt2", *more).out
    out = tcost(name, "gpt2", "--context", 512, *more).out
    assert "context 512\n" in out
    assert "the spec's" not in out


def test_a_report_says_whose_context(tcost: Tcost, tmp_path: Path) -> None:
    """So does a page, among what its numbers depend on."""
    path = tmp_path / "a.html"
    for more, is_own in (((), True), (("--context", 64), False)):
        assert tcost("report", "gpt2", *more, "-o", path).status == 0
        assert ("own (--context)" in path.read_text()) is is_own


def test_whose_encoder_context(tcost: Tcost) -> None:
    """Of two lengths those are named that are the spec's own; one that follows the context is not."""
    for args, said in (
        ((), "context 2,048, encoder context 100 (the spec's; --context, --encoder-context)"),
        (("--context", 64), "context 64, encoder context 100 (the spec's; --encoder-context)"),
        (("--encoder-context", 64), "context 2,048, encoder context 64 (the spec's; --context)"),
        (("--context", 64, "--encoder-context", 7), "context 64, encoder context 7\n"),
    ):
        assert said in tcost("compute", "alexatm-20b", *args).out.replace("\n  ", " ")
    assert "context 64, encoder context 64\n" in tcost("compute", "t5-base", "--context", 64).out
    assert "context: each spec's own (--context)" in tcost("compare", "gpt2", "bert-base").out
    assert "each spec's own" not in tcost("compare", "gpt2", "bert-base", "--context", 64).out


BEYOND = "gpt2: context 2,048 is beyond its table of positions, 1,024 rows"

PRICING = {
    "compute": ["gpt2"],
    "compare": ["gpt2"],
    "memory": ["gpt2"],
    "explain": ["gpt2", "feed_forward"],
    "reconcile": ["gpt2"],
    "check": ["gpt2", "--max", "flop=1P"],
    "diff": ["gpt2", "gpt2-medium"],
    "sweep --break-even": ["gpt2", "--over", "batch=1:4"],
    "sweep": ["gpt2", "--over", "batch=1,2"],
    "explain --formula": ["gpt2", "--in", "context_length"],
}


@pytest.mark.parametrize("command", PRICING)
def test_a_context_beyond_the_table_of_positions(command: str, tcost: Tcost) -> None:
    """Every command that prices such a context says so, and none does of a context that fits."""
    outcome = tcost(*command.split(), *PRICING[command], "--context", 2048)
    assert outcome.status == 0
    assert BEYOND in outcome.out.replace("\n  ", " ")
    assert "beyond" not in tcost(*command.split(), *PRICING[command], "--context", 1024).out


@pytest.mark.parametrize("args", ["plot --kind bars", "plot --kind paper", "report"])
def test_pictures_and_pages_say_so_too(args: str, tcost: Tcost, tmp_path: Path) -> None:
    """So do the captions of pictures and the notes of a report."""
    command, *more = args.split()
    path = tmp_path / ("a.html" if command == "report" else "a.svg")
    for context, is_beyond in ((2048, True), (1024, False)):
        assert tcost(command, "gpt2", *more, "--context", context, "-o", path).status == 0
        assert (BEYOND in path.read_text()) is is_beyond


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("vit-base", "--context", 64), "vit-base: context 64 is not that of its image, 197 rows"),
        (("vit-base",), ""),
        (("whisper-tiny", "--context", 448), ""),
        (("whisper-tiny", "--context", 449), "whisper-tiny: context 449 is beyond its table of positions, 448 rows"),
        (
            ("whisper-tiny", "--encoder-context", 1499),
            "whisper-tiny: encoder context 1,499 is not that of its audio, 1,500 rows",
        ),
        (("bart-base", "--context", 1026), ""),
        (("bart-base", "--context", 1027), "bart-base: context 1,027 is beyond its table of positions, 1,026 rows"),
        (("llama-3-8b", "--context", 10**6), ""),
        (("bloom-7b1", "--context", 10**6), ""),
    ],
)
def test_lengths_that_a_model_is_not_made_for(args: tuple[object, ...], said: str, tcost: Tcost) -> None:
    """Tables of positions, images and audio have so many rows; what has no table has no such end."""
    document = json.loads(tcost("compute", *args, "--format", "json").out)["results"][0]
    found = [f"{args[0]}: {note}" for note in document["notes"] if "rows" in note]
    assert found[:1] == ([said] if said else [])


def test_long_contexts_say_what_half_gives(tcost: Tcost) -> None:
    """Above 8,192 rows a note has the totals over the pairs that the mask leaves; `full` stays the default."""
    totals = evaluate(load_spec("llama-3-8b"), "bp", "exact", context=8193, causal="half").totals
    line = f"under --causal half, the pairs that a mask leaves: {totals.macc:,} MACCs, {totals.flop:,} FLOPs"
    assert line in notes(tcost("compute", "llama-3-8b", "--context", 8193, "--integers").out)
    for args in (("--context", 8192), ("--context", 8193, "--causal", "half")):
        assert "--causal half" not in tcost("compute", "llama-3-8b", *args).out
    assert "--causal half" not in tcost("compute", "bert-base", "--context", 8193).out
    assert "--causal half" in tcost("compare", "llama-3-8b", "--context", 8193).out
    assert "--causal half" not in tcost("compare", "llama-3-8b", "--context", 8192).out


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_comparison_of_all_models_fits_100_columns(convention: str, tcost: Tcost) -> None:
    """So it is under every convention, of which the changes shown are the same two."""
    out = tcost("compare", "--convention", convention).out
    assert max(map(len, out.splitlines())) <= 100
    assert ("amounts are those of torch" in out) == (convention == "torch")


def test_what_the_publication_lacks_is_said_once(tcost: Tcost) -> None:
    """Models of which it has none are named by what it lacks, in one note."""
    said = notes(tcost("compare", "whisper-tiny", "vit-base").out)
    assert len([note for note in said if "not in the publication" in note]) == 1
    assert not any(note.startswith("fewer MACCs than bp under paper") for note in said)


def test_the_command_that_tells_why_has_the_options(tcost: Tcost) -> None:
    """Its numbers are those of the comparison: with its batch, and without errata where there are none."""
    out = tcost("compare", "gpt2", "--batch", 3, "--no-errata").out
    assert "tcost reconcile gpt2 --from paper --to exact --batch 3 --no-errata" in out.replace("\n  ", " ")


def test_a_star_has_a_line(tcost: Tcost, tmp_path: Path) -> None:
    """The legend of the star is there where a line has one: not where a part of a layer alone is apart."""
    text = Path("model_specs/bert-base.yaml").read_text().replace("head_transform: true", "head_transform: false")
    path = tmp_path / "biased.yaml"
    path.write_text(f"{text}\nhead_bias: true\n")
    for by in ("layer", "operation", "phase"):
        out = tcost("compute", path, "--convention", "paper", "--by", by).out
        assert ("* not in the paper's model" in out) == any(" *  " in line for line in out.splitlines())


@pytest.mark.parametrize("algo", ["bp", "mempepita"])
def test_fused_attention_never_stores_more(algo: str) -> None:
    """A slip of the published memory is of what is kept: a softmax layer's stays where attention keeps no map."""
    for name in ("gpt2", "bert-base", "alexatm-20b"):
        eager, flash = (
            evaluate(load_spec(name), algo, "paper", attention=attention).memory for attention in ("eager", "flash")
        )
        assert flash.of("stored_activations").elements <= eager.of("stored_activations").elements
