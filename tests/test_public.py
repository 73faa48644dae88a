"""Public configurations of many hands: each is read and equal to its class, or refused in two lines."""

from typing import Any

import pytest
from conftest import golden

from tcost import InputError, evaluate
from tcost.spec import parse_spec

FILES = golden("public")
REFUSED = ("u06", "u08", "u36")
"""Those with numbers that are not read yet: two answer questions, one is an XLM-RoBERTa."""


@pytest.mark.parametrize("case", FILES, ids=lambda case: case["name"])
def test_public_files(case: dict[str, Any]) -> None:
    """Parameters, forward and step FLOPs at 32 tokens are the class's; what is not read is answered in two lines."""
    said, spec = "", None
    try:
        spec = parse_spec(case["text"], "config.json")
    except InputError as error:
        said = str(error)
    if spec is None:
        assert not case["numbers"] or case["name"] in REFUSED
        assert said.count("\n") <= 1
        return
    result = evaluate(spec, convention="torch", context=32)
    if case["numbers"]:
        found = [result.totals.parameters, result.phases["forward"].flop, result.totals.flop]
        assert found == case["numbers"]


def test_most_are_read() -> None:
    """At least this many of them are read."""
    read = 0
    for case in FILES:
        try:
            parse_spec(case["text"], "config.json")
        except InputError:
            continue
        read += 1
    assert read >= 49
