"""Nothing moves: what steps cost, hold and execute is what the golden file has of an earlier commit."""

import json
from typing import Any

import pytest
from frozen_steps import PATH, attempt, executed, label, of_execution, of_result, steps

from tcost.cost import result_of

FROZEN: dict[str, dict[str, Any]] = json.loads(PATH.read_text())
QUICK = 12
"""Of so many steps one is looked at where there is little time, all with --runslow."""

PRICED = list(steps())
EXECUTED = list(executed())


def moved(frozen: dict[str, Any], found: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what was and what is of steps that are not as they were."""
    return {name: (frozen.get(name), each) for name, each in found.items() if frozen.get(name) != each}


def priced(start: int, every: int) -> dict[str, Any]:
    """Return what some of the steps cost and hold."""
    some = PRICED[start::every]
    return {
        label(name, settings): attempt(lambda s, x: of_result(result_of(s, x)), spec, settings)
        for name, spec, settings in some
    }


def ran(start: int, every: int) -> dict[str, Any]:
    """Return what some of the steps execute."""
    some = EXECUTED[start::every]
    return {label(name, settings): attempt(of_execution, sizes, settings) for name, sizes, settings in some}


def test_what_some_steps_cost_and_hold_is_as_it_was() -> None:
    """Rows with their order, what is held by layer, the largest of each use, and the peak."""
    assert moved(FROZEN["priced"], priced(0, QUICK + 1)) == {}


def test_what_some_steps_execute_is_as_it_was() -> None:
    """Counts by label, gradients and weights, and the peak."""
    assert moved(FROZEN["executed"], ran(0, QUICK + 1)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("start", range(QUICK))
def test_what_steps_cost_and_hold_is_as_it_was(start: int) -> None:
    """The same of all steps."""
    assert moved(FROZEN["priced"], priced(start, QUICK)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("start", range(QUICK))
def test_what_steps_execute_is_as_it_was(start: int) -> None:
    """The same of all steps."""
    assert moved(FROZEN["executed"], ran(start, QUICK)) == {}


def test_every_step_is_frozen() -> None:
    """The file has all steps and no others."""
    assert FROZEN["priced"].keys() == {label(name, settings) for name, _, settings in PRICED}
    assert FROZEN["executed"].keys() == {label(name, settings) for name, _, settings in EXECUTED}
