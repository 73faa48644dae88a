"""What one training step costs, holds and executes, in a few characters: PYTHONPATH=. python tests/frozen_steps.py.

They freeze what the program gives, not what is right: other tests say that. Who states learning rules, prices, memory
or execution anew leaves every one as it is, or says in the same commit why it moves.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import blake2b
from itertools import cycle
from pathlib import Path
from typing import Any

from tcost import Sizes, load_spec
from tcost.bundled import BUNDLED
from tcost.cost import Result, result_of
from tcost.errors import InputError
from tcost.execution.numbers import values
from tcost.settings import Settings
from tcost.sizes import Lora
from tcost.verify import execute, shrink

RULES = ("bp", "pepita", "mempepita")
CONVENTIONS = ("paper", "exact", "torch")

OPTIONS: tuple[Mapping[str, Any], ...] = (
    {"optimizer": "adamw", "batch": 3},
    {"recompute": "block", "optimizer": "sgd"},
    {"attention": "flash", "batch": 2},
    {"causal": "half", "optimizer": "momentum"},
    {"recompute": "full", "batch": 2, "optimizer": "adam"},
    {"loss": "fused", "optimizer": "adamw"},
    {"attention": "flash", "causal": "half", "recompute": "full"},
    {"loss": "chunked:2", "batch": 2},
    {"loss": "dropped", "recompute": "block", "batch": 2},
    {"causal": "half", "loss": "chunked:2", "recompute": "full", "batch": 4, "optimizer": "adamw"},
)
"""Options that specs take in turn; what is of a backward is left out under rules without one."""

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "lora": {"train": Lora(rank=2, targets=("query", "value"))},
    "frozen below": {"train": (1,)},
    "frozen norms": {"train": ("attention", "feed_forward")},
    "embedding trained": {"train": ("embedding", 0)},
    "tied": {"tie_embeddings": True},
    "untied": {"tie_embeddings": False},
    "shared": {"n_unique_layers": 1},
    "shared in pairs": {"n_unique_layers": 2},
}
"""What is changed of shrunk models of four blocks a stack, beside what bundled specs have."""

BASES = ("gpt2", "bert-base", "bart-base", "llama-2-7b", "t5-base")


def digest(what: Any) -> str:
    """Return a few characters that change with what is there."""
    return blake2b(json.dumps(what, default=str).encode(), digest_size=6).hexdigest()


def of_rule(rule: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that a rule can have."""
    return {name: value for name, value in options.items() if rule == "bp" or name not in ("recompute", "loss")}


def steps() -> Iterator[tuple[str, Any, Settings]]:
    """Yield every step that is priced: a name, a spec and settings."""
    turn = cycle(OPTIONS)
    for name in BUNDLED:
        spec = load_spec(name)
        for rule in RULES:
            for convention in CONVENTIONS:
                yield name, spec, Settings(rule, convention)
            for _ in range(2):
                yield name, spec, Settings(rule, "exact", **of_rule(rule, next(turn)))
    for name, sizes in variants():
        for rule in RULES:
            yield name, sizes, Settings(rule, "exact", optimizer="adamw")
            yield name, sizes, Settings(rule, "exact", **of_rule(rule, next(turn)))


def variants() -> Iterator[tuple[str, Sizes]]:
    """Yield the variants of small models, those that there are."""
    for base in (base for base in BASES if base in BUNDLED):
        small = shrink(load_spec(base).at())
        depths: dict[str, Any] = {key: 4 for key in ("n_encoder_layers", "n_decoder_layers") if getattr(small, key)}
        for what, changes in VARIANTS.items():
            yield f"{base}, {what}", replace(small, **depths, **changes)


def executed() -> Iterator[tuple[str, Sizes, Settings]]:
    """Yield every step that is executed: bundled specs shrunk, and the variants."""
    turn = cycle(OPTIONS)
    for name in BUNDLED:
        sizes = shrink(load_spec(name).at())
        for rule in RULES:
            yield (
                name,
                sizes,
                Settings(rule, "exact", **of_rule(rule, {**next(turn), "batch": 1, "attention": "eager"})),
            )
    for name, sizes in variants():
        for rule in RULES:
            yield name, sizes, Settings(rule, "exact", optimizer="adamw")


def label(name: str, settings: Settings) -> str:
    """Return the name of a step."""
    usual = Settings()
    said = [f"{key}={getattr(settings, key)}" for key in OPTION_NAMES if getattr(settings, key) != getattr(usual, key)]
    return " ".join([name, settings.algo, settings.convention, *said])


OPTION_NAMES = ("batch", "optimizer", "causal", "attention", "recompute", "loss")


def of_result(result: Result) -> list[Any]:
    """Return a digest of the rows in their order, one of what waits, and of the largest of each use; the peak."""
    rows = [
        [
            *(row.layer, row.operation, row.kind, row.phase, str(row.repeats), row.runs, row.note),
            sorted((key, str(n)) for key, n in row.scalars.items() if n),
            *(str(row.parameters), str(row.active_parameters), str(row.trained_parameters)),
        ]
        for row in result.rows
    ]
    memory = result.memory
    held = [[row.layer, row.category, row.elements, row.bytes] for row in memory.rows]
    uses: list[int] = []
    if not memory.step.convention.memory:
        moments = memory.liveness.ledger.moments
        uses = [max(getattr(each, use) for each in moments) for use in ("activations", "passing", "gradients")]
    return [digest(rows), digest([held, uses, memory.peak.bytes]), result.totals.flop, memory.peak.elements]


def of_execution(sizes: Sizes, settings: Settings) -> list[Any]:
    """Return a digest of every count by its label, one of gradients and weights after the step, and the peak."""
    step = execute(sizes, settings)
    counts = {
        " ".join(place): {key: n for key, n in sorted(found.items()) if n} for place, found in step.tally.counts.items()
    }
    counts = {place: found for place, found in sorted(counts.items()) if found}
    numbers = {
        what: {
            name: [[f"{x:.10g}" for x in values(array).flat] for array in arrays]
            for name, arrays in sorted(table.items())
        }
        for what, table in (("gradients", step.gradients), ("parameters", step.parameters))
    }
    return [digest(counts), digest(numbers), step.peak]


def attempt(function: Any, *args: Any) -> Any:
    """Return what a function gives, or the first line of why it refuses."""
    try:
        return function(*args)
    except InputError as error:
        return str(error).partition("\n")[0]


def priced(some: Iterable[tuple[str, Any, Settings]]) -> dict[str, Any]:
    """Return what some steps cost and hold, by step."""
    return {
        label(name, settings): attempt(lambda s, x: of_result(result_of(s, x)), spec, settings)
        for name, spec, settings in some
    }


def ran(some: Iterable[tuple[str, Sizes, Settings]]) -> dict[str, Any]:
    """Return what some steps execute, by step."""
    return {label(name, settings): attempt(of_execution, sizes, settings) for name, sizes, settings in some}


PATH = Path(__file__).parent / "golden" / "frozen_steps.json"


def write() -> None:
    """Write the golden file, a line for every step."""
    source = (
        "What tcost gave: [rows, what is held, FLOPs, peak] of steps that are priced, [counts, updates, peak] of steps "
        "that are executed, the first two as digests; by tests/frozen_steps.py"
    )
    lines = {
        part: ",\n".join(f"  {json.dumps(name)}: {json.dumps(found)}" for name, found in of.items())
        for part, of in (("priced", priced(steps())), ("executed", ran(executed())))
    }
    body = ",\n".join(f" {json.dumps(part)}: {{\n{text}\n }}" for part, text in lines.items())
    PATH.write_text(f'{{"source": {json.dumps(source)},\n{body}\n}}\n')


if __name__ == "__main__":
    write()
