"""Execute a training step, and compare with the prediction."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from tcost.commands.base import SPEC_HELP, Algos, Format, Invocation, Offered, Output, Printed, load_all, rules, tables
from tcost.errors import InputError
from tcost.reading import Reading
from tcost.settings import RULES, Settings

if TYPE_CHECKING:
    from tcost.training_step import Spec

ONE_PER_FAMILY = ("gpt2", "bert-base", "bart-base")

UNANSWERED = {
    "convention": "what is executed is convention exact, or with --torch convention torch\nleave it out",
    "batch": "one sequence is executed, of which all others are copies\nleave it out",
    "attention": "what is executed writes its scores to memory\nleave it out",
    "storage": "what is alive is compared in elements, whatever their type\nleave it out",
    "errata": "slips are of published totals, and what is executed has none\nleave it out",
}

SPECS_HELP = f"{SPEC_HELP} One of each family when there is none: {', '.join(ONE_PER_FAMILY)}."
TORCH_HELP = "Build the model's Hugging Face class, and compare with convention torch as FlopCounterMode counts it."
SEED_HELP = "Seed of weights, data and fixed matrices."


def run(
    invoked: Invocation,
    specs: Annotated[Sequence[str] | None, Offered(SPECS_HELP, metavar="SPEC")] = None,
    algos: Algos = RULES,
    settings: Settings = Settings(optimizer="adamw"),
    reading: Reading = Reading(),
    seed: Annotated[int, Offered(SEED_HELP, "--seed", metavar="N", default=True, least=0)] = 0,
    torch: Annotated[bool, Offered(TORCH_HELP, "--torch")] = False,
    format_: Format = "table",
    output: Output = None,
) -> Printed:
    """Execute a training step, and compare with the prediction.

    A model with the same parts is shrunk to sizes that run in a moment. Its layers, the ones that are
    priced, run on numbers that count themselves, and what is alive at once is counted, too. Exit status 1 when
    anything differs from convention exact.

    Example: tcost verify gpt2 --algos bp pepita
    """
    models = load_all(specs or ONE_PER_FAMILY, reading)
    if torch:
        beside = invoked.given - {"specs", "torch", "context", "encoder_context", "format_", "output", "ignore", "as_"}
        if given := beside - ({"algos"} if rules(algos) == ["bp"] else set()):
            options = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(given))
            raise InputError(
                f"{options}: with --torch one step under bp is executed, without an optimizer\nleave it out"
            )
        return _against_torch(models, settings, format_, output)
    if settings.context or settings.encoder_context:
        raise InputError("a context is for --torch; what is executed else has sizes of its own")
    from tcost.training_step import of_rules
    from tcost.verify import shrink, shrink_settings, verify

    small = [shrink(model.at()) for model in models]
    found = [
        verify(sizes, shrink_settings(own, sizes), seed) for sizes in small for own in of_rules(rules(algos), settings)
    ]
    wrong = "\n".join(
        f"{each.sizes.name} under {each.settings.algo} does not verify" for each in found if not each.holds
    )
    if format_ in ("json", "csv"):
        from tcost.documents.verify import to_csv, to_json

        return Printed((to_json if format_ == "json" else to_csv)(found), output, wrong)
    from tcost.report.verify import verification_table

    return tables([verification_table(each) for each in found], format_, output, wrong)


def _against_torch(models: "list[Spec]", settings: Settings, format_: str, output: str | None) -> Printed:
    from tcost.torch_check import check

    found = [check(model, context=settings.context, encoder_context=settings.encoder_context) for model in models]
    wrong = "\n".join(f"{each.spec} does not verify against torch" for each in found if not each.agrees)
    if format_ in ("json", "csv"):
        from tcost.documents.verify import torch_to_csv, torch_to_json

        return Printed((torch_to_json if format_ == "json" else torch_to_csv)(found), output, wrong)
    from tcost.report.verify import torch_check_table

    return tables([torch_check_table(each) for each in found], format_, output, wrong)
