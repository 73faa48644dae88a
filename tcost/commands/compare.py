"""Compare learning rules on one or many models."""

from collections.abc import Sequence
from typing import Annotated

from tcost.commands.base import (
    SPEC_HELP,
    Algos,
    Format,
    Integers,
    Offered,
    Output,
    Printed,
    load_all,
    reconcile_command,
    rules,
    tables,
)
from tcost.reading import Reading
from tcost.settings import RULES, Settings

SPECS_HELP = f"{SPEC_HELP} All bundled specs when there is none."
CONTEXTS_HELP = "Context lengths, separated by spaces or commas; each spec's own by default."


def run(
    specs: Annotated[Sequence[str] | None, Offered(SPECS_HELP, metavar="SPEC")] = None,
    algos: Algos = RULES,
    contexts: Annotated[Sequence[int] | None, Offered(CONTEXTS_HELP, "--context", metavar="N...")] = None,
    settings: Settings = Settings(),
    reading: Reading = Reading(),
    format_: Format = "table",
    output: Output = None,
    integers: Integers = False,
) -> Printed:
    """Compare learning rules on one or many models.

    A line per spec, context and rule, with the change against the first rule.

    Example: tcost compare gpt3-small --algos bp mempepita --context 512 2048
    """
    from tcost.bundled import BUNDLED
    from tcost.cost import comparisons_of

    models = load_all(specs or list(BUNDLED), reading)
    comparisons = comparisons_of(models, rules(algos), contexts or [None], settings)
    if format_ in ("json", "csv"):
        from tcost.documents.compare import to_csv, to_json

        return Printed((to_json if format_ == "json" else to_csv)(comparisons), output)
    from tcost.report.compare import comparison_table

    see = reconcile_command(specs or [], contexts or [], settings)
    return tables([comparison_table(comparisons, see, integers=integers)], format_, output)
