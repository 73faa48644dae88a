"""The command line that a command was run with, in words that run it again."""

from pathlib import PurePath
from shlex import quote
from typing import Any

import typer

from tcost.cli.many_values import rejoined


def command_of(invoked: typer.Context) -> str:
    """Return the command line: arguments, then the options that were given, then the output without its folder."""
    arguments, options = [], []
    for parameter in invoked.command.params:
        name = str(parameter.name)
        value: Any = invoked.params.get(name)
        source: Any = invoked.get_parameter_source(name)
        if source.name != "COMMANDLINE" or name == "output":
            continue
        values: list[Any] = value if isinstance(value, list) else [value]
        if parameter.param_type_name == "argument":
            arguments += values
        elif isinstance(value, bool):
            options.append((parameter.opts if value else parameter.secondary_opts)[0])
        else:
            options += [parameter.opts[0], *(rejoined(values) if name == "over" else values)]
    words = [*arguments, *options, "--output", PurePath(invoked.params["output"]).name]
    return " ".join((invoked.command_path, *(quote(str(word)) for word in words)))
