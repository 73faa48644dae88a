"""Which layers a word means, and what is said where it means none."""

from collections.abc import Iterable, Sequence
from itertools import product

from tcost.errors import InputError, nearest
from tcost.learning_rules import LEARNING_RULES
from tcost.spec import bundled_specs, load_spec
from tcost.tracing import layer_name
from tcost.training_step import training_step


def layers_named(word: str, paths: Sequence[str]) -> list[str]:
    """Return the layers that a word means: a path, the end of one, or the name that several numbered layers share."""
    if word in paths:
        return [word]
    return [path for path in paths if path.endswith(f".{word}") or layer_name(path) == word]


def not_in_model(layer: str, spec: str, convention: str, paths: Sequence[str]) -> InputError:
    """Return the error for a layer that a model does not have under a convention: it names those that it has."""
    close = nearest(layer, paths)
    hint = f"; did you mean '{close}'?" if close else ""
    return InputError(f"{spec} has no layer '{layer}' under convention {convention}{hint}\nit has: {', '.join(paths)}")


def not_run(phase: str, algo: str, ran: Iterable[str | None]) -> InputError:
    """Return the error for a phase in which nothing runs: it names those in which something does."""
    phases = ", ".join(dict.fromkeys(each for each in ran if each))
    return InputError(f"nothing runs in the phase {phase} under {algo}\nwhat runs: {phases}")


def not_in_the_plain_transformer(layer: str, convention: str) -> InputError:
    """Return the error for a layer that needs a spec, with one that has it where a bundled one does."""
    example = _example(layer, convention)
    return InputError(
        f"the paper's transformer has no {layer}\nname a spec that has it"
        + (f", as in tcost formula {example}" if example else f": tcost formula SPEC {layer}")
    )


def _example(layer: str, convention: str) -> str:
    """Return a bundled spec that has a layer and the layer's name, with another convention where it needs one."""
    for name, spec in product(dict.fromkeys((convention, "exact")), bundled_specs()):
        trace = training_step(load_spec(f"{spec}.yaml"), next(iter(LEARNING_RULES)), name).model.trace
        if layers_named(layer, [op.layer for op in trace.ops]):
            return f"{spec} {layer}" + (f" --convention {name}" if name != convention else "")
    return ""
