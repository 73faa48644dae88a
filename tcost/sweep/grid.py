"""A grid of training steps: which there are, in which order, and in which chunks they are priced."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import islice, product
from math import ceil, prod
from typing import Any

from tcost import __version__
from tcost.conventions import convention_of
from tcost.cost import Result, result_of
from tcost.cost.measures import MEASURES
from tcost.errors import InputError, unknown
from tcost.exact import Size, check_size
from tcost.learning_rules import learning_rule
from tcost.settings import Settings, checked, flat, values_of
from tcost.spec import ModelSpec, with_values
from tcost.sweep.axes import Axis, ends
from tcost.training_step import of_rules

CHUNK_ROWS = 2**18
"""Rows that are priced and written together, unless something else is asked for."""

MAX_CHUNK_ROWS = 10**6
"""Rows of a chunk, which are in memory together: some 200 bytes each."""

OF_STEP = {"context_length": "context", "encoder_context_length": "encoder_context", "batch": "batch"}
"""Axes that are options of a training step; the others are keys of a spec."""

CHECKED = (
    *("d_model", "d_head", "n_heads", "n_kv_heads", "encoder_n_heads", "n_unique_layers", "rotary_dims"),
    "latent_attention.d_rope",
)
"""Axes of which a value may not fit the model although a smaller and a larger one do: of these every one is checked."""

MAX_CHECKS = 10_000
"""Points that are checked before the first row; each takes about a tenth of a millisecond."""

IndexBox = tuple[range, ...]
"""For each axis, which of its values: a box of the grid."""


@dataclass(frozen=True)
class Chunk:
    """Consecutive rows of a sweep: a box of the grid under one rule and convention."""

    number: int
    convention: str
    algo: str
    box: IndexBox

    @property
    def rows(self) -> int:
        """The number of rows."""
        return prod(map(len, self.box))


@dataclass(frozen=True, kw_only=True, eq=False)
class Sweep:
    """All combinations of the values of some axes, under each rule and convention.

    A row is one training step. Rows come by convention, then rule, then axis in the order given, the last
    axis fastest. All rows share the `settings`, but for rule, convention and what is an axis;
    those of the names in `given` were asked for, be it as they are by default. Raises
    InputError for what is unknown, and for a value of an axis that the model cannot have.
    """

    spec: ModelSpec
    axes: tuple[Axis, ...]
    algos: tuple[str, ...] = ("bp",)
    conventions: tuple[str, ...] = (Settings.convention,)
    measures: tuple[str, ...] = ("macc", "flop", "parameters", "stored_activations_bytes")
    settings: Settings = Settings()
    given: frozenset[str] = frozenset()
    chunk_rows: int = CHUNK_ROWS

    def __post_init__(self) -> None:
        """Refuse what cannot be swept."""
        checked(self.settings)
        for name in self.measures:
            if name not in MEASURES:
                raise unknown("measure", name, MEASURES)
        for name in self.conventions:
            convention_of(name)
        for name in self.algos:
            learning_rule(name)
        self._check_axes()
        if not self.axes:
            raise InputError("a sweep needs an axis\ngive one, as in --over context_length=32:8192:x2")
        if not 1 <= self.chunk_rows <= MAX_CHUNK_ROWS:
            raise InputError(
                f"a chunk has 1 to {MAX_CHUNK_ROWS:,} rows, not {self.chunk_rows}: they are in memory together"
            )

    def _check_axes(self) -> None:
        names = [axis.name for axis in self.axes]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise InputError(f"the axis {name} is there twice\ngive all of its values at once")
            if name not in OF_STEP:
                continue
            if OF_STEP[name] in self.given or getattr(self.settings, OF_STEP[name]) != getattr(Settings, OF_STEP[name]):
                raise InputError(f"{name} is an axis of the sweep and an option, too\nleave the option out")
            for value in ends(self.axes[place].values):
                check_size(f"the {OF_STEP[name].replace('_', ' ')}", value)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of a row's fields."""
        return (
            "spec",
            *(name for name, _ in flat(self.fixed(self.chunk(0)))),
            *(axis.name for axis in self.axes),
            *self.measures,
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values of each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self._pairs) * prod(self.shape)

    @property
    def chunks(self) -> int:
        """The number of chunks."""
        return len(self._pairs) * self._per_pair

    @cached_property
    def _pairs(self) -> list[tuple[str, str]]:
        return [(convention, algo) for convention in self.conventions for algo in self.algos]

    @cached_property
    def _cut(self) -> int:
        """The axis that is cut into slices: those before it are one value in a chunk, those behind it all values."""
        return next(axis for axis in range(len(self.axes)) if prod(self.shape[axis + 1 :]) <= self.chunk_rows)

    @property
    def _slice(self) -> int:
        return max(1, self.chunk_rows // prod(self.shape[self._cut + 1 :]))

    @cached_property
    def _per_pair(self) -> int:
        return prod(self.shape[: self._cut]) * ceil(self.shape[self._cut] / self._slice)

    def chunk(self, number: int) -> Chunk:
        """Return the chunk of that number, counted from zero; chunks follow each other as their rows do."""
        pair, rest = divmod(number, self._per_pair)
        rest, place = divmod(rest, ceil(self.shape[self._cut] / self._slice))
        length, start = self.shape[self._cut], place * self._slice
        box = [range(start, min(length, start + self._slice)), *map(range, self.shape[self._cut + 1 :])]
        for values in reversed(self.shape[: self._cut]):
            rest, index = divmod(rest, values)
            box.insert(0, range(index, index + 1))
        return Chunk(number, *self._pairs[pair], tuple(box))

    def fixed(self, chunk: Chunk) -> dict[str, Any]:
        """Return the settings that all rows of a chunk share.

        Lengths that were not asked for are those of the spec; None where it leaves them to the context.
        """
        own = self._of_rule(chunk.algo, replace(self.settings, convention=chunk.convention))
        own = replace(
            own,
            context=own.context or self.spec.context_length,
            encoder_context=own.encoder_context or self.spec.encoder_context_length,
        )
        return values_of(own, [OF_STEP.get(axis.name, "") for axis in self.axes])

    def check(self) -> None:
        """Refuse values that the model cannot have before the first row, as far as that takes a moment.

        Tried are the ends of every axis and, of one of which a value between two may not fit, all values.
        """
        each = [
            axis.values[:MAX_CHECKS] if axis.name in CHECKED else dict.fromkeys(ends(axis.values)) for axis in self.axes
        ]
        names = [axis.name for axis in self.axes]
        for point in islice(product(*each), MAX_CHECKS):
            spec, settings = self.step(dict(zip(names, point, strict=True)))
            check_size("the batch", settings.batch)
            spec.at(settings.context, settings.encoder_context)

    def point(self, chunk: Chunk, values: Mapping[str, int]) -> Result:
        """Return what `evaluate` gives for one row of a chunk, by itself."""
        return self.result(values, chunk.algo, chunk.convention)

    def result(self, values: Mapping[str, Size], algo: str, convention: str) -> Result:
        """Return the result at values of the axes, numbers or sizes all over a box, under a rule and a convention."""
        spec, settings = self.step(values)
        return result_of(spec, self._of_rule(algo, replace(settings, convention=convention)))

    def step(self, values: Mapping[str, Size]) -> tuple[ModelSpec, Settings]:
        """Return the spec and the settings at values of the axes."""
        of_step = {OF_STEP[name]: value for name, value in values.items() if name in OF_STEP}
        of_spec = {name: value for name, value in values.items() if name not in OF_STEP}
        return with_values(self.spec, of_spec), replace(self.settings, **of_step)

    def _of_rule(self, algo: str, settings: Settings) -> Settings:
        """Return the settings as one of the rules takes them."""
        return of_rules(self.algos, settings)[self.algos.index(algo)]

    @cached_property
    def fingerprint(self) -> str:
        """What tells this sweep from others: the same for the same rows in the same chunks."""
        content = {
            "version": __version__,
            "spec": self.spec.model_dump(mode="json"),
            "axes": [(axis.name, _described(axis.values)) for axis in self.axes],
            "of": [self.algos, self.conventions, self.measures, asdict(self.settings)],
            "chunk_rows": self.chunk_rows,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _described(values: Sequence[int]) -> list[int | str]:
    if isinstance(values, range):
        return ["range", values.start, values.stop, values.step]
    return list(values)
