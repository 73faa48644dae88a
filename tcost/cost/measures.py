"""What is measured of a result: the columns of a sweep, and what a budget limits."""

from collections.abc import Callable, Mapping

from tcost.cost.rows import Result
from tcost.sizes import Size
from tcost.units import parse_amount, parse_bytes

MEASURES: Mapping[str, Callable[[Result], Size]] = {
    "macc": lambda result: result.totals.macc,
    "flop": lambda result: result.totals.flop,
    "parameters": lambda result: result.totals.parameters,
    "active_parameters": lambda result: result.totals.active_parameters,
    "trained_parameters": lambda result: result.totals.trained_parameters,
    "stored_activations_elements": lambda result: result.memory.of("stored_activations").elements,
    "stored_activations_bytes": lambda result: result.memory.of("stored_activations").bytes,
    "peak_elements": lambda result: result.memory.peak.elements,
    "peak_bytes": lambda result: result.memory.peak.bytes,
}
"""Each measure of a result, by the name of its column."""


IN_WORDS = f"{', '.join([*MEASURES][:-1])} or {[*MEASURES][-1]}"
"""All measures, as a help page names them."""


def is_memory(measure: str) -> bool:
    """Tell whether a measure is of what a step holds, not of what it executes."""
    return measure.startswith(("stored", "peak"))


def amount_of(measure: str, text: str) -> int:
    """Return the amount of a measure that a text means, exactly: of bytes with their units, else with prefixes of SI.

    Raises InputError for what is no whole amount.
    """
    return parse_bytes(text) if measure.endswith("_bytes") else parse_amount(text)
