"""Run the commands of the README and of docs/formulas.md, and put their output below them: `python tests/readme.py`."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tcost import evaluate, load_spec
from tcost.spec import bundled_specs
from tcost.units import si

README = Path(__file__).parent.parent / "README.md"

PAGES = (README, README.parent / "docs" / "ci.md", README.parent / "docs" / "formulas.md")

BLOCK = re.compile(r"```console\n\$ (?P<command>.*)\n(?:.*\n)*?```\n")


MODELS = re.compile(r"(<!-- bundled models: .* -->\n)(?:.*\n)*?(<!-- end of bundled models -->)")


def refreshed(text: str) -> str:
    """Return the README with its table of models, and the output that each of its `console` commands has now."""
    text = MODELS.sub(lambda found: f"{found[1]}{models()}{found[2]}", text)
    with tempfile.TemporaryDirectory() as folder:
        return BLOCK.sub(
            lambda block: f"```console\n$ {block['command']}\n{_output(block['command'], folder)}```\n", text
        )


def models() -> str:
    """Return a line of markdown for each bundled spec."""
    lines = [
        "| spec | model | parameters | active | context | forward FLOPs per token |",
        "| :-- | :-- | --: | --: | --: | --: |",
    ]
    for name in bundled_specs():
        spec = load_spec(name)
        result = evaluate(spec, convention="torch")
        totals, context = result.totals, result.context
        active = si(totals.active_parameters) if totals.active_parameters != totals.parameters else ""
        length = f"{context} ({result.encoder_context})" if result.encoder_context else str(context)
        per_token = si(result.phases["forward"].flop // context)
        cells = (f"`{name}`", spec.description, si(totals.parameters), active, length, per_token)
        lines.append(f"| {' | '.join(cells)} |")
    return "".join(f"{line}\n" for line in lines)


def _output(command: str, folder: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    outcome = subprocess.run(
        ["bash", "-c", command],  # noqa: S607  # bash is on the path
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return outcome.stdout


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(refreshed(page.read_text()))
