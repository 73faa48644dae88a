"""Counting conventions: what is counted, at which price, and what is held to be stored."""

from collections.abc import Mapping

from tcost.conventions.base import SCALARS, Convention, Erratum, MemoryErratum, Override, PublishedMemory, Slip
from tcost.conventions.paper import PAPER
from tcost.errors import unknown

__all__ = [
    "CONVENTIONS",
    "Convention",
    "Erratum",
    "MemoryErratum",
    "Override",
    "PublishedMemory",
    "Slip",
    "convention_of",
]

_TORCH = Convention(
    name="torch",
    title="torch.utils.flop_counter.FlopCounterMode: matrix products only, 2 FLOPs per MACC",
    source="torch 2.13, torch/utils/flop_counter.py; full M x N scores whatever the mask",
    prices={"macc": 2},
    not_counted=("everything but matrix products", "optimizer step"),
    einsums_only=True,
)

_EXACT = Convention(
    name="exact",
    title="every scalar operation that an efficient implementation executes, a MACC as 2 FLOPs",
    source="counted on an executed training step: tcost verify",
    prices={"macc": 2, **dict.fromkeys(SCALARS, 1)},
    not_counted=("dropout", "copies and look-ups", "optimizer step"),
)

CONVENTIONS: Mapping[str, Convention] = {convention.name: convention for convention in (PAPER, _TORCH, _EXACT)}


def convention_of(name: str) -> Convention:
    """Return the convention of that name, or raise InputError with the names that there are."""
    if name not in CONVENTIONS:
        raise unknown("convention", name, CONVENTIONS)
    return CONVENTIONS[name]
