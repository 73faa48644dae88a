"""Kinds of operation: what each executes, learns and keeps."""

from tcost.kinds.base import DIFFERENCE, MODEL_PHASES, PHASES, Kind, Phase, runs
from tcost.kinds.counts import Count, Scalars, both, free, per_element
from tcost.kinds.keeping import NOTHING, Keep, Kept, keeps, keeps_nothing
from tcost.kinds.passing import Passing, nothing_passing, passing
from tcost.kinds.table import KINDS, kind_of

__all__ = [
    "DIFFERENCE",
    "KINDS",
    "MODEL_PHASES",
    "NOTHING",
    "PHASES",
    "Count",
    "Keep",
    "Kept",
    "Kind",
    "Passing",
    "Phase",
    "Scalars",
    "both",
    "free",
    "keeps",
    "keeps_nothing",
    "kind_of",
    "nothing_passing",
    "passing",
    "per_element",
    "runs",
]
