"""Print a JSON Schema."""

from typing import Annotated

from tcost.commands.base import Offered, Output, Printed

WHAT_HELP = "Of a spec, of every JSON result of tcost, or of a file of budgets."


def run(what: Annotated[str, Offered(WHAT_HELP, metavar="spec|result|budget")], output: Output = None) -> Printed:
    """Print a JSON Schema.

    With that of a spec an editor completes keys, explains them, and underlines what is wrong.

    Example: tcost schema spec --output spec.schema.json
    """
    import json

    from tcost.documents.schema import schema_of

    return Printed(json.dumps(schema_of(what), indent=2) + "\n", output)
