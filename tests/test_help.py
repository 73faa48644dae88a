"""Help pages: each has an example that runs, is complete, reads the same everywhere, and is in the docs."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from commands import COMMANDS, VALUES, parameters
from conftest import GOLDEN, Tcost
from readme import README, REFERENCE

PAGES = ["tcost", *COMMANDS]

EXAMPLE = re.compile(r"\n  Example: (tcost .*)\n\n")


def help_page(name: str, tcost: Tcost) -> str:
    """Return the help page of a command, or of `tcost` itself."""
    outcome = tcost(*(() if name == "tcost" else name.split()), "--help")
    assert (outcome.status, outcome.err) == (0, "")
    return outcome.out


@pytest.mark.parametrize("name", PAGES)
def test_the_example_runs(name: str, tcost: Tcost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one example, in a line that can be copied, and it does its work with the files that it names."""
    page = help_page(name, tcost)
    (example,) = EXAMPLE.findall(page)
    assert page.count("Example") == 1
    words = shlex.split(example)
    assert set(name.split()) <= set(words)
    if "config.json" in words:
        shutil.copy(GOLDEN / "configs" / "gpt2-small.json", tmp_path / "config.json")
    monkeypatch.chdir(tmp_path)
    outcome = tcost(*words[1:])
    assert (outcome.status, outcome.err) == (0, "")
    written = {words[place + 1] for place, word in enumerate(words) if word in ("--output", "-o")}
    assert all((tmp_path / name).stat().st_size for name in written)
    assert bool(outcome.out) != bool(written)


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_the_same_everywhere(name: str, tcost: Tcost, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is text of at most 80 columns, whatever the terminal, the shell, the home folder and the CI system."""
    pages = set()
    for columns, shell, home in (("80", "/bin/bash", "/root"), ("120", "/usr/bin/fish", "/home/someone")):
        for key, value in {"COLUMNS": columns, "SHELL": shell, "HOME": home, "GITHUB_ACTIONS": "true"}.items():
            monkeypatch.setenv(key, value)
        pages.add(help_page(name, tcost))
    (page,) = pages
    assert max(map(len, page.splitlines())) <= 80
    assert not re.search(r"<(str|int|list)|{|\x1b", page), name


@pytest.mark.parametrize("name", PAGES)
def test_every_word_has_help(name: str) -> None:
    """Arguments and options have help of whole sentences; it has the names that are known, or says what lists them."""
    for param in parameters(name):
        assert re.fullmatch(r"\S.*\.", param.help or ""), f"the help of {param.opts[0]} is no sentence"
        value = str(param.metavar).removesuffix("...")
        if value in ("RULE", "CONVENTION", "OPTIMIZER", "MEASURE") and "tcost list" not in param.help:
            assert [word for word in VALUES[value]() if not re.search(rf"\b{word}\b", param.help)] == []


def test_every_command_has_a_section() -> None:
    """The page of commands has a section for each, in the order of the help page."""
    sections = re.findall(r"^## (tcost.*)$", REFERENCE.read_text(), flags=re.MULTILINE)
    expected = ["tcost", *(f"tcost {name}" for name in COMMANDS)]
    assert sections == expected, "the commands have changed: run python tests/readme.py"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_written_about(name: str) -> None:
    """A page that is not generated says what the command is for."""
    pages = [README, *sorted(README.parent.glob("docs/*.md"))]
    text = "".join(page.read_text() for page in pages if page != REFERENCE)
    assert re.search(rf"\btcost {name}\b", text), f"neither the README nor another page has `tcost {name}`"
