"""What a training step holds: published totals, what PyTorch keeps, and what must hold of any step."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Tcost, draws, golden
from drawn import models, modern
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tcost import Sizes, evaluate, load_spec
from tcost.memory import BYTES, CATEGORIES, Held, Memory, measure
from tcost.memory.budget import largest, within
from tcost.optimizers import OPTIMIZERS
from tcost.settings import Recompute, Storage
from tcost.training_step import training_step

RULES = ("bp", "pepita", "mempepita")
CONVENTIONS = ("paper", "exact", "torch")
RECOMPUTE: tuple[Recompute, ...] = ("none", "block", "full")


def stored(sizes: Any, algo: str, convention: str, **options: Any) -> Any:
    """Return the elements of stored activations."""
    return measure(sizes, algo, convention, **options).of("stored_activations").elements


# Published totals


@pytest.mark.parametrize("case", golden("paper"), ids=lambda case: f"{case['model']}-{case['context_length']}")
def test_published_totals(case: dict[str, Any]) -> None:
    """Stored activations of three models, five contexts and three rules are the authors', to the last element."""
    spec = load_spec(case["model"])
    found = {algo: stored(spec, algo, "paper", context=case["context_length"]) for algo in RULES}
    assert found == case["stored_activations_elements"]


@pytest.mark.parametrize("classes", [2, 5000])
def test_the_error_of_a_classifier(classes: int) -> None:
    """Where every row is classified, MEMPEPITA's published sets have the scores of the classes, not of a vocabulary."""
    s = replace(load_spec("bert-base").at(64), head="token_classifier", head_transform=False, n_classes=classes)
    sets = (64 * classes + 2 * 64 * 768, 2 * 64 * 768 + 2 * 64 * 64, 3 * 64 * 768, 64 * 768 + 2 * 64 * 3072)
    assert stored(s, "mempepita", "paper") == max(sets)


def published(s: Sizes) -> dict[str, Any]:
    """Return the published definition, written out by hand from Electronics 2024, 13(2), 402, for one sequence."""
    rows, width, hidden, head = s.context_length, s.d_model, s.d_ff, s.d_head

    def block(queries: int, keys: int) -> dict[str, int]:
        attention = 3 * queries * width + 2 * keys * width  # input, Q and what W_o reads; K and V
        norm = 2 * queries * width  # input and normalised
        return {"attention": attention, "map": queries * keys, "norm": norm, "ffn": queries * width + queries * hidden}

    own, depth = block(rows, rows), s.n_encoder_layers or s.n_decoder_layers
    if s.family != "encoder-decoder":
        layers, maps = depth * (own["attention"] + 2 * own["norm"] + own["ffn"]), depth * own["map"]
        sets = [
            rows * s.vocab_size + 2 * rows * width,
            2 * rows * width + 2 * rows * head,
            3 * rows * width,
            rows * width + 2 * rows * hidden,
        ]
    else:
        read = s.encoder_context_length
        first, cross = block(read, read), block(rows, read)
        layers = s.n_encoder_layers * (first["attention"] + 2 * first["norm"] + first["ffn"])
        layers += s.n_decoder_layers * (own["attention"] + cross["attention"] + 3 * own["norm"] + own["ffn"])
        maps = s.n_encoder_layers * first["map"] + s.n_decoder_layers * (own["map"] + cross["map"])
        error, memory = rows * s.vocab_size, read * width
        sets = [
            *(error + read * s.vocab_size + 2 * memory, error + 2 * memory + 2 * read * head, error + 3 * memory),
            *(error + memory + 2 * read * hidden, error + 2 * rows * width),
            *(memory + 2 * rows * width + 2 * rows * head, 2 * memory + 2 * read * head, 3 * memory + rows * head),
            *(3 * rows * width, rows * width + 2 * rows * hidden),
        ]
    softmax = 2 * rows * width
    return {"bp": layers + maps + softmax, "pepita": layers + softmax, "mempepita": max(*sets, error_and_input(s))}


def error_and_input(s: Sizes) -> Any:
    """Return what the softmax layer has alive under MEMPEPITA."""
    return s.context_length * (s.vocab_size + s.d_model)


KEYS_LAST = Sizes(
    vocab_size=1,
    d_model=8,
    n_heads=2,
    d_head=4,
    d_ff=1,
    context_length=2,
    n_encoder_layers=1,
    n_decoder_layers=1,
    encoder_context_length=4,
)
"""A model whose largest set under MEMPEPITA is the keys of the encoder's output: 3·N·d + M·d/h = 104 elements."""


@example(s=KEYS_LAST)
@given(s=models())
def test_published_definition(s: Sizes) -> None:
    """The published definition, written out by hand, is what the data flow gives for any plain transformer."""
    assert {algo: stored(s, algo, "paper") for algo in RULES} == published(s)


@given(s=models(), batch=st.integers(1, 5))
def test_slips_are_rows(s: Sizes, batch: int) -> None:
    """Without errata the map has its heads, the softmax layer M·V, and the encoder's output is stored."""
    rows, words, width = s.context_length, s.vocab_size, s.d_model
    with_maps = {"bp": s.n_heads - 1, "pepita": 0, "mempepita": 0}
    for algo in RULES:
        maps = (s.n_decoder_layers or s.n_encoder_layers) * rows * rows
        output = 0
        if s.family == "encoder-decoder":
            read = s.encoder_context_length
            maps = s.n_decoder_layers * (rows * rows + rows * read) + s.n_encoder_layers * read * read
            output = read * width
        slips = with_maps[algo] * maps + (rows * (words - width) + output if algo != "mempepita" else 0)
        as_published = stored(s, algo, "paper", batch=batch)
        assert stored(s, algo, "paper", batch=batch, errata=False) == as_published + batch * slips


# What PyTorch keeps


@pytest.mark.parametrize("case", golden("saved_activations"), ids=str)
def test_what_gpt2_keeps(case: dict[str, Any], tcost: Tcost, tmp_path: Path) -> None:
    """The bytes that Hugging Face's GPT-2 keeps for its backward, and those of its integers, from its configuration."""
    config = {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        "n_positions": case["seq"],
        **{key: case[name] for key, name in (("n_embd", "d_model"), ("n_head", "heads"), ("n_layer", "layers"))},
        **{key: case[name] for key, name in (("n_inner", "d_ff"), ("vocab_size", "vocab"))},
        "activation_function": case["activation"],
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    out = tcost("memory", path, "--convention", "exact", "--batch", case["batch"], "--format", "json").out
    memory = json.loads(out)["results"][0]["memory"]
    assert memory["stored_activations"]["bytes"] == case["float_bytes"]
    assert memory["indices"]["bytes"] == case["int_bool_bytes"]


def test_indices() -> None:
    """T5 keeps tokens and targets of every sequence, and the distances of all pairs of rows of each stack: executed."""
    tiny: dict[str, Any] = {"n_encoder_layers": 2, "n_decoder_layers": 2, "relative_buckets": 4}
    s = replace(load_spec("t5-base").at(17, 9), vocab_size=11, **tiny)
    assert measure(s, "bp", "exact", batch=3).of("indices").elements == 3 * (9 + 17 + 17) + 9**2 + 17**2


GELUS = {"gelu_new": 5, "gelu": 2, "gelu_tanh": 2, "relu": 1}


@given(
    width=st.integers(1, 20),
    n=st.tuples(*[st.integers(1, 9)] * 6),
    activation=st.sampled_from(list(GELUS)),
)
def test_closed_form_of_gpt2(width: int, n: tuple[int, ...], activation: Any) -> None:
    """The closed form of `saved_activations.json`, for any size of GPT-2 and any activation."""
    heads, layers, hidden, words, rows, batch = n
    d = heads * width
    s = replace(
        load_spec("gpt2").at(),
        vocab_size=words,
        d_model=d,
        n_heads=heads,
        d_head=width,
        d_ff=hidden,
        n_decoder_layers=layers,
        context_length=rows,
        activation=activation,
    )
    tokens = batch * rows
    block = 8 * tokens * d + batch * heads * rows**2 + GELUS[activation] * tokens * hidden + 4 * tokens
    kept = layers * block + 2 * tokens * d + 2 * tokens + tokens * words + 1
    assert stored(s, "bp", "exact", batch=batch) == kept


def test_gpt2_by_name() -> None:
    """GPT-2 small keeps 785,651,716 bytes at context 512, 559,159,300 with the fused activation: executed."""
    gpt2 = load_spec("gpt2").at(512)
    assert measure(gpt2, "bp", "exact").of("stored_activations").bytes == 785_651_716
    fused = replace(gpt2, activation="gelu_tanh")
    assert measure(fused, "bp", "exact").of("stored_activations").bytes == 559_159_300


OTHERWISE: Mapping[tuple[str, str], Mapping[int, set[int]]] = {
    # It classifies every row, then picks one.
    ("GPT2ForSequenceClassification", "eager"): {1: {45}, 3: {108}},
    ("GPT2ForSequenceClassification", "flash"): {1: {45}, 3: {108}},
    # It has the angles of its positions once for every sequence and layer.
    ("GPTJForCausalLM", "eager"): {1: {-384}, 3: {-312}},
    ("GPTJForCausalLM", "flash"): {1: {-384}, 3: {-312}},
    # It adds one to the gain of every norm, and keeps the sum.
    ("GemmaForCausalLM", "eager"): {1: {-336}, 3: {-336}},
    ("GemmaForCausalLM", "flash"): {1: {-336}, 3: {-336}},
    ("Gemma2ForCausalLM", "eager"): {1: {-624}, 3: {-624}},
    ("Gemma3ForCausalLM", "eager"): {1: {-1852}, 3: {-1792}},
    # Their norms are operations of Python, which keep the differences twice and the normalised rows.
    ("CohereForCausalLM", "eager"): {1: {-3420}, 3: {-10479}},
    ("CohereForCausalLM", "flash"): {1: {-3420}, 3: {-10479}},
    ("Cohere2ForCausalLM", "eager"): {1: {-1512}, 3: {-4935}},
    # It has cosines and sines for one half of a head alone.
    ("GptOssForCausalLM", "eager"): {1: {132}},
    # What stands for a text is a copy of its row, not a view of all.
    ("CLIPTextModelWithProjection", "eager"): {2: {192}},
    ("CLIPTextModelWithProjection", "flash"): {2: {192}},
    # Its pooling attention is not fused.
    ("SiglipVisionModel", "flash"): {2: {-24, 0}},
    # They turn pairs as complex numbers, or one after the other.
    ("DeepseekV2ForCausalLM", "eager"): {1: {-2944}, 3: {-364}},
    ("DeepseekV3ForCausalLM", "eager"): {1: {-3072}, 3: {-468}},
    # Its loss is binary cross-entropy.
    ("ElectraForPreTraining", "eager"): {1: {-15}, 3: {-38}},
    ("ElectraForPreTraining", "flash"): {1: {-15}, 3: {-38}},
    # It copies the output of the fused kernel before the projection.
    ("WhisperForConditionalGeneration", "flash"): {1: {-2720}, 3: {-8160}},
    # They have angles of their own for layers with a window; and of one sequence the merged projection is kept.
    ("ModernBertForMaskedLM", "eager"): {1: {-1092}, 2: {-96}},
    ("ModernBertDecoderForCausalLM", "eager"): {1: {-96}, 2: {-336}},
    # Its activation is made of operations of Python, and it scales queries before they are turned.
    ("EsmForMaskedLM", "eager"): {2: {-7384, -9362}},
    ("EsmForMaskedLM", "flash"): {2: {-7384, -9362}},
    # Values are a view of the merged projection, all of which they keep; in eager attention only of one sequence.
    ("FalconForCausalLM", "eager"): {1: {0, -768, -4608}, 3: {0}},
    ("GPTNeoXForCausalLM", "eager"): {1: {-4608}, 3: {0}},
    ("GPTNeoXForCausalLM", "flash"): {1: {-6912}, 3: {-16848}},
    ("Phi3ForCausalLM", "flash"): {1: {-5376}, 3: {-13104}},
    ("PhiForCausalLM", "flash"): {1: {-2304}, 3: {-5616}},
}
"""Classes that keep a little more or less than is counted, by how much for one sequence and for three, and why."""


@pytest.mark.parametrize("attention", ["eager", "flash"])
@pytest.mark.parametrize("case", golden("families"), ids=lambda case: f"{case['hf_class']}-{case['batch']}")
def test_what_classes_keep(case: dict[str, Any], attention: str, tmp_path: Path) -> None:
    """What was executed on the classes of every family is what is counted, element for element, but for a few."""
    executed = case["saved"] if attention == "eager" else case["saved_flash"]
    path = tmp_path / "config.json"
    path.write_text(json.dumps(case["config"]))
    lengths = {"context": case["context"], "encoder_context": case["encoder_context"]}
    found = stored(load_spec(path), "bp", "exact", batch=case["batch"], attention=attention, **lengths)
    known = OTHERWISE.get((case["hf_class"], attention), {}).get(case["batch"], {0})
    assert executed is None or found - executed in known  # None: it has no fused attention, or gives it a mask


# Weights, their gradients, and what the optimizer holds


STATE = {"none": 0, "sgd": 0, "momentum": 1, "adam": 2, "adamw": 2}


@given(s=modern(), data=st.data())
def test_bytes_are_elements_times_width(s: Sizes, data: st.DataObject) -> None:
    """Every category takes the bytes of its type; the optimizer holds its state, and a copy in fp32 where asked to."""
    widths = {"fp32": 4, "bf16": 2, "fp16": 2, "int8": 1}
    assert widths == BYTES
    dtypes: dict[str, Any] = {
        name: data.draw(st.sampled_from(list(widths))) for name in ("weights", "gradients", "activations", "optimizer")
    }
    algo, optimizer = data.draw(st.sampled_from(RULES)), data.draw(st.sampled_from(list(OPTIMIZERS)))
    master = data.draw(st.booleans())
    storage = Storage(**dtypes, has_master_weights=master)
    memory = measure(s, algo, "exact", storage=storage, optimizer=optimizer, causal=s.causal)
    trained = sum(elements for op, elements in memory.step.parameters.items() if op.is_trained)
    totals = evaluate(s, algo, "exact", causal=s.causal).totals
    held = {name: memory.of(name) for name in CATEGORIES}
    assert held["parameters"] == Held(totals.parameters, totals.parameters * widths[dtypes["weights"]])
    if algo == "bp" or optimizer == "none":
        assert held["gradients"] == Held(trained, trained * widths[dtypes["gradients"]])
    state = STATE[optimizer] * trained
    assert held["optimizer"] == Held(
        state + master * trained, state * widths[dtypes["optimizer"]] + 4 * master * trained
    )
    assert held["projection"].bytes == held["projection"].elements * widths[dtypes["weights"]]
    assert held["stored_activations"].bytes == held["stored_activations"].elements * widths[dtypes["activations"]]
    assert held["indices"].bytes == 8 * held["indices"].elements
    moments = memory.liveness.ledger.moments
    wide, narrow, state_width = (widths[dtypes[name]] for name in ("activations", "gradients", "optimizer"))
    static = sum(held[name].bytes for name in ("parameters", "optimizer", "projection"))
    assert memory.peak.bytes == static + max(
        (m.activations + m.passing) * wide + m.gradients * narrow + m.updates * state_width for m in moments
    )


@given(s=models())
def test_fixed_matrices(s: Sizes) -> None:
    """PEPITA's fixed matrices: V·d for every stack, and N·M where the error goes on to an encoder."""
    stacks = 2 if s.family == "encoder-decoder" else 1
    mixing = s.encoder_context_length * s.context_length if stacks > 1 else 0
    for algo in ("pepita", "mempepita"):
        found = measure(s, algo, "exact").of("projection").elements
        assert found == stacks * s.vocab_size * s.d_model + mixing
    assert measure(s, "bp", "exact").of("projection").elements == 0


def test_updates_are_applied_at_once() -> None:
    """With an optimizer PEPITA holds the largest update at most: GPT-2's tied table, from embedding to projection.

    Beside it the second largest, of a feed-forward's projection, 4·768² elements.
    """
    memory = measure(load_spec("gpt2"), "pepita", "exact", optimizer="sgd")
    table = 50257 * 768
    assert memory.of("gradients").elements == table + 4 * 768**2
    assert measure(load_spec("gpt2"), "pepita", "exact").of("gradients").elements == 124_439_808


# Budgets


@given(
    s=models(),
    algo=st.sampled_from(RULES),
    convention=st.sampled_from(CONVENTIONS),
    batch=st.integers(1, 4),
    data=st.data(),
)
@settings(max_examples=draws(60))
def test_budgets_are_tight(s: Sizes, algo: str, convention: str, batch: int, data: st.DataObject) -> None:
    """The largest context and batch fit, the next larger ones do not."""
    step = training_step(s, algo, convention, batch=batch, optimizer=data.draw(st.sampled_from(["none", "adam"])))
    peak = Memory(step).peak.bytes
    budget = data.draw(st.integers(peak // 2, 50 * peak))
    found = within(budget, step)
    assert found.fits == (peak <= budget)
    assert found.spare == budget - peak

    def at_context(context: int) -> int:
        return int(Memory(step.at(context)).peak.bytes)

    def at_batch(number: int) -> int:
        return int(Memory(replace(step, settings=replace(step.settings, batch=number))).peak.bytes)

    for number, at in ((found.largest_context, at_context), (found.largest_batch, at_batch)):
        if number is None:
            assert at(1) > budget
        else:
            assert at(number) <= budget < at(number + 1)


@given(limit=st.integers(0, 10**18))
def test_search(limit: int) -> None:
    """The search finds any limit exactly."""
    assert largest(lambda number: number <= limit) == (limit or None)
