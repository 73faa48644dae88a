"""The command that says what has changed."""

import shlex
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tcost.cli.options import (
    ATTENTION_HELP,
    CAUSAL_HELP,
    OPTIMIZER_HELP,
    RECOMPUTE_HELP,
    AttentionName,
    CausalName,
    Context,
    DtypeName,
    EncoderContext,
    Integers,
    OutputPath,
    Printed,
    RecomputeName,
    rules,
    tables,
)
from tcost.cli.options import Format as AnyFormat

if TYPE_CHECKING:
    from tcost.diff import Asked

SIDE_HELP = "A spec as in compute, or a JSON result of compute or compare."
ALGOS_HELP = "Learning rules (tcost list algos), separated by spaces or commas; those of a saved result, else bp."
CONVENTION_HELP = "Counting convention: paper, torch or exact; that of a saved result, else paper."


class DiffFormat(StrEnum):
    """How a difference is written."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


def asked_of(algos: list[str] | None, convention: str | None, dtype: DtypeName | None, **options: Any) -> "Asked":
    """Return how specs are to be priced: what the command line says, and nothing of what it does not."""
    from tcost.diff import Asked
    from tcost.memory import Storage

    storage = None
    if dtype:
        storage = Storage(weights=dtype.value, gradients=dtype.value, activations=dtype.value, optimizer=dtype.value)
    given = {name: getattr(value, "value", value) for name, value in options.items() if value is not None}
    return Asked(algos=tuple(rules(algos or [])), convention=convention, storage=storage, options=given)  # type: ignore[arg-type]  # its callers name options


def difference(
    base: Annotated[str, typer.Argument(metavar="BASE", help=f"{SIDE_HELP} What was before.")],
    head: Annotated[str, typer.Argument(metavar="HEAD", help="Likewise. What is now.")],
    algos: Annotated[
        list[str] | None, typer.Option("--algos", "--algo", metavar="RULE...", help=ALGOS_HELP, show_default=False)
    ] = None,
    convention: Annotated[
        str | None, typer.Option("--convention", metavar="CONVENTION", help=CONVENTION_HELP, show_default=False)
    ] = None,
    context: Context = None,
    encoder_context: EncoderContext = None,
    batch: Annotated[int | None, typer.Option("--batch", metavar="N", help="Sequences per training step.")] = None,
    optimizer: Annotated[str | None, typer.Option("--optimizer", metavar="OPTIMIZER", help=OPTIMIZER_HELP)] = None,
    dtype: Annotated[DtypeName | None, typer.Option("--dtype", help="Type of all numbers that are held.")] = None,
    causal: Annotated[CausalName | None, typer.Option("--causal", help=CAUSAL_HELP)] = None,
    attention: Annotated[AttentionName | None, typer.Option("--attention", help=ATTENTION_HELP)] = None,
    recompute: Annotated[RecomputeName | None, typer.Option("--recompute", help=RECOMPUTE_HELP)] = None,
    errata: Annotated[
        bool | None, typer.Option("--errata/--no-errata", help="Count the slips in published totals.")
    ] = None,
    format_: Annotated[DiffFormat, typer.Option("--format", help="How to write the result.")] = DiffFormat.TABLE,
    output: OutputPath = None,
    integers: Integers = False,
) -> Printed:
    """Say which layers and phases of a training step have changed.

    MACCs, FLOPs, parameters and memory, before and after. A spec is priced as the saved result on the other side was,
    but for what options say. The markdown is a comment for a pull request: a summary, and the tables collapsed.

    Example: tcost diff gpt2 gpt2-medium --convention exact
    """
    from tcost.diff import differences, price_both, read_side

    asked = asked_of(
        algos,
        convention,
        dtype,
        context=context,
        encoder_context=encoder_context,
        batch=batch,
        optimizer=optimizer,
        causal=causal,
        attention=attention,
        recompute=recompute,
        errata=errata,
    )
    found = differences(*price_both(read_side(base), read_side(head), asked))
    if format_ is DiffFormat.JSON:
        from tcost.export.diff import differences_to_json

        return Printed(differences_to_json(found), output)
    if format_ is DiffFormat.MARKDOWN:
        from tcost.report.comment import comment

        return Printed(comment(found, shlex.join(["tcost", "diff", base, head])), output)
    from tcost.report.diff import difference_tables

    return tables(difference_tables(found, integers=integers), AnyFormat.TABLE, output)
