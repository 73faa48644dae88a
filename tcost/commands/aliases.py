"""Other words on a command line: options of other tools, and commands by the names that they once had."""

from collections.abc import Mapping, Sequence

from tcost.commands import MODES

ALIASES: Mapping[str, str] = {
    "--seq-len": "--context",
    "--sequence-length": "--context",
    "--context-length": "--context",
    "--batch-size": "--batch",
}
"""What options mean that people type who come from other tools. No help page and no shell knows them."""

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "breakeven": ("sweep", "--break-even"),
    "formula": ("explain", "--formula"),
    "schema": ("list", "schema"),
}
"""What commands are now that had a name of their own; likewise."""


def meant(args: Sequence[str]) -> list[str]:
    """Return the words of a command line by their names.

    `--seq-len=512` is `--context=512`, `breakeven gpt2` is `sweep --break-even gpt2`, and a mode is one word, the
    first: `sweep gpt2 --break-even` has the words `sweep --break-even` and `gpt2`.
    """
    words = [ALIASES.get(name, name) + equals + value for name, equals, value in (arg.partition("=") for arg in args)]
    words = [*COMMANDS.get(words[0], words[:1]), *words[1:]] if words else []
    for place, word in enumerate(words[1:], start=1):
        if word == "--":
            break
        if f"{words[0]} {word}" in MODES:
            return [f"{words[0]} {word}", *words[1:place], *words[place + 1 :]]
    return words
