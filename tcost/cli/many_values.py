"""Options that take several values after one flag: `--algos bp pepita mempepita`."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from tcost.cli.pages import Command


def spread(args: Sequence[str], options: Collection[str], is_argument: Callable[[str], bool]) -> Iterator[str]:
    """Rewrite `--algos bp,pepita mempepita` to the repeated form, which parsers know.

    The first word after one of the options belongs to it; further words do until `--`, an option, or
    a word that is an argument of the command. Commas separate values as spaces do.
    """
    words = iter(args)
    option = None  # the list option that takes the next word
    is_first = False
    for word in words:
        if word == "--":
            yield word
            yield from words
            return
        name, equals, value = word.partition("=")
        if name in options:
            option, is_first = name, not equals
            if equals:
                yield from _repeated(option, value)
            continue
        if option and not _is_option(word) and (is_first or not is_argument(word)):
            yield from _repeated(option, word)
        else:
            if option and is_first:
                yield option  # without a value: the parser says so
            option = None
            yield word
        is_first = False
    if option and is_first:
        yield option


def _repeated(option: str, words: str) -> Iterator[str]:
    for word in [word for word in words.split(",") if word] or [""]:
        yield f"{option}={word}"


def _is_option(word: str) -> bool:
    return word.startswith("-") and word != "-"


class ManyValuesCommand(Command):
    """A command whose repeatable options take several values; `is_argument` tells where they end."""

    is_argument: Callable[[str], bool]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Spread the values of every repeatable option, then parse as usual."""
        options = {name for param in self.params if getattr(param, "multiple", False) for name in param.opts}
        return super().parse_args(ctx, list(spread(args, options, type(self).is_argument)))
