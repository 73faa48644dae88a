"""The commands."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

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
    Format,
    FormatName,
    Grouping,
    Integers,
    Listing,
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

SPECS_HELP = f"{SPEC_HELP} All bundled specs when there is none."
CONTEXTS_HELP = "Context lengths, separated by spaces or commas; each spec's own by default."
BY_HELP = "What shares a line; layer by default, operation in JSON and CSV."


def compute(
    spec: SpecName,
    algos: Algos = ["bp"],  # noqa: B006  # typer reads the default, nothing changes it
    convention: ConventionName = Settings.convention,
    context: Context = None,
    encoder_context: EncoderContext = None,
    batch: Batch = 1,
    optimizer: OptimizerName = "none",
    causal: Causal = CausalName.FULL,
    attention: Attention = AttentionName.EAGER,
    recompute: Recompute = RecomputeName.NONE,
    by: Annotated[Grouping | None, typer.Option("--by", help=BY_HELP, show_default=False)] = None,
    format_: FormatName = Format.TABLE,
    output: OutputPath = None,
    errata: Errata = True,
    integers: Integers = False,
) -> Printed:
    """Price one training step of a model.

    A table per learning rule: layer by layer, phase by phase.

    Example: tcost compute gpt2.yaml --algos bp mempepita --context 512
    """
    from dataclasses import replace

    from tcost.cost import beside, results_of

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
    )
    model, names = load(spec), rules(algos)
    results = results_of(model, names, options)
    if format_ in (Format.JSON, Format.CSV):
        from tcost.documents.compute import to_csv, to_json

        export = to_json if format_ is Format.JSON else to_csv
        return Printed(export(results, by.value if by else None), output)
    from tcost.report import result_table
    from tcost.report.beside import half_note, is_long, paper_notes

    notes: list[list[str]] = [[] for _ in results]
    if convention != "paper":
        papers = paper_notes(
            beside(model, names, replace(options, convention="paper")), len(results), integers=integers
        )
        notes = [[note] for note in papers]
    if any(map(is_long, results)):
        halves = results_of(model, names, replace(options, causal="half"))
        for said, half in zip(notes, halves, strict=True):
            said.append(half_note(half, integers=integers))
    grouping = by or Grouping.LAYER
    each = zip(results, notes, strict=True)
    shown = [result_table(result, grouping.value, said, integers=integers) for result, said in each]
    return tables(shown, format_, output)


def compare_specs(
    specs: Annotated[list[str] | None, typer.Argument(metavar="SPEC", help=SPECS_HELP, show_default=False)] = None,
    algos: Algos = ["bp", "pepita", "mempepita"],  # noqa: B006  # as in compute
    convention: ConventionName = Settings.convention,
    contexts: Annotated[list[int] | None, typer.Option("--context", metavar="N...", help=CONTEXTS_HELP)] = None,
    encoder_context: EncoderContext = None,
    batch: Batch = 1,
    optimizer: OptimizerName = "none",
    causal: Causal = CausalName.FULL,
    attention: Attention = AttentionName.EAGER,
    recompute: Recompute = RecomputeName.NONE,
    format_: FormatName = Format.TABLE,
    output: OutputPath = None,
    errata: Errata = True,
    integers: Integers = False,
) -> Printed:
    """Compare learning rules on one or many models.

    A line per spec, context and rule, with the change against the first rule.

    Example: tcost compare gpt3-small --algos bp mempepita --context 512 2048
    """
    from tcost.cost import comparisons_of
    from tcost.spec import bundled_specs

    comparisons = comparisons_of(
        [load(spec) for spec in specs or bundled_specs()],
        rules(algos),
        contexts or [None],
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
    if format_ in (Format.JSON, Format.CSV):
        from tcost.documents.compare import to_csv, to_json

        export = to_json if format_ is Format.JSON else to_csv
        return Printed(export(comparisons), output)
    from tcost.report.comparison import comparison_table

    see = reconcile_command(specs or [], contexts or [], encoder_context, batch, errata=errata)
    return tables([comparison_table(comparisons, see, integers=integers)], format_, output)


def list_names(
    what: Annotated[Listing, typer.Argument(metavar="WHAT", help="What to list: specs, algos, conventions or layers.")],
) -> Printed:
    """List specs, learning rules, conventions or layers.

    Example: tcost list specs
    """
    names = _LISTINGS[what]()
    width = max(map(len, names))
    return Printed("".join(f"{name:<{width}}  {title}\n" for name, title in names.items()))


def reconcile_command(
    specs: Sequence[str], contexts: Sequence[int], encoder_context: int | None, batch: int, *, errata: bool
) -> str:
    """Return the command that says why a comparison is another under `paper`; SPEC where there are many."""
    from shlex import quote

    words = ["tcost reconcile", quote(specs[0]) if len(specs) == 1 else "SPEC", "--from paper --to exact"]
    if len(contexts) == 1:
        words.append(f"--context {contexts[0]}")
    if encoder_context is not None:
        words.append(f"--encoder-context {encoder_context}")
    words += [f"--batch {batch}"] * (batch != 1)
    words += ["--no-errata"] * (not errata)
    return " ".join(words)


def _spec_titles() -> dict[str, str]:
    from tcost.spec import bundled_specs, load_spec

    return {name: load_spec(f"{name}.yaml").description for name in bundled_specs()}


def _rule_titles() -> dict[str, str]:
    from tcost.learning_rules import LEARNING_RULES

    return {name: rule.summary for name, rule in LEARNING_RULES.items()}


def _convention_titles() -> dict[str, str]:
    from tcost.conventions import CONVENTIONS

    return {name: convention.title for name, convention in CONVENTIONS.items()}


def _layer_titles() -> dict[str, str]:
    import tcost.layers  # noqa: F401  # registers the layers
    from tcost.tracing import LAYERS

    return LAYERS


_LISTINGS: dict[Listing, Callable[[], dict[str, str]]] = {
    Listing.SPECS: _spec_titles,
    Listing.ALGOS: _rule_titles,
    Listing.CONVENTIONS: _convention_titles,
    Listing.LAYERS: _layer_titles,
}
