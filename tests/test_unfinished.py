"""Whatever has a name has all its parts: a rule its step and line, a kind its kernel and words, a size its letter.

What lacks one is named here, and where it is met at work the error names it too: it is no number, and no KeyError.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from inspect import get_annotations
from pathlib import Path
from typing import Any, get_args

import pytest
from drawn import FIRST, MODERN, WITHOUT_HEAD, _tiny

import tcost
from tcost import InputError, Sizes, evaluate
from tcost.conventions import CONVENTIONS
from tcost.conventions.base import SCALARS
from tcost.cost.measures import MEASURES
from tcost.documents.compute import Phases
from tcost.documents.diff import TotalChanges
from tcost.documents.parts import Memory as MemoryDocument
from tcost.errors import UnfinishedError
from tcost.execution import optimizing, steps
from tcost.execution.keeping import KEPT_BY_KERNELS
from tcost.execution.kernels import KERNELS
from tcost.kinds import DIFFERENCE, KINDS, MODEL_PHASES, PHASES, Kind, Phase, Scalars, free, kind_of
from tcost.kinds.base import COUNTS
from tcost.learning_rules import LEARNING_RULES
from tcost.memory import CATEGORIES, Category, measure
from tcost.memory.storage import BYTES
from tcost.optimizers import OPTIMIZERS, Optimizer
from tcost.plot import style
from tcost.report.memory import APART, HEADINGS
from tcost.settings import Dtype, Recompute, Settings
from tcost.sizes import Activation, AttentionKernel, Causal, Experts, LatentAttention, Lora, Norm
from tcost.spec.budgets import Measures
from tcost.symbols import PART_SYMBOLS, SYMBOLS
from tcost.tracing import DOCS, LAYERS, Op, layer_name
from tcost.training_step import training_step
from tcost.verify import verify

PACKAGE = Path(tcost.__file__).parent
BP = LEARNING_RULES["bp"]

OBVIOUS = ("added_constant", "scale", "relu", "split_heads", "first_row")
"""Kinds of which there is nothing to derive."""

OF_STEPS = ("difference", "gradient_sum")
"""Kinds that no operation of a model has: what they are, the executed steps themselves subtract and add."""


def check_same(what: str, found: Iterable[str], expected: Iterable[str]) -> None:
    """Check that two collections have the same names; the message names what is missing and what is too many."""
    found, expected = set(found), set(expected)
    assert found == expected, f"{what}: missing {sorted(expected - found)}, without a use {sorted(found - expected)}"


def charges(model: Sizes, algo: str) -> Iterator[Op]:
    """Yield every operation of a step: the model's, and those that the rule adds."""
    step = training_step(model, algo, "exact")
    yield from step.model.trace.ops
    yield from (op for _, op in step.rule.adds(step.model))


@pytest.fixture(scope="module")
def executed() -> list[Op]:
    """Return every operation of the tiny models that `verify` executes, under every rule that they can have."""
    whole = [op for model in MODERN.values() for algo in LEARNING_RULES for op in charges(model, algo)]
    return [*whole, *(charge for s in WITHOUT_HEAD.values() for charge in charges(s, "bp"))]


def test_learning_rules_are_whole() -> None:
    """Every rule has its runs, its executed step, its line, and what it stores under a published definition."""
    check_same("executed steps", steps.STEPS, LEARNING_RULES)
    assert len(style.LINES) >= len(LEARNING_RULES)
    for rule in LEARNING_RULES.values():
        check_same(f"runs of {rule.name}", rule.runs, PHASES[:4])
        for convention in CONVENTIONS.values():
            if convention.memory and rule.stores != "kept":
                assert rule.name in {*convention.memory.forgets, *convention.memory.sets}, (convention.name, rule.name)


def test_a_new_rule_is_named_by_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule without a step, a line or a place in memory is an error with its name, not a number of another rule."""
    monkeypatch.setitem(LEARNING_RULES, "sideways", BP._replace(name="sideways"))
    with pytest.raises(AssertionError, match=r"executed steps: missing \['sideways'\]"):
        test_learning_rules_are_whole()
    with pytest.raises(UnfinishedError, match="learning rule 'sideways' has no executed step: it belongs in STEPS"):
        verify(_tiny(), Settings("sideways", optimizer="adamw"))
    monkeypatch.setattr(style, "LINES", style.LINES[:3])
    with pytest.raises(UnfinishedError, match="learning rule 'sideways' has no line"):
        style.line_of("sideways")
    stores: Any = "halves"
    monkeypatch.setitem(LEARNING_RULES, "sideways", BP._replace(name="sideways", stores=stores))
    for convention in CONVENTIONS:
        with pytest.raises(UnfinishedError, match="learning rule 'sideways' stores 'halves'"):
            _ = measure(_tiny(), "sideways", convention).rows
    with pytest.raises(UnfinishedError, match="learning rule 'sideways' stores 'halves'"):
        _ = measure(_tiny(), "sideways", "exact").peak


def test_kinds_are_whole(executed: list[Op]) -> None:
    """Every kind has a kernel, its derivation in words, a price for what it executes, and a model that executes it."""
    check_same("kernels", {*KERNELS, *OF_STEPS}, KINDS)
    check_same("executed kinds", {op.kind for op in executed}, KINDS)
    check_same("derivations", {*(name for name, kind in KINDS.items() if kind.derivation), *OBVIOUS}, KINDS)
    assert set(KEPT_BY_KERNELS) <= set(KINDS)
    for convention in CONVENTIONS.values():
        assert {*convention.kinds, *convention.keeps} <= set(KINDS)
        assert {kind for kind, _ in convention.overrides} <= set(KINDS)
        assert {phase for _, phase in convention.overrides} <= set(PHASES)


def test_a_new_kind_is_named_by_what_it_lacks(monkeypatch: pytest.MonkeyPatch, executed: list[Op]) -> None:
    """A kind without a kernel is an error with its name; one that costs what has no price is named by that."""
    monkeypatch.setitem(KINDS, "swish", Kind(forward=free))
    with pytest.raises(AssertionError, match=r"kernels: missing \['swish'\]"):
        test_kinds_are_whole(executed)
    activation: Any = "swish"
    with pytest.raises(UnfinishedError, match="kind of operation 'swish' has no kernel: it belongs in KERNELS"):
        verify(_tiny(activation=activation))
    with pytest.raises(InputError, match="unknown kind of operation 'swosh'"):
        kind_of(replace(executed[0], kind="swosh"))

    def roots(op: Op) -> Scalars:
        return {"cbrt": op.elements}

    monkeypatch.setitem(KINDS, "swish", Kind(forward=roots))
    with pytest.raises(InputError, match="unknown scalar operation under convention exact 'cbrt'"):
        evaluate(_tiny(activation=activation), "bp", "exact")


def test_prices_are_whole(executed: list[Op]) -> None:
    """Every scalar operation that a kind executes has a price, and is one of those that are known."""
    named = {name for op in executed for phase in COUNTS for name in _count(op, phase)}  # type: ignore[arg-type]  # its keys are phases
    check_same("scalar operations", named, {"macc", *SCALARS})
    for convention in CONVENTIONS.values():
        assert convention.einsums_only or named <= set(convention.prices)
        assert {"macc"} <= set(convention.prices)
    assert {name for each in OPTIMIZERS.values() for name in each.per_parameter} <= {*SCALARS}


def _count(op: Op, phase: Phase) -> Scalars:
    return kind_of(op).count(op, phase)


def test_phases_are_whole() -> None:
    """Every phase has its fill in pictures and on the page, its field in documents, and its count or none."""
    check_same("phases", get_args(Phase), PHASES)
    check_same("counts", COUNTS, set(PHASES) - {"optimizer_step"})
    check_same("documented phases", get_annotations(Phases), PHASES)
    assert set(MODEL_PHASES) < set(PHASES)
    assert len(style.FILLS) == len(PHASES)
    css = (PACKAGE / "page" / "page.css").read_text()
    fills = {int(number) for number in re.findall(r"rect\.f(\d+)", css)}
    assert fills == set(range(max(len(PHASES), len(CATEGORIES))))


def test_a_new_phase_is_named_by_what_it_lacks(monkeypatch: pytest.MonkeyPatch, executed: list[Op]) -> None:
    """A phase that no kind counts, or that has no fill, is an error with its name, not a forward pass."""
    phase: Any = "second_backward"
    with pytest.raises(UnfinishedError, match="phase 'second_backward' has no count"):
        _count(executed[0], phase)
    monkeypatch.setattr(style, "PHASES", (*PHASES, phase))
    with pytest.raises(UnfinishedError, match="phase 'second_backward' has no fill"):
        style.fill_of(phase)


def test_categories_and_types_are_whole() -> None:
    """Every category of memory has its heading and its field, every type of number its bytes."""
    check_same("categories", get_args(Category), CATEGORIES)
    check_same("headings", {*HEADINGS, APART}, CATEGORIES)
    check_same("documented categories", get_annotations(MemoryDocument), {*CATEGORIES, "peak"})
    check_same("bytes", BYTES, get_args(Dtype))


def test_measures_are_whole() -> None:
    """Every measure can be limited, and is in a difference."""
    check_same("limits", Measures.model_fields, MEASURES)
    check_same("differences", get_annotations(TotalChanges), {*MEASURES, "memory_bytes"})


def test_optimizers_are_whole() -> None:
    """Every optimizer but none has its executed step."""
    check_same("executed optimizers", optimizing.UPDATES, set(OPTIMIZERS) - {"none"})


def test_a_new_optimizer_is_named_by_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An optimizer without an executed step is an error with its name."""
    monkeypatch.setitem(OPTIMIZERS, "lion", Optimizer("lion", {"mul": 1}, 1, "nobody"))
    with pytest.raises(AssertionError, match=r"executed optimizers: missing \['lion'\]"):
        test_optimizers_are_whole()
    with pytest.raises(UnfinishedError, match="optimizer 'lion' has no executed step: it belongs in UPDATES"):
        verify(_tiny(), Settings("bp", optimizer="lion"))


def sizes_in(part: type, prefix: str = "") -> Iterator[str]:
    """Yield the keys of all sizes of a model, those of its parts behind the part's own."""
    assert is_dataclass(part)
    yield from (f"{prefix}{each.name}" for each in fields(part) if each.type is Any)  # what a Size may be


def every_size(model: type) -> set[str]:
    """Return the keys of all sizes in a spec, as `symbols` names them."""
    parts = {"experts.": Experts, "latent_attention.": LatentAttention, "train.lora.": Lora}
    return {*sizes_in(model), *(key for prefix, part in parts.items() for key in sizes_in(part, prefix))}


def test_every_size_has_a_letter() -> None:
    """Every size of a model, of experts, of latent attention and of adapters has its letter, and each its own."""
    named = {**SYMBOLS, **PART_SYMBOLS}
    check_same("letters", named, every_size(Sizes))
    letters = [letter for letter, _ in named.values()]
    assert len({*letters, "B", "L"}) == len(letters) + 2


def test_a_new_size_is_named_by_its_letter() -> None:
    """A size without a letter, which would stand in formulas as a number, is named."""

    @dataclass(frozen=True, kw_only=True)
    class Wider(Sizes):
        n_memories: Any = field(default=None)

    with pytest.raises(AssertionError, match=r"letters: missing \['n_memories'\]"):
        check_same("letters", {**SYMBOLS, **PART_SYMBOLS}, every_size(Wider))


def test_layers_are_whole(executed: list[Op]) -> None:
    """Every layer is executed by `verify`, and says its shapes and its source; what names layers names such as are."""
    check_same("executed layers", {layer_name(op.layer) for op in executed}, LAYERS)
    for name, text in DOCS.items():
        assert "->" in text, name
        assert "Source:" in text or "the paper" in text, name
    operations = {op.name.removesuffix(DIFFERENCE) for op in executed}
    for convention in CONVENTIONS.values():
        assert convention.absent <= {*operations, *LAYERS}
        for erratum in convention.errata:
            assert erratum.layers <= set(LAYERS)
            assert erratum.operations <= operations


def test_a_new_layer_is_named_where_nothing_executes_it(monkeypatch: pytest.MonkeyPatch, executed: list[Op]) -> None:
    """A layer that no executed model has is named."""
    monkeypatch.setitem(LAYERS, "memory_bank", "Nothing.")
    with pytest.raises(AssertionError, match=r"executed layers: missing \['memory_bank'\]"):
        test_layers_are_whole(executed)


def _parameters(op: Op) -> Any:
    return kind_of(op).parameters(op) if op.weight else 0


def signature(s: Sizes) -> Collection[tuple[Any, ...]]:
    """Return what tells the operations of two models apart."""
    ops = training_step(s, "bp", "exact").model.trace.ops
    return tuple((op.layer, op.name, op.kind, op.output.shape, _parameters(op), op.is_trained) for op in ops)


NEEDED: dict[str, dict[str, Any]] = {
    "encoder_positions": {"n_encoder_layers": 2, "encoder_context_length": 3},
    "encoder_input": {"n_encoder_layers": 2, "encoder_context_length": 3, "patch_size": 2, "n_channels": 1},
    "head": {"n_classes": 3},
    "head_activation": {"head_transform": True},
    "pooler": {"n_classes": 3, "head": "classifier"},
    "qk_norm": {"positions": "rotary"},
    "query_position_scale": {"positions": "rotary", "unrotated_layers": FIRST},
}
"""What a part needs beside its word."""

TABLES = {"relative_buckets": 3, "n_positions": 4, "encoder_n_positions": 4}


def words_of(kind: Any) -> list[str]:
    """Return the words that a part of a model may be, or nothing where it is no word."""
    inner = [word for each in get_args(kind) for word in (words_of(each) if get_args(each) else [each])]
    return [word for word in inner if isinstance(word, str)]


WORDS = {each.name: words for each in fields(Sizes) if (words := words_of(each.type)) and each.name != "train"}
OF_STEP = {"causal": Causal, "attention": AttentionKernel}
"""Words that an option of the step replaces."""


@pytest.mark.parametrize("key", [key for key in WORDS if key not in OF_STEP])
def test_every_word_of_a_part_makes_a_model_of_its_own(key: str) -> None:
    """No word that a part may be is taken for another one: each makes other operations."""
    models = {word: signature(_tiny(**TABLES, **NEEDED.get(key, {}) | {key: word})) for word in WORDS[key]}
    assert len(models) > 1
    assert len(set(models.values())) == len(models)


def test_words_that_name_kinds_do() -> None:
    """Activations and norms are kinds of operation by name."""
    assert {*get_args(Activation), *get_args(Norm)} <= set(KINDS)


@pytest.mark.parametrize(
    ("option", "known"), [("causal", Causal), ("attention", AttentionKernel), ("recompute", Recompute)]
)
def test_words_of_options(option: str, known: Any) -> None:
    """Each word of an option gives a step of its own; an unknown one is refused, not taken for a known one."""

    def priced(word: Any) -> Any:
        options: dict[str, Any] = {option: word}
        totals = evaluate(_tiny(), "bp", "exact", **options).totals
        return totals.macc, totals.flop

    totals = [priced(word) for word in get_args(known)]
    assert len(set(totals)) == len(totals)
    with pytest.raises(InputError, match=f"unknown {option} 'hlaf'"):
        priced("hlaf")
