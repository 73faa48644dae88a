"""The command line: parse, one library call, render. No formula lives here."""

from collections.abc import Sequence
from typing import Annotated, Any, cast

import typer

from tcost import __version__
from tcost.cli.breakeven import break_even_points
from tcost.cli.check import check_budgets
from tcost.cli.commands import compare_specs, compute, list_names
from tcost.cli.completion import ShowCompletion
from tcost.cli.diff import difference
from tcost.cli.explanation import explain_layer
from tcost.cli.formulas import FormulaCommand, formulas_of
from tcost.cli.importing import import_spec
from tcost.cli.memory import memory_of_spec
from tcost.cli.options import Printed, SpecCommand, Streamed
from tcost.cli.pages import Answer, Command, Group
from tcost.cli.plotting import plot_spec
from tcost.cli.proof import verify_specs
from tcost.cli.reconciliation import reconcile_spec
from tcost.cli.reporting import report_on_specs
from tcost.cli.schema import print_schema
from tcost.cli.sweep import SweepCommand, sweep_spec
from tcost.errors import GateError, InputError
from tcost.output import write

__all__ = ["app", "run"]

UsageError = cast("type[Exception]", typer.BadParameter.__bases__[0])  # no version of typer exports it

app = typer.Typer(
    cls=Group,
    help="What it costs to train a transformer: exact MACCs, FLOPs and parameters, per layer, phase and learning rule."
    "\n\nExample: tcost compute gpt2",
    add_completion=False,  # the front door answers shells, without the parser
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # some CI systems make rich emit escapes into pipes
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        raise Answer(f"tcost {__version__}\n")


@app.callback(invoke_without_command=True)
def _main(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001  # its callback does the work
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    show_completion: ShowCompletion = None,  # noqa: ARG001  # likewise
) -> Printed | None:
    return Printed(f"{context.get_help()}\n") if context.invoked_subcommand is None else None


app.command(cls=SpecCommand)(compute)
app.command("compare", cls=SpecCommand)(compare_specs)
app.command("memory", cls=SpecCommand)(memory_of_spec)
app.command("report", cls=SpecCommand)(report_on_specs)
app.command("sweep", cls=SweepCommand)(sweep_spec)
app.command("breakeven", cls=SpecCommand)(break_even_points)
app.command("formula", cls=FormulaCommand)(formulas_of)
app.command("explain", cls=Command)(explain_layer)
app.command("reconcile", cls=Command)(reconcile_spec)
app.command("plot", cls=SpecCommand)(plot_spec)
app.command("verify", cls=SpecCommand)(verify_specs)
app.command("diff", cls=SpecCommand)(difference)
app.command("check", cls=SpecCommand)(check_budgets)
app.command("import", cls=Command)(import_spec)
app.command("schema", cls=Command)(print_schema)
app.command("list", cls=Command)(list_names)


def run(args: Sequence[str]) -> int:
    """Run the command line; return the exit status of what went as asked, raise what did not.

    Raises InputError for bad usage too, GateError where a result is not as it should be, OutputError for output that
    could not be written, and ReaderGoneError where the reader of standard output has gone.
    """
    command: Any = typer.main.get_command(app)
    try:  # and not `app()`, which takes any error of a pipe for one of standard output, and a lost reader for status 1
        with command.make_context("tcost", list(args)) as context:
            printed: Any = command.invoke(context)
    except UsageError as error:
        raise InputError(_usage_message(error)) from None
    except Answer as answer:
        printed = Printed(answer.text)
    if isinstance(printed, Printed):
        write(printed.text, printed.path)
        if printed.failure:
            raise GateError(printed.failure)
    if isinstance(printed, Streamed):
        printed.write()
    return 0


def _usage_message(error: Any) -> str:
    command = error.ctx.command_path if error.ctx else "tcost"
    text = error.format_message().replace("Value error, ", "").replace(" (env var: 'None')", "")  # of typer 0.17
    message = " ".join(text.split())  # lists choices on many lines
    return f"{message}\nsee: {command} --help"
