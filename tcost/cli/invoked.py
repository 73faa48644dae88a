"""The command line that a command was run with."""

from pathlib import PurePath
from shlex import quote
from typing import Any

from tcost.commands.base import Invocation, rejoined


def invocation_of(context: Any) -> Invocation:
    """Return the command line: arguments, then the options that were given, then the output without its folder."""
    arguments: list[Any] = []
    words: list[Any] = []
    given = set()
    for parameter in context.command.params:
        name = str(parameter.name)
        value: Any = context.params.get(name)
        if context.get_parameter_source(name).name != "COMMANDLINE":
            continue
        given.add(name)
        values: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
        if parameter.param_type_name == "argument":
            arguments += values
        elif name != "output" and isinstance(value, bool):
            words.append((parameter.opts if value else parameter.secondary_opts)[0])
        elif name != "output":
            words += [parameter.opts[0], *(rejoined(values) if name == "over" else values)]
    if output := context.params.get("output"):
        words += ["--output", PurePath(output).name]
    return Invocation(
        " ".join((context.command_path, *(quote(str(word)) for word in [*arguments, *words]))), frozenset(given)
    )
