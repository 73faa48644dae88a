"""Say which layers and phases of a training step have changed."""

import shlex
from typing import Annotated, Literal

from tcost.commands.base import FORMAT_HELP, Integers, Offered, Output, Printed, Said, SavedAlgos, asked, tables
from tcost.reading import Reading

SIDE_HELP = "a spec as in compute, or a JSON result of compute or compare."


def run(
    base: Annotated[str, Offered(f"What was before: {SIDE_HELP}", metavar="BASE")],
    head: Annotated[str, Offered("What is now: likewise.", metavar="HEAD")],
    algos: SavedAlgos = None,
    said: Said = Said(),
    reading: Reading = Reading(),
    format_: Annotated[Literal["table", "json", "markdown"], Offered(FORMAT_HELP, "--format", default=True)] = "table",
    output: Output = None,
    integers: Integers = False,
) -> Printed:
    """Say which layers and phases of a training step have changed.

    MACCs, FLOPs, parameters and memory, before and after. A spec is priced as the saved result on the other side was,
    but for what options say. The markdown is a comment for a pull request: a summary, and the tables collapsed.

    Example: tcost diff gpt2 gpt2-medium
    """
    from tcost.diff import differences, price_both
    from tcost.documents.side import read_sides

    before, after = read_sides([base, head], reading)
    found = differences(*price_both(before, after, asked(algos, said)))
    if format_ == "json":
        from tcost.documents.diff import to_json

        return Printed(to_json(found), output)
    if format_ == "markdown":
        from tcost.report.comment import comment

        return Printed(comment(found, shlex.join(["tcost", "diff", base, head])), output)
    from tcost.report.diff import difference_tables

    return tables(difference_tables(found, integers=integers), format_, output)
