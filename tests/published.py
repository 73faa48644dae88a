"""The published totals beside those of tcost, as a table of docs/paper.md."""

from collections.abc import Iterator

from conftest import golden

from tcost import evaluate, load_spec
from tcost.learning_rules import LEARNING_RULES

HEAD = (
    "| context | rule | MACCs, published | MACCs | FLOPs, published | FLOPs | stored, published | stored |",
    "| --: | :-- | --: | --: | --: | --: | --: | --: |",
)


def command(model: str, context: int) -> str:
    """Return what prints the totals of a model at a context under all rules."""
    return f"tcost compare {model} --context {context} --convention paper --integers"


def tables() -> str:
    """Return a table for each model: a line for each context and rule, the published number before that of tcost."""
    cases = golden("paper")
    lines: list[str] = []
    for model in dict.fromkeys(case["model"] for case in cases):
        lines += [f"\n`{command(model, 2048)}`, and other contexts:\n", *HEAD]
        lines += [line for case in cases if case["model"] == model for line in _lines(case)]
    return "\n".join(lines) + "\n\n"


def _lines(case: dict[str, object]) -> Iterator[str]:
    spec, context = load_spec(str(case["model"])), case["context_length"]
    stored = case["stored_activations_elements"]
    for rule in LEARNING_RULES:
        result, published = evaluate(spec, rule, "paper", context=context), case[rule]
        assert isinstance(published, dict)
        assert isinstance(stored, dict)
        pairs = (
            (published["macc"], result.totals.macc),
            (published["flop"], result.totals.flop),
            (stored[rule], result.memory.of("stored_activations").elements),
        )
        numbers = " | ".join(f"{number:,}" for pair in pairs for number in pair)
        yield f"| {context} | {rule} | {numbers} |"
