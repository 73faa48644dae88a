"""Counting conventions: the price of a scalar operation, which kinds are priced otherwise, and errata.

"How many FLOPs is that?" has several honest answers. A convention is one of them, by name and as data.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from tcost.errors import unknown
from tcost.exact import Size
from tcost.kinds import DIFFERENCE, NOTHING, Count, Keep, Kept, Phase, Scalars, kind_of, runs
from tcost.models import Model
from tcost.sizes import Family, Sizes
from tcost.tracing import Op, Tensor, layer_name

SCALARS = ("mul", "add", "div", "exp", "log", "cmp", "sqrt", "tanh", "erf")
"""Every scalar operation but the MACC."""


@dataclass(frozen=True)
class Override:
    """A price of one kind in one phase that differs from what an efficient implementation executes.

    `citation` says what is charged and, after a colon, how much as it was published.
    """

    count: Count
    citation: str

    @property
    def what(self) -> str:
        """The citation without its formula."""
        return self.citation.partition(":")[0]


def _nothing(_s: Sizes) -> Mapping[str, Any]:
    return {}


def _no_slip(_op: Op, _model: Model) -> Scalars:
    return {}


class Slip(NamedTuple):
    """A slip in published totals that is counted: the layer of its row, and what it is."""

    layer: str
    slip: str


@dataclass(frozen=True, kw_only=True)
class Erratum:
    """A slip in published totals: what was published minus what the convention's own formula gives.

    It is about operations of the model that is priced: those of the layers that it names, all or those of the
    names in `operations`. Each slips by `count`, once per run of `phase`, or where `leaves_out_parameters` by its
    parameters, which are missing; a model that has none of these operations has no slip. As a difference an
    erratum may be less than nothing, but never by more than what it is about: together they are what was published.
    """

    name: str
    slip: str
    family: Family
    layers: frozenset[str]
    operations: frozenset[str] = frozenset()
    phase: Phase = "forward"
    rules: tuple[str, ...] = ()
    """The rules whose totals have the slip; all of them when empty."""
    count: Callable[[Op, Model], Scalars] = _no_slip
    """The slip of one copy and run of such an operation, for one sequence."""
    leaves_out_parameters: bool = False

    @property
    def layer(self) -> str:
        """What stands for a layer in its row, so that a table by layer shows it apart."""
        return f"erratum: {self.name}"

    def is_about(self, op: Op) -> bool:
        """Tell whether it is about an operation."""
        return layer_name(op.layer) in self.layers and (not self.operations or op.name in self.operations)


class MemoryErratum(NamedTuple):
    """A slip in published totals of stored activations: what was published minus what is kept, for one sequence.

    `rules` are those whose totals have the slip. Its elements are told which tensors are kept: a slip takes away
    only what is there.
    """

    name: str
    slip: str
    rules: tuple[str, ...]
    elements: Callable[[Sizes, Model, Collection[Tensor]], Size]

    @property
    def layer(self) -> str:
        """What stands for a layer in its row."""
        return f"erratum: {self.name}"


class PublishedMemory(NamedTuple):
    """What a publication counts as stored activations.

    A rule in `forgets` stores what backpropagation does, without the outputs of these kinds. Of a rule
    in `sets` the largest of these is published: elements that are alive at once, by what is at work.
    """

    source: str
    forgets: Mapping[str, frozenset[str]]
    sets: Mapping[str, Callable[[Sizes, Model], Mapping[str, Size]]]
    errata: tuple[MemoryErratum, ...]


@dataclass(frozen=True, kw_only=True)
class Convention:
    """A counting convention.

    `prices` has the FLOPs of each scalar operation that it knows. With `einsums_only` it counts
    the kinds that are einsums and no other. `not_counted` says in words what it leaves out.
    A convention for one kind of transformer `assumes` parts whatever the spec says, and prices
    layers and operations that are `absent` from it at nothing. Its kinds keep for their gradients what
    `keeps` says, or else what eager PyTorch keeps; `memory` is a definition of its own of what is stored.
    """

    name: str
    title: str
    source: str
    prices: Mapping[str, int]
    not_counted: tuple[str, ...]
    einsums_only: bool = False
    overrides: Mapping[tuple[str, Phase], Override] = field(default_factory=dict)
    errata: tuple[Erratum, ...] = ()
    assumes: Callable[[Sizes], Mapping[str, Any]] = _nothing
    absent: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    """The kinds that its model has, where it is for one kind of transformer; others it prices as `exact` does."""
    keeps: Mapping[str, Keep] = field(default_factory=dict)
    memory: PublishedMemory | None = None

    def model(self, s: Sizes) -> Sizes:
        """Return the sizes and parts of the model that this convention prices.

        What it assumes takes the place of other plain forms, not of parts that it does not know.
        """
        return replace(s, **self.assumes(s))

    def is_foreign(self, op: Op) -> bool:
        """Tell whether an operation is of a kind that this convention's model does not have."""
        return bool(self.kinds) and op.kind not in self.kinds

    def is_absent(self, op: Op) -> bool:
        """Tell whether an operation is not in the model that this convention was published for."""
        if not self.absent:
            return False
        is_named = op.name.removesuffix(DIFFERENCE) in self.absent or op.layer.rpartition(".")[2] in self.absent
        return is_named and not self.is_foreign(op)

    def parameters(self, op: Op) -> Size:
        """Return the learned parameters of one copy of `op`."""
        return 0 if self.is_absent(op) else kind_of(op).parameters(op)

    def scalars(self, op: Op, phase: Phase) -> Scalars:
        """Return the scalar operations that this convention counts for one run of a phase of `op`."""
        kind = kind_of(op)
        if self.is_absent(op) or (self.einsums_only and not kind.is_einsum) or not runs(op, phase):
            return {}
        override = self.overrides.get((op.kind, "forward" if phase == "recomputed_forward" else phase))
        return override.count(op) if override else kind.count(op, phase)

    def kept(self, op: Op) -> Kept:
        """Return what one copy of `op` keeps for its gradients."""
        return NOTHING if self.is_absent(op) else self.keeps.get(op.kind, kind_of(op).keeps)(op)

    def check(self, scalars: Iterable[str]) -> None:
        """Raise InputError for a scalar operation that has no price, by its name."""
        for name in scalars:
            if name not in self.prices:
                raise unknown(f"scalar operation under convention {self.name}", name, self.prices)

    def errata_of(self, s: Sizes, rule: str) -> list[Erratum]:
        """Return the errata that the published totals of such a model have under a learning rule."""
        return [e for e in self.errata if e.family == s.family and rule in (e.rules or (rule,))]
