"""How each kind of operation is executed: forward, the gradients of its inputs, the gradients of its weights.

A kernel reads what one call has at hand (`Call`), keeps what its gradients need, and works on arrays
of numbers, so that what it executes is counted by the numbers themselves.
"""

from collections.abc import Mapping

from tcost.errors import part_of
from tcost.execution.kernels.base import Call, Kernel
from tcost.execution.kernels.elements import ELEMENTS
from tcost.execution.kernels.products import PRODUCTS
from tcost.execution.kernels.rows import ROWS
from tcost.tracing import Op

KERNELS: Mapping[str, Kernel] = {**PRODUCTS, **ROWS, **ELEMENTS}

__all__ = ["KERNELS", "Call", "Kernel", "kernel_of"]


def kernel_of(op: Op) -> Kernel:
    """Return the kernel of an operation's kind. Raises UnfinishedError for a kind that has none."""
    return part_of(KERNELS, "kind of operation", op.kind, "kernel", "KERNELS of execution/kernels")
