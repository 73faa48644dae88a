"""How the loss is executed: what is held of the logits, and in how many chunks of rows they are made."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias, get_args

from tcost.errors import InputError, unknown
from tcost.exact import Size, exact_div, same
from tcost.tracing import Op

Form: TypeAlias = Literal["held", "dropped", "fused", "chunked"]

MAX_CHUNKS = 10**6
"""More chunks than that have no loss that anyone has seen; each is executed by itself."""


def _is_multiple(size: Size, number: int) -> bool:
    """Tell whether a size is a multiple of a number: everywhere for arrays; expressions, which can be any, are.

    A size of a box says itself that it is not so all over it.
    """
    if isinstance(size, int) or hasattr(size, "dtype"):
        return same(size % number, 0)
    exact_div(size, number)
    return True


class Loss(NamedTuple):
    """How a model's last layer is executed, the one that ends in the loss.

    `held`: PyTorch's functions, of a model whose output, the logits among it, its caller holds to the end of the step.
    `dropped`: the same, of an output that is let go once the loss is there. `fused`: a kernel makes the gradient of
    the logits as it makes the loss, row by row and in their place. `chunked`: the layer is executed for so many equal
    chunks of rows, one after the other; only its input is kept, and the layer runs again, chunk by chunk, in the
    backward. Sources: Hsu et al. 2024, arXiv 2410.10989, section 3.2, for a gradient in the place of the logits; Chen
    et al. 2016, arXiv 1604.06174, section 4, for what is computed again.
    """

    form: Form
    chunks: int = 1

    @property
    def is_fused(self) -> bool:
        """Whether the gradient of the logits is made in their place."""
        return self.form == "fused"

    @property
    def is_chunked(self) -> bool:
        """Whether the last layer is executed in chunks of rows."""
        return self.form == "chunked"

    def check_rows(self, rows: Size) -> None:
        """Raise InputError where so many rows have no equal chunks."""
        if not _is_multiple(rows, self.chunks):
            found = f"; this step has {rows:,}" if isinstance(rows, int) else ""
            raise InputError(
                f"loss chunked:{self.chunks} needs a multiple of {self.chunks} rows{found}\n"
                "rows are sequences times positions: give a number of chunks that divides them"
            )

    def shrunk(self, rows: int) -> str:
        """Return the word for such a loss of so few rows: in as many chunks as divide them, and no more than it has."""
        if not self.is_chunked:
            return self.form
        return f"chunked:{max(each for each in range(1, rows + 1) if rows % each == 0 and each <= self.chunks)}"


def loss_of(word: str) -> Loss:
    """Return the loss that is called so: `held`, `dropped`, `fused`, `chunked:8`. Raises InputError for another."""
    form, _, chunks = word.partition(":")
    if form == "chunked":
        number = int(chunks) if chunks.isascii() and chunks.isdigit() and len(chunks) <= len(str(MAX_CHUNKS)) else 0
        if not 1 <= number <= MAX_CHUNKS:
            raise InputError(f"loss '{word[:40]}' has no number of chunks from 1 to {MAX_CHUNKS:,}\nwrite chunked:8")
        return Loss("chunked", number)
    for known in get_args(Form):
        if word == known:
            return Loss(known)
    raise unknown("loss", word, [*(name for name in get_args(Form) if name != "chunked"), "chunked:N"])


def operations_of_loss(ops: Sequence[Op]) -> range:
    """Return the numbers of the operations of the layer that ends in the loss: from the logits' product on."""
    start = len(ops) - 1
    while start and ops[start - 1].layer == ops[-1].layer:
        start -= 1
    return range(start, len(ops))
