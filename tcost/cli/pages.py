"""The help page of a command, in words that no version of the parser changes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from tcost.completion import table
from tcost.errors import unknown

GAPS = 6
"""Columns around the names of commands, as the parser has them."""


class Answer(typer.Exit):
    """What is printed instead of running a command, such as its help page."""

    def __init__(self, text: str) -> None:
        """End the command with a text."""
        super().__init__()
        self.text = text


class _Page:
    """What has a help page, which is written as every output is: the parser itself would not notice a full disk."""

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option that answers with the page."""
        option: Any = super().get_help_option(ctx)  # type: ignore[misc]  # of what this is mixed into
        option.callback = _answer
        return option


def _answer(ctx: Any, _option: Any, asked: Any) -> None:
    if asked and not ctx.resilient_parsing:
        raise Answer(f"{ctx.get_help()}\n")


class Group(_Page, TyperGroup):
    """The command that all others are part of, each of which is made when it is asked for."""

    make: Callable[[str], Any]
    panels: Mapping[str, Sequence[str]]
    modes: Sequence[str]

    @property
    def names(self) -> list[str]:
        """The names of the commands in their order."""
        return [name for names in self.panels.values() for name in names]

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # as the parser asks for them
        """Return the names of the commands in their order."""
        return self.names

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  # likewise
        """Return a command, or raise InputError with the names that there are."""
        if cmd_name not in (*self.names, *self.modes):
            raise unknown("command", cmd_name, self.names)
        return type(self).make(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # likewise
        """Write a line for each command, none of which is imported for it: the list of words has what they are."""
        titles = _titles("COMMAND")
        widest = max(map(len, self.names))
        for panel, names in self.panels.items():
            lines = [(name, TyperCommand(name, help=titles[name])) for name in names]
            with formatter.section(panel):
                formatter.write_dl(
                    [
                        (f"{name:<{widest}}", each.get_short_help_str(formatter.width - GAPS - widest))
                        for name, each in lines
                    ]
                )


class Command(_Page, TyperCommand):
    """A command whose help has its arguments by their names alone: `SPEC`, not `{SPEC}` and `SPEC <str>`."""

    modes: Sequence[str] = ()
    """The words that make another command of it."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage line: `[OPTIONS] SPEC [LAYER]`, `[OPTIONS] [SPEC]...`."""
        arguments = [param for param in self.get_params(ctx) if param.param_type_name == "argument"]
        return ["[OPTIONS]", *map(_in_usage, arguments)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a line for each argument, then one for each option, then one for each mode."""
        lines: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
        for param in self.get_params(ctx):
            if record := param.get_help_record(ctx):
                kind = param.param_type_name
                lines[kind].append((_name(param), record[1]) if kind == "argument" else record)
        titles = _titles(str(self.name)) if self.modes else {}
        lines["mode"] = [(word, f"{titles[word]} See: {ctx.command_path} {word} --help") for word in self.modes]
        for kind, records in lines.items():
            if records:
                with formatter.section(f"{kind.title()}s"):
                    formatter.write_dl(records)


def _titles(where: str) -> dict[str, str]:
    """Return what each word means that may stand somewhere, as the list of words has it."""
    return {names[0]: title for names, _, title in table()[where]}


def _in_usage(argument: Any) -> str:
    name = _name(argument) if argument.required else f"[{_name(argument)}]"
    return f"{name}..." if argument.nargs == -1 else name


def _name(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())
