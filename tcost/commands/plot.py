"""Draw what one training step costs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from tcost.commands.base import SPEC_HELP, Algos, Invocation, Offered, Printed, load_all_keys, rejoined, rules
from tcost.cost.measures import IN_WORDS
from tcost.errors import InputError
from tcost.reading import Reading
from tcost.settings import RULES, Settings

if TYPE_CHECKING:
    from tcost.plot.page import Picture
    from tcost.spec import ModelSpec

SPECS_HELP = f"{SPEC_HELP} Several are rows of panels."
KIND_HELP = (
    "paper: MACCs, FLOPs and stored activations up to the context; curves: measures over an axis or two; "
    "bars: the layers and phases of one step."
)
OVER_HELP = (
    "Of curves: a key of the spec, or batch, and its values: a list, a:b, a:b:step or a:b:xK. Those of a second one "
    "are panels."
)
DRAWN_HELP = f"Of curves: what is drawn, separated by spaces or commas: {IN_WORDS}; as in paper by default."
OUTPUT_HELP = "Write to a file, whole or not at all; its ending says how: .png, .svg or .pdf."


def run(
    invoked: Invocation,
    specs: Annotated[Sequence[str], Offered(SPECS_HELP, metavar="SPEC")],
    output: Annotated[str, Offered(OUTPUT_HELP, "--output", "-o", metavar="FILE")],
    kind: Annotated[Literal["paper", "curves", "bars"], Offered(KIND_HELP, "--kind", default=True)] = "paper",
    over: Annotated[Sequence[str] | None, Offered(OVER_HELP, "--over", metavar="KEY=VALUES...")] = None,
    measures: Annotated[Sequence[str] | None, Offered(DRAWN_HELP, "--measures", metavar="MEASURE...")] = None,
    algos: Algos = RULES,
    settings: Settings = Settings(),
    reading: Reading = Reading(),
) -> Printed:
    """Draw what one training step costs.

    Three panels over the context as in the companion paper, curves over any size, or bars of layers and
    phases.

    Needs matplotlib: pip install 'tcost[plot]'.

    Example: tcost plot gpt3-small alexatm-20b --output figure.pdf
    """
    from tcost.plot import check_libraries, quietly
    from tcost.plot.files import ending_of

    ending = ending_of(output)
    if kind != "curves" and (over or measures):
        raise InputError("--over and --measures are for curves\nwrite --kind curves, or leave them out")
    if kind == "bars" and len(specs) > 1:
        raise InputError("bars are of one spec\ndraw a picture of each, or curves of several")
    check_libraries()
    models, names = load_all_keys(specs, reading), rules(algos)
    with quietly():
        from tcost.plot.files import render

        if kind == "curves":
            picture = _curves(models, names, over or [], measures, settings, invoked)
        elif kind == "bars":
            from tcost.cost import results_of
            from tcost.plot.bars import bars

            picture = bars(results_of(models[0], names, settings), invoked.command)
        else:
            from tcost.plot.paper import paper_figure

            picture = paper_figure(models, names, settings, invoked.command)
        return Printed(render(picture, ending), output)


def _curves(
    specs: Sequence["ModelSpec"],
    algos: Sequence[str],
    over: Sequence[str],
    measures: Sequence[str] | None,
    settings: Settings,
    invoked: Invocation,
) -> "Picture":
    from tcost.plot.curves import curves
    from tcost.plot.paper import MEASURES
    from tcost.sweep import Sweep, parse_axis

    axes = tuple(map(parse_axis, rejoined(over)))
    sweeps = [
        Sweep(
            spec=spec,
            axes=axes,
            algos=tuple(algos),
            conventions=(settings.convention,),
            measures=tuple(dict.fromkeys(measures or MEASURES)),
            settings=settings,
            given=invoked.given,
        )
        for spec in specs
    ]
    return curves(sweeps, invoked.command)
