"""What the tests share: golden numbers, sizes to draw from, and the command line in this process."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import settings

from tcost.__main__ import run

sys.dont_write_bytecode = False  # an environment may say otherwise, and each process would compile everything anew
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.pop("COLUMNS", None)  # output is as wide as its content, unless a test says otherwise
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a script; what tests start would ignore it
    signal.signal(signal.SIGINT, signal.default_int_handler)

SLOW = "TCOST_RUNSLOW"
"""What is set where `--runslow` was given, for the processes that share the tests, too."""


def draws(number: int) -> int:
    """Return how many examples a test draws: all of them with `--runslow`, as in the gate, else a quarter."""
    return number if SLOW in os.environ else -(-number // 4)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take `--runslow`."""
    parser.addoption("--runslow", action="store_true", help="run what is marked slow, and draw four times as often")


def pytest_configure(config: pytest.Config) -> None:
    """Choose how often tests draw."""
    if config.getoption("--runslow"):
        os.environ[SLOW] = "1"
    settings.register_profile("tcost", deadline=None, print_blob=True, max_examples=draws(100))  # slow is no failure
    tcost = settings.get_profile("tcost")
    settings.register_profile("quick", parent=tcost, max_examples=5)  # for mutation testing
    settings.register_profile("long", parent=tcost, max_examples=20_000)  # for docs/robustness.md
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tcost"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what draws; leave out what is marked slow, unless it is asked for."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("drawn")
        if item.get_closest_marker("slow") and not config.getoption("--runslow"):
            item.add_marker(pytest.mark.skip(reason="slow: --runslow runs it"))


GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> list[dict[str, Any]]:
    """Return the cases of a golden file; `source` in the file says where they come from."""
    cases: list[dict[str, Any]] = json.loads((GOLDEN / f"{name}.json").read_text())["cases"]
    return cases


class Outcome(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str


Tcost = Callable[..., Outcome]


@pytest.fixture
def tcost(capsys: pytest.CaptureFixture[str]) -> Tcost:
    """Run the command line in this process: `tcost("compute", "gpt2")`."""

    def command(*args: object) -> Outcome:
        capsys.readouterr()
        status = run([str(arg) for arg in args])
        return Outcome(status, *capsys.readouterr())

    return command
