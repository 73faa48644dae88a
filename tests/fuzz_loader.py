"""Fuzz what reads files, guided by the lines that run: `python tests/fuzz_loader.py -max_total_time=300 -timeout=10`.

The first byte says what the others are: a spec or a configuration, a file of budgets, or a saved result. Needs
atheris: `pip install atheris`. Options are those of libFuzzer, which prints every 2^n inputs and stops at the first
that raises anything but InputError.
"""

import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tcost", "yaml"]):
    from tcost.documents.reading import read_results
    from tcost.errors import InputError
    from tcost.spec import parse_document, parse_spec
    from tcost.spec.budgets import BudgetFile

ROOT = Path(__file__).parents[1]

READERS: tuple[Callable[[str, str], object], ...] = (
    parse_spec,
    lambda text, where: parse_document(BudgetFile, text, where),
    read_results,
)


def seeds(folder: Path) -> None:
    """Write what the inputs begin with: the bundled specs, configurations, budgets and a saved result."""
    from fuzzing import BUDGETS, CONFIGS, SAVED, as_json

    texts = [(0, path.read_text()) for path in sorted((ROOT / "model_specs").glob("*.yaml"))]
    texts += [(0, as_json(config)) for config in CONFIGS]
    texts += [(1, as_json(BUDGETS)), (1, (ROOT / "examples" / "ci" / "tcost.yaml").read_text()), (2, as_json(SAVED))]
    for number, (reader, text) in enumerate(texts):
        (folder / str(number)).write_bytes(bytes([reader]) + text.encode())


def one(data: bytes) -> None:
    """Read one input; what is wrong with it may only be an InputError."""
    if data:
        text = data[1:].decode("utf-8", "replace")
        with suppress(InputError):
            READERS[data[0] % len(READERS)](text, "input")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as corpus:
        seeds(Path(corpus))
        atheris.Setup([*sys.argv, corpus], one)
        atheris.Fuzz()
