"""Hostile input: what it says is shown and not run, what it is costs no more than a message."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from conftest import GOLDEN, Tcost
from pages import hostile_spec

from tcost import load_spec
from tcost.spec import to_yaml
from tcost.text import harmless, visible

GPT2 = to_yaml(load_spec("gpt2"))
GPT2_CONFIG = json.loads((GOLDEN / "configs" / "gpt2-small.json").read_text())

HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Control and direction characters but the line feed."""

SHOWN = [
    *(f"compute {{}} --format {each}" for each in ("table", "csv", "json", "markdown")),
    *(f"compare {{}} gpt2 --format {each}" for each in ("table", "csv", "json", "markdown")),
    *(f"memory {{}} --format {each}" for each in ("table", "csv", "json", "markdown")),
    *(f"sweep {{}} --over batch=1,2 --format {each}" for each in ("table", "csv", "jsonl")),
    *(f"sweep --break-even {{}} --format {each}" for each in ("table", "csv", "json")),
    *(f"explain --formula {{}} --format {each}" for each in ("table", "latex", "python", "json")),
    *(f"explain {{}} --format {each}" for each in ("table", "json")),
    *(f"reconcile {{}} --format {each}" for each in ("table", "csv", "json", "markdown")),
    *(f"verify {{}} --algos bp --format {each}" for each in ("table", "csv", "json")),
    *(f"diff {{}} gpt2 --format {each}" for each in ("table", "json", "markdown")),
    *(f"check {{}} --max flop=1 --format {each}" for each in ("table", "json", "junit", "markdown")),
    *("report {} -o page.html", "import {}", "compute {} --context x", "compute {}x", "diff {}x gpt2"),
]


@pytest.mark.parametrize("line", SHOWN)
def test_texts_cannot_drive_a_terminal(line: str, tcost: Tcost, tmp_path: Path) -> None:
    """Escapes, control and direction characters in a name, notes or a path are shown in every output and message."""
    path, page = str(hostile_spec(tmp_path)), tmp_path / "page.html"
    outcome = tcost(*(word.replace("{}", path) for word in line.replace("page.html", str(page)).split()))
    text = outcome.out + outcome.err + (page.read_text() if page.exists() else "")
    assert len(text) > 100
    assert not HIDDEN.search(text)


def test_paths_in_notes(tcost: Tcost, tmp_path: Path) -> None:
    """A command that a note repeats has the escapes of a path shown, too."""
    path = tmp_path / "a\x1b[31m\u202eb.yaml"
    path.write_text(to_yaml(load_spec("gpt2")))
    for command in ("compare", "memory", "compute", "import"):
        outcome = tcost(command, path) if command != "import" else tcost("diff", path, "nothing")
        assert not HIDDEN.search(outcome.out + outcome.err)


COMMANDS = {
    "GitHub": re.compile(r"^\s*::[\w-]+.*::|##\[", re.MULTILINE),
    "Azure": re.compile(r"##(?:vso)?\["),
    "TeamCity": re.compile(r"##teamcity\["),
    "Buildkite": re.compile(r"^(?:---|\+\+\+|~~~|\^\^\^ \+\+\+)", re.MULTILINE),
    "GitLab": re.compile(r"\x1b\[0K|\r"),
}
"""What CI systems take from a log as commands, as their runners look for it."""

SAID = [
    *("::add-mask::bp", "  ::error file=x,line=1::seen", "::set-output name=a::b", "::stop-commands::x", "::x::"),
    *(":::error::x", "x-::error::y", f"{'w' * 70} ::warning::x", f"{'w' * 90}::group::x", "\t::debug::x", ":"),
    *("##[error]x", " ##[group]x", "x ##[endgroup]", "##[command]bash", "###[error]x", "##[add-mask]bp"),
    *("##vso[task.complete result=Failed;]x", "x##vso[task.setvariable variable=a]b", "##[section]x"),
    *("##teamcity[buildStatus status='FAILURE']", " ##teamcity[message text='x']"),
    *("--- x", "+++ x", "~~~ x", "^^^ +++", "\x1b[0Ksection_start:1:x\r\x1b[0Kx", "travis_fold:start:x\r"),
]
"""What a spec says that is meant for them."""


def says(path: Path, text: str) -> Path:
    """Write GPT-2 with a text as its name, description, source and note."""
    spec = {
        **yaml.safe_load(GPT2),
        "name": text[:100],
        "description": text,
        "source": text,
        "notes": [text, f"x {text}"],
    }
    path.write_text(json.dumps(spec))
    return path


@pytest.mark.parametrize("line", [line for line in SHOWN if not line.endswith(("{}x", "{}x gpt2", "--context x"))])
def test_texts_cannot_drive_a_ci_system(line: str, tcost: Tcost, tmp_path: Path) -> None:
    """No line of an output or a message is a command, and JSON and YAML say the text as it is."""
    page = tmp_path / "page.html"
    if line.startswith(
        ("formula", "verify", "sweep --break-even", "sweep", "reconcile", "report")
    ):  # which take longer
        texts = ["  ::error::x ##vso[task.complete]y", "##[error]x ::add-mask::x", "--- x ##teamcity[message]"]
    else:
        texts = SAID
    for text in texts:
        path = tmp_path / "spec.yaml"
        says(path, text)
        if line.startswith("import"):
            path.write_text(json.dumps(GPT2_CONFIG | {"_name_or_path": text, "architectures": [text]}))
        outcome = tcost(*(word.replace("{}", str(path)) for word in line.replace("page.html", str(page)).split()))
        assert outcome.status in (0, 1, 2)
        for said in (outcome.out, outcome.err, page.read_text() if page.exists() else ""):
            assert [(system, found[0]) for system, each in COMMANDS.items() if (found := each.search(said))] == []
        if line.endswith("--format json") and outcome.out:
            assert json.dumps(text.strip()[:100])[1:-1] in json.dumps(json.loads(outcome.out))


@pytest.mark.parametrize("text", SAID)
def test_a_text_for_ci_systems_goes_round(text: str, tmp_path: Path) -> None:
    """A spec as YAML has no command, and means what it meant."""
    spec = load_spec(says(tmp_path / "spec.yaml", text))
    written = to_yaml(spec)
    assert [found for each in COMMANDS.values() if (found := each.search(written))] == []
    (tmp_path / "again.yaml").write_text(written)
    assert load_spec(tmp_path / "again.yaml") == spec


@pytest.mark.parametrize("text", SAID)
def test_messages_cannot_drive_a_ci_system(
    text: str, tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is a line of a message one, whatever the words that it repeats."""
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_text(json.dumps({text: 1, "name": [text], "d_model": text}))
    for line in (("compute", text), ("compute", "gpt2", "--algos", text), ("compute", "bad.yaml"), (text,)):
        outcome = tcost(*line)
        assert (outcome.status, outcome.out) == (2, "")
        assert [found for each in COMMANDS.values() if (found := each.search(outcome.err))] == []


def test_harmless_texts_stay() -> None:
    """What is no command is not touched."""
    for text in ("a: b", "x:y", "#1 ##", "## x [1]", "-- x", "+1", "~", "a --- b", "http://x.y", "[x]", "12:30"):
        assert harmless(text) == visible(text) == text
    assert visible("x::y") == r"x:\x3ay"
    assert visible("##vso[x]") == r"#\x23vso[x]"


CSV = [line for line in SHOWN if line.endswith("csv")]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
@pytest.mark.parametrize("line", CSV)
def test_spreadsheets_run_nothing(line: str, start: str, tcost: Tcost, tmp_path: Path) -> None:
    """No cell of a text begins as a formula does, and numbers below zero stay numbers."""
    path = tmp_path / "formula.yaml"
    escaped = {"\t": "\\t", "\r": "\\r"}.get(start, start)
    path.write_text(to_yaml(load_spec("gpt2")).replace("name: gpt2", f'name: "{escaped}1+1"', 1))
    out = tcost(*(word.replace("{}", str(path)) for word in line.split())).out
    cells = [cell for row in csv.reader(io.StringIO(out)) for cell in row]
    assert any("1+1" in cell for cell in cells)
    number = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[-+][0-9]+)?")
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r") and cell and not number.fullmatch(cell)]


DIGITS = "9" * 100_000

ODD = {
    "yaml bomb": "a: &a [x]\nb: [*a, *a]\n",
    "yaml merge": "a: &a {x: 1}\nb:\n  <<: *a\n",
    "yaml nesting": "[" * 10_000_000,
    "json nesting": '{"model_type": "gpt2", "a": ' + "[" * 10_000_000,
    "saved nesting": '{"schema_version": 1, "results": ' + "[" * 10_000_000,
    "yaml digits": f"name: x\nd_model: {DIGITS}\n",
    "yaml hexadecimal": f"name: x\nd_model: 0x{'f' * 5000}\n",
    "json digits": f'{{"model_type": "gpt2", "n_embd": {DIGITS}}}',
    "saved digits": f'{{"schema_version": 1, "results": {DIGITS}}}',
    "yaml version": f"%YAML 1.{'9' * 4301}\n---\nname: x\n",
    "yaml major version": f"%YAML {'9' * 4301}.1\n---\nname: x\n",
    "yaml version of a second document": f"name: x\n...\n%YAML 1.{'9' * 4301}\n---\nname: x\n",
    "yaml escape": r'name: "\U00110000"',
    "yaml escape of a key": r'"\UFFFFFFFF": x',
    "yaml anchor": f"name: &{'9' * 5000} x\n",
    "yaml block": f"name: |{'9' * 5000}\n  x\n",
    "yaml tag prefix": f"%TAG ! {'9' * 5000}\n---\nname: !{'9' * 5000} x\n",
    "yaml tag escape": "name: !<%ff%fe> x\n",
    "tag": "!!python/object/apply:os.system ['touch run']\n",
    "tag of a key": "name: !!python/name:os.system x\n",
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("line", ["compute odd", "diff odd gpt2", "check --config odd", "import odd"])
def test_odd_files(name: str, line: str, tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bombs, endless nesting, endless numbers and tags are refused in a message, by whatever reads them."""
    monkeypatch.chdir(tmp_path)
    Path("odd").write_text(ODD[name])
    outcome = tcost(*line.split())
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("error: ")
    assert len(outcome.err) < 5_000
    assert list(tmp_path.iterdir()) == [tmp_path / "odd"]


@pytest.mark.parametrize(
    "line",
    [
        *("compute gpt2 --context {}", "compute gpt2 --batch {}", "memory gpt2 --budget {}", "verify gpt2 --seed {}"),
        *("sweep gpt2 --over batch={}", "sweep gpt2 --shard {}/2", "sweep --break-even gpt2 --over batch=1:{}"),
        *("check gpt2 --max flop={}", "check gpt2 --against gpt2 --max-growth flop={}%", "diff gpt2 gpt2 --context {}"),
        "report gpt2 -o x.html --batch {}",
    ],
)
def test_numbers_of_many_digits(line: str, tcost: Tcost) -> None:
    """A number of 100,000 digits, which Python itself refuses to read, is bad input wherever it is given."""
    outcome = tcost(*line.replace("{}", DIGITS).split())
    assert (outcome.status, outcome.out) == (2, "")
    assert len(outcome.err) < 5_000


def test_links_and_pipes(tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link in a circle, to nothing or to a device without end is refused; a spec through a pipe is read."""
    monkeypatch.chdir(tmp_path)
    for name, target in {"loop": "loop", "gone": "nowhere", "zero": "/dev/zero"}.items():
        Path(name).symlink_to(target)
        for args in (("compute", name), ("diff", "gpt2", name), ("check", "--config", name), ("import", name)):
            outcome = tcost(*args)
            assert (outcome.status, outcome.out) == (2, "")
            assert name in outcome.err
    os.mkfifo("pipe")
    text = to_yaml(load_spec("gpt2"))
    with subprocess.Popen([sys.executable, "-c", f"open('pipe', 'w').write({text!r})"]):
        assert tcost("compute", "pipe", "--format", "csv").out == tcost("compute", "gpt2", "--format", "csv").out


def test_folders_that_cannot_be_written(tcost: Tcost) -> None:
    """Where not even root may make a file the message says so, with status 2, and nothing is half done."""
    for line in ("compute gpt2", "diff gpt2 gpt2", "check gpt2 --max flop=9T", "list schema spec"):
        outcome = tcost(*line.split(), "--output", "/sys/out.json")
        assert (outcome.status, outcome.out) == (2, "")
        assert outcome.err.startswith("error: cannot write /sys/out.json: ")


SLOW = """\
import os, sys, time
os.fsync = lambda _: (print("ready", flush=True), time.sleep(60))
from tcost.__main__ import main
sys.argv = ["tcost", "compute", "gpt2", "--output", "out.txt"]
main()
"""
"""Has written a file beside the old one, and waits before it takes its place."""


@pytest.mark.parametrize(
    ("number", "status", "left"),
    [(signal.SIGINT, 130, 0), (signal.SIGTERM, 143, 0), (signal.SIGKILL, -9, 1)],
)
def test_an_interrupted_write(number: signal.Signals, status: int, left: int, tmp_path: Path) -> None:
    """The old file stays whole; what was written beside it is put away, but by a kill that lets nothing run."""
    (tmp_path / "out.txt").write_text("old")
    line = [sys.executable, "-c", SLOW]
    with subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (status, b"")
    assert (tmp_path / "out.txt").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1 + left


def test_two_writers(tcost: Tcost, tmp_path: Path) -> None:
    """Two processes that write one file leave one of the two, whole, at every moment."""
    path = tmp_path / "out.csv"
    wholes = {tcost("compute", name, "--format", "csv").out for name in ("gpt2", "gpt2-xl")}
    path.write_text(next(iter(wholes)))

    def writer(name: str) -> subprocess.Popen[bytes]:
        loop = (
            "import sys; from tcost.__main__ import run\n"
            f"for _ in range(20): assert run(['compute', {name!r}, '--format', 'csv', '-o', {str(path)!r}]) == 0"
        )
        return subprocess.Popen([sys.executable, "-c", loop])

    seen = set()
    writers = [writer("gpt2"), writer("gpt2-xl")]
    while any(each.poll() is None for each in writers):
        seen.add(path.read_text())
        time.sleep(0.002)
    assert [each.returncode for each in writers] == [0, 0]
    assert seen == wholes
    assert list(tmp_path.iterdir()) == [path]


BROKEN: dict[str, Callable[[str], str]] = {
    "full": lambda line: f"{line} >/dev/full",
    "closed": lambda line: f"{line} >&-",
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize(
    "line",
    [
        "diff gpt2 gpt2 --format json",
        "check gpt2 --max flop=1",
        "list schema spec",
        "list specs",
        "memory gpt2",
        "--help",
    ],
)
def test_output_that_is_lost(line: str, how: str) -> None:
    """What could not be written is status 74, never the 0 or 1 of what would have been said."""
    command = BROKEN[how](f"{sys.executable} -m tcost {line}")
    outcome = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)  # noqa: S607  # bash is on the path
    assert outcome.returncode == 74
    assert outcome.stderr.startswith("error: cannot write to standard output: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GPT2.replace("name: gpt2", r'name: "a\ud800"'), "odd:1:7: half of a character (U+D800 to U+DFFF)"),
        (f"{GPT2}notes: [{'1, ' * 50}]\n", "odd: and 40 problems more\n"),
        ("{" + '"a": 1, ' * 20_000 + '"model_type": "gpt2", "model_type": "gpt2"}', "odd: field 'a' is given twice"),
        ("- 1\n" * 40_000, "odd:"),
        (f"{GPT2}x: [{'1,' * 40_000}]\n", "more than 30,000 keys and values"),
        (f"{GPT2}train: {'x' * 5000}\n", "... and "),
    ],
)
def test_what_fuzzing_found_in_files(
    text: str, message: str, tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What once crashed, took a minute or filled a screen is a short message."""
    monkeypatch.chdir(tmp_path)
    Path("odd").write_text(text)
    outcome = tcost("compute", "odd")
    assert outcome.status == 2
    assert message in outcome.err
    assert len(outcome.err) < 5_000


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("compute", "gpt2", "-o", "loop"), "cannot write loop: Too many levels of symbolic links"),
        (("compute", "gpt2", "-o", ""), "cannot write '': it is a directory"),
        (("verify", "gpt2", "--seed", "-1"), "Invalid value for '--seed'"),
        (("compute", "gpt2", "--convention", "x" * 5000), "... and 3,521 characters more"),
        (("compute", "loop"), "cannot read loop: Too many levels of symbolic links"),
        (
            ("sweep", "gpt2", "--over", "batch=1:9", "--chunk-rows", "1000000000"),
            "a chunk has 1 to 1,000,000 rows, not 1",
        ),
        (("compare", "gpt2", "--context", *map(str, range(1, 1001))), "at most 300 results, not 3,000"),
        (("report", *["gpt2"] * 200, "-o", "x.html"), "a comparison has at most 300 results, not 600"),
    ],
)
def test_what_fuzzing_found_in_command_lines(
    args: tuple[str, ...], message: str, tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What once was a bug of ours is bad input; a long name in many bytes is a file like any other."""
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    outcome = tcost(*args)
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err
    assert tcost("compute", "gpt2", "-o", "é" * 120).status == 0
    assert len(list(tmp_path.iterdir())) == 2
