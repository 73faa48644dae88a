"""List specs, learning rules, conventions or layers."""

from collections.abc import Callable
from typing import Annotated, Literal

from tcost.commands.base import Offered, Printed

WHAT_HELP = "What to list: specs, algos, conventions or layers."


def run(
    what: Annotated[Literal["specs", "algos", "conventions", "layers"], Offered(WHAT_HELP, metavar="WHAT")],
) -> Printed:
    """List specs, learning rules, conventions or layers.

    Example: tcost list specs
    """
    names = LISTINGS[what]()
    width = max(map(len, names))
    return Printed("".join(f"{name:<{width}}  {title}\n" for name, title in names.items()))


def _spec_titles() -> dict[str, str]:
    from tcost.bundled import BUNDLED
    from tcost.spec import load_spec

    return {name: load_spec(f"{name}.yaml").description for name in BUNDLED}


def _rule_titles() -> dict[str, str]:
    from tcost.learning_rules import LEARNING_RULES

    return {name: rule.summary for name, rule in LEARNING_RULES.items()}


def _convention_titles() -> dict[str, str]:
    from tcost.conventions import CONVENTIONS

    return {name: convention.title for name, convention in CONVENTIONS.items()}


def _layer_titles() -> dict[str, str]:
    import tcost.layers  # noqa: F401  # registers the layers
    from tcost.tracing import LAYERS

    return LAYERS


LISTINGS: dict[str, Callable[[], dict[str, str]]] = {
    "specs": _spec_titles,
    "algos": _rule_titles,
    "conventions": _convention_titles,
    "layers": _layer_titles,
}
"""What can be listed: names, and what each is."""
