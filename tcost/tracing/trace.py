"""A trace: the operations of a model in the order they were called."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from inspect import cleandoc
from math import prod
from typing import Concatenate, NamedTuple, ParamSpec

from tcost.exact import Size, exact_div, same
from tcost.tracing.tensors import NO_AXES, AxisError, Band, Einsum, Op, Tensor, same_shape

P = ParamSpec("P")

LAYERS: dict[str, str] = {}
"""Every layer by name, with the first line of its docstring; `layer` fills it."""

DOCS: dict[str, str] = {}
"""Every layer by name, with its docstring: what it is, its shapes, its source; `layer` fills it."""

COPY = re.compile(r"\[\d+\]")
"""The number of a copy in the path of an executed layer, which a traced model has not."""

NUMBER = re.compile(r"_\d+$")
"""The number of a further layer of one name."""


@dataclass(slots=True)
class Uses:
    """How often a tensor is used, counting the copies that share it, and what uses it first."""

    layer: str
    operation: str
    number: Size = 0

    @property
    def gradient_sum(self) -> str:
        """The name of the operation that adds the gradients which meet at the tensor."""
        return f"{self.operation}_gradient_sum"


class Repeat(NamedTuple):
    """A block that was traced once as `times` copies: its operations, and the tensors between the copies.

    Each copy reads `entry` and gives `exit`, which is the next one's entry; the first reads `before`, and
    `after` is what the last one gives. `unique` copies have weights of their own.
    """

    ops: range
    times: Size
    unique: Size
    before: Tensor
    entry: Tensor
    exit: Tensor
    after: Tensor


class Trace:
    """The operations of a model in the order they were called, each with its layer and its copies."""

    def __init__(self) -> None:
        """Start with no operations, and everything that learns trained."""
        self.ops: list[Op] = []
        self.inputs: dict[str, Tensor] = {}
        self.repeats: list[Repeat] = []
        self._uses: dict[Tensor, Uses] = {}
        self._path: list[str] = []
        self._times: list[Size] = []
        self._shared: list[Size] = []
        self._layers: set[str] = set()
        self._runs = 0
        self._is_fused = False
        self._trained: frozenset[str] | None = None

    def input(self, name: str, *shape: Size, band: Band | None = None) -> Tensor:
        """Return a tensor that no operation made, and that needs no gradient."""
        self.inputs[name] = Tensor(shape, self, band=band)
        return self.inputs[name]

    def record(
        self,
        kind: str,
        name: str,
        inputs: tuple[Tensor, ...],
        shape: tuple[Size, ...],
        *,
        einsum: Einsum = NO_AXES,
        weight: str | None = None,
        trained: bool | None = None,
        band: Band | None = None,
    ) -> Tensor:
        """Append an operation and return its output.

        What it learns is trained as `training` says unless `trained` says otherwise.
        """
        for tensor in inputs:
            self._use(tensor, name)
        learns = weight is not None and (self._trains() if trained is None else trained)
        output = self._made(shape, has_gradient=learns or any(x.has_gradient for x in inputs), band=band)
        copies = prod(self._shared) if weight else 1
        self.ops.append(
            Op(self.path(), name, kind, inputs, output, output.copies, einsum, weight, copies, is_trained=learns)
        )
        return output

    def add(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        """Record the addition of two tensors of one shape."""
        if not same_shape(a, b):
            raise AxisError(f"{name}: cannot add shapes {a.shape} and {b.shape}")
        return self.record("add", name, (a, b), a.shape, band=a.band)

    def repeat(
        self, times: Size, name: str, block: Callable[[Tensor], Tensor], x: Tensor, *, unique: Size = None
    ) -> Tensor:
        """Trace a block once as `times` copies, each with an input of its own, and return the last one's output.

        Only `unique` of them have weights of their own, where it is given. Where backward does not
        reach the first copy's input but reaches the second's, the first is traced apart.
        """
        unique = times if unique is None else unique
        if x.has_gradient or same(times, 1):
            return self._copies(times, unique, name, block, x)
        group = exact_div(times, unique)
        x = self._copies(1, 1, name, block, x)
        if not same(group, 1):
            x = self._copies(group - 1, 0, name, block, x)  # they share the first one's weights
        return x if same(unique, 1) else self._copies(times - group, unique - 1, name, block, x)

    def _copies(self, times: Size, unique: Size, name: str, block: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        self._use(x, name)
        self._times.append(times)
        self._shared.append(unique)
        self._runs += not same(unique, 0)  # the others' weights are those of the copy before
        self._layers = {path for path in self._layers if not path.startswith(f"{self.path(name)}.")}
        start, entry = len(self.ops), self._made(x.shape, has_gradient=x.has_gradient)
        with self.scope(name):
            y = block(entry)
        self._times.pop()
        self._shared.pop()
        after = self._made(y.shape, has_gradient=y.has_gradient)
        self.repeats.append(Repeat(range(start, len(self.ops)), times, unique, x, entry, y, after))
        return after

    @contextmanager
    def fused(self) -> Iterator[None]:
        """Record what is inside as parts of one kernel: what they give is not written to memory."""
        self._is_fused = True
        try:
            yield
        finally:
            self._is_fused = False

    @contextmanager
    def training(self, names: frozenset[str] | None) -> Iterator[None]:
        """Train only what is inside a scope of one of the names or paths; None trains everything."""
        outer, self._trained = self._trained, names
        try:
            yield
        finally:
            self._trained = outer

    def _trains(self) -> bool:
        return self._trained is None or not self._trained.isdisjoint(self._scopes())

    def _scopes(self) -> Iterator[str]:
        """Yield the path of the open scopes, and their names, those of a second layer of a name like the first's."""
        yield (path := COPY.sub("", self.path()))
        for name in path.split("."):
            yield name
            yield NUMBER.sub("", name)

    def gradient_sums(self) -> list[Op]:
        """Return the additions of gradients that meet: a tensor that is used n times takes n - 1 of them.

        They are filed under the layer that uses the tensor first.
        """
        return [
            Op(
                layer=uses.layer,
                name=uses.gradient_sum,
                kind="gradient_sum",
                inputs=(tensor,),
                output=tensor,
                repeats=(uses.number - 1) * tensor.copies,
            )
            for tensor, uses in self._uses.items()
            if tensor.has_gradient and not same(uses.number, 1)
        ]

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """File what is recorded inside under `name`."""
        self._path.append(name)
        try:
            yield
        finally:
            self._path.pop()

    @contextmanager
    def layer(self, name: str) -> Iterator[None]:
        """Open the scope of a layer; a second layer of that name becomes `name_2`, and so on."""
        unique, number = name, 1
        while self.path(unique) in self._layers:
            number += 1
            unique = f"{name}_{number}"
        self._layers.add(self.path(unique))
        with self.scope(unique):
            yield

    def path(self, *last: str) -> str:
        """Return the scopes that are open, joined by dots."""
        return ".".join([*self._path, *last])

    def own_weight(self, name: str) -> str:
        """Return the name of a weight that belongs to this place in this run of copies alone."""
        return f"{self.path(name)}#{self._runs}" if self._times else self.path(name)

    def _made(self, shape: tuple[Size, ...], *, has_gradient: bool, band: Band | None = None) -> Tensor:
        return Tensor(shape, self, prod(self._times), len(self._times), has_gradient, band, self._is_fused)

    def _use(self, tensor: Tensor, name: str) -> None:
        uses = self._uses.setdefault(tensor, Uses(self.path(), name))
        uses.number += prod(self._times[tensor.depth :])


def layer_name(path: str) -> str:
    """Return the name of the function that a layer's path ends in: `add_norm` of `decoder.add_norm_2`."""
    return NUMBER.sub("", COPY.sub("", path).rpartition(".")[2])


def layer(function: Callable[Concatenate[Tensor, P], Tensor]) -> Callable[Concatenate[Tensor, P], Tensor]:
    """Make a function of a tensor a layer: what it records is filed under its name."""
    DOCS[function.__name__] = cleandoc(function.__doc__ or "")
    LAYERS[function.__name__] = DOCS[function.__name__].partition("\n")[0]

    @wraps(function)
    def scoped(x: Tensor, /, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        with x.trace.layer(function.__name__):
            return function(x, *args, **kwargs)

    return scoped


def repeat(times: Size, name: str, block: Callable[[Tensor], Tensor], x: Tensor, *, unique: Size = None) -> Tensor:
    """Trace a block once as `times` copies in a row, each fed by the one before it.

    What else the block uses is shared by all its copies; only `unique` of them have weights of their
    own, where it is given. Raises AxisError where the block changes the shape, because a second copy
    could not follow.
    """
    y = x.trace.repeat(times, name, block, x, unique=unique)
    if not same_shape(x, y):
        raise AxisError(f"repeat {name}: the block turns shape {x.shape} into {y.shape}, so it cannot repeat")
    return y
