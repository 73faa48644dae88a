"""Writing sweeps: exact rows in every format, and files that survive whatever happens to the process."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet as pq

from tcost import evaluate, load_spec
from tcost.errors import InputError
from tcost.output import OutputError
from tcost.spec import with_values
from tcost.sweep import MEASURES, Integers, Sweep, parse_axis
from tcost.sweep.lines import BLOCK_ROWS
from tcost.sweep.parquet import LARGEST, decimals, write_parquet
from tcost.sweep.pricing import Part
from tcost.sweep.shards import Shard, parse_shard
from tcost.sweep.writing import write_lines

OVER = ("context_length=32:512:x2", "n_decoder_layers=1,6,12", "batch=1:4:3")
TEXT = ("csv", "jsonl")


def sweep(chunk_rows: int = 7, over: tuple[str, ...] = OVER, **own: Any) -> Sweep:
    """Return a sweep of GPT-2 in many small chunks."""
    settings: dict[str, Any] = {"algos": ("bp", "mempepita"), "conventions": ("exact", "paper"), **own}
    return Sweep(spec=load_spec("gpt2"), axes=tuple(map(parse_axis, over)), chunk_rows=chunk_rows, **settings)


def oracle(of: Sweep) -> list[dict[str, Any]]:
    """Return the rows as `evaluate` gives them, one by one, in nested loops."""
    rows = []
    names = [axis.name for axis in of.axes]
    grid = product(*(axis.values for axis in of.axes))
    for convention, algo, point in product(of.conventions, of.algos, grid):
        values = dict(zip(names, point, strict=True))
        spec = with_values(of.spec, {n: value for n, value in values.items() if n not in ("batch", "context_length")})
        result = evaluate(spec, algo, convention, context=values.get("context_length"), batch=values.get("batch", 1))
        words = {"spec": of.spec.name, "algo": algo, "convention": convention}
        rows.append(words | values | {name: MEASURES[name](result) for name in of.measures})
    return rows


def read(path: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of a text file, numbers as integers."""
    text = path.read_bytes().decode()
    assert "\r" not in text
    if name == "jsonl":
        return [varied(json.loads(line)) for line in text.splitlines()]
    return [varied(row) for row in csv.DictReader(io.StringIO(text))]


def varied(row: dict[str, Any]) -> dict[str, Any]:
    """Return what varies in a row, numbers as integers; the settings that all rows share stand up to `errata`."""
    names = list(row)
    words = {name: row[name] for name in ("spec", "algo", "convention")}
    return words | {name: int(row[name]) for name in names[names.index("errata") + 1 :]}


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of a folder as DuckDB reads them, in the order of its files."""
    files = duckdb.connect().read_parquet(f"{folder}/*.parquet", filename=True, file_row_number=True)
    found = files.order("filename, file_row_number").select("* EXCLUDE (filename, file_row_number)")
    return [varied(dict(zip(found.columns, row, strict=True))) for row in found.fetchall()]


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("chunk_rows", [1, 7, 1000])
def test_text_has_the_rows_of_evaluate(name: str, chunk_rows: int, tmp_path: Path) -> None:
    """Every row is there once, in order, and exact, whatever the chunks; nothing else is left in the folder."""
    of, path = sweep(chunk_rows), tmp_path / f"rows.{name}"
    done: list[int] = []
    write_lines(of, str(path), name, advance=done.append)
    assert read(path, name) == oracle(of)
    assert sum(done) == of.rows
    assert list(tmp_path.iterdir()) == [path]


def test_blocks_and_numbers_of_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines do not depend on how numbers are held nor on the blocks that become text, and `%` is text."""
    rows = 2 * BLOCK_ROWS + 5
    values = [2**64 * (i % 3) + i for i in range(rows)]
    columns = {
        "macc": Integers(np.array([i % 2**64 for i in values], np.uint64), np.array([i >> 64 for i in values])),
        "flop": Integers(np.array([10**40 + i for i in values], object)),
        "parameters": Integers(np.arange(rows)),
    }
    of = Sweep(
        spec=load_spec("gpt2").model_copy(update={"name": '100%d, "so"'}),
        axes=(parse_axis(f"batch=1:{rows}"),),
        measures=tuple(columns),
    )
    monkeypatch.setattr(
        "tcost.sweep.writing.price", lambda _, chunk: Part(chunk, {"batch": np.arange(1, rows + 1)}, columns)
    )
    expected = [
        {"spec": '100%d, "so"', "algo": "bp", "convention": "exact", "batch": i + 1}
        | {"macc": value, "flop": 10**40 + value, "parameters": i}
        for i, value in enumerate(values)
    ]
    for name in TEXT:
        write_lines(of, str(tmp_path / name), name)
        assert read(tmp_path / name, name) == expected


def test_parquet_has_the_rows_of_evaluate(tmp_path: Path) -> None:
    """DuckDB and pyarrow read every row once, exactly; the summary says what it is."""
    of = sweep()
    write_parquet(of, str(tmp_path / "grid"))
    assert rows_of(tmp_path / "grid") == oracle(of)
    assert len(list((tmp_path / "grid").glob("part-*.parquet"))) == of.chunks
    table = pq.read_table(tmp_path / "grid" / "part-00000001.parquet")
    assert table.column_names == list(of.columns)
    assert [str(table.schema.field(name).type) for name in ("spec", "batch", "macc")] == [
        *("dictionary<values=string, indices=int32, ordered=0>", "int64", "decimal128(38, 0)")
    ]
    summary = json.loads((tmp_path / "grid" / "sweep.json").read_text())
    assert (summary["rows"], summary["chunks"], summary["columns"]) == (of.rows, of.chunks, list(of.columns))
    assert summary["not_counted"]["exact"] == list(evaluate(of.spec, convention="exact").not_counted)


def test_decimals_of_a_sweep_beyond_64_bits(tmp_path: Path) -> None:
    """FLOPs of more than 2^64, which int64 would wrap and float64 round, come out of Parquet as they are."""
    of = sweep(1000, ("context_length=1000001:1000003", "n_decoder_layers=100_001,999_999"), conventions=("exact",))
    write_parquet(of, str(tmp_path))
    found = rows_of(tmp_path)
    assert found == oracle(of)
    assert max(row["flop"] for row in found) > 2**64
    assert any(int(float(row["flop"])) != row["flop"] for row in found)


@given(st.lists(st.integers(0, LARGEST) | st.integers(0, 2**64) | st.integers(0, 2**63 - 1), max_size=9))
def test_decimals(values: list[int]) -> None:
    """All three ways in which a sweep holds integers become the same decimals."""
    ways = [
        Integers(np.array(values, object)),
        Integers(np.array([i % 2**64 for i in values], np.uint64), np.array([i >> 64 for i in values], np.int64)),
    ]
    if max(values, default=0) < 2**63:
        ways.append(Integers(np.array(values, np.int64)))
    for way in ways:
        assert [int(value) for value in decimals(way, "macc").to_pylist()] == values
        decimals(way, "macc").validate(full=True)


@pytest.mark.parametrize("value", [LARGEST + 1, 10**40, 2**126 + 2**125])
def test_what_decimals_cannot_hold(value: int) -> None:
    """A number beyond 10^38 - 1 is an error that names the way out, never another number."""
    ways = [Integers(np.array([1, value], object))]
    if value < 2**127:
        ways.append(Integers(np.array([1, value % 2**64], np.uint64), np.array([0, value >> 64], np.int64)))
    for way in ways:
        with pytest.raises(InputError, match=r"flop is more than 10\^38 - 1.*\nwrite csv or jsonl"):
            decimals(way, "flop")
    assert isinstance(decimals(Integers(np.array([LARGEST], object)), "flop"), pa.Decimal128Array)


@pytest.mark.parametrize("shards", [1, 2, 3, 60])
def test_shards_have_every_row_once(shards: int, tmp_path: Path) -> None:
    """Together, shards have the rows of the whole, in text and in one folder, even where some have none."""
    of = sweep()
    expected = oracle(of)
    seen = []
    for number in range(1, shards + 1):
        shard = parse_shard(f"{number}/{shards}")
        write_lines(of, str(tmp_path / "x.csv"), "csv", shard)
        part = read(tmp_path / "x.csv", "csv")
        assert len(part) == shard.rows(of)
        seen += part
        write_parquet(of, str(tmp_path / "grid"), shard)
    assert sorted(map(str, seen)) == sorted(map(str, expected))
    assert rows_of(tmp_path / "grid") == expected


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "1/0", "a/b", "-1/4", "1/4/2", ""])
def test_what_is_no_shard(text: str) -> None:
    """A shard is from 1 to their number."""
    with pytest.raises(InputError, match="is no shard\nexpected 1/4, 2/4, 3/4 or 4/4"):
        parse_shard(text)


CRASHES = """
import os, signal, sys
from pathlib import Path
from tcost.sweep import pricing, writing
from test_sweep_writing import sweep, write_lines

of, whole = sweep(13, ("context_length=32:256:x2",)), Path("whole.csv")
parts = [pricing.price(of, of.chunk(number)) for number in range(of.chunks)]
writing.price = lambda sweep, chunk: parts[chunk.number]  # what is priced matters less here than how often
write_lines(of, str(whole), "csv")
expected, files = whole.read_bytes(), {"rooms.csv", "whole.csv"}
NEVER = -1
ROOMS = ("sweep/resuming.py", "sweep/writing.py", "tcost/output.py")

def child(deadline):
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    lines = 0
    def tracer(frame, event, _):
        nonlocal lines
        if not frame.f_code.co_filename.endswith(ROOMS):
            return None
        lines += event == "line"
        if lines == deadline:
            os.kill(os.getpid(), signal.SIGKILL)
        return tracer
    sys.settrace(tracer)
    write_lines(of, "rooms.csv", "csv")
    os._exit(0)

deadline, status = 0, -signal.SIGKILL
while status:
    deadline += 1
    status = child(deadline)
    assert status in (0, -signal.SIGKILL), status
    if deadline % 2:  # and killed once more, a little later
        child(deadline // 3 + 1)
    assert child(NEVER) == 0, deadline
    assert Path("rooms.csv").read_bytes() == expected, deadline
    assert {path.name for path in Path().iterdir()} == files, deadline
    Path("rooms.csv").unlink()
print(deadline)
"""


def test_killed_at_every_line(tmp_path: Path) -> None:
    """Killed (kill -9) at any line of what writes, and perhaps once more, the next run ends with the same bytes."""
    outcome = subprocess.run(
        [sys.executable, "-c", CRASHES], cwd=tmp_path, capture_output=True, text=True, check=False, env=environment()
    )
    assert outcome.stderr == ""
    assert int(outcome.stdout) > 100


def environment() -> dict[str, str]:
    """Return an environment in which another process finds tcost and the tests."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])}


SLOW = """
import sys
from test_sweep_writing import sweep, write_lines, write_parquet
write = write_parquet if sys.argv[1] == "parquet" else lambda *args, **own: write_lines(*args[:2], sys.argv[1], **own)
write(sweep(2), sys.argv[2], advance=lambda rows: print(rows, flush=True) if rows else None)
"""


def killed(name: str, path: Path, after: int, how: signal.Signals) -> int:
    """Write in another process, end it after some chunks, and return its status."""
    command = [sys.executable, "-c", SLOW, name, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()) as process:
        assert process.stdout
        for _ in range(after):
            assert process.stdout.readline()
        process.send_signal(how)
        return process.wait()


@pytest.mark.parametrize("name", TEXT)
def test_killed_from_outside(name: str, tmp_path: Path) -> None:
    """Killed twice, somewhere in the middle, a file goes on where it was, and no chunk is priced twice."""
    of, path, done = sweep(2), tmp_path / "x", list[int]()
    write_lines(of, str(tmp_path / "whole"), name)
    for after in (1, 9):
        assert killed(name, path, after, signal.SIGKILL) == -signal.SIGKILL
        assert not path.exists()
    journal = json.loads((tmp_path / "x.part.json").read_text())
    assert 9 <= journal["chunks"] < of.chunks
    write_lines(of, str(path), name, advance=done.append)
    assert done == [2 * journal["chunks"], *[2] * (of.chunks - journal["chunks"])]
    assert path.read_bytes() == (tmp_path / "whole").read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["whole", "x"]


def test_parquet_killed_from_outside(tmp_path: Path) -> None:
    """Files of chunks that are there stay as they are, and what was half written is removed."""
    of = sweep(2)
    assert killed("parquet", tmp_path, 5, signal.SIGKILL) == -signal.SIGKILL
    before = {path: path.stat().st_ino for path in tmp_path.glob("part-*.parquet")}
    assert 5 <= len(before) < of.chunks
    (tmp_path / ".part-00000003.parquet.0a0b.tmp").write_bytes(b"half of a fi")
    (tmp_path / ".part-99999999.parquet.0a0b.tmp").write_bytes(b"of a chunk that somebody else writes")
    write_parquet(of, str(tmp_path))
    assert {path: path.stat().st_ino for path in before} == before
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == [".part-99999999.parquet.0a0b.tmp"]
    assert rows_of(tmp_path) == oracle(of)


@pytest.mark.parametrize(
    "other", [lambda: sweep(8), lambda: sweep(over=("batch=1:30",)), lambda: sweep(measures=("macc",))]
)
def test_what_another_sweep_left(other: Callable[[], Sweep], tmp_path: Path) -> None:
    """What was begun with other rows or other chunks is never gone on with, nor touched."""
    path = tmp_path / "x.csv"
    killed("csv", path, 3, signal.SIGKILL)
    left = {each: each.read_bytes() for each in tmp_path.iterdir()}
    for of, name, shard in (
        (other(), "csv", Shard()),
        (sweep(2), "jsonl", Shard()),
        (sweep(2), "csv", Shard(1, 2)),
    ):
        with pytest.raises(InputError, match=r"x.csv.part is of another sweep.*\nremove it to begin again, or write"):
            write_lines(of, str(path), name, shard)
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == left
    write_parquet(sweep(2), str(tmp_path / "grid"))
    with pytest.raises(InputError, match=r"grid holds another sweep.*\nremove it to begin again, or write"):
        write_parquet(other(), str(tmp_path / "grid"))


def test_folders_and_files_of_something_else(tmp_path: Path) -> None:
    """A file beside the output that is no sweep's, and a folder that holds something, are left alone."""
    (tmp_path / "x.csv.part").write_text("mine")
    with pytest.raises(InputError, match="is of another sweep"):
        write_lines(sweep(), str(tmp_path / "x.csv"), "csv")
    assert (tmp_path / "x.csv.part").read_text() == "mine"
    for path, message in ((tmp_path, "is not empty and holds no sweep"), (tmp_path / "x.csv.part", "File exists")):
        with pytest.raises(InputError, match=message):
            write_parquet(sweep(), str(path))
    with pytest.raises(InputError, match="No such file or directory"):
        write_parquet(sweep(), str(tmp_path / "no" / "folder"))
    with pytest.raises(InputError, match="No such file or directory\nexpected a file in a folder that exists"):
        write_lines(sweep(), str(tmp_path / "no" / "x.csv"), "csv")
    with pytest.raises(InputError, match="it is a directory"):
        write_lines(sweep(), str(tmp_path), "csv")


NO_JOURNAL = [
    "[" * 100_000,
    '{"content": ' * 100_000,
    "[1, 2]",
    "9" * 5000,
    "null",
    "",
]

UNFIT: list[dict[str, Any]] = [
    *({"chunks": chunks} for chunks in (1.0, "3", True, None, [3], {"a": 3}, -1, 2, 4, 10**9, 10**400)),
    *({"bytes": whole} for whole in (1.0, "3", True, None, -1, 0, 10**9, 10**400)),
    {"chunks": 0, "bytes": 7},
]


@pytest.mark.parametrize("name", TEXT)
def test_a_journal_that_does_not_fit(name: str, tmp_path: Path) -> None:
    """A journal that is none, or that says another number of chunks or bytes than there are, is refused, in 2 lines."""
    path, journal = tmp_path / "x", tmp_path / "x.part.json"
    killed(name, path, 3, signal.SIGKILL)
    written = json.loads(journal.read_text())
    texts = [*NO_JOURNAL, *(json.dumps({**written, **each}) for each in UNFIT if {**written, **each} != written)]
    texts.append(json.dumps({**written, "bytes": written["bytes"] - 1}))
    left = (tmp_path / "x.part").read_bytes()
    for text in texts:
        journal.write_text(text)
        with pytest.raises(InputError, match=r"x.part.*\nremove (it|both) to begin again") as error:
            write_lines(sweep(2), str(path), name)
        assert str(error.value).count("\n") == 1
        assert (tmp_path / "x.part").read_bytes() == left
    journal.write_text(json.dumps(written))
    os.truncate(tmp_path / "x.part", 10)
    with pytest.raises(InputError, match="does not fit"):
        write_lines(sweep(2), str(path), name)
    os.truncate(tmp_path / "x.part", 0)
    write_lines(sweep(2), str(path), name)
    assert read(path, name) == oracle(sweep(2))


def test_two_processes_cannot_write_one_file(tmp_path: Path) -> None:
    """The second is told, and the first is not disturbed."""
    of, path = sweep(2), tmp_path / "x.csv"
    refused: list[str] = []

    def second(_rows: int) -> None:
        with pytest.raises(InputError, match="another process is writing") as error:
            write_lines(of, str(path), "csv")
        refused.append(str(error.value))

    write_lines(of, str(path), "csv", advance=second)
    assert len(refused) == of.chunks + 1
    assert read(path, "csv") == oracle(of)


def test_two_processes_cannot_write_one_folder(tmp_path: Path) -> None:
    """The second is told where it would write the same chunks, whatever its shard is; one with others goes on."""
    of, path = sweep(2), str(tmp_path)
    refused: list[str] = []

    def second(_rows: int) -> None:
        for shard in (Shard(), Shard(1, 2), Shard(3, 4), Shard(1, 3)):
            with pytest.raises(InputError, match="another process is writing") as error:
                write_parquet(of, path, shard)
            refused.append(str(error.value))
        if len(refused) == 4:
            write_parquet(of, path, Shard(2, 4))

    write_parquet(of, path, Shard(1, 2), advance=second)
    write_parquet(of, path, Shard(4, 4))
    assert {*refused} == {f"another process is writing {path}\nwait for it, or write to another folder"}
    assert rows_of(tmp_path) == oracle(of)
    assert not [each.name for each in tmp_path.iterdir() if each.name.startswith(".")]


def test_shards_that_overlap() -> None:
    """Two shards overlap where a sweep that is long enough has a chunk of both."""
    numbers = range(1, 7)
    shards = [Shard(number, of) for of in numbers for number in range(1, of + 1)]
    chunks = {shard: {*range(shard.number - 1, 60, shard.of)} for shard in shards}
    assert all(one.overlaps(two) == bool(chunks[one] & chunks[two]) for one in shards for two in shards)


def test_locks_that_come_too_late_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that another process renames before it is locked is not written; where there are no locks, it is."""
    of, path, part = sweep(), tmp_path / "x.csv", tmp_path / "x.csv.part"
    with monkeypatch.context() as patch:
        patch.setattr("fcntl.flock", lambda *_: part.rename(path))
        with pytest.raises(InputError, match=r"another process is writing .*x.csv.part\nwait for it, or write"):
            write_lines(of, str(path), "csv")
    assert path.read_bytes() == b""

    def unknown(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", unknown)
    write_lines(of, str(path), "csv")
    assert read(path, "csv") == oracle(of)


def test_a_summary_that_cannot_be_read(tmp_path: Path) -> None:
    """A folder whose summary is broken is not gone on with."""
    write_parquet(sweep(), str(tmp_path))
    for broken in ("", "[]", "{}", "[" * 100_000, "9" * 5000):
        (tmp_path / "sweep.json").write_text(broken)
        with pytest.raises(InputError, match="holds another sweep"):
            write_parquet(sweep(), str(tmp_path))


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is an error; the old file and what is whole stay, and there is the way on."""
    of, path, calls = sweep(2), tmp_path / "x.csv", list[int]()
    path.write_text("old")
    path.chmod(0o640)
    real = os.fsync

    def fail(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 20:
            raise OSError(28, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OutputError, match=r"No space left on device\nwhat is written stays; the same command"):
            write_lines(of, str(path), "csv")
        calls.clear()
        with pytest.raises(OutputError, match=r"No space left on device\nwhat is written stays; the same command"):
            write_parquet(of, str(tmp_path / "grid"))
    assert path.read_text() == "old"
    write_lines(of, str(path), "csv")
    assert read(path, "csv") == oracle(of)
    assert path.stat().st_mode & 0o777 == 0o640
    write_parquet(of, str(tmp_path / "grid"))
    assert rows_of(tmp_path / "grid") == oracle(of)


def test_an_error_before_the_first_chunk_leaves_nothing(tmp_path: Path) -> None:
    """A value that the model cannot have leaves no file to go on with."""
    with pytest.raises(InputError, match="n_heads"):
        write_lines(sweep(over=("n_heads=5,6",)), str(tmp_path / "x.csv"), "csv")
    assert list(tmp_path.iterdir()) == []


def test_links_and_devices(tmp_path: Path) -> None:
    """A link stays a link to what it names; a pipe gets the rows directly."""
    of, link, pipe = sweep(), tmp_path / "link.csv", tmp_path / "pipe"
    link.symlink_to(tmp_path / "real.csv")
    write_lines(of, str(link), "csv")
    assert link.is_symlink()
    assert read(tmp_path / "real.csv", "csv") == oracle(of)
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:  # noqa: S607  # cat is on the path
        write_lines(of, str(pipe), "csv")
        assert reader.communicate()[0] == link.read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link.csv", "pipe", "real.csv"]
