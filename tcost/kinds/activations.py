"""Kinds of activation functions: what is applied to every element by itself."""

from collections.abc import Mapping
from dataclasses import replace

from tcost.kinds.base import Kind
from tcost.kinds.counts import per_element
from tcost.kinds.keeping import keeps
from tcost.kinds.passing import passing

_GELU_TANH = Kind(
    forward=per_element(mul=5, add=2, tanh=1),
    backward=per_element(mul=8, add=4),
    keeps=keeps(input=True),
    derivation="0.5 x (1 + tanh(c (x + a x³))), Hendrycks & Gimpel 2016, section 2",
)

ACTIVATIONS: Mapping[str, Kind] = {
    "gelu": Kind(
        forward=per_element(mul=3, add=1, erf=1),
        backward=per_element(mul=5, add=1, exp=1),
        keeps=keeps(input=True),
        derivation="x Φ(x), Hendrycks & Gimpel 2016, section 2; Φ(x) = 0.5 (1 + erf(c x)), dx = dy (Φ(x) + x φ(x))",
    ),
    "gelu_tanh": _GELU_TANH,
    # The same as operations of Python (NewGELUActivation of transformers): x, the tanh, x / 2 and 1 + tanh are kept.
    "gelu_new": replace(_GELU_TANH, keeps=keeps(input=True, elements=3), passing=passing(1)),
    "relu": Kind(forward=per_element(cmp=1), backward=per_element(mul=1), keeps=keeps(output=True)),
    "relu2": Kind(
        forward=per_element(cmp=1, mul=1),
        backward=per_element(mul=2),
        keeps=keeps(elements=1),
        passing=passing(2),  # r and twice r, from which the gradient of r² is made
        derivation="max(x, 0)², So et al. 2021, arXiv 2109.08668, section 4; the ReLU is kept",
    ),
    "silu": Kind(
        forward=per_element(mul=2, add=1, div=1, exp=1),
        backward=per_element(mul=2, add=2),
        keeps=keeps(input=True),
        derivation="x s(x) with s(x) = 1 / (1 + exp(-x)): dx = dy (s + y (1 - s))",
    ),
    # As operations of Python it keeps x and s.
    "quick_gelu": Kind(
        forward=per_element(mul=2, add=1, div=1, exp=1),
        backward=per_element(mul=3, add=2),
        keeps=keeps(input=True, elements=1),
        passing=passing(1),
        derivation="x s(1.702 x) with s the sigmoid: dx = dy (s + 1.702 y (1 - s))",
    ),
    "sigmoid": Kind(
        forward=per_element(mul=1, add=1, div=1, exp=1),
        backward=per_element(mul=2, add=1),
        keeps=keeps(output=True),
        derivation="1 / (1 + exp(-x)): dx = dy y (1 - y)",
    ),
    "tanh": Kind(
        forward=per_element(tanh=1),
        backward=per_element(mul=2, add=1),
        keeps=keeps(output=True),
        derivation="dx = dy (1 - y²)",
    ),
    "soft_cap": Kind(
        forward=per_element(mul=2, tanh=1),
        backward=per_element(mul=2, add=1),
        keeps=keeps(elements=1),
        derivation="c t with t = tanh(x / c): dx = dy (1 - t²); t is kept",
    ),
}
"""As in `table`: what an efficient implementation executes, and what eager PyTorch keeps."""
