"""No input makes a traceback, a hang or a status of its own: 2,000 here, more by `python tests/fuzz.py`."""

from pathlib import Path

import pytest
from conftest import draws
from fuzzing import Input, check, command_lines, others, prepare
from hypothesis import HealthCheck, given, settings

quiet = settings(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> object:
    """Run in a folder with the files that command lines name."""
    with prepare(tmp_path):
        yield


@settings(quiet, max_examples=draws(400))
@given(each=command_lines())
def test_command_lines(each: Input) -> None:
    """Every command with arguments and options of all kinds is done, or says what would be right."""
    check(each)


@settings(quiet, max_examples=draws(1600))
@given(each=others)
def test_documents(each: Input) -> None:
    """Every spec, configuration, saved result and file of budgets is read, or refused with what would be right."""
    check(each)
