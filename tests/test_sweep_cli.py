"""`tcost sweep`: its grammar, its formats, its messages, and how it ends."""

import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from itertools import product
from pathlib import Path

import duckdb
import pytest
from conftest import Tcost
from test_cli import COMMAND, shell

from tcost import evaluate, load_spec
from tcost.output import write_pieces
from tcost.spec import with_values

GRID = ("--over", "context_length=32:128:x2", "n_decoder_layers=6,12,24")
DOCS = (Path(__file__).parent.parent / "docs" / "sweeps.md").read_text()


@pytest.mark.parametrize(
    "args",
    [
        "gpt2 --over context_length=32:128:x2 --over n_decoder_layers=6,12,24",
        "--over context_length=32,64,128 n_decoder_layers=6,12 24 gpt2",
        "--over=context_length=32:128:x2 --over=n_decoder_layers=6,12,24 gpt2.yaml",
        "--over context_length=32 64 128 --over n_decoder_layers=6 12 24 -- gpt2",
        "gpt2 --convention paper --algo bp --over context_length=32,64:128:x2, n_decoder_layers=6:12:6,24",
    ],
)
def test_axes_in_every_spelling(args: str, tcost: Tcost) -> None:
    """Spaces, commas, ranges and repetition, before or after the spec, mean the same rows."""
    status, out, err = tcost("sweep", "--format", "csv", *args.split())
    assert (status, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    measures = ("macc", "flop", "parameters", "stored_activations_bytes")
    columns = tuple(rows[0])
    assert columns[:3] == ("spec", "algo", "convention")
    assert columns[columns.index("errata") + 1 :] == ("context_length", "n_decoder_layers", *measures)
    points = [(context, layers) for context in (32, 64, 128) for layers in (6, 12, 24)]
    assert [(int(row["context_length"]), int(row["n_decoder_layers"])) for row in rows] == points
    for row, (context, layers) in zip(rows, points, strict=True):
        varied = with_values(load_spec("gpt2"), {"n_decoder_layers": layers})
        result = evaluate(varied, "bp", row["convention"], context=context)
        totals, stored = result.totals, result.memory.of("stored_activations").bytes
        expected = (totals.macc, totals.flop, totals.parameters, stored)
        assert [row[name] for name in measures] == [str(number) for number in expected]


def test_a_file_with_the_name_of_a_value_is_no_spec(
    tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can be a value, a convention or a measure is one, whatever files there are."""
    monkeypatch.chdir(tmp_path)
    for name in ("2", "paper", "flop", "n_heads=4"):
        (tmp_path / name).write_text("")
    args = "--over batch=1 2 n_heads=4 --conventions exact paper --measures macc flop gpt2 --format jsonl"
    status, out, err = tcost("sweep", *args.split())
    assert (status, err) == (0, "")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["convention"], row["batch"]) for row in rows] == [
        *(("exact", 1), ("exact", 2), ("paper", 1), ("paper", 2))
    ]
    names = list(rows[0])
    assert names[names.index("errata") + 1 :] == ["batch", "n_heads", "macc", "flop"]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "md", "txt", "parquet"])
def test_the_ending_says_the_format(ending: str, tcost: Tcost, tmp_path: Path) -> None:
    """--output x.csv is CSV; files hold what standard output would be, and nothing is printed."""
    names = {"md": "markdown", "txt": "table"}
    path = tmp_path / f"x.{ending}"
    assert tcost("sweep", "gpt2", *GRID, "-o", path) == (0, "", "")
    if ending == "parquet":
        (count,) = duckdb.connect().read_parquet(f"{path}/*.parquet").aggregate("count(*)").fetchall()
        assert count == (9,)
    else:
        asked = tcost("sweep", "gpt2", *GRID, "--format", names.get(ending, ending))
        assert path.read_text() == asked.out
    assert list(tmp_path.iterdir()) == [path]


def test_options_of_a_step(tcost: Tcost) -> None:
    """Options are those of compute; `recompute` goes to the rules that run a backward."""
    own = ("--optimizer", "adam", "--causal", "half", "--attention", "flash", "--recompute", "block", "--batch", "3")
    args = ("--over", "context_length=64", "--algos", "bp", "pepita", "--convention", "exact", "--measures", "flop")
    rows = [json.loads(line) for line in tcost("sweep", "gpt2", *args, *own, "--format", "jsonl").out.splitlines()]
    step = tcost(
        *("compute", "gpt2", "--algos", "bp", "pepita", "--convention", "exact", "--context", "64"),
        *own,
        "--format",
        "json",
    )
    assert [row["flop"] for row in rows] == [each["totals"]["flop"] for each in json.loads(step.out)["results"]]


@pytest.mark.parametrize("algos", [("bp",), ("bp", "pepita", "mempepita")])
@pytest.mark.parametrize("conventions", [("paper",), ("paper", "exact")])
@pytest.mark.parametrize("format_", ["table", "markdown"])
def test_tables(algos: tuple[str, ...], conventions: tuple[str, ...], format_: str, tcost: Tcost) -> None:
    """A table has every number of the CSV, what all rows share, and what is not counted, within 100 columns."""
    args = ("sweep", "alexatm-20b", *GRID, "--algos", *algos, "--conventions", *conventions, "--batch", "7")
    out = tcost(*args, "--integers", "--format", format_).out
    for row in csv.DictReader(io.StringIO(tcost(*args, "--format", "csv").out)):
        assert all(f"{int(row[name]):,}" in out for name in ("macc", "flop", "parameters", "stored_activations_bytes"))
    assert "7 sequences per step" in out
    assert "encoder context 100" in out
    assert all(name in out.partition("MACCs")[0] for name in conventions)
    for name in conventions:
        first = load_spec("alexatm-20b")
        for what in evaluate(first, convention=name).not_counted:
            assert what.split()[0] in out
    assert "erratum: cross-attention: published as" in out
    if format_ == "table":
        assert max(map(len, tcost(*args).out.splitlines())) <= 100
    assert "\x1b" not in out


def test_help(tcost: Tcost) -> None:
    """The help has every option and an example, which runs."""
    outcome = tcost("sweep", "--help")
    assert (outcome.status, outcome.err) == (0, "")
    assert all(f"--{name}" in outcome.out for name in ("over", "conventions", "measures", "shard", "scheduler"))
    (example,) = re.findall(r"Example: tcost (.*(?:\n +.*)?)", outcome.out)
    assert tcost(*example.split()).status == 0


def test_a_table_for_people(tcost: Tcost) -> None:
    """SI units and binary bytes; what is as in the line before is left out; numbers stand below each other."""
    out = tcost("sweep", "gpt2", "--over", "batch=8,16", "context_length=64:128:x2", "--algos", "bp", "pepita").out
    lines = [line.split() for line in out.splitlines() if re.search(r"\b(bp|pepita) +[0-9]", line)]
    assert [line[:-8] for line in lines] == [
        ["8", "64", "bp"],
        ["pepita"],
        ["128", "bp"],
        ["pepita"],
        ["16", "64", "bp"],
        ["pepita"],
        ["128", "bp"],
        ["pepita"],
    ]
    result = evaluate(load_spec("gpt2"), batch=8, context=64)
    assert lines[0][3:5] == [f"{result.totals.macc / 10**9:.1f}", "G"]
    assert lines[0][9:] == [f"{result.memory.of('stored_activations').bytes / 2**20:.1f}", "MiB"]
    assert "sequences per step" not in out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("sweep gpt2", "Missing option '--over'"),
        ("sweep gpt2 --over 32,64", "'32,64' is no axis\n       expected a list"),
        ("sweep gpt2 --over n_layers=3", "unknown size to vary 'n_layers'"),
        ("sweep gpt2 --over batch=1:2 --measures flops", "unknown measure 'flops'; did you mean 'flop'?\n       known"),
        ("sweep gpt2 --over batch=1:2 --conventions papr", "unknown convention 'papr'; did you mean 'paper'?"),
        ("sweep gpt2 --over batch=1:2 --algos pepitta", "'pepitta' is neither a learning rule nor a spec"),
        ("sweep gpt2 --over batch=1:2 --batch 3", "batch is an axis of the sweep and an option, too"),
        ("sweep gpt2 --over batch=1:2 --shard 3/2", "'3/2' is no shard\n       expected 1/4"),
        ("sweep gpt2 --over batch=1:2 --shard 1/2", "a table has all rows, not those of a shard\n       choose"),
        (
            "sweep gpt2 --over batch=1:1001",
            "1,001 rows are too many for a table, which has at most 1,000\n       choose",
        ),
        ("sweep gpt2 --over batch=1:2 --format parquet", "parquet is written to a folder\n       give one"),
        ("sweep gpt2 --over batch=1:2 --distributed -o x.csv", "workers write parquet\n       give a folder"),
        ("sweep gpt2 --over batch=1:2 --workers 2 -o x.parquet", "--workers is the number of processes of --distrib"),
        ("sweep gpt2 --over batch=1:2 --workers 0", "Invalid value for '--workers'"),
        ("sweep gpt2 --over batch=1:2 --chunk-rows 0", "a chunk has 1 to 1,000,000 rows"),
        ("sweep gpt2 --over batch=1:2 --format xml", "'xml' is not one of 'table', 'markdown', 'csv', 'jsonl'"),
        ("sweep gpt2 --over batch=1:2 -o /no/such/x.csv", "cannot write /no/such/x.csv: No such file or directory"),
        ("sweep gpt2 --over batch=1:2 -o /no/such/x.parquet", "cannot write /no/such/x.parquet: No such file"),
    ],
)
def test_bad_usage(args: str, message: str, tcost: Tcost) -> None:
    """Bad input is two lines on standard error, says what would be right, and exits with status 2."""
    outcome = tcost(*args.split())
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err
    assert len(outcome.err.splitlines()) <= 2


@pytest.mark.parametrize(
    ("library", "args", "message"),
    [
        ("numpy", "", "sweeps and break-even points need NumPy and SymPy\n       pip install 'tcost[sweep]'"),
        ("sympy", "", "sweeps and break-even points need NumPy and SymPy\n       pip install 'tcost[sweep]'"),
        ("pyarrow", "-o x.parquet", "parquet needs PyArrow\n       pip install 'tcost[parquet]'"),
        ("distributed", "-o x.parquet --distributed", "needs Dask\n       pip install 'tcost[distributed]'"),
    ],
)
def test_a_library_that_is_missing(library: str, args: str, message: str, tmp_path: Path) -> None:
    """An extra that is not installed is an error that names the command that installs it."""
    code = f"import sys; sys.modules['{library}'] = None; from tcost.__main__ import run; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "sweep", "gpt2", "--over", "batch=1:2", *args.split()]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert message in outcome.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "status", "message"),
    [
        ("$TCOST sweep gpt2 --over batch=1:99 --format csv | { exec <&-; sleep 1; }", 141, ""),
        ("$TCOST sweep gpt2 --over batch=1:9999 --format jsonl --chunk-rows 9 | head -1 | grep -c macc", 141, ""),
        (
            "$TCOST sweep gpt2 --over batch=1:9 --format csv >/dev/full",
            74,
            "error: cannot write to standard output: No space left on device\n",
        ),
        (
            "$TCOST sweep gpt2 --over batch=1:9 --format csv -o /dev/full",
            74,
            "error: cannot write /dev/full: No space left on device\n",
        ),
        ("$TCOST sweep gpt2 --over batch=1:9 --format csv -o /dev/stdout | grep -q true,9,", 0, ""),
    ],
)
def test_streams_that_fail(line: str, status: int, message: str) -> None:
    """A reader that has gone is silent, and soon; output that is lost never is status 0."""
    outcome = shell(line)
    assert (outcome.returncode, outcome.stderr) == (status, message)


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """A real limit of the system: status 74, what to do, and the same command goes on once there is room."""
    command = f"$TCOST sweep gpt2 --over batch=1:99 --chunk-rows 10 -o {tmp_path}/x.csv"
    without_coverage = "unset COVERAGE_PROCESS_CONFIG COVERAGE_PROCESS_START"  # its own file would not fit, either
    outcome = shell(f"{without_coverage}; ulimit -f 3; {command}")
    assert outcome.returncode == 74
    goes_on = "what is written stays; the same command goes on from there"
    assert outcome.stderr == f"error: cannot write {tmp_path}/x.csv: File too large\n       {goes_on}\n"
    journal = json.loads((tmp_path / "x.csv.part.json").read_text())
    assert 0 < journal["chunks"] < 10
    assert shell(command).returncode == 0
    whole = shell("$TCOST sweep gpt2 --over batch=1:99 --format csv").stdout
    assert (tmp_path / "x.csv").read_text() == whole


@pytest.mark.parametrize("name", ["x.csv", "grid.parquet"])
def test_ctrl_c(name: str, tmp_path: Path) -> None:
    """On a terminal there is a bar; Ctrl-C is status 130 and says how to go on, which then has every row."""
    args = [*COMMAND, "sweep", "gpt2", "--over", "batch=1:2000", "--chunk-rows", "1", "-o", name]
    main, terminal = pty.openpty()
    with subprocess.Popen(args, stderr=terminal, cwd=tmp_path) as process:
        os.close(terminal)
        seen = b""
        while not re.search(rb"[1-9][0-9]*/2,?000", seen):
            seen += os.read(main, 4096)
        process.send_signal(signal.SIGINT)
        try:
            while chunk := os.read(main, 4096):
                seen += chunk
        except OSError:  # how a terminal says that nobody writes to it any more
            pass
        os.close(main)
    assert process.returncode == 130
    assert f"error: interrupted before {name} was complete\r\n       the same command goes on".encode() in seen
    left = tmp_path / ("x.csv.part.json" if name == "x.csv" else name)
    assert left.exists()
    outcome = subprocess.run(args, capture_output=True, check=False, cwd=tmp_path)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, b"", b"")
    kind = duckdb.connect()
    rows = kind.read_csv(str(tmp_path / name)) if name == "x.csv" else kind.read_parquet(f"{tmp_path}/{name}/*.parquet")
    assert rows.aggregate("count(*), count(DISTINCT batch), max(batch)").fetchall() == [(2000, 2000, 2000)]


def test_pieces_replace_a_file_in_one_step(tmp_path: Path) -> None:
    """Pieces of which one cannot be made leave the old file."""
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        write_pieces((str(1 / n) for n in (1, 0)), str(path))
    assert path.read_text() == "old"
    write_pieces(iter(["new", "er"]), str(path))
    assert path.read_text() == "newer"
    assert list(tmp_path.iterdir()) == [path]


def test_the_queries_of_the_docs_run(tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of the docs are commands, and each query answers what it says, on a small folder."""
    monkeypatch.chdir(tmp_path)
    (command,) = re.findall(r"^tcost (sweep .* --output grid)$", DOCS, flags=re.MULTILINE)
    assert tcost(*command.split()).status == 0
    assert len(list((tmp_path / "grid").iterdir())) == 3
    connection = duckdb.connect()
    largest, cheaper = (connection.sql(query).fetchall() for query in re.findall(r"```sql\n(.*?)```", DOCS, re.DOTALL))
    points = list(product((256, 512, 768, 1024), (1, 2, 4, 8)))
    gpt2, results = load_spec("gpt2"), {}
    for algo, (context, batch) in product(("bp", "pepita"), points):
        results[algo, context, batch] = evaluate(gpt2, algo, "paper", context=context, batch=batch)
    stored = {key: result.memory.of("stored_activations").bytes for key, result in results.items()}
    fitting = [key for key, held in stored.items() if held <= 4 * 2**30]
    assert largest == sorted({(a, c, max(b for x, y, b in fitting if (x, y) == (a, c))) for a, c, _ in fitting})
    flops = {point: [results[algo, *point].totals.flop for algo in ("bp", "pepita")] for point in points}
    expected = {point: after - before for point, (before, after) in flops.items() if after < before}
    assert {(context, batch): int(difference) for context, batch, difference, _ in cheaper} == expected
    assert expected
