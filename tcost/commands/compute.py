"""Price one training step of a model."""

from typing import Annotated, Literal

from tcost.commands.base import Algos, Format, Integers, Offered, Output, Printed, SpecName, load, rules, tables
from tcost.settings import Settings

BY_HELP = "What shares a line; layer by default, operation in JSON and CSV."


def run(
    spec: SpecName,
    algos: Algos = ("bp",),
    settings: Settings = Settings(),
    by: Annotated[Literal["layer", "phase", "operation"] | None, Offered(BY_HELP, "--by")] = None,
    format_: Format = "table",
    output: Output = None,
    integers: Integers = False,
) -> Printed:
    """Price one training step of a model.

    A table per learning rule: layer by layer, phase by phase.

    Example: tcost compute gpt2.yaml --algos bp mempepita --context 512
    """
    from tcost.cost import beside, results_of

    model, names = load(spec), rules(algos)
    results = results_of(model, names, settings)
    if format_ in ("json", "csv"):
        from tcost.documents.compute import to_csv, to_json

        return Printed((to_json if format_ == "json" else to_csv)(results, by), output)
    from tcost.report import result_table
    from tcost.report.beside import half_note, is_long, paper_notes

    notes: list[list[str]] = [[] for _ in results]
    if settings.convention != "paper":
        papers = beside(results, convention="paper")
        notes = [[note] for note in paper_notes(papers, len(results), integers=integers)]
    if any(map(is_long, results)):
        for said, half in zip(notes, beside(results, causal="half") or [], strict=True):
            said.append(half_note(half, integers=integers))
    each = zip(results, notes, strict=True)
    shown = [result_table(result, by or "layer", said, integers=integers) for result, said in each]
    return tables(shown, format_, output)
