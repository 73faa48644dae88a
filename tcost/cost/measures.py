"""What is measured of a result: the columns of a sweep, what a budget limits, and the totals of a difference."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from tcost.cost.prices import WORK
from tcost.cost.rows import PARAMETERS, Result
from tcost.exact import Size
from tcost.memory import Held
from tcost.units import parse_amount, parse_bytes


@dataclass(frozen=True)
class Measure:
    """A number of a result, and what it is."""

    meaning: str
    of: Literal["work", "parameters", "memory"]
    measure: Callable[[Result], Size]

    def __call__(self, result: Result) -> Size:
        """Measure a result."""
        return self.measure(result)


def _work(name: str, result: Result) -> Size:
    return result.totals.amount(name)


def _parameters(name: str, result: Result) -> Size:
    return getattr(result.totals, name)


def _stored(result: Result) -> Held:
    return result.memory.of("stored_activations")


MEASURES: Mapping[str, Measure] = {
    **{name: Measure(each.meaning, "work", partial(_work, name)) for name, each in WORK.items()},
    **{name: Measure(meaning, "parameters", partial(_parameters, name)) for name, meaning in PARAMETERS.items()},
    "stored_activations_elements": Measure(
        "Numbers that wait between a forward pass and what needs them.", "memory", lambda each: _stored(each).elements
    ),
    "stored_activations_bytes": Measure("The bytes of these.", "memory", lambda each: _stored(each).bytes),
    "peak_elements": Measure(
        "The most numbers that are alive at one moment.", "memory", lambda each: each.memory.peak.elements
    ),
    "peak_bytes": Measure(
        "The bytes of the most that is alive at one moment.", "memory", lambda each: each.memory.peak.bytes
    ),
}
"""Each measure of a result, by the name of its column."""

IN_WORDS = f"{', '.join([*MEASURES][:-1])} or {[*MEASURES][-1]}"
"""All measures, as a help page names them."""


def is_memory(measure: str) -> bool:
    """Tell whether a measure is of what a step holds, not of what it executes."""
    return MEASURES[measure].of == "memory"


def amount_of(measure: str, text: str) -> int:
    """Return the amount of a measure that a text means, exactly: of bytes with their units, else with prefixes of SI.

    Raises InputError for what is no whole amount.
    """
    return parse_bytes(text) if measure.endswith("_bytes") else parse_amount(text)
