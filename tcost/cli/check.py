"""The command that holds training steps against budgets."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

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
from tcost.cli.many_values import rejoined
from tcost.cli.options import Context, EncoderContext, Integers, OutputPath, Printed, tables
from tcost.cli.options import Format as AnyFormat
from tcost.errors import InputError

if TYPE_CHECKING:
    from tcost.budgets import Outcome
    from tcost.spec.budgets import Budget

SPEC_HELP = "A spec as in compute, or a JSON result of compute; without one, every budget of a file is checked."
MAX_HELP = "The most of a measure, as in flop=2.4T parameters=130M peak_bytes=24GiB."
GROWTH_HELP = "How much more than in --against, as in flop=5%."
AGAINST_HELP = "What was before: a JSON result of compute or compare, or a spec."
CONFIG_HELP = "A file of budgets of many specs; tcost.yaml by default."


class CheckFormat(StrEnum):
    """How outcomes are written."""

    TABLE = "table"
    JSON = "json"
    JUNIT = "junit"
    MARKDOWN = "markdown"


def check_budgets(
    invoked: typer.Context,
    spec: Annotated[str | None, typer.Argument(metavar="SPEC", help=SPEC_HELP, show_default=False)] = None,
    maxima: Annotated[
        list[str] | None, typer.Option("--max", metavar="MEASURE=AMOUNT...", help=MAX_HELP, show_default=False)
    ] = None,
    growths: Annotated[
        list[str] | None,
        typer.Option("--max-growth", metavar="MEASURE=PERCENT...", help=GROWTH_HELP, show_default=False),
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", metavar="BASE", help=AGAINST_HELP, show_default=False)
    ] = None,
    config: Annotated[str | None, typer.Option("--config", metavar="FILE", help=CONFIG_HELP)] = None,
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
    format_: Annotated[CheckFormat, typer.Option("--format", help="How to write the result.")] = CheckFormat.TABLE,
    output: OutputPath = None,
    integers: Integers = False,
) -> Printed:
    """Hold training steps against budgets.

    Exit status 1 where a limit is passed; the message says by how much, and which layer grew most. Measures are those
    of sweeps: macc, flop, parameters, active_parameters, trained_parameters, stored_activations_elements,
    stored_activations_bytes, peak_elements and peak_bytes. Without SPEC the budgets of tcost.yaml are checked.

    Example: tcost check gpt2 --max flop=2.4T parameters=170M
    """
    if spec is None:
        given = [name for name in _OF_SPEC if invoked.get_parameter_source(name).name == "COMMANDLINE"]  # type: ignore[union-attr]  # every parameter has a source
        outcomes = _of_file(config, given)
    elif config is not None:
        raise InputError("a file of budgets names its own specs\nleave out SPEC, or --config")
    else:
        outcomes = _outcomes(
            spec,
            _settings(maxima, "--max"),
            _settings(growths, "--max-growth"),
            against,
            algos=algos,
            convention=convention,
            dtype=dtype,
            context=context,
            encoder_context=encoder_context,
            batch=batch,
            optimizer=optimizer,
            causal=causal,
            attention=attention,
            recompute=recompute,
            errata=errata,
        )
    return _printed(outcomes, format_, output, integers=integers)


_OF_SPEC = {
    "maxima": "--max",
    "growths": "--max-growth",
    "against": "--against",
    **{
        name: f"--{name.replace('_', '-')}"
        for name in (
            *("algos", "convention", "context", "encoder_context", "batch", "optimizer", "dtype", "causal"),
            *("attention", "recompute", "errata"),
        )
    },
}
"""What is said of one spec, and in a file by its keys."""


def _settings(words: list[str] | None, what: str) -> dict[str, str]:
    from tcost.budgets import parse_limits

    return parse_limits(rejoined(words or []), what)


def _of_file(config: str | None, given: list[str]) -> "list[Outcome]":
    """Return the outcomes of all budgets of a file."""
    from tcost.spec.budgets import DEFAULT_FILE, read_budgets

    if given:
        options = ", ".join(_OF_SPEC[name] for name in given)
        raise InputError(f"{options}: of which spec?\ngive a SPEC, or write it into {config or DEFAULT_FILE}")
    return [outcome for budget in read_budgets(config or DEFAULT_FILE) for outcome in _of_budget(budget)]


def _of_budget(budget: "Budget") -> "list[Outcome]":
    names = ("algos", "convention", "context", "encoder_context", "batch", "optimizer", "causal", "attention")
    maxima, growths = ({name: value for name, value in each if value} for each in (budget.max, budget.max_growth))
    return _outcomes(
        budget.spec,
        maxima,
        growths,
        budget.against,
        dtype=getattr(budget, "dtype", None),
        **{name: getattr(budget, name) for name in (*names, "recompute", "errata")},
    )


def _outcomes(
    spec: str, maxima: dict[str, str], growths: dict[str, str], against: str | None, **options: Any
) -> "list[Outcome]":
    from tcost.budgets import check, limits_of
    from tcost.documents.side import read_side

    limits = limits_of(maxima, growths)
    base = None if against is None else read_side(against)
    return check(read_side(spec), base, asked_of(**options), limits)


def _printed(outcomes: "list[Outcome]", format_: CheckFormat, output: str | None, *, integers: bool) -> Printed:
    from tcost.report.budgets import budget_tables, failures_of

    failure = "\n".join(failures_of(outcomes))
    if format_ in (CheckFormat.JSON, CheckFormat.JUNIT):
        from tcost.documents.check import to_json, to_junit

        export = to_json if format_ is CheckFormat.JSON else to_junit
        return Printed(export(outcomes), output, failure)
    shown = budget_tables(outcomes, integers=integers, has_reasons=format_ is CheckFormat.MARKDOWN)
    return tables(shown, AnyFormat(format_.value), output, failure)
