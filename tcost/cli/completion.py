"""The option that turns completion on."""

from enum import StrEnum
from typing import Annotated, TypeAlias

import typer

from tcost.cli.pages import Answer


class Shell(StrEnum):
    """A shell whose words can be completed."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def _show_completion(shell: Shell | None) -> None:
    if shell:
        from tcost.completion import script

        raise Answer(script(shell))


COMPLETION_HELP = "Print what bash, zsh or fish reads to complete words of tcost, and exit."
ShowCompletion: TypeAlias = Annotated[
    Shell | None,
    typer.Option("--show-completion", metavar="SHELL", callback=_show_completion, is_eager=True, help=COMPLETION_HELP),
]
