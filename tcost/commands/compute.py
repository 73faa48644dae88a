"""Price one training step of a model."""

from typing import Annotated, Literal

from tcost.commands.base import Algos, Format, Integers, Offered, Output, Printed, SpecName, load, rules, tables
from tcost.reading import Reading
from tcost.settings import Settings

BY_HELP = "What shares a line; layer by default, operation in JSON and CSV."


def run(
    spec: SpecName,
    algos: Algos = ("bp",),
    settings: Settings = Settings(),
    reading: Reading = Reading(),
    macc: Annotated[bool, Offered("MACCs by layer, not FLOPs, in a table.", "--macc")] = False,
    by: Annotated[Literal["layer", "phase", "operation"] | None, Offered(BY_HELP, "--by")] = None,
    format_: Format = "table",
    output: Output = None,
    integers: Integers = False,
) -> Printed:
    """Price one training step of a model.

    First the answer, then a table per learning rule: layer by layer, phase by phase.

    Example: tcost compute gpt2.yaml --algos bp mempepita --context 512
    """
    from tcost.cost import beside, results_of

    model, names = load(spec, reading), rules(algos)
    results = results_of(model, names, settings)
    if format_ in ("json", "csv"):
        from tcost.documents.compute import to_csv, to_json

        return Printed((to_json if format_ == "json" else to_csv)(results, by), output)
    from tcost.report.beside import errata_note, half_note, is_long
    from tcost.report.compute import result_table

    papers = None if settings.convention == "paper" else beside(results, convention="paper")
    published = [None if paper.priced_as_exact else paper for paper in papers or []] or [None] * len(results)
    said = [errata_note(result, spec) for result in results]
    if any(map(is_long, results)):
        for notes, half in zip(said, beside(results, causal="half") or [], strict=True):
            notes.append(half_note(half, integers=integers))
    shown = [
        result_table(result, by or "layer", "macc" if macc else "flop", notes, paper=paper, integers=integers)
        for result, notes, paper in zip(results, said, published, strict=True)
    ]
    return tables(shown, format_, output)
