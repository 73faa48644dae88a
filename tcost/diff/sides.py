"""The two sides of a difference: a spec that is priced, or results that were saved."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tcost import defaults
from tcost.cost import evaluate
from tcost.diff.snapshots import Snapshot, saved_snapshot, snapshot_of
from tcost.errors import InputError
from tcost.memory import Storage
from tcost.spec import ModelSpec, parse_spec, read_text
from tcost.training_step import Options, options_of

MAX_RESULT_BYTES = 16 * 2**20
"""Of a saved result: several times as much as a comparison of all bundled models has."""


@dataclass(frozen=True)
class Side:
    """What one side of a difference is: a spec, or the steps that were saved in a file."""

    where: str
    spec: ModelSpec | None = None
    saved: tuple[Snapshot, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How a spec is to be priced; what is not said is as in the saved results of the other side, or as in `compute`.

    `options` are those of `tcost.training_step.training_step` that are given.
    """

    algos: tuple[str, ...] = ()
    convention: str | None = None
    storage: Storage | None = None
    options: Options = field(default_factory=Options)


def read_side(word: str) -> Side:
    """Return what a word means: a saved result, or a spec as `load_spec` takes it.

    Raises InputError for what is neither, and for a document of another command or schema version.
    """
    text, where = read_text(word, MAX_RESULT_BYTES)
    if text.lstrip().startswith("{") and '"schema_version"' in text:
        from tcost.schema.reading import read_results

        return Side(where, saved=tuple(map(saved_snapshot, read_results(text, where))))
    return Side(where, spec=parse_spec(text, where))


def price_both(base: Side, head: Side, asked: Asked) -> tuple[tuple[Snapshot, ...], tuple[Snapshot, ...]]:
    """Return the steps of both sides, each spec priced as the saved results of the other side were.

    Raises InputError for options where nothing is to be priced, and for specs and options that do not go together.
    """
    if base.saved and head.saved and (asked.convention or asked.storage or asked.options):
        raise InputError(
            "both sides are saved results, which no option prices again\ngive a spec, or leave the options out"
        )
    return steps_of(base, head.saved, asked), steps_of(head, base.saved, asked)


def steps_of(side: Side, like: Sequence[Snapshot], asked: Asked) -> tuple[Snapshot, ...]:
    """Return the steps of one side, its spec priced like the steps of the other, where these were saved."""
    if side.spec is None:
        return tuple(each for each in side.saved if not asked.algos or each.algo in asked.algos)
    if not like:
        algos = asked.algos or ("bp",)
        convention = asked.convention or defaults.CONVENTION
        each = zip(algos, options_of(algos, asked.options), strict=True)
        return tuple(
            snapshot_of(evaluate(side.spec, algo, convention, asked.storage, **options)) for algo, options in each
        )
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
    options: dict[str, Any] = {
        name: getattr(like, name) for name in ("batch", "optimizer", "causal", "attention", "recompute")
    }
    options |= {"errata": like.has_errata, **like.overrides, **asked.options}
    storage = asked.storage or like.storage
    return snapshot_of(evaluate(spec, like.algo, asked.convention or like.convention, storage, **options))
