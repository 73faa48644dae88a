"""Families with experts or latent attention: files as their classes write them, and text parts of other models."""

import json
from typing import Any

import pytest
from conftest import golden

from tcost import evaluate
from tcost.importers import import_config
from tcost.importers.experts import EXPERTS
from tcost.spec import ModelSpec

SAVED = [case for case in golden("families") if "config_saved" in case and case["config"]["model_type"] in EXPERTS]


def counted(config: dict[str, Any], case: dict[str, Any]) -> tuple[int, int, int]:
    """Return parameters and the FLOPs of a forward and of a step."""
    spec = ModelSpec.model_validate(import_config(json.dumps(config), "c.json").spec)
    result = evaluate(spec, convention="torch", context=case["context"], batch=case["batch"])
    return result.totals.parameters, result.phases["forward"].flop, result.totals.flop


@pytest.mark.parametrize("case", SAVED, ids=lambda case: case["config"]["model_type"])
def test_files_that_classes_write(case: dict[str, Any]) -> None:
    """What a class writes is read as what a user wrote."""
    not_chosen = case.get("not_chosen", 0)
    forward, backward, update = (case[phase] - not_chosen for phase in ("forward", "backward", "weight_update"))
    expected = case["parameters"] - case.get("without_use", 0), forward, forward + backward + update
    assert counted(case["config"], case) == counted(case["config_saved"], case) == expected


@pytest.mark.parametrize("case", golden("nested_experts"), ids=lambda case: case["config"]["model_type"])
def test_text_parts(case: dict[str, Any]) -> None:
    """Of a model of several inputs, both forms of the file give the text part that was executed."""
    expected = case["parameters"], case["forward"], case["step"]
    assert counted(case["config"], case) == counted(case["config_saved"], case) == expected
