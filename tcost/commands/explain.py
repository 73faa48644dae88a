"""Say where the numbers of a layer come from."""

from typing import Annotated, Literal

from tcost.commands.base import FORMAT_HELP, NO_BYTES, Integers, Offered, Output, Printed, SpecName, load, tables
from tcost.commands.formula import LAYER_HELP, OnlyAlgo, OnlyPhase
from tcost.reading import Reading
from tcost.settings import Settings

UNANSWERED = NO_BYTES | {"errata": "slips are of a model's totals, not of its operations\nsee: tcost compute"}


def run(
    spec: SpecName,
    layer: Annotated[str, Offered(f"{LAYER_HELP} All by default.", metavar="LAYER")] = "",
    phase: OnlyPhase = None,
    algo: OnlyAlgo = None,
    settings: Settings = Settings(),
    reading: Reading = Reading(),
    format_: Annotated[Literal["table", "json", "markdown"], Offered(FORMAT_HELP, "--format", default=True)] = "table",
    output: Output = None,
    integers: Integers = False,
) -> Printed:
    """Say where the numbers of a layer come from.

    Each operation with its axes, its scalar operations as a formula and in numbers, their prices and their
    source. The sums are those of compute.

    Needs SymPy: pip install 'tcost[formula]'.

    Example: tcost explain gpt2 attention --phase forward
    """
    from tcost.explain import explain

    explanation = explain(load(spec, reading), layer, algo, settings, phase=phase)
    if format_ == "json":
        from tcost.documents.explain import to_json

        return Printed(to_json(explanation), output)
    from tcost.report.explain import explanation_tables

    return tables(explanation_tables(explanation, integers=integers), format_, output)
