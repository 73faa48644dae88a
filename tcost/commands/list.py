"""List specs, learning rules, conventions, layers or the errata of a model."""

from collections.abc import Callable
from textwrap import fill
from typing import Annotated, Literal

from tcost.commands.base import SPEC_HELP, Offered, Printed, load
from tcost.errors import InputError
from tcost.output import terminal_width

MAX_TITLE = 1000
"""Columns of a title where there is no terminal."""

WHAT_HELP = "What to list: specs, algos, conventions, layers or, of a spec, errata."
SPEC_OF_HELP = f"The spec whose errata are asked for. {SPEC_HELP}"


def run(
    what: Annotated[Literal["specs", "algos", "conventions", "layers", "errata"], Offered(WHAT_HELP, metavar="WHAT")],
    spec: Annotated[str | None, Offered(SPEC_OF_HELP, metavar="SPEC")] = None,
) -> Printed:
    """List specs, learning rules, conventions, layers, or what is wrong in the published totals of a model.

    Example: tcost list specs
    """
    if what == "errata":
        names = _errata_of(spec)
    elif spec is not None:
        raise InputError(f"{what} are not those of a spec\nleave '{spec}' out, or list its errata")
    else:
        names = LISTINGS[what]()
    width = max(map(len, names), default=0)
    lines = (f"{name:<{width}}  {title}" for name, title in names.items())
    terminal = terminal_width() or width + MAX_TITLE
    return Printed("".join(f"{fill(line, terminal, subsequent_indent=' ' * (width + 2))}\n" for line in lines))


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


def _errata_of(spec: str | None) -> dict[str, str]:
    """Return the slips in the published totals of a model, of its work and of its memory, under all rules."""
    from tcost.cost import results_of
    from tcost.learning_rules import LEARNING_RULES
    from tcost.settings import Settings

    if spec is None:
        raise InputError("errata are those of a spec\nexpected one, as in: tcost list errata gpt3-small")
    results = results_of(load(spec), list(LEARNING_RULES), Settings(convention="paper"))
    slips = [slip for each in results for slip in (*each.slips, *each.memory.slips)]
    return {slip.layer.partition(": ")[2]: slip.slip for slip in slips}


LISTINGS: dict[str, Callable[[], dict[str, str]]] = {
    "specs": _spec_titles,
    "algos": _rule_titles,
    "conventions": _convention_titles,
    "layers": _layer_titles,
}
"""What can be listed: names, and what each is."""
