"""Nothing moves: what steps cost, hold and execute is what the golden file has of an earlier commit."""

import json
from typing import Any

import pytest
from frozen_steps import PATH, executed, label, priced, ran, steps

FROZEN: dict[str, dict[str, Any]] = json.loads(PATH.read_text())
QUICK = 12
"""Of so many steps one is looked at where there is little time, all with --runslow."""

PRICED = list(steps())
EXECUTED = list(executed())


def moved(frozen: dict[str, Any], found: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what was and what is of steps that are not as they were."""
    return {name: (frozen.get(name), each) for name, each in found.items() if frozen.get(name) != each}


def test_what_some_steps_cost_and_hold_is_as_it_was() -> None:
    """Rows with their order, what is held by layer, the largest of each use, and the peak."""
    assert moved(FROZEN["priced"], priced(PRICED[:: QUICK + 1])) == {}


def test_what_some_steps_execute_is_as_it_was() -> None:
    """Counts by label, gradients and weights, and the peak."""
    assert moved(FROZEN["executed"], ran(EXECUTED[:: QUICK + 1])) == {}


@pytest.mark.slow
@pytest.mark.parametrize("start", range(QUICK))
def test_what_steps_cost_and_hold_is_as_it_was(start: int) -> None:
    """The same of all steps."""
    assert moved(FROZEN["priced"], priced(PRICED[start::QUICK])) == {}


@pytest.mark.slow
@pytest.mark.parametrize("start", range(QUICK))
def test_what_steps_execute_is_as_it_was(start: int) -> None:
    """The same of all steps."""
    assert moved(FROZEN["executed"], ran(EXECUTED[start::QUICK])) == {}


def test_every_step_is_frozen() -> None:
    """The file has all steps and no others."""
    assert FROZEN["priced"].keys() == {label(name, settings) for name, _, settings in PRICED}
    assert FROZEN["executed"].keys() == {label(name, settings) for name, _, settings in EXECUTED}
