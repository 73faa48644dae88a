"""The README and the pages of docs/ are true: their commands, what these print, their Python and their YAML."""

import io
import re
import sys
from contextlib import redirect_stdout
from itertools import product
from pathlib import Path

import pytest
from readme import BLOCK, CONVENTIONS_PAGE, PAGES, README, RULES_PAGE, SPECS_PAGE, refreshed

from tcost import ModelSpec, evaluate, load_spec
from tcost.conventions import CONVENTIONS
from tcost.learning_rules import LEARNING_RULES
from tcost.memory import measure

TEXT = README.read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_outputs(page: Path) -> None:
    """Each command prints what the page shows; `python tests/readme.py` brings it up to date."""
    text = page.read_text()
    assert len(BLOCK.findall(text)) == text.count("```console")
    assert refreshed(text) == text


def test_the_python_example_runs() -> None:
    """The example of the API runs and prints the integers of the command line."""
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(code, {})  # noqa: S102  # it is our own README
    result = evaluate(load_spec("gpt2"), "pepita", context=512)
    projection = result.phases["error_projection"].flop
    work, held = printed.getvalue().splitlines()
    assert work == f"{result.totals.macc} {projection} {result.totals.parameters}"
    memory = measure(load_spec("gpt2"), "pepita", context=512)
    assert held == f"{memory.of('stored_activations').elements} {memory.peak.bytes}"


def test_it_is_short() -> None:
    """A newcomer finishes it: 250 lines, five questions with answers of at most 24 lines of a narrow terminal."""
    assert len(TEXT.splitlines()) <= 250
    answers = [block[0].splitlines()[2:-1] for block in BLOCK.finditer(TEXT)]
    assert len(answers) == TEXT.partition("## Five questions\n")[2].partition("\n## ")[0].count("### ") == 5
    for answer in answers:
        assert len(answer) <= 24
        assert max(map(len, answer)) <= 80


def test_the_spec_of_the_readme_is_a_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    """So is the one in fifteen lines."""
    (text,) = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert load_spec("-").at().family == "decoder-only"


def test_the_spec_example_is_a_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples of a spec are read, have every key that there is, and show the defaults of the parts."""
    sizes, parts = re.findall(r"```yaml\n(.*?)```", SPECS_PAGE.read_text(), flags=re.DOTALL)

    def read(text: str) -> ModelSpec:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        return load_spec("-")

    spec = read(sizes + parts)
    assert spec.model_fields_set == set(type(spec).model_fields)
    assert spec == read(sizes)
    assert spec.at().family == "encoder-decoder"


def test_tables_of_rules_and_conventions() -> None:
    """Every rule, with its runs, and every convention has its line."""
    for rule in LEARNING_RULES.values():
        assert f"| `{rule.name}` | " + " | ".join(map(str, rule.runs.values())) + " |" in RULES_PAGE.read_text()
    for name, page in product(CONVENTIONS, (TEXT, CONVENTIONS_PAGE.read_text())):
        assert f"\n| `{name}`" in page
