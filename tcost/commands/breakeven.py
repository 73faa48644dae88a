"""Say from which size on a learning rule is cheaper than others."""

from collections.abc import Sequence
from typing import Annotated

from tcost.commands.base import Algos, Format, Offered, Output, Printed, SpecName, load_keys, rules, tables
from tcost.cost.measures import IN_WORDS
from tcost.reading import Reading
from tcost.settings import Settings

OVER_HELP = "The size that varies: a key of the spec or batch; with values, as in n_heads=1,2,4, only those are tried."
COMPARED_HELP = f"What is compared, separated by spaces or commas: {IN_WORDS}."


def run(
    spec: SpecName,
    algos: Algos = ("mempepita", "bp"),
    over: Annotated[str, Offered(OVER_HELP, "--over", metavar="KEY", default=True)] = "context_length",
    measures: Annotated[Sequence[str], Offered(COMPARED_HELP, "--measures", metavar="MEASURE...", default=True)] = (
        *("macc", "flop", "stored_activations_bytes"),
    ),
    settings: Settings = Settings(),
    reading: Reading = Reading(),
    format_: Format = "table",
    output: Output = None,
) -> Printed:
    """Say from which size on a learning rule is cheaper than others.

    The first rule against each of the others: the exact integer from which on it is cheaper, or never, by solving
    the difference of their closed forms.

    Needs NumPy and SymPy: pip install 'tcost[sweep]'.

    Example: tcost sweep gpt3-small --break-even --over context_length
    """
    from tcost.breakeven import break_even
    from tcost.cost import results_of

    model, names = load_keys(spec, reading), rules(algos)
    found = break_even(model, names, over, list(dict.fromkeys(measures)), settings)
    results = results_of(model, names, settings)
    if format_ in ("json", "csv"):
        from tcost.documents.breakeven import to_csv, to_json

        return Printed((to_json if format_ == "json" else to_csv)(found, results), output)
    from tcost.report.breakeven import breakeven_table

    return tables([breakeven_table(found, results)], format_, output)
