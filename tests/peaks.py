"""The peak of real training steps: what classes of transformers have alive at once, and what each has of its own."""

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tcost import Sizes

ALONE = (2, 4)
"""References to the storage and to the tensor where nothing but the engine has it: asking takes the others."""


@dataclass(frozen=True)
class Own:
    """What a class has alive at the peak that is not counted: its formula in elements, and why."""

    why: str
    formula: str
    elements: Callable[[Sizes, int], int]


def _gains(s: Sizes) -> int:
    """Return the elements of Gemma's gains: four norms of every block, that of the output, and two of the heads."""
    layers = s.n_decoder_layers
    return int((4 * layers + 1) * s.d_model + (2 * layers * s.d_head if s.qk_norm == "head" else 0))


def _hidden_of_experts(s: Sizes, batch: int) -> int:
    assert s.experts is not None
    rows = batch * s.context_length
    return int(rows * (s.experts.experts_per_token * s.experts.d_expert - s.d_model))


OWN: Mapping[str, Own] = {
    "Gemma 2": Own("adds one to the gain of every norm and keeps the sum", "(4L + 1)d", lambda s, _: _gains(s)),
    "Gemma 3": Own(
        "adds one to every gain, and turns local and global layers by angles of their own",
        "(4L + 1)d + 2Le + 2Me",
        lambda s, _: _gains(s) + 2 * s.context_length * s.d_head,
    ),
    "GPT-NeoX, one sequence": Own(
        "values are a view of the merged projection, which is kept whole, of one sequence",
        "2LMd",
        lambda s, _: 2 * s.n_decoder_layers * s.context_length * s.d_model,
    ),
    "Mixtral, few words": Own(
        "the gradients of gate and up are one tensor, and give one gradient of the input",
        "B(kMf - Md)",
        _hidden_of_experts,
    ),
    "BLOOM, few words": Own(
        "its GELU has a backward of its own in Python",
        "4BMf",
        lambda s, batch: 4 * batch * s.context_length * s.d_ff,
    ),
}
"""By the name of a case; of the others, every element is counted."""


class Storages:
    """The bytes of floating point that are alive, from when a tensor is counted until Python lets its storage go."""

    def __init__(self) -> None:
        """Start with nothing alive."""
        self.bytes = self.peak = 0
        self._known: set[int] = set()

    def count(self, tensor: Any) -> None:
        """Count the storage of a tensor from now on; integers, and what is no tensor, are nothing."""
        if not hasattr(tensor, "untyped_storage") or not tensor.dtype.is_floating_point:
            return
        storage = tensor.untyped_storage()
        identity, size = storage._cdata, storage.nbytes()
        if identity not in self._known:
            self._known.add(identity)
            self.bytes += size
            self.peak = max(self.peak, self.bytes)
            weakref.finalize(storage, self._gone, identity, size)

    def leave_out(self, tensor: Any) -> None:
        """Never count the storage of a tensor."""
        self._known.add(tensor.untyped_storage()._cdata)

    def _gone(self, identity: int, size: int) -> None:
        self._known.discard(identity)
        self.bytes -= size


def is_alone(tensor: Any, other: Any) -> bool:
    """Tell whether the autograd engine would add a gradient in place to the one that it has."""
    import torch

    if not isinstance(other, torch.Tensor) or tensor.shape != other.shape:
        return False
    return (torch._C._storage_Use_Count(tensor.untyped_storage()._cdata), tensor._use_count()) == ALONE


def watch(storages: Storages) -> Any:
    """Return a mode that counts the storages which operations give; it is told when the backward begins.

    The engine adds a gradient in place to one that nothing else refers to. Under a mode that sees its operations it
    makes a new tensor instead; so this one adds in place for it (can_accumulate_inplace, input_buffer.cpp of PyTorch).
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Alive(TorchDispatchMode):  # type: ignore[misc]  # torch is no type where it is not installed
        is_backward = False

        def __torch_dispatch__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if self.is_backward and function is torch.ops.aten.add.Tensor and not kwargs and is_alone(*args):
                return args[0].add_(args[1])
            result = function(*args, **(kwargs or {}))
            for tensor in tree_leaves(result):
                storages.count(tensor)
            return result

    return Alive()


def peak_of(model: Any, given: Mapping[str, Any], optimizer: Any = None) -> int:
    """Return the bytes of floating point that are alive at once in one training step whose output is held.

    Parameters, what the model is given and what an optimizer holds count throughout; its counters of steps do not.
    """
    storages = Storages()
    state = list(optimizer.state.values()) if optimizer else []
    for counter in (each["step"] for each in state if "step" in each):
        storages.leave_out(counter)
    model.zero_grad()
    for tensor in (*model.parameters(), *given.values(), *(tensor for each in state for tensor in each.values())):
        storages.count(tensor)
    with watch(storages) as mode:
        out = model(**given)
        mode.is_backward = True
        out.loss.backward()
        mode.is_backward = False
        if optimizer:
            optimizer.step()
    return storages.peak


def made_by_backward(function: Callable[[Any], Any], x: Any, constants: Sequence[Any] = ()) -> int:
    """Return the elements that the backward of a function of `x` has alive at its fullest beyond what is kept.

    They are the gradients of its output and of `x`, those of weights, and what passes.
    """
    storages = Storages()
    for tensor in constants:
        storages.count(tensor)
    with watch(storages) as mode:
        total = (function(x.requires_grad_() * 1.0) * 2).sum()
        kept = storages.peak = storages.bytes
        mode.is_backward = True
        total.backward()
    return (storages.peak - kept) // 4 - 1  # the gradient of the sum, a one
