"""The command that draws."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tcost.cli.invoked import command_of
from tcost.cli.many_values import rejoined
from tcost.cli.options import (
    MEASURES,
    Algos,
    Attention,
    AttentionName,
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
    SpecName,
    load,
    rules,
    step_options,
)
from tcost.errors import InputError
from tcost.settings import Settings

if TYPE_CHECKING:
    from tcost.plot.page import Picture
    from tcost.spec import ModelSpec


class Kind(StrEnum):
    """What is drawn."""

    PAPER = "paper"
    CURVES = "curves"
    BARS = "bars"


KIND_HELP = (
    "paper: MACCs, FLOPs and stored activations up to the context; curves: measures over an axis or two; "
    "bars: the layers and phases of one step."
)
OVER_HELP = (
    "Of curves: a key of the spec, or batch, and its values: a list, a:b, a:b:step or a:b:xK. Those of a second one "
    "are panels."
)
MEASURES_HELP = f"Of curves: what is drawn, separated by spaces or commas: {MEASURES}; as in paper by default."
BATCH_HELP = "Sequences per training step; 1 by default."
OUTPUT_HELP = "Write to a file, whole or not at all; its ending says how: .png, .svg or .pdf."


def plot_spec(
    invoked: typer.Context,
    spec: SpecName,
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help=OUTPUT_HELP, show_default=False)],
    kind: Annotated[Kind, typer.Option("--kind", help=KIND_HELP)] = Kind.PAPER,
    over: Annotated[
        list[str] | None, typer.Option("--over", metavar="KEY=VALUES...", help=OVER_HELP, show_default=False)
    ] = None,
    measures: Annotated[
        list[str] | None, typer.Option("--measures", metavar="MEASURE...", help=MEASURES_HELP, show_default=False)
    ] = None,
    algos: Algos = ["bp", "pepita", "mempepita"],  # noqa: B006  # typer reads the default, nothing changes it
    convention: ConventionName = Settings.convention,
    context: Context = None,
    encoder_context: EncoderContext = None,
    batch: Annotated[int | None, typer.Option("--batch", metavar="N", help=BATCH_HELP)] = None,
    optimizer: OptimizerName = "none",
    causal: Causal = CausalName.FULL,
    attention: Attention = AttentionName.EAGER,
    recompute: Recompute = RecomputeName.NONE,
    errata: Errata = True,
) -> Printed:
    """Draw what one training step costs.

    Three panels over the context as in the companion paper, curves over any size, or bars of layers and
    phases.

    Needs matplotlib: pip install 'tcost[plot]'.

    Example: tcost plot gpt3-small --output figure.pdf
    """
    from tcost.plot import check_libraries, quietly
    from tcost.plot.files import ending_of

    ending = ending_of(output)
    if kind is not Kind.CURVES and (over or measures):
        raise InputError("--over and --measures are for curves\nwrite --kind curves, or leave them out")
    check_libraries()
    options = step_options(
        convention=convention,
        context=context,
        encoder_context=encoder_context,
        batch=1 if batch is None else batch,
        optimizer=optimizer,
        errata=errata,
        causal=causal,
        attention=attention,
        recompute=recompute,
    )
    model, names, command = load(spec), rules(algos), command_of(invoked)
    with quietly():
        from tcost.plot.files import render

        if kind is Kind.CURVES:
            picture = _curves(model, names, convention, over, measures, options, command)
        else:
            picture = _picture(kind, model, names, options, command)
        return Printed(render(picture, ending), output)


def _picture(kind: Kind, spec: "ModelSpec", algos: list[str], options: Settings, command: str) -> "Picture":
    """Draw what has no axes to choose."""
    if kind is Kind.BARS:
        from tcost.cost import results_of
        from tcost.plot.bars import bars

        return bars(results_of(spec, algos, options), command)
    from tcost.plot.paper import paper_figure

    return paper_figure(spec, algos, options, command)


def _curves(
    spec: "ModelSpec",
    algos: list[str],
    convention: str,
    over: list[str] | None,
    measures: list[str] | None,
    options: Settings,
    command: str,
) -> "Picture":
    from tcost.plot.curves import curves
    from tcost.plot.paper import MEASURES
    from tcost.sweep import Sweep, parse_axis

    sweep = Sweep(
        spec=spec,
        axes=tuple(map(parse_axis, rejoined(over or []))),
        algos=tuple(algos),
        conventions=(convention,),
        measures=tuple(dict.fromkeys(measures or MEASURES)),
        settings=options,
    )
    return curves(sweep, command)
