"""What every document for machines is made of: exact integers, one schema version, lines that end in a line feed."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from tcost import __version__
from tcost.text import csv_cell, harmless_json

SCHEMA_VERSION = 1

AMOUNT_FIELDS = ("macc", "flop")
STEP_FIELDS = ("spec", "algo", "context", "encoder_context", "batch")


def fields(item: object, names: Sequence[str]) -> dict[str, Any]:
    """Return some attributes of an item, by name."""
    return {name: getattr(item, name) for name in names}


def document(**content: Any) -> str:
    """Return a JSON document that names its schema and what made it."""
    tool = {"name": "tcost", "version": __version__}
    whole = {"schema_version": SCHEMA_VERSION, "tool": tool, **content}
    text = io.StringIO()  # in half of the memory that `dumps` takes, which has a list of all words
    json.dump(whole, text, indent=2, default=sorted)
    return harmless_json(text.getvalue()) + "\n"


def csv_text(columns: Sequence[str], lines: Iterable[dict[str, Any]]) -> str:
    """Return lines as CSV under a header; a text that a spreadsheet would run is kept from it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for line in lines:
        writer.writerow({name: csv_cell(cell) if isinstance(cell, str) else cell for name, cell in line.items()})
    return text.getvalue()
