"""The command that gives JSON Schemas."""

from typing import Annotated

import typer

from tcost.cli.options import OutputPath, Printed

WHAT_HELP = "Of a spec, of every JSON result of tcost, or of a file of budgets."


def print_schema(
    what: Annotated[str, typer.Argument(metavar="spec|result|budget", help=WHAT_HELP)],
    output: OutputPath = None,
) -> Printed:
    """Print a JSON Schema.

    With that of a spec an editor completes keys, explains them, and underlines what is wrong.

    Example: tcost schema spec --output spec.schema.json
    """
    import json

    from tcost.documents.schema import schema_of

    return Printed(json.dumps(schema_of(what), indent=2) + "\n", output)
