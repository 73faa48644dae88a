"""The command that says where a number comes from."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tcost.cli.formulas import ALGO_HELP, LAYER_HELP, OptionalPhase
from tcost.cli.options import (
    Attention,
    AttentionName,
    Batch,
    Causal,
    CausalName,
    Context,
    ConventionName,
    EncoderContext,
    Format,
    Integers,
    OptimizerName,
    OutputPath,
    Printed,
    Recompute,
    RecomputeName,
    SpecName,
    load,
    step_options,
    tables,
)
from tcost.settings import Settings

if TYPE_CHECKING:
    from tcost.kinds import Phase


class Shape(StrEnum):
    """How an explanation is written."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


def explain_layer(
    spec: SpecName,
    layer: Annotated[
        str, typer.Argument(metavar="LAYER", help=f"{LAYER_HELP} All by default.", show_default=False)
    ] = "",
    phase: OptionalPhase = None,
    algo: Annotated[str | None, typer.Option("--algo", metavar="RULE", help=ALGO_HELP, show_default=False)] = None,
    convention: ConventionName = Settings.convention,
    context: Context = None,
    encoder_context: EncoderContext = None,
    batch: Batch = 1,
    optimizer: OptimizerName = "none",
    causal: Causal = CausalName.FULL,
    attention: Attention = AttentionName.EAGER,
    recompute: Recompute = RecomputeName.NONE,
    format_: Annotated[Shape, typer.Option("--format", help="How to write the result.")] = Shape.TABLE,
    output: OutputPath = None,
    integers: Integers = False,
) -> Printed:
    """Say where the numbers of a layer come from.

    Each operation with its axes, its scalar operations as a formula and in numbers, their prices and their
    source. The sums are those of compute.

    Needs SymPy: pip install 'tcost[formula]'.

    Example: tcost explain gpt2 attention --phase forward
    """
    from tcost.explain import explain

    options = step_options(
        convention=convention,
        context=context,
        encoder_context=encoder_context,
        batch=batch,
        optimizer=optimizer,
        causal=causal,
        attention=attention,
        recompute=recompute,
    )
    only: Phase | None = phase.value if phase else None
    explanation = explain(load(spec), layer, algo, options, phase=only)
    if format_ is Shape.JSON:
        from tcost.documents.explain import to_json

        return Printed(to_json(explanation), output)
    from tcost.report.explanation import explanation_tables

    return tables(explanation_tables(explanation, integers=integers), Format(format_.value), output)
