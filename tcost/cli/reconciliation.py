"""The command that says why two numbers differ."""

from tcost.cli.options import (
    Algo,
    Batch,
    Context,
    EncoderContext,
    Errata,
    Format,
    FormatName,
    From,
    Integers,
    OutputPath,
    Printed,
    SpecName,
    To,
    load,
    tables,
)
from tcost.settings import Settings


def reconcile_spec(
    spec: SpecName,
    from_: From = "paper",
    to: To = "exact",
    algo: Algo = "bp",
    context: Context = None,
    encoder_context: EncoderContext = None,
    batch: Batch = 1,
    format_: FormatName = Format.TABLE,
    output: OutputPath = None,
    errata: Errata = True,
    integers: Integers = False,
) -> Printed:
    """Say why two conventions give two numbers.

    A line per kind of operation and phase that they count otherwise, with its formula; then what
    published estimators give.

    Formulas need SymPy: pip install 'tcost[formula]'.

    Example: tcost reconcile gpt3-small --from paper --to exact
    """
    from tcost.reconcile import reconcile

    reconciliation = reconcile(
        load(spec),
        from_,
        to,
        Settings(algo, context=context, encoder_context=encoder_context, batch=batch, errata=errata),
    )
    if format_ in (Format.JSON, Format.CSV):
        from tcost.documents.reconcile import to_csv, to_json

        export = to_json if format_ is Format.JSON else to_csv
        return Printed(export(reconciliation), output)
    from tcost.report.reconciliation import reconciliation_tables

    return tables(reconciliation_tables(reconciliation, integers=integers), format_, output)
