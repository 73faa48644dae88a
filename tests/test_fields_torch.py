"""Every field of every family, changed: what tcost says is what the class of transformers has then, or is refused."""

import json
import random
import warnings
from dataclasses import fields
from importlib.util import find_spec
from typing import Any

import pytest
from conftest import golden
from pydantic import ValidationError
from test_families import INSIDE, build, class_of, counted, inputs, saved

from tcost import InputError, evaluate
from tcost.importers import FAMILIES, import_config
from tcost.importers.decoders import DECODERS
from tcost.importers.encoder_decoders import ENCODER_DECODERS
from tcost.importers.experts import EXPERTS
from tcost.importers.fields import Fields
from tcost.importers.gpts import GPTS
from tcost.importers.harmless import NO_EFFECT
from tcost.importers.images import IMAGES
from tcost.importers.llama_kin import KIN
from tcost.importers.llamas import LLAMAS
from tcost.importers.nested import NESTED
from tcost.importers.synonyms import SYNONYMS
from tcost.spec import ModelSpec

pytestmark = pytest.mark.skipif(
    not find_spec("torch") or not find_spec("transformers"), reason="torch and transformers are missing"
)

SMALL: dict[str, dict[str, Any]] = {}
"""A small configuration of each family, with its class."""
for _case in golden("families"):
    SMALL.setdefault(_case["config"]["model_type"], _case)

WORDS = {"hidden_size", "num_hidden_layers", "num_attention_heads", "n_layer", "n_head", "n_embd", "n_embed", "d_model"}
"""Names that some family has, to be given to all."""

ROTARY = ({"partial_rotary_factor": 0.5, "rope_theta": 10000.0, "rope_type": "default"}, {"partial_rotary_factor": 0.5})
OTHERS: tuple[Any, ...] = (True, False, 1, 2, 4, 0.5, "relu", [], {}, ["full_attention", "sliding_attention"], *ROTARY)
CONTEXT, ENCODER_CONTEXT = 7, 5


def plausible(value: Any) -> list[Any]:
    """Return values that a field could have instead."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [2 * value, value + 1, max(1, value // 2)]
    if isinstance(value, float):
        return [value / 2, 1.0, 0.5]
    if isinstance(value, str):
        return ["relu", "silu", "gelu", "quick_gelu", "gated-silu"]
    return list(OTHERS)


def said(config: dict[str, Any]) -> tuple[int, int]:
    """Return the parameters and the FLOPs of a forward pass that tcost says, and is not counted by its own notes."""
    imported = import_config(json.dumps(config), "c.json")
    spec = ModelSpec.model_validate(imported.spec)
    is_double = spec.n_encoder_layers and spec.n_decoder_layers
    result = evaluate(
        spec,
        convention="torch",
        context=None if spec.encoder_input == "patches" else CONTEXT,
        encoder_context=ENCODER_CONTEXT if is_double and spec.encoder_input == "tokens" else None,
    )
    parameters = result.totals.parameters + unrun(imported.notes, spec)
    return parameters, result.phases["forward"].flop + 2 * CONTEXT * not_chosen(imported.notes)


def not_chosen(notes: tuple[str, ...]) -> int:
    """Return the MACCs for a row of experts that it has not chosen, by what a note says of a class that runs all."""
    said_of = [note for note in notes if note.startswith("priced are the chosen experts")]
    return sum(int(note.rpartition(": ")[2].partition(" MACCs")[0]) for note in said_of)


def unrun(notes: tuple[str, ...], spec: ModelSpec) -> int:
    """Return the parameters that the class has beside those of the checkpoint, by what the notes say of them."""
    table, text = spec.vocab_size * spec.d_model, " ".join(notes)
    found = 0
    if "not counted: a fourth table" in text:
        assert f"of {table} parameters" in text
        found += table
    if "not counted: corrections of the router's scores" in text:
        found += int(text.partition("corrections of the router's scores, ")[2].split()[0])
    if "a head that predicts contacts" in text:
        found += int(text.partition("predicts contacts, ")[2].partition(" ")[0])
    if "not counted: a second bias" in text:
        assert f"{spec.vocab_size} parameters" in text
        found += spec.vocab_size
    return found - table if "ties its tables all the same" in text else found


def said_to_be_causal(family: str) -> bool:
    """Tell a family of decoders alone."""
    return family in {*DECODERS, *GPTS, *LLAMAS, *KIN, *EXPERTS, "modernbert-decoder"}


def executed(config: dict[str, Any], hf_class: str) -> tuple[int, int]:
    """Return the same of the class, on the meta device where it can be."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    case = {"config": config, "hf_class": hf_class, "batch": 1, "context": CONTEXT, "encoder_context": None}
    device = "cpu" if config["model_type"] == "rembert" else "meta"  # which asks for the values of its mask
    with torch.device(device), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        model = build(case)
        if config["model_type"] in {*ENCODER_DECODERS} - {"whisper"}:
            case["encoder_context"] = ENCODER_CONTEXT
        if config["model_type"] in EXPERTS and config["model_type"] != "minicpm3":
            model.config._experts_implementation = "batched_mm"  # grouped experts report no FLOPs
        given = inputs(case, model.config)
        if not said_to_be_causal(config["model_type"]):
            given.pop("attention_mask", None)  # whose values are asked for, which the meta device has none of
        if config["model_type"] == "whisper":
            given["decoder_attention_mask"] = torch.ones_like(given["decoder_input_ids"])
        with FlopCounterMode(display=False) as flops:
            model(**given)
    return sum(parameter.numel() for parameter in model.parameters()), flops.get_total_flops()


def is_compared(config: dict[str, Any], hf_class: str, what: object) -> bool:
    """Check that a class has what tcost says of a configuration; False where either cannot take it."""
    try:
        ours = said(config)
    except (InputError, ValidationError):
        return False  # refused
    try:
        theirs = executed(config, hf_class)
    except Exception:  # noqa: BLE001  # a value that the class cannot be built or run with
        return False
    assert ours == theirs, what
    return True


def whole_of(family: str) -> Any:
    """Return the small configuration of a family with all its fields, as the class makes it."""
    import transformers

    config = {name: value for name, value in SMALL[family]["config"].items() if name != "architectures"}
    return transformers.CONFIG_MAPPING[class_of(family)](**config)


def fields_of(family: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the fields that a family's reader asks for, that its class has, and a share of those that none reads."""
    import transformers

    read: set[str] = set()
    finish = Fields.finish

    def remember(self: Fields) -> None:
        read.update(self.seen)
        finish(self)

    with monkeypatch.context() as patched:
        patched.setattr(Fields, "finish", remember)
        said(SMALL[family]["config"])
    made = transformers.CONFIG_MAPPING[class_of(family)]
    own = read | {*SMALL[family]["config"]} | {field.name for field in fields(made)} | {*made.attribute_map} | WORDS
    # What no family reads is one list for all: each of its fields is walked in some of the families.
    number = sorted(FAMILIES).index(family)
    shared = {name for place, name in enumerate(sorted(NO_EFFECT)) if place % 9 == number % 9}
    return sorted((own - NO_EFFECT | shared) - {"model_type", "architectures"})


@pytest.mark.parametrize("family", sorted({*FAMILIES} - INSIDE))
def test_every_field(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field with another value is refused, or the class has the parameters and FLOPs that tcost says."""
    draw = random.Random(family)  # noqa: S311  # chooses values, the same ones every time
    config, hf_class = SMALL[family]["config"], SMALL[family]["hf_class"]
    whole = whole_of(family)
    assert said(config) == executed(config, hf_class)
    compared = 0
    for name in fields_of(family, monkeypatch):
        value = config.get(name, getattr(whole, name, None))
        likely = [each for each in plausible(value) if each != value]
        for other in (draw.choice(likely), draw.choice(OTHERS)):
            compared += is_compared(config | {name: other}, hf_class, f"{name}: {other!r}")
    assert compared >= 20


def test_names_of_one_field() -> None:
    """Other names of a field are those that its configuration class has; given both, the other name wins."""
    import transformers

    for family in FAMILIES:
        made, own = transformers.CONFIG_MAPPING[class_of(family)], SYNONYMS.get(family, {})
        for other, name in own.items():
            for first, last in (({name: 4}, {other: 2}), ({other: 2}, {name: 4})):
                # GPT-Neo's layers are told one by one, too, which must agree.
                layers = {"attention_types": [[["global"], 2]]} if (family, name) == ("gpt_neo", "num_layers") else {}
                assert getattr(made(vocab_size=8, **first, **last, **layers), name) == 2, (family, other)
        # Where a class has a field under the name that it maps, the name that it maps to is the other one.
        declared = {field.name for field in fields(made)}
        mapped = {name if other in declared else other for other, name in made.attribute_map.items()}
        old = {"n_embed"} if family in {"bloom", "falcon"} else set()
        assert {*own} == mapped - {"initializer_range"} | old, family


@pytest.mark.parametrize("family", sorted({*FAMILIES} - INSIDE))
def test_tables_that_are_not_tied(family: str) -> None:
    """What a class registers and never runs, and what it ties all the same, is in a note exactly where it is so."""
    for case in golden("families"):
        if case["config"]["model_type"] != family or family in {*IMAGES, "rembert"}:
            continue
        for is_tied in (True, False):
            config = case["config"] | {"tie_word_embeddings": is_tied}
            assert said(config)[0] == executed(config, case["hf_class"])[0]


WINDOWS = [
    ("mistral", {"sliding_window": 3}),
    ("mistral", {"sliding_window": None}),
    ("mixtral", {"sliding_window": 3}),
    ("phi3", {"sliding_window": 3}),
    *(
        (family, {"use_sliding_window": True, "sliding_window": 3, "max_window_layers": first, "layer_types": None})
        for family in ("qwen2", "qwen3", "qwen2_moe")
        for first in (0, 1, 2, 28)
    ),
    *((family, {"use_sliding_window": False, "sliding_window": 3}) for family in ("qwen2", "qwen3", "qwen3_moe")),
    ("qwen3_moe", {"use_sliding_window": True, "sliding_window": 3}),
    ("gemma2", {"sliding_window": 3}),
    ("gemma2", {"sliding_window": 3, "layer_types": None}),
    ("gemma3_text", {"sliding_window": 3}),
    (
        "gemma3_text",
        {"sliding_window": 3, "layer_types": None, "sliding_window_pattern": 2, "_sliding_window_pattern": 2},
    ),
    ("gemma3_text", {"sliding_window": 3, "layer_types": None, "_sliding_window_pattern": 6}),
    ("llama", {}),
    ("llama", {"sliding_window": 3}),
    ("gemma", {}),
    ("olmo2", {}),
]


@pytest.mark.parametrize(("family", "changes"), WINDOWS, ids=str)
def test_windows(family: str, changes: dict[str, Any]) -> None:
    """The pairs of rows that attend to each other are those that the class leaves a weight above zero."""
    import torch

    case = SMALL[family]
    config = {**case["config"], **changes}
    spec = ModelSpec.model_validate(import_config(json.dumps(config), "c.json").spec)
    rows = evaluate(spec, convention="exact", context=CONTEXT, causal="half").rows
    ours = sum(row.macc for row in rows if row.operation == "scores" and row.phase == "forward")
    model = build(
        {
            **case,
            "config": {key: value for key, value in config.items() if value is not None or key == "sliding_window"},
        }
    )
    words = torch.arange(CONTEXT)[None] + 2
    weights = model(input_ids=words, output_attentions=True).attentions
    assert ours == sum(int((each > 0).sum()) for each in weights) * (spec.d_head or spec.d_model // spec.n_heads)


class Pooled:
    """A class without a head, whose loss is the sum of what its pooler gives."""

    def __init__(self, model: Any) -> None:
        """Take the class."""
        self.model = model
        self.parameters, self.buffers = model.parameters, model.buffers

    def __call__(self, **given: Any) -> Any:
        """Run the class, which has no labels."""
        out = self.model(**{name: value for name, value in given.items() if name != "labels"})
        out.loss = out.pooler_output.sum()
        return out


@pytest.mark.parametrize("case", golden("field"), ids=lambda case: case["name"])
def test_cases_from_the_field(case: dict[str, Any]) -> None:
    """What the golden file has of configurations from the field is what their classes execute here and now."""
    expected = case["expected"]
    case = {**case, "hf_class": case["config"].get("architectures", ["T5ForConditionalGeneration"])[0]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = build(case)
        given = inputs(case, model.config)
        run = Pooled(model) if case["hf_class"] in ("BertModel", "ViTModel") else model
        kept = saved(run, given)
        forward, backward = counted(run, given)
    found = {"forward": forward, "backward": backward, "step": forward + backward, "saved": kept}
    registered = sum(parameter.numel() for parameter in model.parameters())
    assert registered == expected.get("class_parameters", expected["parameters"] + expected.get("not_counted", 0))
    assert {name: found[name] for name in expected if name in found} == {
        name: number for name, number in expected.items() if name in found
    }


def test_outer_classes() -> None:
    """Which of the two fields ties the tables of a model of several inputs is what its configuration class does."""
    import transformers

    for kind, outer in NESTED.items():
        if outer.ties == "inner":  # tests/golden/nested_ties.json has what the class does
            continue
        made = transformers.CONFIG_MAPPING[kind]
        small = {"model_type": outer.family, "vocab_size": 8, "hidden_size": 16, "num_attention_heads": 2}
        for inside in (True, False):
            part = small | {"tie_word_embeddings": inside}
            for outside in (None, True, False):
                given = {} if outside is None else {"tie_word_embeddings": outside}
                default = inside if outer.ties is None else outer.ties
                expected = (default if outside is None else outside) or (outer.ties is None and inside)
                assert made(text_config=dict(part), **given).tie_word_embeddings is expected, (kind, inside, outside)
