"""tcost: what it costs to train a transformer, in exact integers.

The command line and this API are the same functions:

    from tcost import compare, evaluate, load_spec

    evaluate(load_spec("gpt2"), algo="pepita").totals.macc
"""

TYPE_CHECKING = False  # importing typing would double the time of `tcost --version`
if TYPE_CHECKING:
    from typing import Any

    from tcost.breakeven import break_even
    from tcost.cost import Comparison, Result, Row, compare, evaluate
    from tcost.errors import InputError
    from tcost.memory import Memory, measure
    from tcost.settings import Settings, Storage
    from tcost.sizes import Sizes
    from tcost.spec import ModelSpec, load_spec
    from tcost.sweep import Sweep, parse_axis
    from tcost.sweep.pricing import price

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "InputError",
    "Memory",
    "ModelSpec",
    "Result",
    "Row",
    "Settings",
    "Sizes",
    "Storage",
    "Sweep",
    "break_even",
    "compare",
    "evaluate",
    "load_spec",
    "measure",
    "parse_axis",
    "price",
]

_HOMES = {
    **dict.fromkeys(("ModelSpec", "load_spec"), "tcost.spec"),
    **dict.fromkeys(("Memory", "measure"), "tcost.memory"),
    **dict.fromkeys(("Settings", "Storage"), "tcost.settings"),
    **dict.fromkeys(("Sweep", "parse_axis"), "tcost.sweep"),
    "InputError": "tcost.errors",
    "Sizes": "tcost.sizes",
    "break_even": "tcost.breakeven",
    "price": "tcost.sweep.pricing",
}


def __getattr__(name: str) -> "Any":
    """Import a public name when it is first asked for: `tcost --version` needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module 'tcost' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "tcost.cost")), name)
