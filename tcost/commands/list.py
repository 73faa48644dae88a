"""List specs, learning rules, conventions or layers; the errata of a model; or a JSON Schema."""

from collections.abc import Callable
from textwrap import fill
from typing import Annotated, Literal

from tcost.commands.base import Offered, Output, Printed, load
from tcost.errors import InputError
from tcost.output import terminal_width
from tcost.reading import Reading, check_used

MAX_TITLE = 1000
"""Columns of a title where there is no terminal."""

WHAT_HELP = "What to list: specs, algos, conventions, layers, the errata of a spec, or the schema of a document."
OF_HELP = (
    "The spec whose errata are asked for; or what a JSON Schema is of: spec, result (all JSON of tcost) or budget."
)


def run(
    what: Annotated[
        Literal["specs", "algos", "conventions", "layers", "errata", "schema"], Offered(WHAT_HELP, metavar="WHAT")
    ],
    of: Annotated[str | None, Offered(OF_HELP, metavar="SPEC|DOCUMENT")] = None,
    reading: Reading = Reading(),
    output: Output = None,
) -> Printed:
    """List specs, learning rules, conventions, layers, errata of a model, or a JSON Schema.

    Errata are what is wrong in a model's published totals. With the schema of a spec an editor completes keys,
    explains them, and underlines what is wrong.

    Example: tcost list schema spec --output spec.schema.json
    """
    if what != "errata":
        check_used(reading, [])
    if what == "schema":
        return Printed(_schema(of), output)
    if what == "errata":
        names = _errata_of(of, reading)
    elif of is not None:
        raise InputError(f"{what} are not those of a spec\nleave '{of}' out, or list its errata")
    else:
        names = LISTINGS[what]()
    width = max(map(len, names), default=0)
    lines = (f"{name:<{width}}  {title}" for name, title in names.items())
    columns = (None if output else terminal_width()) or width + MAX_TITLE
    text = "".join(f"{fill(line, columns, subsequent_indent=' ' * (width + 2))}\n" for line in lines)
    return Printed(text, output)


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


def _errata_of(spec: str | None, reading: Reading) -> dict[str, str]:
    """Return the slips in the published totals of a model, of its work and of its memory, under all rules."""
    from tcost.cost import results_of
    from tcost.learning_rules import LEARNING_RULES
    from tcost.settings import Settings

    if spec is None:
        raise InputError("errata are those of a spec\nexpected one, as in: tcost list errata gpt3-small")
    results = results_of(load(spec, reading), list(LEARNING_RULES), Settings(convention="paper"))
    slips = [slip for each in results for slip in (*each.slips, *each.memory.slips)]
    return {slip.layer.partition(": ")[2]: slip.slip for slip in slips}


def _schema(document: str | None) -> str:
    """Return a JSON Schema as text."""
    if document is None:
        raise InputError("a schema is that of a document\nexpected spec, result or budget: tcost list schema spec")
    import json

    from tcost.documents.schema import schema_of

    return json.dumps(schema_of(document), indent=2) + "\n"


LISTINGS: dict[str, Callable[[], dict[str, str]]] = {
    "specs": _spec_titles,
    "algos": _rule_titles,
    "conventions": _convention_titles,
    "layers": _layer_titles,
}
"""What can be listed: names, and what each is."""
