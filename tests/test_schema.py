"""Schemas: every document is of the shape that they say, and what is not is refused."""

import json
from typing import Any

import pytest
from conftest import Tcost
from pydantic import ValidationError

from tcost.schema.results import ComputeDocument

COMPUTE = [
    "compute gpt2",
    "compute gpt2 --by operation --convention exact --optimizer adam --recompute block",
    "compute gpt2 --by phase --algos bp pepita mempepita --convention torch",
    "compute alexatm-20b --by layer --algos bp pepita mempepita --context 32 --encoder-context 8",
    "compute mixtral-8x7b --convention exact --attention flash --causal half --batch 3",
    "compare alexatm-20b gpt2 --no-errata",
]


def written(tcost: Tcost, command: str) -> Any:
    """Return the document that a command writes, be its gate open or not."""
    outcome = tcost(*command.split(), "--format", "json")
    assert outcome.status in (0, 1)
    return json.loads(outcome.out)


@pytest.mark.parametrize("command", COMPUTE)
def test_saved_results_are_read_whole(command: str, tcost: Tcost) -> None:
    """A saved result is read with all that it has, a field that nobody knows yet is no obstacle."""
    document = written(tcost, command)
    read = ComputeDocument.model_validate(document)
    assert read.model_dump(exclude_unset=True) == document
    assert ComputeDocument.model_validate({**document, "later": 1}) == read


@pytest.mark.parametrize("value", [1.5, 2.0, "2", True, None])
def test_a_whole_number_is_nothing_else(value: object, tcost: Tcost) -> None:
    """What is no whole number is refused where one is due, with the place."""
    document = written(tcost, "compute gpt2 --by phase")
    document["results"][0]["rows"][2]["macc"] = value
    with pytest.raises(ValidationError) as caught:
        ComputeDocument.model_validate(document)
    assert [problem["loc"] for problem in caught.value.errors()] == [("results", 0, "rows", 2, "macc")]


def test_numbers_of_any_size_stay_exact(tcost: Tcost) -> None:
    """A number beyond 64 bits, and below nothing, comes out as it went in."""
    document = written(tcost, "compute gpt2 --by phase")
    document["results"][0]["totals"]["macc"] = -(10**40) - 1
    assert ComputeDocument.model_validate(document).results[0].totals.macc == -(10**40) - 1
