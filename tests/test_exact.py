"""Convention `exact` against the scalar operations of every part of a model, written out by hand."""

from collections import Counter
from dataclasses import MISSING, fields, replace
from typing import Any

import pytest
from conftest import draws
from drawn import parts
from hypothesis import given, settings

from tcost import Sizes, evaluate, load_spec
from tcost.bundled import BUNDLED
from tcost.conventions import CONVENTIONS
from tcost.kinds import KINDS

RULES = ["bp", "pepita", "mempepita"]

ACTIVATIONS = {
    "gelu": ({"mul": 3, "add": 1, "erf": 1}, {"mul": 5, "add": 1, "exp": 1}),
    "gelu_tanh": ({"mul": 5, "add": 2, "tanh": 1}, {"mul": 8, "add": 4}),
    "relu": ({"cmp": 1}, {"mul": 1}),
}


class ByHand:
    """The scalar operations of a model per phase, added up part by part from its sizes.

    `sums` are gradients that meet, which only backpropagation has; `differences` PEPITA's.
    """

    def __init__(self, s: Sizes) -> None:
        """Add up every part of the model."""
        self.s, self.counts = s, {phase: Counter[str]() for phase in ("forward", "backward", "weight_update")}
        self.sums, self.differences, self.projection = 0, 0, Counter[str]()
        encoders, decoders, m = s.n_encoder_layers, s.n_decoder_layers, s.context_length
        n, d, v = s.encoder_context_length, s.d_model, s.vocab_size
        if encoders and decoders:
            self.stack(n, encoders, s.encoder_n_heads or s.n_heads, s.encoder_d_ff or s.d_ff, self.encoder_width())
            self.stack(m, decoders, s.n_heads, s.d_ff, s.d_head)
            self.attention(decoders, m, n, s.n_heads, s.d_head)
            self.norm(decoders * m, d)
            self.add("forward", decoders * m * d, add=1)
            self.sums += decoders * m * d + (2 * decoders - 1) * n * d
            self.projection.update(
                cmp=n * m, add=2 * n * m + n * d, exp=n * m, div=n * m, mul=n * m, macc=n * m * v + n * v * d
            )
        else:
            self.stack(m, encoders + decoders, s.n_heads, s.d_ff, s.d_head)
        if s.head_transform:
            self.linear(m, d, d, has_bias=True)
            self.activation(m * d)
            self.norm(m, d)
        self.linear(m, d, v, has_bias=s.head_transform)
        self.add("forward", m * v, cmp=1, add=2, exp=1, div=1)
        self.add("forward", m, log=1, add=1)
        self.add("backward", m * v, mul=1)
        self.add("backward", m, add=1)
        self.projection.update(add=m + m * d, macc=m * v * d)

    def encoder_width(self) -> int:
        """Return the width of an encoder's head, which follows from heads of its own."""
        width: int = self.s.d_model // self.s.encoder_n_heads if self.s.encoder_n_heads else self.s.d_head
        return width

    def add(self, phase: str, times: int, **scalars: int) -> None:
        """Add scalar operations so many times."""
        self.counts[phase].update({name: times * number for name, number in scalars.items()})

    def stack(self, m: int, depth: int, heads: int, f: int, width: int) -> None:
        """Add a stack: its embeddings, its blocks without cross-attention, and its final norm."""
        s, d = self.s, self.s.d_model
        self.add("weight_update", m * d, add=1)
        self.differences += m * d
        tables = [s.positions == "learned", bool(s.n_segments)].count(True)
        self.add("forward", (tables + (s.positions == "sinusoidal")) * m * d, add=1)
        self.add("weight_update", tables * m * d, add=1)
        self.differences += tables * m * d
        self.norm(m * (s.embedding_norm + 2 * depth + s.final_norm), d)
        self.attention(depth, m, m, heads, width)
        for c_in, c_out in ((d, f), (f, d)):
            self.linear(depth * m, c_in, c_out, has_bias=s.ffn_bias)
        self.activation(depth * m * f)
        self.add("forward", 2 * depth * m * d, add=1)
        self.sums += depth * (3 + 1) * m * d  # q, k, v and residual; feed-forward and residual

    def attention(self, times: int, m: int, n: int, heads: int, width: int) -> None:
        """Add the attention of m rows over n rows, with its softmax and scale."""
        d, inner, scores = self.s.d_model, heads * width, times * m * n * heads
        widths = {"query": (m, d, inner), "key": (n, d, inner), "value": (n, d, inner), "output": (m, inner, d)}
        for name, (rows, c_in, c_out) in widths.items():
            self.linear(times * rows, c_in, c_out, has_bias=name in self.s.attention_bias)
        self.add("forward", 2 * scores * width, macc=1)
        self.add("backward", 4 * scores * width, macc=1)
        self.add("forward", scores, mul=1, cmp=1, add=2, exp=1, div=1)
        self.add("backward", scores, mul=2, macc=1, add=1)

    def linear(self, rows: int, c_in: int, c_out: int, *, has_bias: bool) -> None:
        """Add a projection, with a bias or without."""
        for phase in self.counts:
            self.add(phase, rows * c_in * c_out, macc=1)
        for phase in ("forward", "weight_update"):
            self.add(phase, has_bias * rows * c_out, add=1)
        self.differences += (1 + has_bias) * rows * c_out

    def norm(self, rows: int, c: int) -> None:
        """Add a LayerNorm."""
        self.add("forward", rows * c, macc=1, mul=2, add=3)
        self.add("forward", rows, div=3, add=1, sqrt=1)
        self.add("backward", rows * c, macc=1, mul=3, add=3)
        self.add("backward", rows, div=2)
        self.add("weight_update", rows * c, macc=1, add=1)
        self.differences += rows * c

    def activation(self, elements: int) -> None:
        """Add the activation function."""
        forward, backward = ACTIVATIONS[self.s.activation]
        self.add("forward", elements, **forward)
        self.add("backward", elements, **backward)

    def step(self, algo: str) -> dict[str, dict[str, int]]:
        """Return the phases of a training step under a learning rule."""
        runs = {"bp": 1, "pepita": 2, "mempepita": 3}[algo]
        phases = {"forward": Counter({name: runs * number for name, number in self.counts["forward"].items()})}
        phases["weight_update"] = Counter(self.counts["weight_update"])
        if algo == "bp":
            phases["backward"] = self.counts["backward"] + Counter(add=self.sums)
        else:
            phases["weight_update"] += Counter(add=self.differences)
            phases["error_projection"] = self.projection
        return {phase: dict(+counter) for phase, counter in phases.items()}


@pytest.mark.parametrize("algo", RULES)
@given(s=parts())
@settings(max_examples=draws(200))
def test_scalars_of_every_part(algo: str, s: Sizes) -> None:
    """The scalar operations of each phase are those of the parts that the model has, whatever they are."""
    found: dict[str, Counter[str]] = {}
    for row in evaluate(s, algo, "exact").rows:
        found.setdefault(row.phase, Counter()).update(row.scalars)
    assert {phase: dict(+counter) for phase, counter in found.items()} == ByHand(s).step(algo)


@given(s=parts())
def test_flops_are_two_per_macc_and_one_per_other_scalar(s: Sizes) -> None:
    """The price of a MACC is 2 FLOPs, of every other scalar operation 1, under `exact` and `paper` alike."""
    for convention in ("exact", "paper"):
        for row in evaluate(s, "pepita", convention, optimizer="adamw").rows:
            assert row.macc == row.scalars.get("macc", 0)
            assert row.flop == row.macc + sum(row.scalars.values())


@pytest.mark.parametrize("name", list(BUNDLED))
def test_exact_less_its_element_wise_part_is_torch(name: str) -> None:
    """The einsums of `exact` are all that `torch` counts, in every phase and under every rule."""
    for algo in RULES:
        rows = evaluate(load_spec(name), algo, "exact").rows
        torch = evaluate(load_spec(name), algo, "torch").phases
        for phase, amount in torch.items():
            einsums = [row for row in rows if row.phase == phase and KINDS[str(row.kind)].is_einsum]
            assert sum(row.macc for row in einsums) == amount.macc
            assert sum(row.flop for row in einsums) == amount.flop


PRE = ["norm", "attention", "residual", "norm_2", "feed_forward", "residual_2"]
POST = ["attention", "add_norm", "feed_forward", "add_norm_2"]
CROSS = ["attention", "add_norm", "cross_attention", "add_norm_2", "feed_forward", "add_norm_3"]

LAYERS = {
    "gpt2": [
        *(f"decoder.{layer}" for layer in ("embedding", "positions", *PRE, "final_norm")),
        "vocabulary_projection",
    ],
    "bert-base": [
        *(f"encoder.{layer}" for layer in ("embedding", "positions", "segments", "embedding_norm", *POST)),
        *("head_transform", "vocabulary_projection"),
    ],
    "transformer-base": [
        *(f"encoder.{layer}" for layer in ("embedding", "positions", *POST)),
        *(f"decoder.{layer}" for layer in ("embedding", "positions", *CROSS)),
        "vocabulary_projection",
    ],
    "alexatm-20b": [
        *(f"encoder.{layer}" for layer in ("embedding", *POST)),
        *(f"decoder.{layer}" for layer in ("embedding", *CROSS)),
        "vocabulary_projection",
    ],
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_a_model(name: str) -> None:
    """A model has its parts in their order: pre-norm before attention and feed-forward, post-norm after them."""
    rows = evaluate(load_spec(name), "pepita", "exact").rows
    projections = ["error", "error_projection"]
    if load_spec(name).at().family == "encoder-decoder":
        projections = ["error", "encoder_error_projection", "error_projection"]
    assert list(dict.fromkeys(row.layer for row in rows)) == [*LAYERS[name], *projections]


@pytest.mark.parametrize(
    ("optimizer", "per_parameter"),
    [("sgd", 2), ("momentum", 4), ("adam", 6 + 4 + 3 + 1), ("adamw", 8 + 5 + 3 + 1)],
)
def test_optimizer_step(optimizer: str, per_parameter: int) -> None:
    """An optimizer costs its published algorithm's operations per parameter, once whatever the batch and context."""
    for batch, context in ((1, 1024), (3, 7)):
        result = evaluate(load_spec("gpt2"), "bp", "exact", optimizer=optimizer, batch=batch, context=context)
        assert result.phases["optimizer_step"].flop == per_parameter * 124_439_808
        assert "optimizer step" not in result.not_counted
    assert "optimizer_step" not in evaluate(load_spec("gpt2"), "bp", "exact").phases
    assert evaluate(load_spec("gpt2"), "bp", "torch", optimizer=optimizer).phases["optimizer_step"].flop == 0


def test_what_the_paper_does_not_have() -> None:
    """Under `paper`, parts that its model has not are rows that cost nothing and say so; nothing else is marked."""
    absent = CONVENTIONS["paper"].absent
    for name in BUNDLED:
        for row in evaluate(load_spec(name), "pepita", "paper").rows:
            names = {str(row.layer).rpartition(".")[2], str(row.operation).removesuffix("_difference")}
            is_absent = bool(names & absent) and row.kind in CONVENTIONS["paper"].kinds
            assert row.note == ("not in the paper's model" if is_absent else "")
            assert not (is_absent and (row.macc or row.flop or row.parameters))


NO_PARTS = (
    *("name", "notes", "n_positions", "attention_bias", "latent_attention", "full_attention_layers", "experts"),
    *("train", "causal", "attention"),
)
"""What the paper's transformer may have otherwise, or does not know."""


@given(s=parts())
def test_the_paper_prices_its_own_transformer(s: Sizes) -> None:
    """No part of a model moves a total under `paper`: it is the paper's transformer of these sizes that is priced."""
    defaults: dict[str, Any] = {
        each.name: each.default
        for each in fields(Sizes)
        if each.default is not MISSING and each.name not in NO_PARTS and "encoder" not in each.name
    }
    for algo in RULES:
        assert evaluate(s, algo, "paper").totals == evaluate(replace(s, **defaults), algo, "paper").totals
