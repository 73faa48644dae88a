"""Which single change would make a step fit into so many bytes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from tcost.errors import InputError
from tcost.memory.budget import Budget, largest
from tcost.memory.held import Memory
from tcost.training_step import TrainingStep, step_of

SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "--recompute block": {"recompute": "block"},
    "--recompute full": {"recompute": "full"},
    "--attention flash": {"attention": "flash"},
    "--loss dropped": {"loss": "dropped"},
    "--loss fused": {"loss": "fused"},
    "--loss chunked:8": {"loss": "chunked:8"},
    "--optimizer sgd": {"optimizer": "sgd"},
}
"""What is tried, as an option; types of numbers, lengths and layers are tried beside these."""


class Fitting(NamedTuple):
    """A change after which a step fits, as an option or a line of the spec, and the peak that it has then."""

    change: str
    peak: int


def fittings(budget: Budget, step: TrainingStep) -> list[Fitting]:
    """Return the changes that each make a step fit that does not, the smallest peak first; none where it fits."""
    if budget.fits:
        return []
    found = [Fitting(change, Memory(other).peak.bytes) for change, other in _changed(budget, step)]
    return sorted((each for each in found if each.peak <= budget.bytes), key=lambda each: each.peak)


def _changed(budget: Budget, step: TrainingStep) -> Iterator[tuple[str, TrainingStep]]:
    """Yield the changes that a step can have, each with the step as it is then."""
    tried: dict[str, Mapping[str, Any]] = {**SETTINGS}
    tried["--dtype bf16"] = {"storage": step.settings.storage.saying(dtype="bf16")}
    tried |= {"--batch": {"batch": budget.largest_batch}} if budget.largest_batch else {}
    tried |= {"--context": {"context": budget.largest_context}} if budget.largest_context else {}
    for option, values in tried.items():
        number = "".join(f" {value}" for value in values.values() if option in ("--batch", "--context"))
        try:
            yield f"{option}{number}", step_of(step.spec, replace(step.settings, **values))
        except InputError:  # this rule, model or length cannot have it
            continue
    yield from _of_fewer_layers(budget, step)


def _of_fewer_layers(budget: Budget, step: TrainingStep) -> Iterator[tuple[str, TrainingStep]]:
    """Yield the step with as many of its last layers trained alone as fit, where all of it is trained."""
    sizes = step.sizes
    layers = sizes.n_decoder_layers or sizes.n_encoder_layers
    if sizes.train is not None:
        return

    def training(number: int) -> TrainingStep:
        return step_of(replace(sizes, train=tuple(range(layers - number, layers))), step.settings)

    def fits(number: int) -> bool:
        return number <= layers and bool(Memory(training(number)).peak.bytes <= budget.bytes)

    if number := largest(fits):
        yield f"train: the last {number} of {layers} layers", training(number)
