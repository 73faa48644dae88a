"""Sweeps over Dask: the rows of one process, whatever the workers and whatever happens to them."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import psutil
import pytest
from distributed import LocalCluster
from test_sweep_writing import environment, oracle, rows_of, sweep

from tcost.errors import InputError
from tcost.output import OutputError
from tcost.sweep import distributed
from tcost.sweep.distributed import write_distributed
from tcost.sweep.parquet import write_parquet
from tcost.sweep.shards import Shard


def processes() -> list[psutil.Process]:
    """Return the processes that Dask started for this one and that are alive."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.NoSuchProcess:
            pass
    return found


@pytest.fixture(autouse=True)
def _leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test ends without processes and files of Dask."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setitem(dask.config.config, "temporary-directory", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    yield
    assert processes() == []
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_rows_do_not_depend_on_workers(workers: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Files are byte for byte those of one process, and nothing goes to the terminal."""
    of, done = sweep(), list[int]()
    write_parquet(of, str(tmp_path / "serial"))
    write_distributed(of, str(tmp_path / "grid"), advance=done.append, workers=workers)
    assert rows_of(tmp_path / "grid") == oracle(of)
    assert files(tmp_path / "grid") == files(tmp_path / "serial")
    assert sum(done) == of.rows
    assert capfd.readouterr() == ("", "")


def running() -> Any:
    """Return a cluster that somebody else has started."""
    return LocalCluster(n_workers=1, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address="127.0.0.1:0")


def files(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_is_killed_loses_nothing(
    workers: int, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After kill -9 of a worker, even the only one, every row is there once, with few tasks at a time, too."""
    monkeypatch.setattr(distributed, "WINDOW", 3)
    of, killed = sweep(2), list[int]()

    def kill(_rows: int) -> None:
        if not killed:
            victim = processes()[0]
            killed.append(victim.pid)
            victim.send_signal(signal.SIGKILL)

    (tmp_path / "grid").mkdir()
    write_distributed(of, str(tmp_path / "grid"), advance=lambda rows: kill(rows) if rows else None, workers=workers)
    assert killed
    assert rows_of(tmp_path / "grid") == oracle(of)
    assert not list((tmp_path / "grid").glob(".*"))
    assert capfd.readouterr() == ("", "")


def test_shards_of_a_running_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that is there does one shard after the other, and lives on; what is done is not done again."""
    of = sweep()
    with running() as there:
        for number in (1, 2, 3):
            write_distributed(of, str(tmp_path / "grid"), Shard(number, 3), scheduler=there.scheduler_address)
        assert there.status.name == "running"
    assert rows_of(tmp_path / "grid") == oracle(of)
    before = {path: path.stat().st_ino for path in (tmp_path / "grid").iterdir()}
    write_distributed(of, str(tmp_path / "grid"), scheduler="tcp://nobody.invalid:1")  # with nothing left to do
    assert {path: path.stat().st_ino for path in (tmp_path / "grid").iterdir()} == before
    monkeypatch.setattr(distributed, "PATIENCE", 0.2)
    for address in ("tcp://127.0.0.1:1", "nonsense", ":", "zzz://q"):
        with pytest.raises(InputError, match=f"no Dask scheduler answers at {address}\nexpected its address"):
            write_distributed(of, str(tmp_path / "other"), scheduler=address)


def test_errors_of_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in a task is that of the command: values that a model cannot have, another tcost, another disk."""
    with running() as there:
        at = there.scheduler_address
        with pytest.raises(InputError, match="n_heads"):
            write_distributed(sweep(over=("n_heads=5,6",)), str(tmp_path / "heads"), scheduler=at)
        with monkeypatch.context() as patch:
            patch.setattr(distributed, "write_part", lambda *_: None)
            with pytest.raises(OutputError, match=r"chunks are not in .*\nevery worker must see the same folder"):
                write_distributed(sweep(), str(tmp_path / "elsewhere"), scheduler=at)


def test_a_chunk_that_kills_its_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk whose workers die more often than the scheduler allows is an error, and what is written stays."""
    monkeypatch.setitem(dask.config.get("distributed.scheduler"), "allowed-failures", 0)

    def kill(rows: int) -> None:
        if rows:
            processes()[0].kill()

    with pytest.raises(OutputError, match=r"a chunk killed its workers.*\nwhat is written stays; the same command"):
        write_distributed(sweep(2), str(tmp_path / "grid"), advance=kill, workers=1)
    write_parquet(sweep(2), str(tmp_path / "grid"))
    assert rows_of(tmp_path / "grid") == oracle(sweep(2))


def test_a_scheduler_that_is_gone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the cluster ends before the sweep does, that is an error, and what is written stays."""
    monkeypatch.setattr(distributed, "WINDOW", 2)
    with running() as there:
        with pytest.raises(OutputError, match=r"the Dask scheduler is gone\nwhat is written stays; the same command"):
            write_distributed(
                sweep(2),
                str(tmp_path / "grid"),
                advance=lambda rows: there.close() if rows else None,
                scheduler=there.scheduler_address,
            )
        assert capfd.readouterr() == ("", "")
    write_parquet(sweep(2), str(tmp_path / "grid"))
    assert rows_of(tmp_path / "grid") == oracle(sweep(2))


def test_another_tcost_on_a_worker() -> None:
    """A worker refuses a sweep of another version."""
    with pytest.raises(InputError, match=r"a worker has tcost 0.1.0, not 0.0.9\ninstall the same one everywhere"):
        distributed._checked(sweep(), "0.0.9")


def test_interrupted(tmp_path: Path) -> None:
    """Ctrl-C, which all processes of a terminal get, ends the workers, too, and says how to go on."""
    of = sweep(1)
    code = (
        "import sys, tcost.sweep.parquet as p, tcost.sweep.distributed as d\n"
        "from tcost.__main__ import run\n"
        "write = d.write_distributed\n"
        "def told(*args, advance=None, **own):\n"
        "    write(*args, advance=lambda rows: print(rows, flush=True), **own)\n"
        "d.write_distributed = lambda sweep, path, shard, advance, **own: told(sweep, path, shard, **own)\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    over = ["context_length=32:512:x2", "n_decoder_layers=1,6,12", "batch=1:4:3"]
    args = ["sweep", "gpt2", "--over", *over, "--algos", "bp", "mempepita", "--conventions", "exact", "paper"]
    args += ["--chunk-rows", "1", "--distributed", "--workers", "2", "--format", "parquet", "--output", "grid"]
    with subprocess.Popen(
        [sys.executable, "-c", code, *args],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment() | {"TMPDIR": str(tmp_path / "tmp")},
        start_new_session=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline()
        assert process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate()
    assert errors == (
        "error: interrupted before grid was complete\n       the same command goes on from what is written\n"
    )
    assert process.returncode == 130
    assert 0 < len(list((tmp_path / "grid").glob("*.parquet"))) < of.chunks
    assert psutil.wait_procs(members(process.pid), timeout=30)[1] == []


def members(group: int) -> list[psutil.Process]:
    """Return the processes of a group that are alive."""
    found = []
    for each in psutil.process_iter():
        try:
            if os.getpgid(each.pid) == group and each.status() != psutil.STATUS_ZOMBIE:
                found.append(each)
        except (ProcessLookupError, psutil.NoSuchProcess):
            pass
    return found
