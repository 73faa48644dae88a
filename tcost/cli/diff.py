"""The command that says what has changed."""

import shlex
from enum import StrEnum
from typing import Annotated

import typer

from tcost.cli.asked import (
    AskedAlgos,
    AskedAttention,
    AskedBatch,
    AskedCausal,
    AskedConvention,
    AskedDtype,
    AskedErrata,
    AskedOptimizer,
    AskedRecompute,
    asked_of,
)
from tcost.cli.options import Context, EncoderContext, Integers, OutputPath, Printed, tables
from tcost.cli.options import Format as AnyFormat

SIDE_HELP = "a spec as in compute, or a JSON result of compute or compare."


class DiffFormat(StrEnum):
    """How a difference is written."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


def difference(
    base: Annotated[str, typer.Argument(metavar="BASE", help=f"What was before: {SIDE_HELP}")],
    head: Annotated[str, typer.Argument(metavar="HEAD", help="What is now: likewise.")],
    algos: AskedAlgos = None,
    convention: AskedConvention = None,
    context: Context = None,
    encoder_context: EncoderContext = None,
    batch: AskedBatch = None,
    optimizer: AskedOptimizer = None,
    dtype: AskedDtype = None,
    causal: AskedCausal = None,
    attention: AskedAttention = None,
    recompute: AskedRecompute = None,
    errata: AskedErrata = None,
    format_: Annotated[DiffFormat, typer.Option("--format", help="How to write the result.")] = DiffFormat.TABLE,
    output: OutputPath = None,
    integers: Integers = False,
) -> Printed:
    """Say which layers and phases of a training step have changed.

    MACCs, FLOPs, parameters and memory, before and after. A spec is priced as the saved result on the other side was,
    but for what options say. The markdown is a comment for a pull request: a summary, and the tables collapsed.

    Example: tcost diff gpt2 gpt2-medium
    """
    from tcost.diff import differences, price_both
    from tcost.documents.side import read_side

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
        from tcost.documents.diff import to_json

        return Printed(to_json(found), output)
    if format_ is DiffFormat.MARKDOWN:
        from tcost.report.comment import comment

        return Printed(comment(found, shlex.join(["tcost", "diff", base, head])), output)
    from tcost.report.diff import difference_tables

    return tables(difference_tables(found, integers=integers), AnyFormat.TABLE, output)
