"""Other words for options: those that people type who come from other tools."""

from collections.abc import Iterable, Mapping

ALIASES: Mapping[str, str] = {
    "--seq-len": "--context",
    "--sequence-length": "--context",
    "--context-length": "--context",
    "--batch-size": "--batch",
}
"""What each means. No help page and no shell knows them."""


def meant(args: Iterable[str]) -> list[str]:
    """Return the words of a command line with options by their names: `--seq-len=512` is `--context=512`."""
    return [ALIASES.get(name, name) + equals + value for name, equals, value in (arg.partition("=") for arg in args)]
