"""Options of a step that may be left to a saved result, and what they ask for."""

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from tcost.cli.options import (
    ATTENTION_HELP,
    CAUSAL_HELP,
    OPTIMIZER_HELP,
    RECOMPUTE_HELP,
    AttentionName,
    CausalName,
    DtypeName,
    RecomputeName,
    rules,
)

if TYPE_CHECKING:
    from tcost.diff import Asked

ALGOS_HELP = "Learning rules (tcost list algos), separated by spaces or commas; those of a saved result, else bp."
CONVENTION_HELP = "Counting convention: paper, torch or exact; that of a saved result, else paper."
BATCH_HELP = "Sequences per training step; those of a saved result, else one."
DTYPE_HELP = "Type of all numbers that are held; those of a saved result, else fp32."

AskedAlgos: TypeAlias = Annotated[
    list[str] | None, typer.Option("--algos", "--algo", metavar="RULE...", help=ALGOS_HELP, show_default=False)
]
AskedConvention: TypeAlias = Annotated[
    str | None, typer.Option("--convention", metavar="CONVENTION", help=CONVENTION_HELP)
]
AskedBatch: TypeAlias = Annotated[int | None, typer.Option("--batch", metavar="N", help=BATCH_HELP)]
AskedOptimizer: TypeAlias = Annotated[str | None, typer.Option("--optimizer", metavar="OPTIMIZER", help=OPTIMIZER_HELP)]
AskedDtype: TypeAlias = Annotated[DtypeName | None, typer.Option("--dtype", help=DTYPE_HELP)]
AskedCausal: TypeAlias = Annotated[CausalName | None, typer.Option("--causal", help=CAUSAL_HELP)]
AskedAttention: TypeAlias = Annotated[AttentionName | None, typer.Option("--attention", help=ATTENTION_HELP)]
AskedRecompute: TypeAlias = Annotated[RecomputeName | None, typer.Option("--recompute", help=RECOMPUTE_HELP)]
AskedErrata: TypeAlias = Annotated[
    bool | None, typer.Option("--errata/--no-errata", help="Count the slips in published totals.")
]


def asked_of(algos: list[str] | None, convention: str | None, dtype: DtypeName | None, **options: Any) -> "Asked":
    """Return how specs are to be priced: what the command line says, and nothing of what it does not."""
    from tcost.diff import Asked

    said: Any = {**options, "convention": convention, "dtype": dtype}
    given = {name: getattr(value, "value", value) for name, value in said.items() if value is not None}
    return Asked(algos=tuple(rules(algos or [])), said=given)
