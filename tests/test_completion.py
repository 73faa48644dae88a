"""Completion: what it offers, in the shells themselves, and that it stays out of the way."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from commands import COMMANDS, WORDS, words
from conftest import Tcost
from readme import REFERENCE

from tcost.bundled import BUNDLED
from tcost.commands import MODES
from tcost.completion import complete
from tcost.conventions import CONVENTIONS
from tcost.cost.measures import MEASURES
from tcost.kinds import PHASES
from tcost.learning_rules import LEARNING_RULES
from tcost.optimizers import OPTIMIZERS
from tcost.spec import load_spec

SHELLS = ("bash", "zsh", "fish")
RULES = list(LEARNING_RULES)
SPECS = list(BUNDLED)
FORMATS = ["table", "json", "csv", "markdown"]


def offered(line: str) -> list[str]:
    """Return the words offered where a line ends; a line that ends in a space begins another word."""
    return [row.split("\t")[0] for row in complete(line.split(" ")).splitlines()]


def test_the_list_of_words_is_that_of_the_command_line() -> None:
    """Every command, option and value is in the list that shells are answered from."""
    assert WORDS.read_text() == words(), "the command line has changed: run python tests/readme.py"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", [name for name in COMMANDS if name not in MODES]),
        ("comp", ["compute", "compare"]),
        ("--v", ["--version"]),
        ("--show-completion ", ["bash", "zsh", "fish"]),
        ("compute ", [*SPECS, "FILE"]),
        ("compute gpt3", ["gpt3", "gpt3-small", "FILE"]),
        ("compute ./my", ["FILE"]),
        ("compute gpt2 --algos ", RULES),
        ("compute gpt2 --algos bp ", ["pepita", "mempepita"]),
        ("compute gpt2 --algo bp,pepita ", ["mempepita"]),
        ("compute gpt2 --algos bp,p", ["bp,pepita"]),
        ("compute gpt2 --algos=bp,", ["--algos=bp,pepita", "--algos=bp,mempepita"]),
        ("compute --algos bp pepita ", ["mempepita", *SPECS, "FILE"]),
        ("compute --algos bp pepita gpt3", ["gpt3", "gpt3-small", "FILE"]),
        ("compare gpt3 --algos pepita ", ["bp", "mempepita", *SPECS, "FILE"]),
        ("compare --algos bp gpt2 ", [*SPECS, "FILE"]),
        ("compute gpt2 --convention ", list(CONVENTIONS)),
        ("compute gpt2 --convention paper --optimizer ", list(OPTIMIZERS)),
        ("compute gpt2 --format ", FORMATS),
        ("compute gpt2 --format=", [f"--format={each}" for each in FORMATS]),
        ("compute gpt2 --format=j", ["--format=json"]),
        ("compute gpt2 --by ", ["layer", "phase", "operation"]),
        ("compute gpt2 --output ", ["FILE"]),
        ("compute gpt2 -o ", ["FILE"]),
        ("compute gpt2 --context ", []),
        ("compute gpt2 --context 512 --err", ["--errata"]),
        ("compute --convention exact gpt2 --con", ["--context"]),
        ("compute gpt2 --algos bp --al", ["--algos"]),
        ("compute gpt2 --nothing ", None),
        ("compute gpt2 ", None),
        ("compute gpt2 --integers ", None),
        ("memory gpt2 --weights-dtype ", ["fp32", "bf16", "fp16", "int8"]),
        ("sweep gpt2 --measures ", list(MEASURES)),
        ("sweep gpt2 --over encoder_n", ["encoder_n_heads=", "encoder_n_positions="]),
        ("sweep gpt2 --over batch=1 2 experts.n", ["experts.n_experts="]),
        ("sweep --over batch=1 2 gpt3", ["gpt3", "gpt3-small", "FILE"]),
        ("sweep gpt2 --convention paper ", ["torch", "exact"]),
        ("explain --formula gpt2 --in batch context", ["context_length"]),
        ("explain --formula gpt3-s", ["gpt3-small", "FILE"]),
        ("explain --formula cross", ["FILE", "cross_attention"]),
        ("explain gpt2 cross", ["cross_attention"]),
        ("explain gpt2 attention --phase ", list(PHASES)),
        ("import ", ["FILE"]),
        ("explain gpt2 --form", ["--format", "--formula"]),
        ("explain gpt2 --formula --format ", ["text", "latex", "python", "json"]),
        ("sweep --b", ["--batch", "--break-even"]),
        ("sweep gpt2 --break-even --over n_heads", ["n_heads"]),
        ("list ", ["specs", "algos", "conventions", "layers", "errata", "schema"]),
        ("list schema bu", ["FILE", "budget"]),
        ("nothing here", []),
    ],
)
def test_words(line: str, expected: list[str] | None) -> None:
    """A place offers what may stand there; behind all arguments that is an option."""
    if expected is None:
        found = offered(line)
        assert {"--algos", "--format", "--output", "--help"} <= set(found)
        assert all(word.startswith("--") for word in found)
        assert not (set(found) & set(line.split()))
    else:
        assert offered(line) == expected


def test_what_words_mean() -> None:
    """Rules, conventions, specs and commands have their titles."""
    assert complete(["compute", "--convention", "t"]) == f"torch\t{CONVENTIONS['torch'].title}\n"
    assert complete(["compute", "--algos", "p"]) == f"pepita\t{LEARNING_RULES['pepita'].summary}\n"
    assert complete(["compute", "gpt2-l"]) == f"gpt2-large\t{load_spec('gpt2-large').description}\nFILE\t\n"
    assert complete(["expl"]) == "explain\tSay where the numbers of a layer come from.\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_show_completion(shell: str, tcost: Tcost) -> None:
    """The script of each shell is printed with status 0, whichever shell asks for it."""
    outcome = tcost("--show-completion", shell)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.splitlines()[shell == "zsh"].endswith(f"tcost --show-completion {shell}")


@pytest.mark.parametrize(
    "words",
    [
        *([], [""], ["no", "such", "words", ""], ["compute", "--algos", "\udcff\x1b[1m,"], ["sweep", "--over", "="]),
        *(["compute", "-"], ["compute", "$(touch here)", "'"], ["list", "--", "sp"]),
    ],
)
def test_silence(words: list[str], tmp_path: Path) -> None:
    """Whatever is typed: no message, no escapes but those typed, status 0, and standard input is not read."""
    read, write = os.pipe()  # into which nothing is ever written
    asked = {"_TCOST_COMPLETE": "1", "GITHUB_ACTIONS": "true", "FORCE_COLOR": "1", "TCOST_DEBUG": "1"}
    command = [sys.executable, "-m", "tcost", *words]
    outcome = subprocess.run(
        command, stdin=read, capture_output=True, timeout=30, check=False, cwd=tmp_path, env={**os.environ, **asked}
    )
    os.close(read)
    os.close(write)
    assert (outcome.returncode, outcome.stderr) == (0, b"")
    assert b"\x1b" not in outcome.stdout.replace(b"?\x1b[1m,", b"")
    assert list(tmp_path.iterdir()) == []


def test_errors_are_silent(tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of ours has a status, and says nothing into a line that is being typed."""

    def fail(_words: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("tcost.completion.complete", fail)
    monkeypatch.setenv("_TCOST_COMPLETE", "1")
    assert tcost("compute", "") == (70, "", "")


def test_what_another_version_of_the_script_asks(tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that Typer installed, which sends no words, is answered with nothing."""
    monkeypatch.setenv("_TCOST_COMPLETE", "complete_bash")
    assert tcost() == (0, "", "")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with some files."""
    for name in ("gpt2-mine.yaml", "mistral-mine.yaml", "my model.yaml", "config.json", "sub/in.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".local/share/fish/generated_completions").mkdir(parents=True)  # or fish reads all manual pages
    return tmp_path


def needed(shell: str) -> None:
    """Skip where a shell is not installed; the gate has all of them."""
    if shutil.which(shell) is None:
        assert not os.environ.get("CI"), f"{shell} is not installed: apt-get install {shell}"
        pytest.skip(f"{shell} is not installed")


class Terminal:
    """A shell in a terminal, in which completion is turned on as docs/commands.md says, and somebody types."""

    def __init__(self, shell: str, home: Path) -> None:
        """Turn completion on, and start the shell in a home folder."""
        needed(shell)
        self.home = home
        self.shown = ""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {"PATH": path, "HOME": str(home), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        (line,) = re.findall(rf"^.*tcost --show-completion {shell}.*$", REFERENCE.read_text(), flags=re.MULTILINE)
        subprocess.run(["bash", "-c", line], env=environment, check=True)  # noqa: S607  # bash is on the path
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (50, 200))
        name = os.ttyname(self.slave)
        self.process = subprocess.Popen(  # who opens a terminal in a session of its own is controlled by it
            ["sh", "-c", f"exec {shell} -i <{name} >{name} 2>&1"],  # noqa: S607  # sh is on the path
            start_new_session=True,
            cwd=home,
            env=environment,
        )
        self.type("echo RE''ADY\r")
        self.wait(lambda: "READY" in self.shown)

    def type(self, keys: str) -> None:
        """Send keys."""
        os.write(self.master, keys.encode())

    def wait(self, is_there: Callable[[], bool], seconds: float = 20) -> None:
        """Read what is shown until something is there, then until nothing more comes."""
        end = time.monotonic() + seconds
        while select.select([self.master], [], [], 0.1)[0] or not is_there():
            assert time.monotonic() < end, self.shown
            if select.select([self.master], [], [], 0)[0]:
                self.shown += os.read(self.master, 65536).decode(errors="replace")

    def completed(self, keys: str) -> str:
        """Return the command line that keys, a tab and a full stop make: it is written to a file, not run."""
        file = self.home / "line"
        file.unlink(missing_ok=True)
        self.shown = ""
        self.type(f"{keys}\t.\x01echo '\x05' >line; echo DO''NE\r")
        self.wait(lambda: "DONE" in self.shown)
        return file.read_text().removesuffix("\n")

    def close(self) -> None:
        """End the shell."""
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


TYPED = {
    "tcost expl": "tcost explain .",
    "tcost compute mix": "tcost compute mixtral-8x7b .",
    "tcost compute mist": "tcost compute mistral-.",
    "tcost compute ./c": "tcost compute ./config.json .",
    "tcost compute sub/": "tcost compute sub/in.yaml .",
    "tcost compute gpt2-mi": "tcost compute gpt2-mine.yaml .",
    "tcost compute my": "tcost compute my\\ model.yaml .",
    "tcost compute my\\ model.yaml --algos bp pe": "tcost compute my\\ model.yaml --algos bp pepita .",
    "tcost compute gpt2 --algos bp,me": "tcost compute gpt2 --algos bp,mempepita .",
    "tcost compute gpt2 --algos=bp,me": "tcost compute gpt2 --algos=bp,mempepita .",
    "tcost compute --algos bp opt": "tcost compute --algos bp opt-1.3b .",
    "tcost compute gpt2 --format=js": "tcost compute gpt2 --format=json .",
    "tcost sweep gpt2 --over encoder_d": "tcost sweep gpt2 --over encoder_d_ff=.",
    "tcost compute gpt2 --convention e": "tcost compute gpt2 --convention exact .",
    "tcost compute ~/gpt2-mi": "tcost compute ~/gpt2-mine.yaml .",
    "tcost import sub/i": "tcost import sub/in.yaml .",
    "FOO=1 tcost list sp": "FOO=1 tcost list specs .",
    "true; tcost compute gpt2 --recom": "true; tcost compute gpt2 --recompute .",
    "tcost compute gpt2 --context con": "tcost compute gpt2 --context con.",
    "tcost compute gpt2 -o con": "tcost compute gpt2 -o config.json .",
}
"""What is typed before a tab, and the line that it makes, with what is typed behind it."""


@pytest.mark.parametrize("shell", SHELLS)
def test_in_the_shells(shell: str, home: Path) -> None:
    """What is typed in a terminal becomes the command line that was meant."""
    with closing(Terminal(shell, home)) as terminal:
        assert {keys: terminal.completed(keys) for keys in TYPED} == TYPED


@pytest.mark.parametrize("shell", SHELLS)
def test_what_the_shells_show(shell: str, home: Path) -> None:
    """Conventions are shown, in zsh and fish with what they mean."""
    with closing(Terminal(shell, home)) as terminal:
        terminal.type("tcost compute gpt2 --convention \t\t")
        terminal.wait(lambda: all(name in terminal.shown for name in CONVENTIONS))
        titles = {convention.title[:40] for convention in CONVENTIONS.values()}
        assert {title for title in titles if title in terminal.shown} == (titles if shell != "bash" else set())
