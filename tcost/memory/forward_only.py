"""What is alive under PEPITA and MEMPEPITA."""

from collections.abc import Mapping

from tcost.learning_rules import project_error
from tcost.memory.facts import Facts, Part
from tcost.memory.liveness import Liveness, copies_of
from tcost.tracing import Repeat, Tensor, Trace


class ForwardOnly(Liveness):
    """A forward pass, the projection of its error, and the modulated pass, which updates as it goes.

    `stores` is what the first pass leaves: PEPITA's is the outputs of what learns, until the modulated pass
    meets them. MEMPEPITA's leaves the embeddings and the probabilities, and runs beside the modulated one
    once more: every tensor has two values. Where an optimizer ends the step, each update is applied when it is
    whole, and gone; without one, all are held.
    """

    def __init__(self, facts: Facts, stores: Mapping[Tensor, int], values: int) -> None:
        """Follow a step whose second part has so many values of every tensor."""
        super().__init__(facts)
        self.stores, self.values = stores, values
        self.is_applied = bool(facts.step.optimizer.per_parameter)
        self.forward(stores)
        self._project()
        self.updating = len(self.ledger.moments)
        for part in facts.parts:
            if part.repeat is None:
                self._update(part)
            else:
                self._copies(part, part.repeat)

    def _project(self) -> None:
        """Make the error, project it, and add it to the embeddings."""
        facts, ledger, trace = self.facts, self.ledger, Trace()
        modulated = project_error(facts.step.model, trace)
        last = {tensor: index for index, op in enumerate(trace.ops) for tensor in op.inputs}
        fixed = {tensor for name, tensor in trace.inputs.items() if name.startswith("mixing")}
        for index, op in enumerate(trace.ops):
            if all(x in fixed for x in op.inputs):
                fixed.add(op.output)
            ledger.hold(op.output, op.output.elements if op.output in fixed else facts.elements(op.output))
            ledger.note("error_projection", op)
            for tensor in op.inputs:
                if last[tensor] == index:
                    ledger.release(tensor)
        for tensor, embedded in zip(modulated, facts.step.model.embedded, strict=True):
            ledger.hold(("modulated", embedded), facts.elements(embedded))
            ledger.release(tensor)
            if self.values > 1 or not self.ops[self.stores[embedded]].is_trained:
                ledger.release(embedded)
        if not facts.logits:
            ledger.release(facts.step.model.output)

    def _copies(self, part: Part, repeat: Repeat) -> None:
        """Run the copies of a block, from the first one to the last."""
        facts, ledger = self.facts, self.ledger
        given, before = facts.home(repeat.exit), facts.home(repeat.before)
        if facts.last_user[before] < repeat.ops.start:
            ledger.release(("second", before))
        for number in self.copies_to_follow(part):
            others = copies_of(repeat) - 1 - number
            ledger.release(("second", given))
            ledger.hold(("second", repeat.entry), self.values * facts.elements(repeat.entry))
            self.hold_copy(part, others, self.stores)
            self.begin_copy(part, number, is_held=not self.is_applied)
            self._update(part, number)
        ledger.release(("second", given))
        ledger.hold(("second", repeat.after), self.values * facts.elements(repeat.after))

    def _update(self, part: Part, number: int = 0) -> None:
        """Run the operations of a part, and update each that learns from what the first pass gave there."""
        facts, ledger = self.facts, self.ledger
        result = facts.home(part.repeat.exit) if part.repeat else None
        is_last = part.repeat is None or number == copies_of(part.repeat) - 1
        for index in part.ops:
            op = self.ops[index]
            output = facts.home(op.output)
            if output is op.output:
                ledger.hold(("second", output), self.values * facts.elements(output))
            if op.is_trained:
                ledger.hold(("own", index), facts.own(index))
            ledger.note("forward", op)
            ledger.release(("modulated", op.output))
            if op.is_trained:
                self._learn_from_difference(index, part, number)
            for tensor in (*facts.read(op), output):
                is_free = is_last or tensor in part.own
                if is_free and facts.last_user.get(tensor, index) <= index and tensor is not result:
                    ledger.release(("second", tensor))

    def _learn_from_difference(self, index: int, part: Part, number: int) -> None:
        op, ledger = self.ops[index], self.ledger
        ledger.hold("difference", self.facts.elements(op.output), "passing")
        self.learn(op)
        ledger.note("weight_update", op)
        for what in ("difference", ("own", index), op.output):
            ledger.release(what)
        if index == max(self.facts.logits, default=None):
            ledger.release(self.facts.step.model.output)
        if self.is_applied and self._is_whole(index, part, number):
            self.optimize(op)
            self.forget(str(op.weight))

    def _is_whole(self, index: int, part: Part, number: int) -> bool:
        """Tell whether nothing further adds to the update of an operation's weight, in the copy of that number."""
        weight, repeat = str(self.ops[index].weight), part.repeat
        if index != self.facts.weight_users[weight][-1]:
            return False
        if repeat is None:
            return True
        group = copies_of(repeat) // repeat.unique if weight in self.own_weights(part) else copies_of(repeat)
        return (number + 1) % group == 0
