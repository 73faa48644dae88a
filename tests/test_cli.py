"""The command line: its grammar, its outputs, its exit statuses."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from bundling import few_first
from conftest import Tcost
from drawn import MODERN, WITHOUT_HEAD
from hypothesis import given
from hypothesis import strategies as st

from tcost import evaluate, load_spec
from tcost.bundled import BUNDLED
from tcost.cli.many_values import spread
from tcost.commands.aliases import ALIASES, COMMANDS
from tcost.cost import group_by
from tcost.kinds import PHASES

if TYPE_CHECKING:
    from tcost.training_step import Spec

COMMAND = [sys.executable, "-m", "tcost"]
RULES = ["bp", "pepita", "mempepita"]
ALL = ("--algos", *RULES)
PAPER = ("--convention", "paper")


def results(out: str) -> list[dict[str, Any]]:
    """Return the results of a JSON output."""
    document = json.loads(out)
    assert document["schema_version"] == 2
    assert document["tool"]["name"] == "tcost"
    found: list[dict[str, Any]] = document["results"]
    return found


def spread_words(line: str) -> list[str]:
    """Spread `--algos` in a line of words, of which those with a dot are specs."""
    return list(spread(line.split(), {"--algos"}, lambda word: "." in word or word == "-"))


@pytest.mark.parametrize(
    ("line", "spread_line"),
    [
        ("--algos bp pepita a.yaml", "--algos=bp --algos=pepita a.yaml"),
        ("a.yaml --algos bp,pepita mempepita", "a.yaml --algos=bp --algos=pepita --algos=mempepita"),
        ("--algos=bp,pepita mempepita -", "--algos=bp --algos=pepita --algos=mempepita -"),
        ("--algos bp --algos pepita --by layer", "--algos=bp --algos=pepita --by layer"),
        ("--algos bp, pepita -- bp", "--algos=bp --algos=pepita -- bp"),
        ("--algos odd.word a.yaml", "--algos=odd.word a.yaml"),
        ("--algos --by layer", "--algos --by layer"),
        ("--by layer --algos", "--by layer --algos"),
        ("--algos , bp", "--algos= --algos=bp"),
        ("--output --by layer bp", "--output --by layer bp"),
    ],
)
def test_grammar_of_list_options(line: str, spread_line: str) -> None:
    """Values end at an option, at `--` or at a spec; the first word always belongs to the option."""
    assert spread_words(line) == spread_line.split()


@given(
    st.lists(st.sampled_from(["--algos", "--algos=bp", "bp", "pepita", "a.yaml", "--", "-", "--by", "layer", "x,y"]))
)
def test_spreading_loses_no_word(words: list[str]) -> None:
    """Whatever the order of words, each value that went in comes out, in its order."""

    def values(line: list[str]) -> list[str]:
        flat = [part for word in line for part in word.replace("--algos=", "").split(",")]
        return [part for part in flat if part and part != "--algos"]

    assert values(spread_words(" ".join(words))) == values(words)


@pytest.mark.parametrize(
    "args",
    [
        ("gpt2", "--algos", "bp", "pepita"),
        ("--algos", "bp", "pepita", "gpt2"),
        ("--algos", "bp,pepita", "gpt2.yaml"),
        ("--algo", "bp", "gpt2", "--algo", "pepita"),
        ("--algos=bp", "pepita", "bp", "--", "gpt2"),
    ],
)
@pytest.mark.parametrize("command", ["compute", "compare"])
def test_rules_in_every_spelling(command: str, args: tuple[str, ...], tcost: Tcost) -> None:
    """Spaces, commas and repetition, before or after the spec, mean the same; a repeated rule counts once."""
    outcome = tcost(command, "--format", "json", *args)
    assert outcome.status == 0
    assert [(each["spec"], each["algo"]) for each in results(outcome.out)] == [("gpt2", "bp"), ("gpt2", "pepita")]


def test_json_contract(tcost: Tcost) -> None:
    """JSON has the promised keys and nothing but exact integers, whose rows add up to phases and totals."""
    outcome = tcost("compute", "alexatm-20b", *ALL, *PAPER, "--context", 32, "--batch", 3, "--format", "json")
    assert outcome.err == ""
    for result, algo in zip(results(outcome.out), RULES, strict=True):
        settings = [result[key] for key in ("spec", "algo", "convention", "context", "encoder_context", "batch")]
        assert settings == ["alexatm-20b", algo, "paper", 32, 100, 3]
        assert tuple(result["phases"]) == PHASES[:4]
        rows = result["rows"]
        keys = {"layer", "operation", "kind", "phase", "repeats", "runs", "macc", "flop"}
        assert all(set(row) == keys | {"parameters", "active_parameters", "trained_parameters"} for row in rows)
        for amount in ("macc", "flop"):
            assert result["totals"][amount] == sum(row[amount] for row in rows)
            for phase in PHASES[:4]:
                assert result["phases"][phase][amount] == sum(row[amount] for row in rows if row["phase"] == phase)
        assert any(row["layer"].startswith("erratum: ") for row in rows)
        assert result["totals"]["parameters"] == 18_468_495_360
        for amount in ("parameters", "active_parameters", "trained_parameters"):
            assert result["totals"][amount] == sum(row[amount] for row in rows)
        for category, held in result["memory"].items():
            of_category = [row for row in result["memory_rows"] if row["category"] == category]
            assert category == "peak" or held["bytes"] == sum(row["bytes"] for row in of_category)
        assert (result["overrides"], result["errata"]) == ({"context": 32}, True)
        assert result["storage"]["activations"] == "fp32"
    clean = tcost("compute", "alexatm-20b", *PAPER, "--no-errata", "--format", "json")
    assert not any("erratum" in row["layer"] for row in results(clean.out)[0]["rows"])
    assert (results(clean.out)[0]["overrides"], results(clean.out)[0]["errata"]) == ({}, False)


def test_json_of_one_operation(tcost: Tcost) -> None:
    """One row in full: the query projection of GPT-2, 12 x 1024 x 768 x 768 MACCs."""
    outcome = tcost("compute", "gpt2", "--format", "json")
    (result,) = results(outcome.out)
    assert result["encoder_context"] is None
    row = next(row for row in result["rows"] if row["operation"] == "query" and row["phase"] == "forward")
    macc = 12 * 1024 * 768 * 768
    assert row == {
        "layer": "decoder.attention",
        "operation": "query",
        "kind": "linear",
        "phase": "forward",
        "repeats": 12,
        "runs": 1,
        "macc": macc,
        "flop": 2 * macc,
        "parameters": 12 * 768 * 768,
        "active_parameters": 12 * 768 * 768,
        "trained_parameters": 12 * 768 * 768,
    }


def test_scalars_and_optimizer_in_json(tcost: Tcost) -> None:
    """Asked for by name, operations carry their scalars; an optimizer adds a phase; neither is there unasked."""
    plain = results(tcost("compute", "gpt2", "--convention", "exact", "--format", "json").out)[0]
    assert "optimizer_step" not in plain["phases"]
    assert not any("scalars" in row for row in plain["rows"])
    args = ("compute", "gpt2", "--convention", "exact", "--optimizer", "sgd", "--by", "operation", "--format", "json")
    asked = results(tcost(*args).out)[0]
    assert asked["phases"]["optimizer_step"] == {"macc": 0, "flop": 2 * 124_439_808}
    assert all(row["flop"] == row["macc"] + sum(row["scalars"].values()) for row in asked["rows"])


@pytest.mark.parametrize("by", ["layer", "phase", "operation"])
def test_csv_has_the_fields_of_json(by: str, tcost: Tcost) -> None:
    """CSV is one line per row of the JSON, with the promised columns and Unix line ends."""
    columns = "spec,algo,convention,context,encoder_context,batch,optimizer,causal,attention,recompute,loss"
    columns += ",storage_weights,storage_gradients,storage_activations,storage_optimizer,storage_has_master_weights"
    columns += ",errata,layer,operation,kind,phase,repeats,runs,macc,flop"
    columns += ",parameters,active_parameters,trained_parameters"
    text = tcost("compute", "gpt2", *ALL, "--by", by, "--format", "csv").out
    document = results(tcost("compute", "gpt2", *ALL, "--by", by, "--format", "json").out)
    assert text.startswith(columns + "\n")
    assert "\r" not in text
    lines = list(csv.DictReader(io.StringIO(text)))
    expected = [
        {**result, **{f"storage_{name}": value for name, value in result["storage"].items()}, **row}
        for result in document
        for row in result["rows"]
    ]
    names = columns.split(",")
    cells = {None: "", True: "true", False: "false"}

    def cell(value: Any) -> str:
        return cells[value] if value is None or isinstance(value, bool) else str(value)

    assert lines == [{name: cell(row[name]) for name in names} for row in expected]


def test_comparison_for_machines(tcost: Tcost) -> None:
    """A comparison's JSON is results with their change; its CSV is a line per result."""
    args = ("compare", "gpt2", "t5-base", *ALL, *PAPER, "--context", 128, 256)
    document = results(tcost(*args, "--format", "json").out)
    where = [(each["spec"], each["context"], each["encoder_context"], each["algo"]) for each in document]
    contexts = [("gpt2", 128, None), ("gpt2", 256, None), ("t5-base", 128, 128), ("t5-base", 256, 256)]
    assert where == [(*context, algo) for context in contexts for algo in RULES]
    # Memory: the attention maps, 12 M² of 170 M d + 12 M²; the fixed matrix, 50257 d, beside the parameters.
    memory = {"stored_activations_percent": -1.16, "peak_percent": 11.3}
    assert document[1]["change"] == {"against": "bp", "macc_percent": 13.5, "flop_percent": -1.05, **memory}
    lines = list(csv.DictReader(io.StringIO(tcost(*args, "--format", "csv").out)))
    assert [line["macc"] for line in lines] == [str(each["totals"]["macc"]) for each in document]
    assert [line["parameters"] for line in lines] == [str(each["totals"]["parameters"]) for each in document]
    assert lines[1]["macc_change_percent"] == "13.5"


def test_bare_compare_takes_all_bundled_specs(tcost: Tcost) -> None:
    """`tcost compare --algos bp pepita mempepita` works as it stands."""
    outcome = tcost("compare", *ALL)
    assert outcome.status == 0
    assert all(f"\n{name} " in outcome.out for name in BUNDLED)
    assert outcome.out.count(" mempepita  ") == len(BUNDLED)


@pytest.mark.parametrize("command", ["compute", "compare"])
@pytest.mark.parametrize("format_", ["table", "markdown", "json", "csv"])
@pytest.mark.parametrize("convention", ["paper", "torch", "exact"])
def test_every_output_names_convention_and_context(command: str, format_: str, convention: str, tcost: Tcost) -> None:
    """No number goes out without its convention and its context, nor with anything on standard error."""
    outcome = tcost(command, "gpt2", "--convention", convention, "--context", 77, "--format", format_)
    assert (outcome.status, outcome.err) == (0, "")
    assert convention in outcome.out
    assert "77" in outcome.out
    assert "\x1b" not in outcome.out


@pytest.mark.parametrize("algo", RULES)
@pytest.mark.parametrize("by", ["layer", "operation", "phase"])
def test_table_shows_the_integers(by: str, algo: str, tcost: Tcost) -> None:
    """With --integers, the table's totals are those of `evaluate`, and each row of a grouping is in it."""
    result = evaluate(load_spec("alexatm-20b"), algo)
    line = ("compute", "alexatm-20b", "--algo", algo, "--by", by, "--integers")
    table = tcost(*line).out + tcost(*line, "--macc").out
    assert f"{result.totals.macc:,}" in table
    assert f"{result.totals.flop:,}" in table
    assert f"{result.totals.parameters:,}" in table
    for row in group_by(result.rows, "phase" if by == "phase" else "operation"):
        assert by == "layer" or f"{row.macc:,}" in table
        assert by == "layer" or f"{row.flop:,}" in table


@pytest.mark.parametrize("name", few_first())
@pytest.mark.parametrize("by", ["layer", "operation", "phase"])
def test_tables_fit_the_page(name: str, by: str, tcost: Tcost) -> None:
    """No table of a bundled spec is wider than 100 columns or cuts a number short."""
    for args in (("compute", name, *ALL, "--by", by), ("compare", name, *ALL)):
        out = tcost(*args).out
        assert max(map(len, out.splitlines())) <= 100
        assert "…" not in out


def test_markdown_is_a_table(tcost: Tcost) -> None:
    """Every line of a markdown table has as many cells as its head."""
    lines = [line for line in tcost("compute", "gpt2", "--format", "markdown").out.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1
    assert lines[0].startswith("| FLOPs |")


def test_listings(tcost: Tcost) -> None:
    """Everything that can be named can be listed."""
    assert [line.split()[0] for line in tcost("list", "specs").out.splitlines()] == list(BUNDLED)
    assert [line.split()[0] for line in tcost("list", "algos").out.splitlines()] == RULES
    assert [line.split()[0] for line in tcost("list", "conventions").out.splitlines()] == ["paper", "torch", "exact"]
    layers = [line.split()[0] for line in tcost("list", "layers").out.splitlines()]
    specs: list[Spec] = [*(load_spec(name) for name in BUNDLED), *MODERN.values()]
    priced = [*((spec, algo) for algo in RULES for spec in specs), *((s, "bp") for s in WITHOUT_HEAD.values())]
    named = {str(row.layer) for spec, algo in priced for row in evaluate(spec, algo, "exact").rows}
    assert {name.rpartition(".")[2].rstrip("_23") for name in named} == set(layers)


def test_version_and_help(tcost: Tcost) -> None:
    """Version and help are answered on standard output with status 0; every command has an example."""
    assert tcost("--version") == (0, "tcost 0.1.0\n", "")
    assert tcost("--version", "compute").out == "tcost 0.1.0\n"
    for args in (
        (),
        ("--help",),
        ("compute", "--help"),
        ("compare", "-h"),
        ("list", "schema", "-h"),
        ("list", "--help"),
    ):
        outcome = tcost(*args)
        assert (outcome.status, outcome.err) == (0, "")
        assert outcome.out.startswith("Usage: tcost")
        assert not args or args[0] == "--help" or "Example: tcost" in outcome.out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("compute gtp2", "no spec 'gtp2': neither a file nor a bundled spec; did you mean 'gpt2'?"),
        ("compute", "Missing argument 'SPEC'.\n       see: tcost compute --help"),
        ("compute gpt2 bert-base", "Got unexpected extra argument"),
        ("compute gpt2 --algos pepitta", "'pepitta' is neither a learning rule nor a spec; did you mean 'pepita'?\n"),
        ("compare --algos bp gpt22", "'gpt22' is neither a learning rule nor a spec; did you mean 'gpt2'?"),
        (
            "compare --algos bp zzz",
            "'zzz' is neither a learning rule nor a spec\n       learning rules: bp, pepita, mem",
        ),
        ("compare bp", "'bp' is a learning rule, not a spec\n       write --algos bp"),
        ("compute gpt2 --algos", "Option '--algos' requires an argument."),
        (
            "compute gpt2 --convention papr",
            "unknown convention 'papr'; did you mean 'paper'?\n       known: paper, torch, exact",
        ),
        ("compute gpt2 --format yaml", "Invalid value for '--format': 'yaml' is not one of 'table', 'json', 'csv'"),
        ("compute gpt2 --context 0", "the context must be a whole number from 1 to 10^18, not 0"),
        ("compute gpt2 --context many", "Invalid value for '--context'"),
        ("compute gpt2 --batch 0", "the batch must be a whole number from 1 to 10^18, not 0"),
        ("compute gpt2 --encoder-context 8", "gpt2: an encoder context is for encoder-decoder models"),
        (
            "compare gpt2 --encoder-context 8",
            "an encoder context is for encoder-decoder models; none is among the specs",
        ),
        ("compute gpt2 --fromat json", "No such option: --fromat"),
        (
            "comput gpt2",
            "unknown command 'comput'; did you mean 'compute'?\n       known: compute, compare, memory, sweep",
        ),
        (
            "list",
            (
                "Missing argument 'WHAT'. Choose from: specs, algos, conventions, layers, errata, schema"
                "\n       see: tcost list --help"
            ),
        ),
        ("list everything", "'everything' is not one of 'specs', 'algos', 'conventions', 'layers'"),
        ("compute gpt2 --output /no/such/folder/x", "cannot write /no/such/folder/x: No such file or directory"),
        ("compute gpt2 --output .", "cannot write .: it is a directory"),
    ],
)
def test_bad_usage(args: str, message: str, tcost: Tcost) -> None:
    """Bad input is two lines on standard error, says what would be right, and exits with status 2."""
    outcome = tcost(*args.split())
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("error: ")
    assert message in outcome.err
    assert len(outcome.err.splitlines()) <= 2


def test_messages_cannot_drive_the_terminal(tcost: Tcost) -> None:
    """Escapes in what the user wrote are shown, not run."""
    assert "\\x1b[31m" in tcost("compute", "\x1b[31m").err


def test_a_hostile_name_is_shown(tcost: Tcost, tmp_path: Path) -> None:
    """A name with markup, escapes and a formula is text in every format."""
    text = Path("model_specs/gpt2.yaml").read_text() if Path("model_specs").is_dir() else ""
    text = text or "\n".join(
        f"{key}: {value}" for key, value in load_spec("gpt2").model_dump(exclude_none=True).items()
    )
    path = tmp_path / "hostile.yaml"
    path.write_text(text.replace("name: gpt2", r'name: "=[/b]\e[1m|x"', 1))
    assert tcost("compute", path).out.startswith("=[/b]\\x1b[1m|x under bp: ")
    assert "\n'=[/b]\\x1b[1m|x,bp" in tcost("compute", path, "--format", "csv").out
    assert tcost("compute", path, "--format", "markdown").out.startswith(r"### =\[/b\]\\x1b\[1m\|x")
    assert results(tcost("compute", path, "--format", "json").out)[0]["spec"] == "=[/b]\x1b[1m|x"


def test_output_is_what_standard_output_would_be(tcost: Tcost, tmp_path: Path) -> None:
    """--output writes the same bytes, keeps the mode of an old file and follows a link to it."""
    target, link = tmp_path / "real.json", tmp_path / "link.json"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    assert tcost("compute", "gpt2", "--format", "json", "-o", link) == (0, "", "")
    assert target.read_text() == tcost("compute", "gpt2", "--format", "json").out
    assert target.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.json", "real.json"]


def test_a_failed_write_leaves_the_old_file(tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk fails before the rename, the old file is whole, nothing is left beside it, status 74."""
    target = tmp_path / "result.json"
    target.write_text("old")

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    outcome = tcost("compute", "gpt2", "-o", target)
    assert outcome == (74, "", f"error: cannot write {target}: No space left on device\n")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_bug_of_ours_is_not_the_users(tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected exception is one message and status 70; with TCOST_DEBUG its traceback."""

    def fail(*_args: object, **_options: object) -> None:
        raise ZeroDivisionError("one / zero")

    monkeypatch.setattr("tcost.cost.results_of", fail)
    outcome = tcost("compute", "gpt2")
    assert (outcome.status, outcome.out) == (70, "")
    assert outcome.err.startswith("error: this is a bug in tcost: ZeroDivisionError: one / zero\n")
    monkeypatch.setenv("TCOST_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        tcost("compute", "gpt2")


def test_interrupted(tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is status 130 and silent."""

    def interrupt(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tcost.cost.results_of", interrupt)
    assert tcost("compute", "gpt2") == (130, "", "")


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which $TCOST is the command, as a process of its own."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],  # noqa: S607  # bash is on the path
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TCOST": " ".join(COMMAND), **environment},
    )


@pytest.mark.parametrize(
    ("line", "status", "message"),
    [
        ("$TCOST compute gpt2 | true", 141, ""),
        ("$TCOST compute gpt2 >/dev/full", 74, "error: cannot write to standard output: No space left on device\n"),
        ("$TCOST compute gpt2 >&-", 74, "error: cannot write to standard output: it is closed\n"),
        ("$TCOST --version >/dev/full", 74, "error: cannot write to standard output: No space left on device\n"),
        ("$TCOST compute gpt2 -o /dev/full", 74, "error: cannot write /dev/full: No space left on device\n"),
        ("$TCOST compute gpt2 -o /dev/stdout | grep -q total", 0, ""),
        ("$TCOST compute - <&-", 2, "error: cannot read standard input: it is closed\n"),
    ],
)
def test_streams_that_fail(line: str, status: int, message: str) -> None:
    """A reader that has gone is silent; output that is lost never is status 0."""
    line = line.replace("| true", "| { exec <&-; sleep 1; }")
    outcome = shell(line)
    assert (outcome.returncode, outcome.stderr) == (status, message)


@pytest.mark.parametrize(
    "environment", [{"GITHUB_ACTIONS": "true"}, {"FORCE_COLOR": "1"}, {"PYTHONIOENCODING": "ascii"}]
)
def test_no_colour_in_pipes(environment: dict[str, str]) -> None:
    """A pipe gets no escapes, whatever CI systems and libraries think, and UTF-8 whatever the locale."""
    outcome = shell("$TCOST compute gpt2; $TCOST compute --help; $TCOST compute nothing", **environment)
    assert "\x1b" not in outcome.stdout + outcome.stderr
    assert "decoder.attention × 12" in outcome.stdout


@pytest.mark.parametrize("alias", ALIASES)
def test_other_words_for_options(alias: str, tcost: Tcost) -> None:
    """What people type who come from other tools means the same, with `=` and without."""
    name = ALIASES[alias]
    expected = tcost("compute", "t5-base", name, 3)
    assert expected.status == 0
    assert tcost("compute", "t5-base", alias, 3) == tcost("compute", "t5-base", f"{alias}=3") == expected
    assert tcost("report", "t5-base", alias, 3).err == tcost("report", "t5-base", name, 3).err


@pytest.mark.parametrize(
    ("once", "now"),
    [
        ("breakeven gpt2 --over batch", "sweep gpt2 --over batch --break-even"),
        ("formula gpt2 attention", "explain gpt2 attention --formula"),
        ("schema budget", "list schema budget"),
        ("schema --output x", "list schema --output x"),
    ],
)
def test_commands_that_had_a_name_of_their_own(once: str, now: str, tcost: Tcost) -> None:
    """The old name is the same as what the command is now, and no help page has it."""
    assert tcost(*once.split()) == tcost(*now.split())
    assert once.split(maxsplit=1)[0] in COMMANDS
    assert not re.search(rf"^  {once.split(maxsplit=1)[0]}\b", tcost("--help").out, flags=re.MULTILINE)


def test_a_mode_ends_where_options_do(tcost: Tcost) -> None:
    """A word behind `--` is an argument, and a mode has a page that its command names."""
    assert tcost("explain", "gpt2", "--", "--formula").err.startswith("error: gpt2 has no layer '--formula'")
    assert "See: tcost explain --formula --help" in " ".join(tcost("explain", "--help").out.split())
    assert tcost("explain", "--formula", "--help").out.startswith("Usage: tcost explain --formula [OPTIONS]")
    assert "see: tcost sweep --break-even --help" in tcost("sweep", "gpt2", "--break-even", "--shard", "1/2").err


def test_several_specs_are_for_compare(tcost: Tcost) -> None:
    """Where one spec is taken and several are given, the message says what takes several."""
    for command in ("compute", "memory"):
        message = tcost(command, "gpt2", "bert-base").err
        assert message.endswith(f"\n       tcost {command} takes one spec; see: tcost compare SPEC...\n")
    assert "see: tcost compute --help" in tcost("compute", "gpt2", "nothing").err


def test_a_number_with_a_letter(tcost: Tcost) -> None:
    """A letter that means one of two numbers is answered with both."""
    assert "as in 4096 (4k is 4000 or 4096)" in tcost("compute", "gpt2", "--context", "4k").err
    for text, said in (("24G", "24GB, of thousands, or 24GiB"), ("512k", "512kB, of thousands, or 512KiB")):
        message = f"error: '{text}' could be {said}, of 1,024s\n       expected one of the two\n"
        assert tcost("memory", "gpt2", "--budget", text).err == message
