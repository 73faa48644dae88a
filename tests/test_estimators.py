"""Published estimators: each as its authors derive it, term by term, beside the formula that is printed."""

from collections.abc import Callable
from typing import Any

import pytest

from tcost import Sizes, evaluate, load_spec
from tcost.bundled import BUNDLED
from tcost.estimators import Parameters, estimates, parameters_of

Derived = Callable[[Sizes, Parameters], Any]


def depth(s: Sizes) -> Any:
    """Return the layers of the one stack; the other has none."""
    return s.n_encoder_layers + s.n_decoder_layers


def kaplan_parameters(s: Sizes) -> Any:
    """Return N, the non-embedding parameters: equation 2.1."""
    return 2 * s.d_model * depth(s) * (2 * s.n_heads * s.d_head + s.d_ff)


def kaplan(s: Sizes, _: Parameters) -> Any:
    """Section 2.1: 6 N per token."""
    return 6 * kaplan_parameters(s) * s.context_length


def kaplan_with_context(s: Sizes, _: Parameters) -> Any:
    """Equation 2.2: C_forward is 2 N and 2 n_layer n_ctx d_attn per token; a step takes three times that."""
    forward_per_token = 2 * kaplan_parameters(s) + 2 * depth(s) * s.context_length * s.n_heads * s.d_head
    return 3 * forward_per_token * s.context_length


def hoffmann(s: Sizes, _: Parameters) -> Any:
    """Appendix F, line by line; the backward takes twice the forward."""
    m, d, attention_width = s.context_length, s.d_model, s.n_heads * s.d_head
    embeddings = 2 * m * s.vocab_size * d
    projections = 2 * 3 * m * d * attention_width
    logits = 2 * m * m * attention_width
    softmax = 3 * s.n_heads * m * m
    reductions = 2 * m * m * attention_width
    final_linear = 2 * m * attention_width * d
    dense_block = 2 * m * (d * s.d_ff + d * s.d_ff)
    final_logits = 2 * m * d * s.vocab_size
    layer = projections + logits + softmax + reductions + final_linear + dense_block
    return 3 * (embeddings + depth(s) * layer + final_logits)


def chowdhery(s: Sizes, parameters: Parameters) -> Any:
    """Appendix B: 6 N + 12 L H Q T per token."""
    return (6 * parameters.P + 12 * depth(s) * s.n_heads * s.d_head * s.context_length) * s.context_length


def narayanan(s: Sizes, _: Parameters) -> Any:
    """96 B s l h² (1 + s / (6 h) + V / (16 l h)), with B sequences."""
    m, d = s.context_length, s.d_model
    return 96 * m * depth(s) * d * d + 16 * m * m * depth(s) * d + 6 * m * d * s.vocab_size


DERIVED: dict[str, Derived] = {
    "Kaplan et al. 2020": kaplan,
    "Kaplan et al. 2020, with context": kaplan_with_context,
    "Hoffmann et al. 2022, Chinchilla": hoffmann,
    "Chowdhery et al. 2022, PaLM": chowdhery,
    "Narayanan et al. 2021, Megatron-LM": narayanan,
    "6·N·D, without embeddings": lambda s, parameters: 6 * parameters.P_in * s.context_length,
    "6·N·D, all parameters": lambda s, parameters: 6 * parameters.P_act * s.context_length,
}


@pytest.mark.parametrize("name", list(BUNDLED))
def test_a_formula_is_its_derivation(name: str) -> None:
    """What is printed as an estimator's formula gives what its publication derives, for every model of one stack."""
    sizes = load_spec(name).at()
    parameters = parameters_of(evaluate(sizes))
    found = {each.estimator.name: each.flop for each in estimates(sizes)}
    is_double = sizes.family == "encoder-decoder"
    assert found == ({} if is_double else {name: derived(sizes, parameters) for name, derived in DERIVED.items()})
