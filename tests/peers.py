"""What other calculators say of one model, itemised, as a table of docs/conventions.md."""

import json
from typing import Any

from conftest import GOLDEN

from tcost import evaluate, load_spec

Items = dict[str, tuple[str, int]]


def saved() -> dict[str, Any]:
    """Return what the tools said."""
    return dict(json.loads((GOLDEN / "peers.json").read_text()))


def items() -> Items:
    """Return what the numbers of the tools are made of: what each item is, and how many a forward pass has.

    All but the products are written out by hand in the sizes of GPT-2 small.
    """
    m, d, f, layers, heads, v = 1024, 768, 3072, 12, 12, 50257
    products = evaluate(load_spec("gpt2"), convention="torch").phases["forward"].flop // 2
    outputs = 3 * d + d + f + d
    """Features behind the four merged projections of a layer, which are `Conv1D` in the class."""
    weights = 3 * d * d + d * d + 2 * d * f
    features = ((3 * d * d + 3 * d) * 3 * d, (d * d + d) * d, (d * f + f) * f, (f * d + d) * d)
    rest = 2 * v * d + m * d + (2 * layers + 1) * 2 * d
    assert layers * (weights + outputs) + rest - v * d == 124_439_808  # published
    return {
        "product": ("MACCs of the matrix products", products),
        "norm": ("elements of LayerNorms", m * d * (2 * layers + 1)),
        "score": ("elements of the softmax", layers * heads * m * m),
        "bias": ("biases, once whatever the rows", layers * outputs),
        "biased": ("elements that get a bias", layers * m * outputs),
        "head": (
            "MACCs of the vocabulary projection, the only `Linear`: `Conv1D` and attention are not seen",
            m * d * v,
        ),
        "convolution": ("parameters × features of each `Conv1D`, taken for a convolution", layers * sum(features)),
        "other": ("parameters of the rest, once whatever the rows, the tied table twice", rest),
    }


def table() -> str:
    """Return a line for each number of a tool, then what `exact` and `torch` say."""
    known, said = items(), saved()
    spec = load_spec("gpt2")
    lines = [
        "",
        "| who | says | of a forward pass | which is |",
        "| :-- | :-- | --: | :-- |",
    ]
    for name, convention in (("tcost, `exact`", "exact"), ("tcost, `torch`", "torch")):
        forward = evaluate(spec, convention=convention).phases["forward"]
        lines += [f"| {name} | FLOPs | {forward.flop:,} | |", f"| | MACCs | {forward.macc:,} | |"]
    for each in said["records"]:
        parts = [
            f"{f'{times} × ' * (times > 1)}{known[item][1]:,} {known[item][0]}" for item, times in each["of"].items()
        ]
        version = said["versions"][each["tool"]]
        lines.append(f"| {each['name']} {version} | {each['says']} | {each['number']:,} | {'; '.join(parts)} |")
    return "\n".join(lines) + "\n\n"
