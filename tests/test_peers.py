"""What other calculators say of GPT-2 small, itemised to the last unit."""

from typing import Any

import pytest
from peers import items, saved

from tcost import evaluate, load_spec

SAVED = saved()


@pytest.mark.parametrize("each", SAVED["records"], ids=lambda each: f"{each['tool']}-{each['says']}")
def test_the_items_are_the_number(each: dict[str, Any]) -> None:
    """The products that tcost counts, and a few things by hand, are exactly what the tool has said."""
    known = items()
    assert sum(times * known[item][1] for item, times in each["of"].items()) == each["number"]


def test_parameters() -> None:
    """Most count the class's parameters; one sees no `Conv1D`, one counts the tied table twice."""
    known, table = evaluate(load_spec("gpt2")).totals.parameters, 50257 * 768
    seen = dict.fromkeys(("calflops", "deepspeed", "ptflops"), known)
    assert SAVED["parameters"] == seen | {"thop": table + 25 * 2 * 768, "torchinfo": known + table}


def test_what_exact_has_beside_products() -> None:
    """The difference of `exact` and FlopCounterMode is what the operations beside products take, by hand."""
    m, d, f, layers, heads, v = 1024, 768, 3072, 12, 12, 50257
    scores, rows = layers * heads * m * m, m * (2 * layers + 1)
    beside = (
        *(6 * scores, 8 * layers * m * f, rows * (7 * d + 5), layers * m * (5 * d + f)),
        *(2 * layers * m * d, m * d, m * (5 * v + 2)),
    )
    spec = load_spec("gpt2")
    exact, torch = (evaluate(spec, convention=name).phases["forward"].flop for name in ("exact", "torch"))
    assert exact - torch == sum(beside)
