"""The command that writes a report."""

from typing import Annotated

import typer

from tcost.cli.commands import reconcile_command
from tcost.cli.invoked import command_of
from tcost.cli.options import (
    SPEC_HELP,
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
    OptimizerName,
    Printed,
    Recompute,
    RecomputeName,
    load,
    rules,
    step_options,
)
from tcost.settings import Settings

OUTPUT_HELP = "Write to a file, whole or not at all."


def report_on_specs(
    invoked: typer.Context,
    specs: Annotated[list[str], typer.Argument(metavar="SPEC", help=SPEC_HELP, show_default=False)],
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help=OUTPUT_HELP, show_default=False)],
    algos: Algos = ["bp", "pepita", "mempepita"],  # noqa: B006  # typer reads the default, nothing changes it
    convention: ConventionName = Settings.convention,
    context: Context = None,
    encoder_context: EncoderContext = None,
    batch: Batch = 1,
    optimizer: OptimizerName = "none",
    causal: Causal = CausalName.FULL,
    attention: Attention = AttentionName.EAGER,
    recompute: Recompute = RecomputeName.NONE,
    errata: Errata = True,
) -> Printed:
    """Write what one training step costs as a page of HTML.

    One file that needs no network: tables that sort and filter, charts by phase and layer, memory, sources and the
    numbers as JSON. Reports need Jinja2: pip install 'tcost[report]'.

    Example: tcost report gpt3-small alexatm-20b --output report.html
    """
    from tcost.cost import comparisons_of
    from tcost.page import report_page
    from tcost.report.beside import changes_notes, lacking_notes, why_notes

    models = [load(spec) for spec in specs]
    comparisons = comparisons_of(
        models,
        rules(algos),
        [context],
        step_options(
            convention=convention,
            encoder_context=encoder_context,
            batch=batch,
            optimizer=optimizer,
            errata=errata,
            causal=causal,
            attention=attention,
            recompute=recompute,
        ),
    )
    see = reconcile_command(specs, [] if context is None else [context], encoder_context, batch, errata=errata)
    notes = (*changes_notes(comparisons), *lacking_notes(comparisons), *why_notes(comparisons, see))
    return Printed(report_page(comparisons, models, command_of(invoked), notes), output)
