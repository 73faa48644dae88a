"""The short way: what it answers is what the parser's way prints, to the byte; what is unusual it leaves alone."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tcost import __main__ as door
from tcost import short_way
from tcost.commands.base import Printed
from tcost.completion import table, words_of
from tcost.short_way import answer

TINY = """\
name: tiny
vocab_size: 11
d_model: 8
n_heads: 2
d_ff: 16
n_encoder_layers: 1
n_decoder_layers: 1
context_length: 4
"""

ODD = {
    "N": ["0", "-1", "1e3", "07", "", "x", "3.0", "٣", "10000000000000000000", "+3", " 4"],
    "BYTES": ["24GiB", "1", "1_GB", "", "lots"],
    "FILE": ["out.txt", "", "no/such/folder/x"],
    "FIELD": ["dropout", "hidden_size", "", "gpt2"],
    "CLASS": ["Model", "BertForMaskedLM", "", "gpt2"],
    "": ["nope", "", "-", "--"],
}
"""Values that are unusual, or that the command itself reads."""

UNUSUAL = [
    "--help",
    "-h",
    "--",
    "--nope",
    "nope",
    "--batch",
    "--algos",
    "-o",
    "--integers=1",
    "-",
    "",
    "--recomput=block",
]

SPECS = ["tiny.yaml", "./tiny.yaml", "gpt2", "gpt2.yaml", "bert-base.yml", "t5-base", "nope", "bp", "missing.yaml"]


def drawn(random: Random) -> list[str]:
    """Return a command line: mostly as usual, in any order, now and then with something that is not."""
    command = random.choice(door.SHORT)
    rows = [row for row in table()[command] if row[0][0].startswith("-") and row[0][0] != "--help"]
    pieces = [_option(row, random) for row in random.sample(rows, random.randrange(6))]
    usual = random.random() < 0.8
    specs = [random.choice(SPECS[:2] if usual else SPECS) for _ in range(random.choice([1, 1, 1, 2, 0]))]
    if not specs and command == "compare":
        specs = SPECS[:1]  # all that are bundled take a second
    pieces += [[spec] for spec in specs]
    if random.random() < 0.1:
        pieces.append([random.choice(UNUSUAL)])
    random.shuffle(pieces)
    return [command, *(word for piece in pieces for word in piece)]


def _option(row: tuple[list[str], str, str], random: Random) -> list[str]:
    names, takes, _ = row
    name, kind = random.choice(names), takes.removesuffix("...")
    if not takes:
        return [name]
    usual = [str(random.randrange(1, 9))] if kind == "N" else words_of(table(), kind)
    values = usual if usual and random.random() < 0.95 else ODD.get(kind, ODD[""])
    chosen = [random.choice(values) for _ in range(random.choice([1, 1, 2, 3]) if takes.endswith("...") else 1)]
    chosen = [f"{word}2" if word.endswith(":") else word for word in chosen]
    how = random.randrange(3)
    return [f"{name}={','.join(chosen)}"] if how == 0 else [name, ",".join(chosen)] if how == 1 else [name, *chosen]


@pytest.fixture
def outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], tuple[int, str, str, list[str]]]:
    """Return what a command line leaves: its status, output, messages, and the file that it was to write."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    (tmp_path / "tiny.yaml").write_text(TINY)

    def run(args: list[str]) -> tuple[int, str, str, list[str]]:
        out, err = io.TextIOWrapper(io.BytesIO(), write_through=True), io.StringIO()
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        status = door.run(args)
        files = [path for path in tmp_path.iterdir() if path.name != "tiny.yaml"]
        written = [f"{path.name}: {path.read_text()}" for path in files]
        for path in files:
            path.unlink()
        return status, out.buffer.getvalue().decode(), err.getvalue(), written

    return run


Outcome = Callable[[list[str]], tuple[int, str, str, list[str]]]


@pytest.mark.parametrize("number", [200, pytest.param(4000, marks=pytest.mark.slow)])
def test_the_short_way_is_that_of_the_parser(number: int, outcome: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked, what is written, printed and said does not depend on the way; most goes the short way."""
    answered = list[str]()

    def counted(args: list[str]) -> Any:
        answered.append(" ".join(args))
        printed = answer(args)  # which may be a message of the command's own
        if printed is None:
            answered.pop()
        return printed

    monkeypatch.setattr(short_way, "answer", counted)
    random = Random(number)  # noqa: S311  # the same draws every time
    for _ in range(number):
        args = drawn(random)
        found = outcome(args)
        with monkeypatch.context() as patched:
            patched.setattr(door, "SHORT", ())
            assert outcome(args) == found, args
    assert len(answered) > number / 2


@pytest.mark.parametrize(
    "line",
    [
        *("compute", "compute tiny.yaml --help", "compute -h", "compute tiny.yaml gpt2", "compute tiny.yaml --nope"),
        *("compute tiny.yaml --batch 2 --batch 3", "compute tiny.yaml --batch", "compute tiny.yaml --batch 0"),
        *(
            "compute tiny.yaml --batch -1",
            "compute tiny.yaml --algos",
            "compute tiny.yaml --algos=",
            "compute -- tiny.yaml",
        ),
        *("compute tiny.yaml --format xml", "compute tiny.yaml --errata --no-errata", "compute tiny.yaml --integers=1"),
        *("compute tiny.yaml -o=x", "compute nope", "compute tiny.yaml --algos nope", "memory tiny.yaml --loss helt"),
        "compare tiny.yaml --algos bp nope",
    ],
)
def test_what_is_unusual_is_left_to_the_parser(line: str, outcome: Outcome) -> None:
    """Help, what is there twice, and every word and value that is not as the list says."""
    assert outcome(["compute", "tiny.yaml"])[0] == 0
    assert answer(line.split()) is None


@pytest.mark.parametrize(
    "line",
    [
        *("compute tiny.yaml", "compute ./tiny.yaml --algos bp,pepita mempepita --batch=3 --no-errata --integers"),
        *("compute --algos bp tiny.yaml --loss chunked:2 --by phase -o x.csv --format csv", "compare"),
        *("compare --algos bp pepita mempepita", "compare tiny.yaml gpt2 --context 3 4,5 --format json"),
        "memory tiny.yaml --budget 24GiB --dtype bf16 --master-weights --weights-dtype fp32",
    ],
)
def test_what_is_usual_needs_no_parser(line: str, outcome: Outcome) -> None:
    """All options of the three commands, in any form that is written."""
    assert outcome(["compute", "tiny.yaml"])[0] == 0
    assert isinstance(answer(line.split()), Printed)
