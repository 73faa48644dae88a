"""What must hold between models: parts that mean the same cost the same, and more is never cheaper."""

from dataclasses import replace
from typing import Any

import pytest
from drawn import MODERN, models, modern
from hypothesis import assume, given
from hypothesis import strategies as st

from tcost import InputError, Result, Sizes, evaluate, load_spec
from tcost.bundled import BUNDLED
from tcost.sizes import Experts, LayerSet, Lora

RULES = ["bp", "pepita", "mempepita"]
CONVENTIONS = ["paper", "torch", "exact"]


def amounts(result: Result) -> list[Any]:
    """Return the totals and every phase."""
    return [result.totals, *result.phases.values()]


@pytest.mark.parametrize("convention", CONVENTIONS)
@given(s=models(), algo=st.sampled_from(RULES))
def test_as_many_heads_of_keys_is_plain_attention(convention: str, s: Sizes, algo: str) -> None:
    """Grouped-query attention with a group for every head is multi-head attention."""
    grouped = replace(s, n_kv_heads=s.n_heads)
    assert amounts(evaluate(grouped, algo, convention)) == amounts(evaluate(s, algo, convention))


@pytest.mark.parametrize("convention", CONVENTIONS)
@given(s=models(), algo=st.sampled_from(RULES), is_gated=st.booleans())
def test_one_expert_without_a_router_is_dense(convention: str, s: Sizes, algo: str, *, is_gated: bool) -> None:
    """An expert that every token takes, with no router, is the feed-forward without biases."""
    dense = replace(s, ffn_bias=False, ffn_gated=is_gated, activation="silu")
    one = replace(dense, experts=Experts(n_experts=1, experts_per_token=1, d_expert=s.d_ff, router="none"))
    assert amounts(evaluate(one, algo, convention)) == amounts(evaluate(dense, algo, convention))


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("causal", ["full", "half"])
@given(s=models("decoder-only"), more=st.integers(0, 9))
def test_a_long_window_is_none(convention: str, causal: Any, s: Sizes, more: int) -> None:
    """A window at least as long as the context is full attention; a shorter one is cheaper only where it is skipped."""
    wide = replace(s, sliding_window=s.context_length + more)
    full = evaluate(s, "bp", convention, causal=causal)
    assert amounts(evaluate(wide, "bp", convention, causal=causal)) == amounts(full)
    narrow = evaluate(replace(s, sliding_window=1), "bp", convention, causal=causal).totals.macc
    assert (narrow < full.totals.macc) == (causal == "half" and s.context_length > 1)


@given(m=st.integers(1, 60), window=st.integers(1, 70))
def test_pairs_of_a_causal_kernel(m: int, window: int) -> None:
    """Half attention counts M(M+1)/2 pairs, or with a window as many as there are, counted one by one."""
    s = replace(load_spec("gpt2").at(m), sliding_window=window)
    pairs = sum(1 for q in range(m) for k in range(q + 1) if q - k < window)
    rows = {row.operation: row for row in evaluate(s, "bp", "torch", causal="half").rows if row.phase == "forward"}
    assert rows["scores"].macc == rows["context"].macc == 12 * 768 * pairs
    full = evaluate(load_spec("gpt2"), "bp", "torch", context=m, causal="half")
    scores = next(row for row in full.rows if row.operation == "scores" and row.phase == "forward")
    assert 2 * scores.macc == 12 * 768 * m * (m + 1)


@given(s=modern(), algo=st.sampled_from(RULES), batch=st.integers(2, 5))
def test_linear_in_the_batch(s: Sizes, algo: str, batch: int) -> None:
    """Every row of a batch costs as often as much; parameters stay."""
    one, many = (evaluate(s, algo, "exact", batch=number, causal=s.causal) for number in (1, batch))
    assert [batch * row.flop for row in one.rows] == [row.flop for row in many.rows]
    assert one.totals.parameters == many.totals.parameters


@pytest.mark.parametrize("name", [name for name in BUNDLED if not load_spec(name).at().has_patterns])
def test_linear_in_the_depth(name: str) -> None:
    """Each further layer of a bundled spec adds as much as the one before it, under every rule and convention."""
    s = load_spec(name).at()
    for algo in RULES:
        for convention in CONVENTIONS:
            at = [_deeper(s, depth) for depth in (2, 3, 5)]
            two, three, five = (evaluate(each, algo, convention).totals.flop for each in at)
            assert five - three == 2 * (three - two) > 0


def _deeper(s: Sizes, depth: int) -> Sizes:
    encoder, decoder = (depth if layers else 0 for layers in (s.n_encoder_layers, s.n_decoder_layers))
    return replace(s, n_encoder_layers=encoder, n_decoder_layers=decoder)


@given(s=modern(), algo=st.sampled_from(RULES), convention=st.sampled_from(CONVENTIONS), data=st.data())
def test_never_cheaper_when_a_size_grows(s: Sizes, algo: str, convention: str, data: st.DataObject) -> None:
    """A longer context, a wider feed-forward, a larger vocabulary, a further layer: never fewer FLOPs."""
    assume(s.train is None)
    names = ["vocab_size", "d_ff", "context_length", "n_decoder_layers", "n_encoder_layers", "encoder_context_length"]
    name = data.draw(st.sampled_from([name for name in names if getattr(s, name)]))
    larger = replace(s, **{name: getattr(s, name) + 1})
    assume(larger.n_unique_layers is None or larger == s)
    before, after = (evaluate(each, algo, convention, errata=False).totals for each in (s, larger))
    assert before.flop <= after.flop
    assert before.parameters <= after.parameters


@pytest.mark.parametrize("name", [name for name, s in MODERN.items() if s.head == "vocabulary"])
@pytest.mark.parametrize("algo", RULES)
def test_frozen_parts_cost_less(name: str, algo: str) -> None:
    """What is not trained is priced forward as ever, and never dearer in the other phases."""
    s = MODERN[name]
    whole = evaluate(replace(s, train=None), algo, "torch", causal=s.causal).phases
    part = evaluate(replace(s, train=("vocabulary_projection",)), algo, "torch", causal=s.causal).phases
    assert part["forward"] == whole["forward"]
    assert part["backward"].flop <= whole["backward"].flop
    assert part["weight_update"].flop < whole["weight_update"].flop


def test_adapters_by_hand() -> None:
    """Adapters of queries and values: their matrices alone are learned, and no gradient goes below the first."""
    m, d, rank, depth, v = 16, 768, 8, 12, 50257
    s = replace(load_spec("gpt2").at(m), train=Lora(rank=rank, targets=("query", "value")))
    phases = evaluate(s, "bp", "torch").phases
    assert phases["weight_update"].macc == depth * 2 * 2 * m * d * rank
    # In the first block keys have no gradient, and the projections and first matrices have none to pass on.
    first = (1 + 8) * m * d * d + (1 + 2) * m * m * d + 2 * m * d * rank
    other = (4 + 8) * m * d * d + (2 + 2) * m * m * d + 2 * 2 * m * d * rank
    assert phases["backward"].macc == first + (depth - 1) * other + m * d * v


def test_what_is_trained_is_checked() -> None:
    """Projections, layers and numbers that the model does not have are named, with those that it has."""
    s = load_spec("gpt2").at(8)
    for train, message in (
        (Lora(rank=2, targets=("qkv",)), "projection for an adapter 'qkv'"),
        ((12,), "there is no layer 12"),
        (("atention",), "did you mean 'attention'"),
        (("add_norm",), "unknown layer to train 'add_norm'"),
    ):
        with pytest.raises(InputError, match=message):
            evaluate(replace(s, train=train))


def test_layers_that_differ_are_apart() -> None:
    """Layers of two kinds have scopes of their own, with as many copies as there are."""
    rows = evaluate(load_spec("gemma-3-1b"), "bp", "exact").rows
    repeats = {row.layer: row.repeats for row in rows if row.operation == "query" and row.phase == "forward"}
    assert repeats == {"decoder.sliding.attention": 22, "decoder.full.attention": 4}
    dense = {row.layer: row.repeats for row in evaluate(load_spec("deepseek-v3")).rows if row.operation == "scores"}
    assert dense == {"decoder.dense.latent_attention": 3, "decoder.sparse.latent_attention": 58}


def test_the_paper_says_what_it_does_not_have() -> None:
    """Under `paper` kinds that its model has not are priced as in `exact`, and named; its own are not."""
    result = evaluate(load_spec("llama-3-8b"), "bp", "paper")
    assert set(result.priced_as_exact) == {"rms_norm", "rotary", "silu", "multiply"}
    post = replace(load_spec("llama-3-8b").at(), norm_position="post")
    rows = evaluate(post, "bp", "exact").rows
    exact = {(row.layer, row.operation, row.phase): row.flop for row in rows}
    found = [row for row in result.rows if row.kind in result.priced_as_exact and not row.note]
    assert len(found) > 8
    assert all(exact[row.layer, row.operation, row.phase] == row.flop for row in found)
    assert evaluate(load_spec("gpt2"), "bp", "paper").priced_as_exact == ()


def test_groups_share_keys() -> None:
    """Keys and values are projected for their own heads, scores computed for all query heads."""
    s = MODERN["grouped-query"]
    rows = {row.operation: row.macc for row in evaluate(s, "bp", "torch").rows if row.phase == "forward"}
    m, d, depth = s.context_length, s.d_model, s.n_decoder_layers
    assert rows["key"] == rows["value"] == depth * m * d * s.n_kv_heads * s.d_head
    assert rows["query"] == depth * m * d * s.n_heads * s.d_head
    assert rows["scores"] == depth * m * m * s.n_heads * s.d_head


def test_patterns() -> None:
    """Sets of layers are lists, or every so many from the first on."""
    every = LayerSet(every=6, first=5)
    assert [layer for layer in range(20) if layer in every] == [5, 11, 17]
    assert [layer for layer in range(5) if layer in LayerSet(frozenset({3}))] == [3]


def test_adapters_beside_latent_attention() -> None:
    """An adapter of rank 3 is 3 (in + out) weights, also where what goes in has passed a low rank itself."""
    s = load_spec("deepseek-v3").at(16)
    latent, targets = s.latent_attention, ("query_down", "query", "key", "value", "kv_down")
    assert latent is not None
    assert latent.q_rank is not None
    h, d = s.n_heads, s.d_model
    widths = {
        "query_down": (d, latent.q_rank),
        "query": (latent.q_rank, h * (latent.d_nope + latent.d_rope)),
        "kv_down": (d, latent.kv_rank),
        "key": (latent.kv_rank, h * latent.d_nope),
        "value": (latent.kv_rank, h * latent.d_value),
    }
    result = evaluate(replace(s, train=Lora(rank=3, targets=targets)), convention="torch")
    found: dict[str, int] = {}
    for row in result.rows:
        name = str(row.operation).partition("_lora_")
        if name[1]:
            found[name[0]] = found.get(name[0], 0) + row.parameters
    assert found == {name: s.n_decoder_layers * 3 * (a + b) for name, (a, b) in widths.items()}
