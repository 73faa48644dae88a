"""Write what one training step costs as a page of HTML."""

from collections.abc import Sequence
from typing import Annotated

from tcost.commands.base import SPEC_HELP, Algos, Invocation, Offered, Printed, load_all_keys, reconcile_command, rules
from tcost.reading import Reading
from tcost.settings import RULES, Settings

OUTPUT_HELP = "Write to a file, whole or not at all."


def run(
    invoked: Invocation,
    specs: Annotated[Sequence[str], Offered(SPEC_HELP, metavar="SPEC")],
    output: Annotated[str, Offered(OUTPUT_HELP, "--output", "-o", metavar="FILE")],
    algos: Algos = RULES,
    settings: Settings = Settings(),
    reading: Reading = Reading(),
) -> Printed:
    """Write what one training step costs as a page of HTML.

    One file that needs no network: tables that sort and filter, charts by phase and layer, memory, sources and the
    numbers as JSON. Reports need Jinja2: pip install 'tcost[report]'.

    Example: tcost report gpt3-small alexatm-20b --output report.html
    """
    from tcost.cost import comparisons_of
    from tcost.page import report_page
    from tcost.report.beside import changes_notes, lacking_notes, why_notes

    models = load_all_keys(specs, reading)
    comparisons = comparisons_of(models, rules(algos), [settings.context], settings)
    see = reconcile_command(specs, [] if settings.context is None else [settings.context], settings)
    notes = (*changes_notes(comparisons), *lacking_notes(comparisons), *why_notes(comparisons, see))
    return Printed(report_page(comparisons, models, invoked.command, notes), output)
