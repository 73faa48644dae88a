"""The two sides of a difference: a spec that is priced, or results that were saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tcost.cost import result_of, results_of
from tcost.diff.snapshots import Snapshot, snapshot_of
from tcost.errors import InputError
from tcost.settings import Settings, said_over, values_of
from tcost.spec import ModelSpec


@dataclass(frozen=True)
class Side:
    """What one side of a difference is: a spec, or the steps that were saved in a file."""

    where: str
    spec: ModelSpec | None = None
    saved: tuple[Snapshot, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How a spec is to be priced: rules, and the settings that options say, by the names of these.

    What is not said is as in the saved results of the other side, or as in `compute`.
    """

    algos: tuple[str, ...] = ()
    said: Mapping[str, Any] = field(default_factory=dict)


def price_both(base: Side, head: Side, asked: Asked) -> tuple[tuple[Snapshot, ...], tuple[Snapshot, ...]]:
    """Return the steps of both sides, each spec priced as the saved results of the other side were.

    Raises InputError for options where nothing is to be priced, and for specs and options that do not go together.
    """
    if base.saved and head.saved and asked.said:
        raise InputError(
            "both sides are saved results, which no option prices again\ngive a spec, or leave the options out"
        )
    return steps_of(base, head.saved, asked), steps_of(head, base.saved, asked)


def steps_of(side: Side, like: Sequence[Snapshot], asked: Asked) -> tuple[Snapshot, ...]:
    """Return the steps of one side, its spec priced like the steps of the other, where these were saved."""
    if side.spec is None:
        return tuple(each for each in side.saved if not asked.algos or each.algo in asked.algos)
    if not like:
        return tuple(map(snapshot_of, results_of(side.spec, asked.algos or ("bp",), said_over(Settings(), asked.said))))
    steps = [each for each in _namesakes(like, side.spec.name) if not asked.algos or each.algo in asked.algos]
    if not steps:
        known = ", ".join(dict.fromkeys(each.algo for each in like))
        raise InputError(f"no saved result is of {', '.join(asked.algos)}\nsaved: {known}")
    return tuple(_priced(side.spec, each, asked) for each in steps)


def _namesakes(saved: Sequence[Snapshot], name: str) -> Sequence[Snapshot]:
    """Return the steps of the model of that name, or all where there is only one model, which may have been renamed."""
    names = dict.fromkeys(each.spec for each in saved)
    if len(names) == 1:
        return saved
    if name not in names:
        raise InputError(f"no saved result is of '{name}'\nsaved: {', '.join(names)}")
    return [each for each in saved if each.spec == name]


def _priced(spec: ModelSpec, like: Snapshot, asked: Asked) -> Snapshot:
    """Price a spec as a step was, but for what is asked for."""
    as_it_was = {**values_of(like), "context": None, "encoder_context": None, **like.overrides}
    return snapshot_of(result_of(spec, said_over(Settings(**as_it_was), asked.said)))
