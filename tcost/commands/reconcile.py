"""Say why two conventions give two numbers."""

from typing import Annotated

from tcost.commands.base import NO_BYTES, Format, Integers, Offered, Output, Printed, SpecName, load, tables
from tcost.reading import Reading
from tcost.settings import Settings

UNANSWERED = NO_BYTES | {"convention": "a reconciliation is between two of them\ngive --from and --to"}

FROM_HELP = "Convention that the terms start at: paper, torch or exact."
TO_HELP = "Convention that they lead to: paper, torch or exact."


def run(
    spec: SpecName,
    from_: Annotated[str, Offered(FROM_HELP, "--from", metavar="CONVENTION", default=True)] = "paper",
    to: Annotated[str, Offered(TO_HELP, "--to", metavar="CONVENTION", default=True)] = "exact",
    settings: Settings = Settings(),
    reading: Reading = Reading(),
    format_: Format = "table",
    output: Output = None,
    integers: Integers = False,
) -> Printed:
    """Say why two conventions give two numbers.

    A line per kind of operation and phase that they count otherwise, with its formula; then what
    published estimators give.

    Formulas need SymPy: pip install 'tcost[formula]'.

    Example: tcost reconcile gpt3-small --from paper --to exact
    """
    from tcost.reconcile import reconcile

    reconciliation = reconcile(load(spec, reading), from_, to, settings)
    if format_ in ("json", "csv"):
        from tcost.documents.reconcile import to_csv, to_json

        return Printed((to_json if format_ == "json" else to_csv)(reconciliation), output)
    from tcost.report.reconcile import reconciliation_tables

    return tables(reconciliation_tables(reconciliation, integers=integers), format_, output)
