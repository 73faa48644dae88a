"""Hold training steps against budgets."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from tcost.commands.base import (
    FORMAT_HELP,
    Integers,
    Invocation,
    Offered,
    Output,
    Printed,
    Said,
    SavedAlgos,
    asked,
    rejoined,
    tables,
)
from tcost.cost.measures import IN_WORDS
from tcost.errors import InputError
from tcost.reading import Reading
from tcost.settings import options

if TYPE_CHECKING:
    from tcost.budgets import Outcome
    from tcost.spec.budgets import Budget

SPEC_HELP = "A spec as in compute, or a JSON result of compute; without one, every budget of a file is checked."
MAX_HELP = "The most of a measure, as in flop=2.4T parameters=130M peak_bytes=24GiB."
GROWTH_HELP = "How much more than in --against, as in flop=5%."
AGAINST_HELP = "What was before: a JSON result of compute or compare, or a spec."
CONFIG_HELP = "A file of budgets of many specs; tcost.yaml by default."

FORMATS = Literal["table", "json", "junit", "markdown"]

OF_SPEC = {
    "maxima": "--max",
    "growths": "--max-growth",
    "against": "--against",
    "algos": "--algos",
    "ignore": "--ignore",
    "as_": "--as",
} | {each.name: each.flag for each in options()}
"""What is said of one spec, and in a file by its keys."""


def run(
    invoked: Invocation,
    spec: Annotated[str | None, Offered(SPEC_HELP, metavar="SPEC")] = None,
    maxima: Annotated[Sequence[str] | None, Offered(MAX_HELP, "--max", metavar="MEASURE=AMOUNT...")] = None,
    growths: Annotated[Sequence[str] | None, Offered(GROWTH_HELP, "--max-growth", metavar="MEASURE=PERCENT...")] = None,
    against: Annotated[str | None, Offered(AGAINST_HELP, "--against", metavar="BASE")] = None,
    config: Annotated[str | None, Offered(CONFIG_HELP, "--config", metavar="FILE")] = None,
    algos: SavedAlgos = None,
    said: Said = Said(),
    reading: Reading = Reading(),
    format_: Annotated[FORMATS, Offered(FORMAT_HELP, "--format", default=True)] = "table",
    output: Output = None,
    integers: Integers = False,
) -> Printed:
    """Hold training steps against budgets.

    Exit status 1 where a limit is passed; the message says by how much, and which layer grew most. Measures are those
    of sweeps: {measures}. Without SPEC the budgets of tcost.yaml are checked.

    Example: tcost check gpt2 --max flop=2.4T parameters=170M
    """
    if spec is None:
        outcomes = _of_file(config, [flag for name, flag in OF_SPEC.items() if name in invoked.given])
    elif config is not None:
        raise InputError("a file of budgets names its own specs\nleave out SPEC, or --config")
    else:
        from tcost.budgets import parse_limits

        limits = parse_limits(rejoined(maxima or []), "--max"), parse_limits(rejoined(growths or []), "--max-growth")
        outcomes = _outcomes(spec, *limits, against, algos, said, reading)
    return _printed(outcomes, format_, output, integers=integers)


run.__doc__ = str(run.__doc__).replace("{measures}", IN_WORDS.replace(" or ", " and "))


def _of_file(config: str | None, given: Sequence[str]) -> "list[Outcome]":
    """Return the outcomes of all budgets of a file."""
    from tcost.spec.budgets import DEFAULT_FILE, read_budgets

    if given:
        raise InputError(f"{', '.join(given)}: of which spec?\ngive a SPEC, or write it into {config or DEFAULT_FILE}")
    return [outcome for budget in read_budgets(config or DEFAULT_FILE) for outcome in _of_budget(budget)]


def _of_budget(budget: "Budget") -> "list[Outcome]":
    maxima, growths = ({name: value for name, value in each if value} for each in (budget.max, budget.max_growth))
    said = Said({each.name: getattr(budget, each.name) for each in options() if each.name != "algo"})
    return _outcomes(budget.spec, maxima, growths, budget.against, budget.algos, said)


def _outcomes(
    spec: str,
    maxima: Mapping[str, str],
    growths: Mapping[str, str],
    against: str | None,
    algos: Sequence[str] | None,
    said: Said,
    reading: Reading = Reading(),
) -> "list[Outcome]":
    from tcost.budgets import check, limits_of
    from tcost.documents.side import read_sides

    limits = limits_of(maxima, growths)
    side, *bases = read_sides([spec] if against is None else [spec, against], reading)
    return check(side, bases[0] if bases else None, asked(algos, said), limits)


def _printed(outcomes: "list[Outcome]", format_: FORMATS, output: str | None, *, integers: bool) -> Printed:
    from tcost.report.check import budget_tables, failures_of

    failure = "\n".join(failures_of(outcomes))
    if format_ in ("json", "junit"):
        from tcost.documents.check import to_json, to_junit

        return Printed((to_json if format_ == "json" else to_junit)(outcomes), output, failure)
    shown = budget_tables(outcomes, integers=integers, has_reasons=format_ == "markdown")
    return tables(shown, format_, output, failure)
