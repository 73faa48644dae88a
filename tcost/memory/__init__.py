"""What a training step has to hold. Budgets, which few commands ask for, are in `tcost.memory.budget`."""

from tcost.memory.facts import Kernels
from tcost.memory.held import CATEGORIES, Category, Held, Memory, MemoryRow, measure
from tcost.memory.storage import BYTES

__all__ = ["BYTES", "CATEGORIES", "Category", "Held", "Kernels", "Memory", "MemoryRow", "measure"]
