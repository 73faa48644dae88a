"""Standard streams and descriptors: whatever becomes of them, the exit status is that of what happened."""

import errno
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Tcost

from tcost import __main__, output
from tcost.output import OutputError, descriptor_of

TCOST = f"{sys.executable} -m tcost"


def python(body: str, *args: str) -> str:
    """Return a line of bash that runs tcost after some lines of Python."""
    begin = "import sys, warnings, logging, tcost.cost\nfrom tcost.__main__ import main"
    return shlex.join([sys.executable, "-c", f"{begin}\n{body}\nmain()", *args])


def bash(line: str, stdout: int = subprocess.PIPE, stderr: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """Run a line of bash as a process of its own."""
    command = ["bash", "-c", f"{line}; exit $?"]  # a command behind it: bash stays another process
    return subprocess.run(command, stdout=stdout, stderr=stderr, text=True, check=False, timeout=60)


def nobody() -> int:
    """Return a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


FAIL = "def fail(*_, **__): raise {}\ntcost.cost.results_of = fail"

NOISY = """
def noisy(*args, real=tcost.cost.results_of, **options):
    print("odd", end="", file=sys.stderr)
    return real(*args, **options)
tcost.cost.results_of = noisy
"""

HAPPENS = {
    "done": (f"{TCOST} compute gpt2 >/dev/null", 0),
    "done with a warning": (python("warnings.warn('odd')", "compute", "gpt2") + " >/dev/null", 0),
    "done with a log": (python("logging.getLogger('x').warning('odd')", "compute", "gpt2") + " >/dev/null", 0),
    "done with half a line": (python(NOISY, "compute", "gpt2") + " >/dev/null", 0),
    "gate": (f"{TCOST} check gpt2 --max flop=1 >/dev/null", 1),
    "input": (f"{TCOST} compute nothing", 2),
    "usage": (f"{TCOST} compute gpt2 --nothing", 2),
    "bug": (python(FAIL.format("ZeroDivisionError"), "compute", "gpt2"), 70),
    "bug with its traceback": ("export TCOST_DEBUG=1; " + python(FAIL.format("ValueError"), "compute", "gpt2"), 70),
    "output": (f"{TCOST} compute gpt2 >/dev/full", 74),
    "help": (f"{TCOST} --help >/dev/full", 74),
    "version": (f"{TCOST} --version >/dev/full", 74),
    "completion": (f"{TCOST} --show-completion bash >/dev/full", 74),
    "interrupted": (python(FAIL.format("KeyboardInterrupt('go on')"), "compute", "gpt2"), 130),
}
"""What may happen, and the exit status that says so."""

LOST = ("2>/dev/full", "2>&-", "")
"""Ways in which standard error takes nothing; the last one is a pipe that nobody reads."""


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("what", HAPPENS)
def test_nobody_hears(what: str, how: str) -> None:
    """Where standard error cannot be written, the status stays that of what happened."""
    line, status = HAPPENS[what]
    assert bash(f"{{ {line}; }} {how}", stderr=nobody()).returncode == status


@pytest.mark.parametrize("what", HAPPENS)
def test_somebody_hears(what: str) -> None:
    """The same, where it can."""
    line, status = HAPPENS[what]
    outcome = bash(line)
    assert outcome.returncode == status
    assert bool(outcome.stderr) == (what != "done")


@pytest.mark.parametrize("args", ["", "--help", "compute -h", "--version", "--show-completion fish", "list specs"])
def test_pages_are_outputs(args: str, tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the parser answers itself goes the way of every output: to a full disk, a closed stream, no reader."""
    assert bash(f"{TCOST} {args} >/dev/full").returncode == 74
    assert bash(f"{TCOST} {args} >&-").returncode == 74
    gone = bash(f"{TCOST} {args}", stdout=nobody())
    assert (gone.returncode, gone.stderr) == (141, "")
    written: list[str | bytes] = []
    monkeypatch.setattr(output, "_write_standard_output", written.append)
    assert tcost(*args.split()) == (0, "", "")
    assert written


@pytest.mark.parametrize(
    ("line", "path"),
    [
        *(("compute gpt2", path) for path in ("/dev/fd/1", "/proc/self/fd/1", "/dev/../dev/fd/1", "link")),
        ("check gpt2 --max flop=9T --format junit", "/dev/stdout"),
        ("report gpt2", "/dev/stdout"),
        ("sweep gpt2 --over batch=1:3 --format csv", "/dev/stdout"),
        ("sweep gpt2 --over batch=1:3 --format jsonl", "link"),
        ("sweep gpt2 --over batch=1:3", "/dev/fd/1"),
    ],
)
def test_a_descriptor_is_written_and_not_replaced(line: str, path: str, tmp_path: Path) -> None:
    """What the shell has opened is written as it was opened: what was in a log stays in front of the output."""
    log, alone = tmp_path / "log", tmp_path / "alone"
    log.write_text("before\n")
    (tmp_path / "link").symlink_to("/dev/stdout")
    for _ in range(2):
        assert bash(f"cd {tmp_path}; {TCOST} {line} -o {path} >> log").returncode == 0
    assert bash(f"cd {tmp_path}; {TCOST} {line} -o alone").returncode == 0
    text = alone.read_text().replace("--output alone", f"--output {Path(path).name}")
    assert log.read_text() == f"before\n{text}{text}"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["alone", "link", "log"]


def test_other_descriptors(tmp_path: Path) -> None:
    """Any descriptor that is open to write is written; another one, or one of another process, is bad input."""
    begin = f"cd {tmp_path}; echo before > log; {TCOST} schema spec"
    for path, opened in (("/dev/stderr", "2>>log"), ("/dev/fd/7", "7>>log"), ("/proc/thread-self/fd/7", "7>>log")):
        assert bash(f"{begin} -o {path} {opened}").returncode == 0
        assert (tmp_path / "log").read_text() == "before\n" + bash(f"{TCOST} schema spec").stdout
    for path, opened, message in (
        ("/dev/fd/7", "", "Bad file descriptor"),
        ("/dev/fd/7", "7<log", "it is open for reading"),
        ("/dev/stdin", "<log", "it is open for reading"),
        ("/proc/$$/fd/1", "", "it is open in another process"),
        ("/proc/$$/task/$$/fd/1", "", "it is open in another process"),
    ):
        outcome = bash(f"{begin} -o {path} {opened}")
        assert (outcome.returncode, outcome.stdout) == (2, "")
        assert message in outcome.stderr
        assert (tmp_path / "log").read_text() == "before\n"
    assert bash(f"{TCOST} compute gpt2 -o /dev/stdout >&-").returncode == 74
    assert bash(f"{TCOST} compute gpt2 -o /dev/fd/7 7>/dev/full").returncode == 74
    assert bash(f"{TCOST} compute gpt2 -o /dev/stdout", stdout=nobody()).returncode == 141
    folder = bash(f"{TCOST} sweep gpt2 --over batch=1 --format parquet -o /dev/stdout")
    assert (folder.returncode, folder.stdout) == (2, "")


def test_names_that_look_like_descriptors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is called 1, links in a circle and links to files are what they are."""
    monkeypatch.chdir(tmp_path)
    Path("fd").mkdir()
    Path("loop").symlink_to("loop")
    Path("file").symlink_to("fd/1")
    assert [descriptor_of(path) for path in ("1", "fd/1", "loop", "file", "", "/dev/null", "/dev/fd")] == [None] * 7
    assert [descriptor_of(path) for path in ("/dev/fd/12", "/dev/stderr", "/proc/self/fd/0")] == [12, 2, 0]


@pytest.mark.parametrize(
    "error", [PermissionError(13, "x"), BrokenPipeError(errno.EPIPE, "x"), EOFError(), OSError("x")]
)
def test_errors_that_are_none_of_writing(error: Exception, tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the system inside a command is a bug of ours, never a lost output."""

    def fail(*_args: object, **_options: object) -> None:
        raise error

    stdout = sys.stdout
    monkeypatch.setattr("tcost.cost.results_of", fail)
    outcome = tcost("compute", "gpt2")
    assert (outcome.status, outcome.out) == (70, "")
    assert f"this is a bug in tcost: {type(error).__name__}" in outcome.err
    assert sys.stdout is stdout


def test_errors_of_reading(tmp_path: Path) -> None:
    """A spec or standard input that cannot be read is bad input, in a message."""
    for line in (
        f"{TCOST} compute - 0>{tmp_path / 'x'}",
        f"{TCOST} diff gpt2 - 0>/dev/null",
        f"{TCOST} compute /proc/self/mem",
    ):
        outcome = bash(line)
        assert (outcome.returncode, outcome.stdout) == (2, "")
        assert outcome.stderr.startswith("error: cannot read ")


def test_errors_while_pieces_are_made(tmp_path: Path) -> None:
    """An error of what is written, not of writing it, comes out as it is, and the old file stays."""

    def pieces() -> Iterator[str]:
        yield "new"
        raise PermissionError(13, "of reading")

    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(PermissionError, match="of reading"):
        output.write_pieces(pieces(), str(path))
    assert (path.read_text(), len(list(tmp_path.iterdir()))) == ("old", 1)
    with pytest.raises(OutputError, match="cannot write /dev/full: No space left on device"):
        output.write_pieces(["x" * 10**6], "/dev/full")


def test_statuses_are_documented() -> None:
    """The front door names each status that it returns."""
    numbers = {
        value for name, value in vars(__main__).items() if name.isupper() and isinstance(value, int) and value < 256
    }
    assert numbers == {0, 1, 2, 70, 74, 130, 141, 143}
    assert [number for number in numbers if str(number) not in str(__main__.run.__doc__)] == []
