"""From the signature of a command to the parameters that the parser knows.

What is offered is an option or an argument; settings are an option each; the invocation is read off the parser.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal, get_args, get_origin

import typer

from tcost.cli.invoked import invocation_of
from tcost.commands.base import Invocation, Printed, Said, Streamed
from tcost.commands.calling import Run, call, offered, own_of, settings_of
from tcost.settings import Option, Settings


def asks(run: Run, unanswered: Mapping[str, str]) -> Run:
    """Return a command with a parameter for the parser in the place of each of its own.

    Settings are as many options, but for those of which the command has its own flag. A setting that it cannot answer
    is taken, too, without a word on the help page, and refused with the reason in `unanswered`.
    """
    own, asked = own_of(run), settings_of(run)

    def parsed(**words: Any) -> Printed | Streamed:
        given = {name: _plain(word) for name, word in words.items()}
        for name, each in own.items():
            if each.annotation is Invocation:
                given[name] = invocation_of(given[name])
        return call(run, given, unanswered)

    parsed.__signature__ = inspect.Signature(list(_parameters(own, asked, unanswered)))  # type: ignore[attr-defined]  # which is what typer reads
    parsed.__name__, parsed.__doc__ = run.__name__, run.__doc__
    return parsed


def _parameters(
    own: Mapping[str, inspect.Parameter], asked: Sequence[Option], unanswered: Mapping[str, str]
) -> Iterator[inspect.Parameter]:
    for name, each in own.items():
        if isinstance(each.default, Settings | Said):
            for option in asked:
                is_hidden = option.path[0] in unanswered
                usual = None if is_hidden or isinstance(each.default, Said) else _usual(each.default, option)
                yield _option(option, usual, is_said=isinstance(each.default, Said), is_hidden=is_hidden)
        elif each.annotation is Invocation:
            yield _parameter(name, typer.Context)
        else:
            yield _own(name, each)


def _usual(settings: Settings, option: Option) -> Any:
    """Return what an option is where it is not said."""
    name, *inner = option.path
    return option.default if inner else getattr(settings, name)


def _option(option: Option, usual: Any, *, is_said: bool, is_hidden: bool) -> inspect.Parameter:
    """Return the parameter of a setting, which of a saved result has no default of its own."""
    flag = (
        f"{option.flag}/--no{option.flag.removeprefix('-')}" if option.type is bool and option.default else option.flag
    )
    offered = typer.Option(
        flag,
        metavar=option.metavar or None,
        help=option.help_of_saved if is_said else option.help,
        hidden=is_hidden,
        show_default=usual not in (None, False),
    )
    type_ = _choice(option.type)
    return _parameter(option.name, Annotated[type_ | None if usual is None else type_, offered], usual)


def _own(name: str, each: inspect.Parameter) -> inspect.Parameter:
    """Return the parameter of what a command offers itself."""
    own = offered(each)
    of, *_ = get_args(each.annotation)
    kinds = [kind for kind in get_args(of) if kind is not type(None)] if type(None) in get_args(of) else [of]
    type_ = _choice(kinds[0])
    if get_origin(type_) is not None:  # several values
        type_ = list[get_args(type_)[0]]  # type: ignore[misc]  # a type that is known when it runs
    if type(None) in get_args(of):
        type_ |= None
    shown: dict[str, Any] = {"metavar": own.metavar, "help": own.help, "show_default": own.default}
    if own.flags:
        parameter: Any = typer.Option(*own.flags, min=own.least, **shown)
    else:
        parameter = typer.Argument(**shown)
    default = list(each.default) if isinstance(each.default, tuple) else each.default
    return _parameter(name, Annotated[type_, parameter], default)


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _choice(of: Any) -> Any:
    """Return a type that the parser knows: one of few words is an enumeration."""
    return StrEnum("Choice", {word.upper(): word for word in get_args(of)}) if get_origin(of) is Literal else of


def _plain(word: Any) -> Any:
    return word.value if isinstance(word, Enum) else word
