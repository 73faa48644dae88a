"""The command line: parse, one library call, render. No formula lives here."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any, cast

import typer

from tcost import __version__
from tcost.cli.asking import asks
from tcost.cli.completion import ShowCompletion
from tcost.cli.many_values import ManyValuesCommand
from tcost.cli.pages import Answer, Group
from tcost.commands import MODES, PANELS, modes_of
from tcost.commands.base import Printed, Streamed, is_spec
from tcost.commands.calling import deliver, module_of
from tcost.errors import InputError

__all__ = ["app", "asked_of", "command_of", "run"]

NO_INTEGER = re.compile(r"Input should be a valid integer, unable to.*|'[^']*' is not a valid int(eger)?( range)?\.?")
"""What typer says of a text that is no number: the newest, and older ones."""

UsageError = cast("type[Exception]", typer.BadParameter.__bases__[0])  # no version of typer exports it


def asked_of(name: str) -> Callable[..., Printed | Streamed]:
    """Return the command of a name as the parser calls it, with a parameter for each option."""
    module = module_of(name)
    return asks(module.run, getattr(module, "UNANSWERED", {}))


@cache
def command_of(name: str) -> Any:
    """Return the command of a name as the parser knows it; its module alone is imported."""
    module = module_of(name)
    is_argument = staticmethod(getattr(module, "is_argument", is_spec))
    made = type("Command", (ManyValuesCommand,), {"is_argument": is_argument, "modes": modes_of(name)})
    one = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    one.command(name, cls=made)(asked_of(name))
    return typer.main.get_command(one)


class _Commands(Group):
    panels = PANELS
    modes = MODES
    make = staticmethod(command_of)


app = typer.Typer(
    cls=_Commands,
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
    deliver(printed)
    return 0


def _usage_message(error: Any) -> str:
    command = error.ctx.command_path if error.ctx else "tcost"
    text = error.format_message().replace("Value error, ", "").replace(" (env var: 'None')", "")  # of typer 0.17
    message = " ".join(text.split())  # lists choices on many lines
    message = NO_INTEGER.sub("expected a whole number in digits, as in 4096 (4k is 4000 or 4096)", message)
    return f"{message}\n{_see(error, command)}"


def _see(error: Any, command: str) -> str:
    """Return where to look: of a spec too many, at the command that takes several."""
    extra = error.format_message().rpartition("(")[2].rstrip(").").split()
    is_spec_too_many = "unexpected extra argument" in error.format_message() and all(map(is_spec, extra))
    if is_spec_too_many and command in ("tcost compute", "tcost memory"):
        return f"{command} takes one spec; see: tcost compare SPEC..."
    return f"see: {command} --help"
