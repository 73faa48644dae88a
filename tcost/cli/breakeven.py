"""The command that says from where on a learning rule is cheaper."""

from typing import Annotated

import typer

from tcost.cli.options import (
    MEASURES,
    Algos,
    Attention,
    AttentionName,
    Batch,
    Causal,
    CausalName,
    Context,
    ConventionName,
    EncoderContext,
    Errata,
    Format,
    FormatName,
    OptimizerName,
    OutputPath,
    Printed,
    Recompute,
    RecomputeName,
    SpecName,
    load,
    rules,
    step_options,
    tables,
)
from tcost.settings import Settings

OVER_HELP = "The size that varies: a key of the spec or batch; with values, as in n_heads=1,2,4, only those are tried."
MEASURES_HELP = f"What is compared, separated by spaces or commas: {MEASURES}."


def break_even_points(
    spec: SpecName,
    algos: Algos = ["mempepita", "bp"],  # noqa: B006  # typer reads the default, nothing changes it
    over: Annotated[str, typer.Option("--over", metavar="KEY", help=OVER_HELP)] = "context_length",
    convention: ConventionName = Settings.convention,
    measures: Annotated[list[str], typer.Option("--measures", metavar="MEASURE...", help=MEASURES_HELP)] = [  # noqa: B006
        *("macc", "flop", "stored_activations_bytes"),
    ],
    context: Context = None,
    encoder_context: EncoderContext = None,
    batch: Batch = 1,
    optimizer: OptimizerName = "none",
    causal: Causal = CausalName.FULL,
    attention: Attention = AttentionName.EAGER,
    recompute: Recompute = RecomputeName.NONE,
    format_: FormatName = Format.TABLE,
    output: OutputPath = None,
    errata: Errata = True,
) -> Printed:
    """Say from which size on a learning rule is cheaper than others.

    The first rule against each of the others: the exact integer from which on it is cheaper, or never, by solving
    the difference of their closed forms.

    Needs NumPy and SymPy: pip install 'tcost[sweep]'.

    Example: tcost breakeven gpt3-small --over context_length
    """
    from tcost.breakeven import break_even
    from tcost.cost import results_of

    options = step_options(
        convention=convention,
        context=context,
        encoder_context=encoder_context,
        optimizer=optimizer,
        errata=errata,
        causal=causal,
        attention=attention,
        recompute=recompute,
        **({} if over.partition("=")[0] == "batch" else {"batch": batch}),
    )
    model, names = load(spec), rules(algos)
    found = break_even(model, names, over, list(dict.fromkeys(measures)), options)
    results = results_of(model, names, options)
    if format_ in (Format.JSON, Format.CSV):
        from tcost.documents.breakeven import to_csv, to_json

        export = to_json if format_ is Format.JSON else to_csv
        return Printed(export(found, results), output)
    from tcost.report.breakeven import breakeven_table

    return tables([breakeven_table(found, results)], format_, output)
