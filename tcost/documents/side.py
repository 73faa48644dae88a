"""What a side of a difference is: a saved result, or a spec."""

from tcost.diff import Side, saved_snapshot
from tcost.spec import parse_spec, read_text

MAX_RESULT_BYTES = 16 * 2**20
"""Of a saved result: several times as much as a comparison of all bundled models has."""


def read_side(word: str) -> Side:
    """Return what a word means: a saved result, or a spec as `load_spec` takes it.

    Raises InputError for what is neither, and for a document of another command or schema version.
    """
    text, where = read_text(word, MAX_RESULT_BYTES)
    if text.lstrip().startswith("{") and '"schema_version"' in text:
        from tcost.documents.reading import read_results

        return Side(where, saved=tuple(map(saved_snapshot, read_results(text, where))))
    return Side(where, spec=parse_spec(text, where))
