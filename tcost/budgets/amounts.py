"""What is limited, as it is written."""

from collections.abc import Iterable

from tcost.cost.measures import MEASURES
from tcost.errors import InputError, unknown
from tcost.units import parse_amount, parse_bytes


def amount_of(measure: str, text: str) -> int:
    """Return the amount of a measure that a text means, exactly: of bytes with their units, else with prefixes of SI.

    Raises InputError for what is no whole amount.
    """
    return parse_bytes(text) if measure.endswith("_bytes") else parse_amount(text)


def split(settings: Iterable[str], what: str) -> dict[str, str]:
    """Return settings `MEASURE=VALUE` by their measure. Raises InputError for what is none, or is given twice."""
    found: dict[str, str] = {}
    for setting in settings:
        measure, equals, value = setting.partition("=")
        if not equals:
            raise InputError(f"{what} takes MEASURE=VALUE, not {setting!r}\nmeasures: {', '.join(MEASURES)}")
        if measure not in MEASURES:
            raise unknown("measure", measure, MEASURES)
        if measure in found:
            raise InputError(f"{what} has {measure} twice: {found[measure]} and {value}\nkeep one of them")
        found[measure] = value
    return found
