"""What is read of each family of Hugging Face configurations, and the bundled specs, as tables of docs/families.md."""

from collections.abc import Iterator
from typing import Any

from conftest import golden

from tcost import evaluate, load_spec
from tcost.bundled import BUNDLED
from tcost.importers import FAMILIES
from tcost.importers.fields import Fields
from tcost.units import si

CONTEXT = 256
"""Of all bundled models, none of whose tables of positions is shorter."""


class Watched(Fields):
    """Fields of which it is remembered what they must be."""

    def refuse(self, **allowed: Any) -> None:
        """Remember what is allowed, then check it."""
        self.allowed = getattr(self, "allowed", {}) | allowed
        super().refuse(**allowed)


def examples() -> dict[str, list[dict[str, Any]]]:
    """Return the executed cases of each family by its `model_type`, in the order of the families."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in FAMILIES}
    for case in golden("families"):
        found[case["config"]["model_type"]].append(case)
    return found


def families() -> str:
    """Return a line for each family: the classes that were executed, what is read, and what a field must be."""
    lines = [
        "",
        "| `model_type` | executed | fields that become sizes and parts | fields with one value |",
        "| :-- | :-- | :-- | :-- |",
    ]
    for name, cases in examples().items():
        classes = sorted({case["hf_class"].removesuffix("Model") for case in cases})
        read, allowed = _of_family(name, cases)
        lines.append(f"| `{name}` | {', '.join(classes)} | {', '.join(read)} | {', '.join(allowed)} |")
    return "\n".join(lines) + "\n\n"


def _of_family(name: str, cases: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    read: dict[str, None] = {}
    allowed: dict[str, Any] = {}
    family = FAMILIES[name]
    for case in cases:
        fields = Watched("config.json", case["config"], family.defaults, family=name)
        for reader in (family.read, family.end):
            reader(fields)
        read |= {each: None for names, *_ in fields.explained for each in names.split(", ")}
        allowed |= getattr(fields, "allowed", {})
    return [f"`{each}`" for each in read], [f"`{each}` {_words(values)}" for each, values in allowed.items()]


def _words(allowed: Any) -> str:
    values = allowed if isinstance(allowed, tuple) else (allowed,)
    return " or ".join("null" if value is None else str(value).lower() for value in values)


def models() -> str:
    """Return a line for each bundled spec, at one context."""
    return "\n".join(["", *_models()]) + "\n\n"


def _models() -> Iterator[str]:
    yield "| spec | model | parameters | active | forward FLOPs per token |"
    yield "| :-- | :-- | --: | --: | --: |"
    for name in BUNDLED:
        spec = load_spec(name)
        is_double = spec.n_encoder_layers and spec.n_decoder_layers and spec.encoder_input == "tokens"
        context = None if spec.encoder_input == "patches" else CONTEXT
        result = evaluate(spec, convention="torch", context=context, encoder_context=CONTEXT if is_double else None)
        totals = result.totals
        active = si(totals.active_parameters) if totals.active_parameters != totals.parameters else ""
        per_token = si(result.phases["forward"].flop // result.context)
        yield f"| {' | '.join((f'`{name}`', spec.description, si(totals.parameters), active, per_token))} |"
