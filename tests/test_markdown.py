"""Markdown: whatever a spec says is text in GitHub's dialect, in the output of every command that writes it."""

import json
from pathlib import Path

import pytest
import yaml
from conftest import Tcost
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tcost import load_spec
from tcost.spec import to_yaml
from tcost.text import code, markdown_cell

COMMANDS = [
    "compute {}",
    "compute {} --by phase --algos bp pepita",
    "compare {} gpt2",
    "memory {}",
    "reconcile {}",
    "sweep {} --over batch=1,2",
    "check {} --convention exact --max flop=1",
    "diff {} gpt2 --convention exact",
    "diff gpt2 {} --convention exact",
]

LINKED = [
    *("@org/team", "@all", "(@me),", "a@b.example", "owner/repo@a5c3785", "mailto:a@b.c", "&#64;me"),
    *("#1", "owner/repo#26", "(#7)", "GH-1", "gh-12", "a5c3785", "a5c3785ed8d6a35868bc169f07e40e889087fd2e", "1234567"),
    *("http://x.example/y", "https://x.example", "ftp://x.example", "www.x.example", "WWW.x.example", ":+1:", "$x$"),
]
"""What GitHub makes a mention, a link or a picture of, as docs.github.com has it under "Autolinked references"."""

MARKED = [
    *("__b__", "_i_", "**b**", "*i*", "~~s~~", "~s~", "`c`", "[t](u)", "![t](u)", "<b>x</b>", "<!-- x", "<http://x.y>"),
    *("[^1]", "[ ] x", "a|b", "x `y", "\\", "__a b__", "_a b_", "~~a b~~", "*a b*", "&lt;", "&amp;#64;x", "&commat;me"),
    *("# x", "###### x", "- x", "+ x", "1. x", "12) x", "> x", "--- x", "=== x", "``` x", "~~~ x", "    x", "a\\|b"),
    *("``x", "   # x", "   - x", "[x]: http://x"),
]
"""What markdown makes markup of."""

KINDS = {"text", "code_inline", "strong_open", "strong_close", "softbreak", "hardbreak", "html_inline"}


def written(tcost: Tcost, line: str, path: Path) -> str:
    """Return the markdown of a command."""
    outcome = tcost(*line.replace("{}", str(path)).split(), "--format", "markdown")
    assert outcome.status in (0, 1)
    return outcome.out


def tokens(text: str) -> list[Token]:
    """Return what GitHub's dialect makes of a text."""
    return MarkdownIt("gfm-like", {"linkify": False}).parse(text)


def shape(text: str) -> list[tuple[str, str]]:
    """Return what a text is as markdown: the kinds and tags of its blocks."""
    return [(token.type, token.tag) for token in tokens(text)]


def spec(folder: Path, text: str) -> Path:
    """Write GPT-2 with a text as its name and notes."""
    path = folder / "spec.yaml"
    notes = [text, f"x {text} y"]
    path.write_text(json.dumps(yaml.safe_load(to_yaml(load_spec("gpt2"))) | {"name": text, "notes": notes}))
    return path


@pytest.mark.parametrize("line", COMMANDS)
def test_texts_are_text(line: str, tcost: Tcost, tmp_path: Path) -> None:
    """A name or a note changes no block, and is no mention, no link, no emphasis, no picture and no tag."""
    plain = written(tcost, line, spec(tmp_path, "name"))
    for text in (*LINKED, *MARKED):
        out = written(tcost, line, spec(tmp_path, text))
        assert shape(out) == shape(plain)
        inline = [
            child for each in MarkdownIt("gfm-like", {"linkify": False}).parse(out) for child in each.children or []
        ]
        assert {child.type for child in inline} <= KINDS
        emphasis = [child.type for child in inline if child.type.startswith("strong")]
        assert len(emphasis) == plain.count("**")
        if text in LINKED:
            assert not [child.content for child in inline if child.type == "text" and text in child.content]


def test_pages_of_tcost_stay_as_they_were(tcost: Tcost) -> None:
    """The words of tcost itself are not made code."""
    for line in COMMANDS[:-2]:
        assert "`" not in tcost(*line.replace("{}", "gpt2").split(), "--format", "markdown").out


@pytest.mark.parametrize("text", LINKED)
def test_what_is_linked_is_code(text: str) -> None:
    """A word that GitHub makes something of is code, as it is in a comment, and the words beside it are not."""
    assert markdown_cell(text) == code(text)
    assert markdown_cell(f"a {text} b") == f"a {code(text)} b"


@pytest.mark.parametrize("text", ["stored_activations_bytes", "a_b", "-", "-1.2 %", "1.5", "#", "C# x", "a: b"])
def test_what_is_nothing_stays(text: str) -> None:
    """What means nothing to GitHub is not touched."""
    assert markdown_cell(text) == text
