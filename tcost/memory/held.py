"""What a training step has to hold, by layer and category, and its peak."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from tcost.conventions import Erratum, MemoryErratum, Slip
from tcost.errors import UnfinishedError
from tcost.exact import Size, largest, same
from tcost.learning_rules import FIXED_MATRICES, project_error
from tcost.memory.facts import Facts, Kernels
from tcost.memory.storage import BYTES, INDEX_BYTES
from tcost.settings import Settings, asking
from tcost.tracing import Trace
from tcost.training_step import Spec, TrainingStep, step_of

if TYPE_CHECKING:
    from tcost.memory.backward import Backpropagation
    from tcost.memory.forward_only import ForwardOnly
    from tcost.memory.ledger import Moment

Category: TypeAlias = Literal["parameters", "gradients", "optimizer", "projection", "stored_activations", "indices"]

Amount: TypeAlias = tuple[str, Category, Size, int]
"""A layer, a category, elements, and the bytes of each."""

STATIC: tuple[Category, ...] = ("parameters", "optimizer", "projection")
"""What is there throughout a step."""

CATEGORIES: tuple[Category, ...] = (
    *("parameters", "gradients", "optimizer", "projection", "stored_activations", "indices"),
)


@dataclass(frozen=True, slots=True)
class Held:
    """An amount of memory: elements, and the bytes that they take."""

    elements: Size
    bytes: Size

    def __add__(self, other: "Held") -> "Held":
        """Add two amounts."""
        return Held(self.elements + other.elements, self.bytes + other.bytes)


ZERO = Held(0, 0)


class MemoryRow(NamedTuple):
    """What one layer, all its copies together, has to hold of one category."""

    layer: str
    category: Category
    elements: Size
    bytes: Size


class Memory:
    """What one training step has to hold, found when it is asked for.

    `rows` are by layer and category. Stored activations are what waits between a forward pass and what needs
    it: under backpropagation what the kinds of operation keep for their gradients, under PEPITA the first
    pass's outputs of what learns; under MEMPEPITA the largest set of values that is alive while both passes
    run side by side. `peak` is the most that is alive at one moment, everything together; a
    convention that follows a publication has no moments, and its peak is the sum of the categories without
    the indices, which are integers and stand apart.
    """

    def __init__(self, step: TrainingStep, kernels: Kernels | None = None) -> None:
        """Measure a step, which other kernels than those of PyTorch may execute."""
        self.step, self.storage, self._kernels = step, step.settings.storage, kernels

    def of(self, category: Category) -> Held:
        """Return the sum of a category's rows."""
        return self._sums[category]

    @property
    def sums(self) -> dict[str, Held]:
        """The sum of every category, and the peak."""
        return self._sums | {"peak": self.peak}

    @cached_property
    def _sums(self) -> dict[str, Held]:
        found: dict[str, list[MemoryRow]] = {category: [] for category in CATEGORIES}
        for row in self.rows:
            found[row.category].append(row)
        return {
            category: Held(sum(row.elements for row in rows), sum(row.bytes for row in rows))
            for category, rows in found.items()
        }

    @cached_property
    def facts(self) -> Facts:
        """What the data flow says."""
        return Facts(self.step, self._kernels)

    @cached_property
    def liveness(self) -> "Backpropagation | ForwardOnly":
        """What is alive at each moment. Raises InputError where a number of layers is not a whole number."""
        from tcost.memory.backward import Backpropagation
        from tcost.memory.forward_only import ForwardOnly

        facts, stores = self.facts, self.step.rule.stores
        if stores == "kept":
            return Backpropagation(facts)
        if stores == "outputs":
            return ForwardOnly(facts, facts.outputs, values=1)
        if stores == "nothing":
            return ForwardOnly(facts, facts.embedded, values=2)
        raise self._unfinished

    @property
    def _unfinished(self) -> UnfinishedError:
        """What there is to say of a rule that stores what nothing here knows."""
        rule = self.step.rule
        return UnfinishedError(
            f"learning rule '{rule.name}' stores '{rule.stores}', which has no place in memory/held.py"
        )

    @property
    def slips(self) -> tuple[Slip, ...]:
        """The slips in published totals that are among the rows."""
        slips: list[Erratum | MemoryErratum] = [*self._parameter_slips, *self._activation_slips]
        layers = {row.layer for row in self.rows}
        return tuple(Slip(each.layer, each.slip) for each in slips if each.layer in layers)

    @property
    def _parameter_slips(self) -> list[Erratum]:
        return self.step.slips

    @property
    def _activation_slips(self) -> tuple[MemoryErratum, ...]:
        """The slips of a published definition, each of what is kept."""
        published = self.step.convention.memory
        return published.errata if published and self.step.settings.errata else ()

    @cached_property
    def rows(self) -> tuple[MemoryRow, ...]:
        """What every layer has to hold, by category; the layers in the order of the model."""
        elements: dict[tuple[str, Category], Size] = {}
        bytes_: dict[tuple[str, Category], Size] = {}
        for layer, category, number, width in (*self._of_weights(), *self._of_activations()):
            key = layer, category
            elements[key] = elements.get(key, 0) + number
            bytes_[key] = bytes_.get(key, 0) + number * width
        return tuple(MemoryRow(*key, number, bytes_[key]) for key, number in elements.items())

    def _of_weights(self) -> Iterator[Amount]:
        """Yield parameters, their gradients, what the optimizer holds for them, and PEPITA's fixed matrices."""
        step, storage = self.step, self.storage
        weights, gradients, state = (BYTES[each] for each in (storage.weights, storage.gradients, storage.optimizer))
        trained = [(op.layer, elements) for op, elements in step.parameters.items() if op.is_trained]
        updates = [self._largest_update] if self._applies_at_once else trained
        masters = trained if storage.has_master_weights else []
        yield from ((op.layer, "parameters", elements, weights) for op, elements in step.parameters.items())
        yield from ((layer, "parameters", elements, weights) for layer, elements in self._parameter_errata())
        yield from ((layer, "gradients", elements, gradients) for layer, elements in updates)
        yield from ((layer, "optimizer", step.optimizer.state * elements, state) for layer, elements in trained)
        yield from ((layer, "optimizer", elements, BYTES["fp32"]) for layer, elements in masters)
        yield from (("error_projection", "projection", elements, weights) for elements in self._fixed_matrices())

    def _parameter_errata(self) -> Iterator[tuple[str, Size]]:
        for erratum in self._parameter_slips:
            if left_out := self.step.left_out(erratum):
                yield erratum.layer, -sum(left_out.values())

    def _fixed_matrices(self) -> Iterator[Size]:
        if self.step.rule.runs["error_projection"]:
            trace = Trace()
            project_error(self.step.model, trace)
            yield from (x.elements for name, x in trace.inputs.items() if name.startswith(FIXED_MATRICES))

    @property
    def _applies_at_once(self) -> bool:
        """Whether every update is applied as soon as it is whole, so that not all are held."""
        return self.step.rule.stores != "kept" and self.step.optimizer.name != "none"

    @property
    def _largest_update(self) -> tuple[str, Size]:
        """What stands for a layer, and the elements of the gradients of weights that are alive at once, at the most."""
        if self.step.convention.memory:
            trained = [op for op in self.step.parameters if op.is_trained]
            name, elements = _largest((op.layer, self.step.convention.parameters(op)) for op in trained)
        else:
            name, elements = _largest((moment.layer, moment.gradients) for moment in self.liveness.ledger.moments)
        return f"largest update: {name}", elements

    def _of_activations(self) -> Iterator[Amount]:
        width, step = BYTES[self.storage.activations], self.step
        for layer, elements in self._stored():
            yield layer, "stored_activations", elements, width
        for erratum in self._activation_slips:
            has_slip = step.rule.name in erratum.rules
            elements = erratum.elements(step.sizes, step.model, self.facts.waiting) if has_slip else 0
            if not same(elements, 0):
                yield erratum.layer, "stored_activations", step.batch * elements, width
        for layer, each, together in self.facts.held_indices():
            yield layer, "indices", step.batch * each + together, INDEX_BYTES
        if self._pads_targets:
            yield self.facts.ops[-1].layer, "indices", 1, INDEX_BYTES

    @property
    def _pads_targets(self) -> bool:
        """Whether one target too many is held.

        A causal model of transformers pads the targets by one and reads them one further on: of a single
        sequence that is a view of all of them, of several a copy. Source: loss_utils.py of transformers 5.
        """
        is_causal = self.step.sizes.family == "decoder-only" and self.facts.ops[-1].has_gradients
        return is_causal and same(self.step.batch, 1) and not self.step.loss.is_fused

    def _stored(self) -> Iterator[tuple[str, Size]]:
        """Yield what each layer stores, its copies together."""
        step, facts, published = self.step, self.facts, self.step.convention.memory
        if published and step.rule.name in published.sets and not step.foreign_kinds:
            name, elements = _largest(published.sets[step.rule.name](step.sizes, step.model).items())
            yield f"largest set: {name}", step.batch * elements
        elif published and step.rule.name in published.forgets:
            forgotten = {op.output for op in facts.ops if op.kind in published.forgets[step.rule.name]}
            yield from facts.held({x: i for x, i in facts.waiting.items() if x not in forgotten}, own=True)
        elif step.rule.stores == "kept":
            yield from facts.held(facts.waiting, own=True)
        elif step.rule.stores == "outputs":
            yield from facts.held(facts.outputs, own=False)
        elif step.rule.stores == "nothing":
            moments = self.liveness.ledger.moments[self.liveness.updating :]
            name, elements = _largest((f"{each.layer}, {each.operation}", each.activations) for each in moments)
            yield f"largest set: {name}", elements
        else:
            raise self._unfinished

    @cached_property
    def peak(self) -> Held:
        """The most that is alive at one moment; its elements and its bytes may be of two moments."""
        static = sum((self.of(category) for category in STATIC), ZERO)
        if self.step.convention.memory:
            return static + self.of("gradients") + self.of("stored_activations")
        moments = self.liveness.ledger.moments
        widths = self._widths
        return static + Held(
            largest(moment.elements for moment in moments), largest(moment.bytes(*widths) for moment in moments)
        )

    @property
    def _widths(self) -> tuple[int, int, int]:
        """The bytes of an activation, of the gradient of a weight, and of a number of the optimizer."""
        return BYTES[self.storage.activations], BYTES[self.storage.gradients], BYTES[self.storage.optimizer]

    @property
    def peak_moment(self) -> "Moment | None":
        """The moment at which most bytes are alive, where the convention has moments."""
        if self.step.convention.memory:
            return None
        return max(self.liveness.ledger.moments, key=lambda moment: moment.bytes(*self._widths))


def _largest(named: Iterable[tuple[str, Size]]) -> tuple[str, Size]:
    """Return the largest of some sizes, and the name of the first that is as large; of a grid, at its first point.

    Of sizes of which none is the largest throughout there is no name.
    """
    sizes = list(named)
    most = largest(size for _, size in sizes)
    return next((name for name, size in sizes if _first(size) == _first(most)), "one of several"), most


def _first(size: Size) -> Size:
    return size.flat[0] if hasattr(size, "flat") else size


def _measured(spec: Spec, settings: Settings) -> Memory:
    """Return what one training step of `spec` has to hold under some settings.

    Raises InputError as `tcost.training_step.step_of` does.
    """
    return Memory(step_of(spec, settings))


measure = asking(Settings, _measured)
