"""Give the closed form of what a training step costs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from tcost.commands.base import (
    NO_BYTES,
    SPEC_HELP,
    Integers,
    Offered,
    Output,
    Printed,
    is_spec,
    load_keys,
    tables,
)
from tcost.errors import InputError, nearest
from tcost.kinds import PHASES, Phase
from tcost.reading import Reading
from tcost.settings import Settings

if TYPE_CHECKING:
    from tcost.spec import ModelSpec

UNANSWERED = NO_BYTES

WHAT_HELP = f"{SPEC_HELP} Or a layer of the paper's transformer (tcost list layers)."
LAYER_HELP = (
    "A layer of the spec's model: its path (decoder.add_norm_2), the end of one, or a name that several share "
    "(add_norm), each of which is shown."
)
TOGETHER_HELP = f"{LAYER_HELP} Those with equal formulas are together."
ALGO_HELP = "Learning rule (tcost list algos); bp, or for a layer that only another rule has, that rule."
PHASE_HELP = f"Only one phase: {', '.join(PHASES[:-1])} or {PHASES[-1]}; all by default."
IN_HELP = "Keys of the spec, or batch, that are letters; all other sizes are numbers. By default all are letters."
LANGUAGE_HELP = "What to write formulas in."

OnlyPhase = Annotated[Phase | None, Offered(PHASE_HELP, "--phase", metavar="PHASE")]
OnlyAlgo = Annotated[str | None, Offered(ALGO_HELP, "--algo", metavar="RULE")]


def is_layer(word: str) -> bool:
    """Tell a layer's name or path, where no file and no bundled spec has that name."""
    import tcost.layers  # noqa: F401  # registers the layers
    from tcost.tracing import LAYERS, layer_name

    return not is_spec(word) and layer_name(word) in LAYERS


def is_argument(word: str) -> bool:
    """Tell a spec or a layer from a further value of a list option."""
    return is_spec(word) or is_layer(word)


def run(
    what: Annotated[str, Offered(WHAT_HELP, metavar="SPEC|LAYER")],
    layer: Annotated[str | None, Offered(TOGETHER_HELP, metavar="LAYER")] = None,
    phase: OnlyPhase = None,
    algo: OnlyAlgo = None,
    of: Annotated[Sequence[str] | None, Offered(IN_HELP, "--in", metavar="KEY...")] = None,
    settings: Settings = Settings(),
    reading: Reading = Reading(),
    format_: Annotated[
        Literal["text", "latex", "python", "json"], Offered(LANGUAGE_HELP, "--format", default=True)
    ] = "text",
    output: Output = None,
    integers: Integers = False,
) -> Printed:
    """Give the closed form of what a training step costs.

    Of a model per phase and in all, or of one copy of a layer. The layers themselves are called with letters
    for sizes.

    Needs SymPy: pip install 'tcost[formula]'.

    Example: tcost explain gpt2 --formula --in context_length
    """
    from tcost.formulas import formulas

    spec, part = (None, what) if is_layer(what) else (_load(what, reading), layer or "")
    if spec is None and layer:
        raise InputError(
            f"'{what}' is a layer, and so is to be '{layer}'\nthe spec comes first: tcost explain --formula SPEC {what}"
        )
    found = formulas(spec, part, algo, settings, phase=phase, of=of or ())
    if format_ == "json":
        from tcost.documents.formula import to_json

        return Printed(to_json(found), output)
    from tcost.report.formula import formulas_tables, latex, python_module

    if format_ == "text":
        return tables(formulas_tables(found, integers=integers), "table", output)
    return Printed((latex if format_ == "latex" else python_module)(found), output)


def _load(word: str, reading: Reading) -> "ModelSpec":
    """Return the spec that a word means; one that is none may have been meant as a layer."""
    from tcost.bundled import BUNDLED
    from tcost.learning_rules import LEARNING_RULES
    from tcost.tracing import LAYERS

    if not is_spec(word) and word not in LEARNING_RULES:
        close = nearest(word, [*LAYERS, *BUNDLED])
        hint = f"; did you mean '{close}'?" if close else ""
        raise InputError(f"'{word}' is neither a spec nor a layer{hint}\nknown: tcost list specs and tcost list layers")
    return load_keys(word, reading)
