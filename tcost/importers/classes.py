"""What the configuration classes of transformers 5.24 have: their fields, defaults and names, family by family."""

import json
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent / "defaults.json"
"""Made by `python tests/defaults.py`, with the fields that may change a count."""

OF_A_CLASS = ("For", "LMHead", "Model", "MTModel", "DoubleHeads", "WithLMHead", "PreTrained", "Encoder")
"""What follows the name of a family in that of a class."""


@cache
def classes() -> Mapping[str, Any]:
    """Return the table: of each family the name of its class, other names of its fields, and their defaults."""
    found: Mapping[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


def class_defaults(family: str) -> Mapping[str, Any]:
    """Return the defaults of a family's fields, none for a family that the table lacks."""
    found: Mapping[str, Any] = classes().get(family, {}).get("defaults", {})
    return found


def family_of_class(name: str) -> str | None:
    """Return the family whose class has that name, as `BertForMaskedLM` is of bert."""
    begun = {
        family: row["class"].removesuffix("TextConfig").removesuffix("Config") for family, row in classes().items()
    }
    fit = [
        each for each, start in begun.items() if name.startswith(start) and name[len(start) :].startswith(OF_A_CLASS)
    ]
    return max(fit, key=lambda family: len(begun[family]), default=None)


SIGNATURES: tuple[tuple[str, frozenset[str]], ...] = (
    ("albert", frozenset(("num_hidden_groups", "hidden_size", "num_attention_heads"))),
    ("electra", frozenset(("embedding_size", "type_vocab_size", "hidden_size", "num_attention_heads"))),
    ("bert", frozenset(("type_vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "hidden_act"))),
    ("distilbert", frozenset(("dim", "hidden_dim", "n_layers", "n_heads", "activation"))),
    ("gptj", frozenset(("n_embd", "n_head", "n_layer", "rotary_dim"))),
    ("openai-gpt", frozenset(("n_embd", "n_head", "n_layer", "afn"))),
    ("gpt2", frozenset(("n_embd", "n_head", "n_layer", "n_positions"))),
    ("t5", frozenset(("d_kv", "num_heads", "num_layers", "relative_attention_num_buckets"))),
)
"""Of families whose files came without a model_type: the fields that tell one, the first whose fields are all there."""

ROBERTA = {"type_vocab_size": 1}
"""What a RoBERTa has where the fields are those of a BERT, which then tell neither."""


def recognised(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the family of a configuration without a model_type, and what tells it; None where nothing does."""
    names = values.get("architectures")
    if isinstance(names, list) and names and isinstance(names[0], str) and (family := family_of_class(names[0])):
        return family, f"its class, {names[0]}"
    for family, fields in SIGNATURES:
        if fields <= values.keys():
            is_either = family == "bert" and ROBERTA.items() <= values.items()
            return None if is_either else (family, f"its fields: {', '.join(sorted(fields))}")
    return None


def nearest_families(values: Mapping[str, Any], among: Collection[str], most: int = 3) -> list[str]:
    """Return the families whose classes lack the fewest of a configuration's fields that any class has.

    Of two that lack as many, the one is nearer of which more defaults are the configuration's, then the one that has
    fewer fields which the configuration lacks.
    """
    rows = {family: classes()[family] for family in among if family in classes()}
    fields = {family: {*row["defaults"], *row["names"]} for family, row in rows.items()}
    known = values.keys() & {name for names in fields.values() for name in names}

    def distance(family: str) -> tuple[int, int, int]:
        defaults = rows[family]["defaults"]
        same = sum(name in defaults and defaults[name] == values[name] for name in known)
        return len(known - fields[family]), -same, len(fields[family] - values.keys())

    return sorted((family for family, names in fields.items() if known & names), key=distance)[:most]
