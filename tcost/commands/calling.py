"""A command is called with what its options say, whoever has read the command line."""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from keyword import iskeyword
from typing import Any, get_args

from tcost.commands.base import Offered, Printed, Said, Streamed, reading_of
from tcost.errors import GateError, InputError
from tcost.output import write
from tcost.reading import Reading
from tcost.settings import Option, Settings, options, said_over

Run = Callable[..., Printed | Streamed]


def module_of(name: str) -> Any:
    """Return the module of a command, with its `run`; that of a mode has the name of its word."""
    word = name.rpartition(" ")[2].replace("-", "")
    return import_module(f"tcost.commands.{word}{'_' * iskeyword(word)}")


@cache
def _parameters(of: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(of).parameters


@cache
def own_of(run: Run) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a command by name, in the place of a Reading the options that make one."""
    found: dict[str, inspect.Parameter] = {}
    for name, each in _parameters(run).items():
        found |= _parameters(reading_of) if isinstance(each.default, Reading) else {name: each}
    return found


def offered(each: inspect.Parameter) -> Offered:
    """Return what a parameter offers; nothing where it is another one."""
    return next((word for word in get_args(each.annotation)[1:] if isinstance(word, Offered)), Offered(""))


@cache
def settings_of(run: Run) -> tuple[Option, ...]:
    """Return the options of settings of a command: those of which it has no flag of its own."""
    own = own_of(run)
    if not any(isinstance(each.default, Settings | Said) for each in own.values()):
        return ()
    flags = {flag for each in own.values() for flag in offered(each).flags}
    taken = {*own, *(["algo"] if "algos" in own else [])}
    return tuple(each for each in options() if each.flag not in flags and each.name not in taken)


def call(run: Run, words: Mapping[str, Any], unanswered: Mapping[str, str]) -> Printed | Streamed:
    """Call a command with what is said, by the names of its parameters and of the options of settings.

    What is None is not said. Raises InputError with the reason in `unanswered` for a setting that it cannot answer.
    """
    given = dict(words)
    asked = settings_of(run)
    said = {each.name: given.pop(each.name) for each in asked if each.name in given}
    for option in asked:
        if option.path[0] in unanswered and said.get(option.name) is not None:
            raise InputError(f"{option.flag}: {unanswered[option.path[0]]}")
    for name, each in _parameters(run).items():
        if isinstance(each.default, Reading):
            words_of = _parameters(reading_of).keys() & given.keys()
            given[name] = reading_of(**{word: given.pop(word) for word in words_of})
        elif isinstance(each.default, Settings):
            given[name] = said_over(each.default, said)
        elif isinstance(each.default, Said):
            given[name] = Said({key: word for key, word in said.items() if word is not None})
    return run(**given)


def deliver(printed: Printed | Streamed | None) -> None:
    """Write what a command has said. Raises GateError where a gate failed, and what `tcost.output.write` does."""
    if isinstance(printed, Streamed):
        printed.write()
    elif printed:
        write(printed.text, printed.path)
        if printed.failure:
            raise GateError(printed.failure)
