"""The peak that torch itself has on the CPU beside the predicted one: `python benchmarks/peak.py`; needs tcost[torch].

What is alive is counted by the storages of floating point that operations give, until Python lets them go.
"""

import os
import warnings
import weakref
from typing import Any

from tcost import load_spec, measure

CASES = (("gpt2", 64, 1), ("gpt2", 512, 1), ("gpt2", 512, 2), ("distilbert", 512, 2), ("bert-base", 256, 2))
"""A bundled spec, a context and a batch."""


def model_of(name: str) -> Any:
    """Return the Hugging Face class of a bundled spec, with eager attention."""
    import transformers

    transformers.utils.logging.set_verbosity_error()
    eager = {"attn_implementation": "eager", "use_cache": False}
    if name == "gpt2":
        return transformers.GPT2LMHeadModel(transformers.GPT2Config(**eager))
    if name == "distilbert":
        return transformers.DistilBertForMaskedLM(transformers.DistilBertConfig(**eager))
    return transformers.BertForMaskedLM(transformers.BertConfig(**eager))


def peak_of(model: Any, context: int, batch: int) -> int:
    """Return the bytes that are alive at once in one training step, parameters included."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Alive(TorchDispatchMode):  # type: ignore[misc]  # torch is no type where it is not installed
        def __init__(self) -> None:
            super().__init__()
            self.bytes = self.peak = 0
            self.parameters = [parameter.untyped_storage() for parameter in model.parameters()]
            self.known = {storage._cdata for storage in self.parameters}  # noqa: SLF001  # there is no public name

        def __torch_dispatch__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
            given = function(*args, **(kwargs or {}))
            for tensor in tree_leaves(given):
                if isinstance(tensor, torch.Tensor) and tensor.dtype.is_floating_point:
                    self.count(tensor.untyped_storage())
            return given

        def count(self, storage: Any) -> None:
            identity, size = storage._cdata, storage.nbytes()  # noqa: SLF001  # likewise
            if identity not in self.known:
                self.known.add(identity)
                self.bytes += size
                self.peak = max(self.peak, self.bytes)
                weakref.finalize(storage, self.gone, identity, size)

        def gone(self, identity: int, size: int) -> None:
            self.known.discard(identity)
            self.bytes -= size

    tokens = torch.zeros(batch, context, dtype=torch.long)
    with Alive() as alive:
        model(input_ids=tokens, labels=tokens).loss.backward()
    return int(alive.peak) + sum(int(storage.nbytes()) for storage in alive.parameters)


def main() -> None:
    """Print what torch holds beside what is predicted."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    warnings.simplefilter("ignore")
    for name, context, batch in CASES:
        executed = peak_of(model_of(name).eval(), context, batch)
        predicted = measure(load_spec(name), "bp", "exact", context=context, batch=batch).peak.bytes
        print(
            f"{name:<10} context {context:>3}, batch {batch}: {executed:>13,} executed, {predicted:>13,} predicted,"
            f" {executed / predicted:.2f}x"
        )


if __name__ == "__main__":
    main()
