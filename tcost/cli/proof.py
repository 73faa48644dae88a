"""The command that executes what is priced."""

from typing import TYPE_CHECKING, Annotated

import typer

from tcost.cli.options import (
    SPEC_HELP,
    Algos,
    Causal,
    CausalName,
    EncoderContext,
    Format,
    FormatName,
    OptimizerName,
    OutputPath,
    Printed,
    Recompute,
    RecomputeName,
    load,
    rules,
    tables,
)
from tcost.errors import InputError

if TYPE_CHECKING:
    from tcost.spec import ModelSpec

ONE_PER_FAMILY = ("gpt2", "bert-base", "bart-base")

SPECS_HELP = f"{SPEC_HELP} One of each family when there is none: {', '.join(ONE_PER_FAMILY)}."
TORCH_HELP = "Build the model's Hugging Face class, and compare with convention torch as FlopCounterMode counts it."
SEED_HELP = "Seed of weights, data and fixed matrices."
CONTEXT_HELP = "Context length of the class, with --torch; the spec's by default."


def verify_specs(
    specs: Annotated[list[str] | None, typer.Argument(metavar="SPEC", help=SPECS_HELP, show_default=False)] = None,
    algos: Algos = ["bp", "pepita", "mempepita"],  # noqa: B006  # typer reads the default, nothing changes it
    optimizer: OptimizerName = "adamw",
    causal: Causal = CausalName.FULL,
    recompute: Recompute = RecomputeName.NONE,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help=SEED_HELP)] = 0,
    torch: Annotated[bool, typer.Option("--torch", help=TORCH_HELP)] = False,
    context: Annotated[int | None, typer.Option("--context", metavar="N", help=CONTEXT_HELP)] = None,
    encoder_context: EncoderContext = None,
    format_: FormatName = Format.TABLE,
    output: OutputPath = None,
) -> Printed:
    """Execute a training step, and compare with the prediction.

    A model with the same parts is shrunk to sizes that run in a moment. Its layers, the ones that are
    priced, run on numbers that count themselves, and what is alive at once is counted, too. Exit status 1 when
    anything differs from convention exact.

    Example: tcost verify gpt2 --algos bp pepita
    """
    models = [load(spec) for spec in specs or ONE_PER_FAMILY]
    if torch:
        return _against_torch(models, context, encoder_context, format_, output)
    if context or encoder_context:
        raise InputError("a context is for --torch; what is executed else has sizes of its own")
    from tcost.settings import Settings
    from tcost.training_step import of_rules
    from tcost.verify import shrink, verify

    small = [shrink(model.at()) for model in models]
    names = rules(algos)
    settings = Settings(optimizer=optimizer, causal=causal.value, recompute=recompute.value)
    found = [verify(sizes, own, seed) for sizes in small for own in of_rules(names, settings)]
    wrong = "\n".join(
        f"{each.sizes.name} under {each.settings.algo} does not verify" for each in found if not each.holds
    )
    if format_ in (Format.JSON, Format.CSV):
        from tcost.documents.verify import to_csv, to_json

        export = to_json if format_ is Format.JSON else to_csv
        return Printed(export(found), output, wrong)
    from tcost.report.proof import verification_table

    return tables([verification_table(each) for each in found], format_, output, wrong)


def _against_torch(
    models: "list[ModelSpec]", context: int | None, encoder_context: int | None, format_: Format, output: str | None
) -> Printed:
    from tcost.torch_check import check

    found = [check(model, context=context, encoder_context=encoder_context) for model in models]
    wrong = "\n".join(f"{each.spec} does not verify against torch" for each in found if not each.agrees)
    if format_ in (Format.JSON, Format.CSV):
        from tcost.documents.verify import torch_to_csv, torch_to_json

        export = torch_to_json if format_ is Format.JSON else torch_to_csv
        return Printed(export(found), output, wrong)
    from tcost.report.proof import torch_check_table

    return tables([torch_check_table(each) for each in found], format_, output, wrong)
