"""The command that gives closed forms."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tcost.cli.options import (
    SPEC_HELP,
    Attention,
    AttentionName,
    Batch,
    Causal,
    CausalName,
    Context,
    ConventionName,
    EncoderContext,
    Errata,
    Integers,
    OptimizerName,
    OutputPath,
    Printed,
    Recompute,
    RecomputeName,
    SpecCommand,
    load,
    step_options,
    tables,
)
from tcost.cli.options import Format as TableFormat
from tcost.errors import InputError, nearest
from tcost.settings import Settings

if TYPE_CHECKING:
    from tcost.kinds import Phase
    from tcost.spec import ModelSpec


class Language(StrEnum):
    """What formulas are written in."""

    TEXT = "text"
    LATEX = "latex"
    PYTHON = "python"
    JSON = "json"


class PhaseName(StrEnum):
    """A phase of a training step."""

    FORWARD = "forward"
    BACKWARD = "backward"
    WEIGHT_UPDATE = "weight_update"
    ERROR_PROJECTION = "error_projection"
    RECOMPUTED_FORWARD = "recomputed_forward"
    OPTIMIZER_STEP = "optimizer_step"


WHAT_HELP = f"{SPEC_HELP} Or a layer of the paper's transformer (tcost list layers)."
LAYER_HELP = (
    "A layer of the spec's model: its path (decoder.add_norm_2), the end of one, or a name that several share "
    "(add_norm), each of which is shown."
)
TOGETHER_HELP = f"{LAYER_HELP} Those with equal formulas are together."
ALGO_HELP = "Learning rule (tcost list algos); bp, or for a layer that only another rule has, that rule."
PHASE_HELP = f"Only one phase: {', '.join([*PhaseName][:-1])} or {[*PhaseName][-1]}; all by default."
IN_HELP = "Keys of the spec, or batch, that are letters; all other sizes are numbers. By default all are letters."

OptionalPhase = Annotated[
    PhaseName | None, typer.Option("--phase", metavar="PHASE", help=PHASE_HELP, show_default=False)
]


def is_layer(word: str) -> bool:
    """Tell a layer's name or path, where no file and no bundled spec has that name."""
    import tcost.layers  # noqa: F401  # registers the layers
    from tcost.tracing import LAYERS, layer_name

    return not SpecCommand.is_argument(word) and layer_name(word) in LAYERS


class FormulaCommand(SpecCommand):
    """A command whose list options end where a spec or a layer begins."""

    is_argument = staticmethod(lambda word: SpecCommand.is_argument(word) or is_layer(word))


def formulas_of(
    what: Annotated[str, typer.Argument(metavar="SPEC|LAYER", help=WHAT_HELP)],
    layer: Annotated[str | None, typer.Argument(metavar="LAYER", help=TOGETHER_HELP, show_default=False)] = None,
    phase: OptionalPhase = None,
    algo: Annotated[str | None, typer.Option("--algo", metavar="RULE", help=ALGO_HELP, show_default=False)] = None,
    convention: ConventionName = Settings.convention,
    of: Annotated[list[str] | None, typer.Option("--in", metavar="KEY...", help=IN_HELP, show_default=False)] = None,
    context: Context = None,
    encoder_context: EncoderContext = None,
    batch: Batch = 1,
    optimizer: OptimizerName = "none",
    causal: Causal = CausalName.FULL,
    attention: Attention = AttentionName.EAGER,
    recompute: Recompute = RecomputeName.NONE,
    format_: Annotated[Language, typer.Option("--format", help="What to write formulas in.")] = Language.TEXT,
    output: OutputPath = None,
    errata: Errata = True,
    integers: Integers = False,
) -> Printed:
    """Give the closed form of what a training step costs.

    Of a model per phase and in all, or of one copy of a layer. The layers themselves are called with letters
    for sizes.

    Needs SymPy: pip install 'tcost[formula]'.

    Example: tcost formula gpt2 --in context_length
    """
    from tcost.formulas import formulas

    options = step_options(
        convention=convention,
        context=context,
        encoder_context=encoder_context,
        batch=batch,
        optimizer=optimizer,
        errata=errata,
        causal=causal,
        attention=attention,
        recompute=recompute,
    )
    spec, part = (None, what) if is_layer(what) else (_load(what), layer or "")
    if spec is None and layer:
        raise InputError(
            f"'{what}' is a layer, and so is to be '{layer}'\nthe spec comes first: tcost formula SPEC {what}"
        )
    only: Phase | None = phase.value if phase else None
    found = formulas(spec, part, algo, options, phase=only, of=of or ())
    if format_ is Language.JSON:
        from tcost.documents.formula import to_json

        return Printed(to_json(found), output)
    from tcost.report.closed_forms import formulas_tables, latex, python_module

    if format_ is Language.TEXT:
        return tables(formulas_tables(found, integers=integers), TableFormat.TABLE, output)
    return Printed((latex if format_ is Language.LATEX else python_module)(found), output)


def _load(word: str) -> "ModelSpec":
    """Return the spec that a word means; one that is none may have been meant as a layer."""
    from tcost.learning_rules import LEARNING_RULES
    from tcost.spec import bundled_specs
    from tcost.tracing import LAYERS

    if not SpecCommand.is_argument(word) and word not in LEARNING_RULES:
        close = nearest(word, [*LAYERS, *bundled_specs()])
        hint = f"; did you mean '{close}'?" if close else ""
        raise InputError(f"'{word}' is neither a spec nor a layer{hint}\nknown: tcost list specs and tcost list layers")
    return load(word)
