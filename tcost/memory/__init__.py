"""What a training step has to hold. Budgets, which few commands ask for, are in `tcost.memory.budget`."""

from tcost.memory.held import CATEGORIES, Category, Held, Memory, MemoryRow, measure
from tcost.memory.storage import BYTES, Dtype, Storage

__all__ = ["BYTES", "CATEGORIES", "Category", "Dtype", "Held", "Memory", "MemoryRow", "Storage", "measure"]
