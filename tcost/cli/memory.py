"""The command that says what a training step holds in memory."""

from typing import Annotated

import typer

from tcost.cli.options import (
    Algos,
    Attention,
    AttentionName,
    Batch,
    Causal,
    CausalName,
    Context,
    ConventionName,
    DtypeName,
    EncoderContext,
    Errata,
    Format,
    FormatName,
    Integers,
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
from tcost.units import parse_bytes

DTYPE_HELP = "Type of all numbers, but of those for which an option below says otherwise."
MASTER_HELP = "Count a copy of the weights in fp32 with the optimizer's state."
BUDGET_HELP = "Bytes that the step should fit into, as in 24GiB; status 1 where it does not."


def _dtype(what: str, whose: str = "") -> object:
    return typer.Option(
        f"--{what}-dtype",
        show_default=False,
        metavar="TYPE",
        help=f"Type of {whose or f'the {what}'}; that of --dtype by default.",
    )


def memory_of_spec(
    spec: SpecName,
    algos: Algos = ["bp"],  # noqa: B006  # typer reads the default, nothing changes it
    convention: ConventionName = Settings.convention,
    context: Context = None,
    encoder_context: EncoderContext = None,
    batch: Batch = 1,
    optimizer: OptimizerName = "none",
    dtype: Annotated[DtypeName, typer.Option("--dtype", help=DTYPE_HELP)] = DtypeName.FP32,
    weights: Annotated[DtypeName | None, _dtype("weights")] = None,
    gradients: Annotated[DtypeName | None, _dtype("gradients")] = None,
    activations: Annotated[DtypeName | None, _dtype("activations")] = None,
    state: Annotated[DtypeName | None, _dtype("optimizer", "what the optimizer holds")] = None,
    master_weights: Annotated[bool, typer.Option("--master-weights", help=MASTER_HELP)] = False,
    causal: Causal = CausalName.FULL,
    attention: Attention = AttentionName.EAGER,
    recompute: Recompute = RecomputeName.NONE,
    budget: Annotated[str | None, typer.Option("--budget", metavar="BYTES", help=BUDGET_HELP)] = None,
    format_: FormatName = Format.TABLE,
    output: OutputPath = None,
    errata: Errata = True,
    integers: Integers = False,
) -> Printed:
    """Say what one training step holds in memory, and its peak.

    A table per learning rule: parameters, gradients, what the optimizer holds, PEPITA's fixed matrices and
    stored activations, layer by layer. With a budget, whether it fits, and the largest context and batch that do.

    Example: tcost memory gpt2 --optimizer adamw --batch 8 --budget 24GiB
    """
    from dataclasses import replace

    from tcost.cost import beside, results_of
    from tcost.memory.budget import within
    from tcost.settings import Storage

    storage = Storage(
        weights=(weights or dtype).value,
        gradients=(gradients or dtype).value,
        activations=(activations or dtype).value,
        optimizer=(state or dtype).value,
        has_master_weights=master_weights,
    )
    options = step_options(
        convention=convention,
        context=context,
        encoder_context=encoder_context,
        batch=batch,
        optimizer=optimizer,
        errata=errata,
        causal=causal,
        attention=attention,
        recompute=recompute,
        storage=storage,
    )
    model, names = load(spec), rules(algos)
    results = results_of(model, names, options)
    limit = None if budget is None else parse_bytes(budget)
    budgets = [None if limit is None else within(limit, result.memory.step) for result in results]
    failure = "\n".join(
        f"{result.spec} under {result.algo}: the peak of {result.memory.peak.bytes:,} bytes is "
        f"{-held.spare:,} over the budget of {held.bytes:,}"
        for result, held in zip(results, budgets, strict=True)
        if held and not held.fits
    )
    if format_ in (Format.JSON, Format.CSV):
        from tcost.documents.memory import to_csv, to_json

        export = to_json if format_ is Format.JSON else to_csv
        return Printed(export(results, budgets), output, failure)
    from tcost.report.memory import memory_table

    exact = beside(model, names, replace(options, convention="exact")) if convention == "paper" else None
    each = zip(results, budgets, exact or (None for _ in names), strict=True)
    shown = [memory_table(result, held, other, integers=integers) for result, held, other in each]
    return tables(shown, format_, output, failure)
