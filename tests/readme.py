"""Bring up to date what comes from the program itself: `python tests/readme.py`.

The bundled specs as a module, the outputs of the commands in the README and in docs/, the help pages in
docs/commands.md, and the words that shells complete.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import families
import peers
import published
from bundling import MODULE, module
from commands import COMMANDS, WORDS, words

README = Path(__file__).parent.parent / "README.md"

REFERENCE = README.parent / "docs" / "commands.md"

SPECS_PAGE, RULES_PAGE, CONVENTIONS_PAGE, PAPER_PAGE, *_ = DOCS = tuple(
    README.parent / "docs" / f"{page}.md"
    for page in (
        "specs",
        "rules",
        "conventions",
        "paper",
        "terminal",
        "families",
        "memory",
        "sweeps",
        "execution",
        "formulas",
        "ci",
    )
)
"""Pages with outputs of commands."""

PAGES = (README, *DOCS, REFERENCE)

BLOCK = re.compile(r"```console\n\$ (?P<command>.*)\n(?:.*\n)*?```\n")


FAMILIES = re.compile(r"(<!-- families: .* -->\n)(?:.*\n)*?(<!-- end of families -->)")

MODELS = re.compile(r"(<!-- bundled models: .* -->\n)(?:.*\n)*?(<!-- end of bundled models -->)")

PUBLISHED = re.compile(r"(<!-- published totals: .* -->\n)(?:.*\n)*(<!-- end of published totals -->)")

PEERS = re.compile(r"(<!-- other calculators: .* -->\n)(?:.*\n)*?(<!-- end of other calculators -->)")

HELP = re.compile(r"(<!-- help pages: .* -->\n)(?:.*\n)*(<!-- end of help pages -->)")


def refreshed(text: str) -> str:
    """Return a page with its table of models, its help pages, and the output that each `console` command has now."""
    text = HELP.sub(lambda found: f"{found[1]}{help_pages()}{found[2]}", text)
    text = PUBLISHED.sub(lambda found: f"{found[1]}{published.tables()}{found[2]}", text)
    text = PEERS.sub(lambda found: f"{found[1]}{peers.table()}{found[2]}", text)
    text = FAMILIES.sub(lambda found: f"{found[1]}{families.families()}{found[2]}", text)
    text = MODELS.sub(lambda found: f"{found[1]}{families.models()}{found[2]}", text)
    with tempfile.TemporaryDirectory() as folder:
        return BLOCK.sub(
            lambda block: f"```console\n$ {block['command']}\n{_output(block['command'], folder)}```\n", text
        )


def help_pages() -> str:
    """Return a section for tcost and for each command, without what the command prints."""
    each = ("tcost", *(f"tcost {name}" for name in COMMANDS))
    return "".join(f"\n## {command}\n\n```console\n$ {command} --help\n```\n" for command in each) + "\n"


def _output(command: str, folder: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    outcome = subprocess.run(
        ["bash", "-c", command],  # noqa: S607  # bash is on the path
        cwd=folder,
        env={**os.environ, "PATH": path, "COLUMNS": "80", "TERM": "dumb"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return outcome.stdout


if __name__ == "__main__":
    MODULE.write_text(module())
    for page in PAGES:
        page.write_text(refreshed(page.read_text()))
    WORDS.write_text(words())
