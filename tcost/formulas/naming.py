"""Which layers a word means, and what is said where it means none."""

from collections.abc import Iterable, Sequence
from itertools import product

from tcost.bundled import BUNDLED
from tcost.cost import works_of
from tcost.errors import InputError, nearest
from tcost.formulas.lettering import PLAIN
from tcost.learning_rules import LEARNING_RULES
from tcost.tracing import layer_name
from tcost.training_step import Spec, training_step


def layers_named(word: str, paths: Sequence[str]) -> list[str]:
    """Return the layers that a word means: a path, the end of one, or the name that several numbered layers share."""
    if word in paths:
        return [word]
    return [path for path in paths if path.endswith(f".{word}") or layer_name(path) == word]


def not_found(layer: str, spec: Spec | None, algo: str | None, convention: str) -> InputError:
    """Return the error for a layer that a model, the paper's transformer by default, does not have in a step.

    It names the rules that have it; or else the layers that the model has, or a spec that has this one.
    """
    models = PLAIN if spec is None else [spec]
    rules = [rule for rule in LEARNING_RULES if any(_has(layer, model, rule, convention) for model in models)]
    name = models[0].at().name
    if rules:
        return InputError(
            f"{name} has no layer '{layer}' in a step under {algo}\nit has one under {' and '.join(rules)}"
        )
    if spec is None:
        example = _example(layer, convention)
        hint = f", as in tcost explain --formula {example}" if example else f": tcost explain --formula SPEC {layer}"
        return InputError(f"the paper's transformer has no layer '{layer}'\nname a spec that has it{hint}")
    paths = _paths(spec, algo or "bp", convention)
    close = nearest(layer, paths)
    hint = f"; did you mean '{close}'?" if close else ""
    return InputError(f"{name} has no layer '{layer}' under convention {convention}{hint}\nit has: {', '.join(paths)}")


def not_run(phase: str, algo: str, ran: Iterable[str | None]) -> InputError:
    """Return the error for a phase in which nothing runs: it names those in which something does."""
    phases = ", ".join(dict.fromkeys(each for each in ran if each))
    return InputError(f"nothing runs in the phase {phase} under {algo}\nwhat runs: {phases}")


def _paths(spec: Spec, algo: str, convention: str) -> list[str]:
    """Return the layers of a step, in their order."""
    return list(dict.fromkeys(work.op.layer for work in works_of(training_step(spec, algo, convention))))


def _has(layer: str, spec: Spec, algo: str, convention: str) -> bool:
    return bool(layers_named(layer, _paths(spec, algo, convention)))


def _example(layer: str, convention: str) -> str:
    """Return a bundled spec that has a layer and the layer's name, with another convention where it needs one."""
    for name, spec in product(dict.fromkeys((convention, "exact")), BUNDLED):
        if _has(layer, BUNDLED[spec](), "bp", name):
            return f"{spec} {layer}" + (f" --convention {name}" if name != convention else "")
    return ""
