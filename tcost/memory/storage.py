"""How many bytes a number takes."""

from collections.abc import Mapping

from tcost.settings import Dtype

BYTES: Mapping[Dtype, int] = {"fp32": 4, "bf16": 2, "fp16": 2, "int8": 1}

INDEX_BYTES = 8
"""Tokens, positions and targets are int64 in PyTorch."""
