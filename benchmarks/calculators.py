"""What other calculators say of GPT-2 small's forward pass; the table is in docs/conventions.md.

Run by hand, in an environment of its own: `pip install torch==2.13.0 transformers==5.24.0 fvcore thop ptflops calflops
torchinfo deepspeed`, then `python benchmarks/calculators.py`. It prints a line for each, as in tests/golden/peers.json.
"""

import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import torch

CONTEXT, VOCABULARY = 1024, 50257


def model() -> Any:
    """Return the class with random weights and eager attention, as no tool knows fused kernels."""
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(GPT2Config(attn_implementation="eager", use_cache=False)).eval()


def flop_counter(ids: torch.Tensor) -> tuple[int, ...]:
    """Return the FLOPs of PyTorch's own counter."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model()(ids)
    return (counter.get_total_flops(),)


def fvcore(ids: torch.Tensor) -> tuple[int, ...]:
    """Return what fvcore calls FLOPs."""
    from fvcore.nn import FlopCountAnalysis

    return (FlopCountAnalysis(model(), ids).unsupported_ops_warnings(enabled=False).total(),)


def thop(ids: torch.Tensor) -> tuple[int, ...]:
    """Return MACs and parameters of thop."""
    from thop import profile

    macs, parameters = profile(model(), inputs=(ids,), verbose=False)
    return int(macs), int(parameters)


def ptflops(ids: torch.Tensor) -> Iterator[int]:
    """Yield MACs of ptflops by either backend, then parameters."""
    from ptflops import get_model_complexity_info

    for backend in ("pytorch", "aten"):
        macs, parameters = get_model_complexity_info(
            model(),
            (CONTEXT,),
            input_constructor=lambda _: {"input_ids": ids},
            as_strings=False,
            print_per_layer_stat=False,
            backend=backend,
        )
        yield int(macs)
    yield int(parameters)


def calflops(ids: torch.Tensor) -> tuple[int, ...]:
    """Return FLOPs, MACs and parameters of calflops."""
    from calflops import calculate_flops

    return tuple(calculate_flops(model(), kwargs={"input_ids": ids}, print_results=False, output_as_string=False))


def deepspeed(ids: torch.Tensor) -> tuple[int, ...]:
    """Return FLOPs, MACs and parameters of DeepSpeed's profiler."""
    from deepspeed.profiling.flops_profiler import get_model_profile

    how = {"print_profile": False, "as_string": False, "warm_up": 0}
    return tuple(get_model_profile(model(), kwargs={"input_ids": ids}, **how))


def torchinfo(ids: torch.Tensor) -> tuple[int, ...]:
    """Return mult-adds and parameters of torchinfo."""
    from torchinfo import summary

    found = summary(model(), input_data=ids, verbose=0)
    return found.total_mult_adds, found.total_params


TOOLS: dict[str, Callable[[torch.Tensor], Any]] = {
    "torch": flop_counter,
    "fvcore": fvcore,
    "thop": thop,
    "ptflops": ptflops,
    "calflops": calflops,
    "deepspeed": deepspeed,
    "torchinfo": torchinfo,
}


def main() -> None:
    """Print what each says."""
    warnings.simplefilter("ignore")
    ids = torch.randint(0, VOCABULARY, (1, CONTEXT))
    for name, ask in TOOLS.items():
        print(name, version(name), *ask(ids))


if __name__ == "__main__":
    main()
