"""Say what one training step holds in memory, and its peak."""

from typing import Annotated

from tcost.commands.base import Algos, Format, Integers, Offered, Output, Printed, SpecName, load, rules, tables
from tcost.reading import Reading
from tcost.settings import Settings
from tcost.units import parse_bytes

BUDGET_HELP = "Bytes that the step should fit into, as in 24GiB; status 1 where it does not."


def run(
    spec: SpecName,
    algos: Algos = ("bp",),
    settings: Settings = Settings(),
    reading: Reading = Reading(),
    budget: Annotated[str | None, Offered(BUDGET_HELP, "--budget", metavar="BYTES")] = None,
    format_: Format = "table",
    output: Output = None,
    integers: Integers = False,
) -> Printed:
    """Say what one training step holds in memory, and its peak.

    A table per learning rule: parameters, gradients, what the optimizer holds, PEPITA's fixed matrices and
    stored activations, layer by layer. With a budget, whether it fits, the largest context and batch that do, and
    which one change would make it fit.

    Example: tcost memory gpt2 --optimizer adamw --batch 8 --budget 24GiB
    """
    from tcost.cost import beside, results_of
    from tcost.memory.budget import within
    from tcost.memory.fitting import fittings

    model, names = load(spec, reading), rules(algos)
    results = results_of(model, names, settings)
    limit = None if budget is None else parse_bytes(budget)
    budgets = [None if limit is None else within(limit, result.memory.step) for result in results]
    changes = [
        fittings(held, result.memory.step) if held else [] for result, held in zip(results, budgets, strict=True)
    ]
    failure = "\n".join(
        f"{result.spec} under {result.algo}: the peak of {result.memory.peak.bytes:,} bytes is "
        f"{-held.spare:,} over the budget of {held.bytes:,}"
        for result, held in zip(results, budgets, strict=True)
        if held and not held.fits
    )
    if format_ in ("json", "csv"):
        from tcost.documents.memory import to_csv, to_json

        return Printed((to_json if format_ == "json" else to_csv)(results, budgets, changes), output, failure)
    from tcost.report.memory import memory_table

    exact = beside(results, convention="exact") if settings.convention == "paper" else None
    each = zip(results, budgets, changes, exact or (None for _ in names), strict=True)
    shown = [memory_table(*one, integers=integers) for one in each]
    return tables(shown, format_, output, failure)
