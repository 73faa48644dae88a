"""What a side of a difference is: a saved result, or a spec."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tcost.diff import Side, saved_snapshot
from tcost.reading import Reading, check_used
from tcost.spec import parse_any, read_text

if TYPE_CHECKING:
    from tcost.importers import Imported

MAX_RESULT_BYTES = 16 * 2**20
"""Of a saved result: several times as much as a comparison of all bundled models has."""


def read_sides(words: Sequence[str], reading: Reading = Reading()) -> list[Side]:
    """Return what words mean: saved results, or specs as `load_spec` takes them.

    Raises InputError for what is neither, for a document of another command or schema version, and where `reading`
    says what none has use for.
    """
    read = [_read(word, reading) for word in words]
    check_used(reading, [imported for _, imported in read if imported])
    return [side for side, _ in read]


def read_side(word: str) -> Side:
    """Return what a word means, as `read_sides` does of several."""
    return read_sides([word])[0]


def _read(word: str, reading: Reading) -> "tuple[Side, Imported | None]":
    text, where = read_text(word, MAX_RESULT_BYTES)
    if text.lstrip().startswith("{") and '"schema_version"' in text:
        from tcost.documents.reading import read_results

        return Side(where, saved=tuple(map(saved_snapshot, read_results(text, where)))), None
    spec, imported = parse_any(text, where, reading)
    return Side(where, spec=spec), imported
