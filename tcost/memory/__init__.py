"""What a training step has to hold."""

from tcost.memory.budget import Budget, largest, within
from tcost.memory.held import CATEGORIES, Category, Held, Memory, MemoryRow, measure
from tcost.memory.storage import BYTES, Dtype, Storage

__all__ = [
    "BYTES",
    "CATEGORIES",
    "Budget",
    "Category",
    "Dtype",
    "Held",
    "Memory",
    "MemoryRow",
    "Storage",
    "largest",
    "measure",
    "within",
]
