"""How many bytes a number takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Dtype: TypeAlias = Literal["fp32", "bf16", "fp16", "int8"]

BYTES: Mapping[Dtype, int] = {"fp32": 4, "bf16": 2, "fp16": 2, "int8": 1}

INDEX_BYTES = 8
"""Tokens, positions and targets are int64 in PyTorch."""


@dataclass(frozen=True, kw_only=True)
class Storage:
    """The type of the numbers of each kind, and whether the optimizer holds an fp32 copy of the weights.

    PEPITA's fixed matrices are of the type of the weights; gradients of activations, and the differences
    that stand for them, of that of the activations.
    """

    weights: Dtype = "fp32"
    gradients: Dtype = "fp32"
    activations: Dtype = "fp32"
    optimizer: Dtype = "fp32"
    has_master_weights: bool = False
