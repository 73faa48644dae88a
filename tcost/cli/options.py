"""The options that commands share, and what their words mean."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from tcost.cli.many_values import ManyValuesCommand
from tcost.errors import InputError, nearest
from tcost.output import use_color
from tcost.settings import Settings

if TYPE_CHECKING:
    from tcost.report.tables import Table
    from tcost.spec import ModelSpec


class Format(StrEnum):
    """How a result is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


class Grouping(StrEnum):
    """What shares a line."""

    LAYER = "layer"
    PHASE = "phase"
    OPERATION = "operation"


class CausalName(StrEnum):
    """How much of a decoder's self-attention is priced."""

    FULL = "full"
    HALF = "half"


class AttentionName(StrEnum):
    """Whether scores are written to memory."""

    EAGER = "eager"
    FLASH = "flash"


class RecomputeName(StrEnum):
    """What is computed again in the backward."""

    NONE = "none"
    BLOCK = "block"
    FULL = "full"


class DtypeName(StrEnum):
    """The type of numbers."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"
    INT8 = "int8"


class Listing(StrEnum):
    """What can be listed."""

    SPECS = "specs"
    ALGOS = "algos"
    CONVENTIONS = "conventions"
    LAYERS = "layers"


MEASURES = (
    "macc, flop, parameters, active_parameters, trained_parameters, stored_activations_elements, "
    "stored_activations_bytes, peak_elements or peak_bytes"
)
SPEC_HELP = "A YAML file, a Hugging Face config.json, - for standard input, or a bundled name (tcost list specs)."
SpecName: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="SPEC", help=SPEC_HELP),
]
Algos: TypeAlias = Annotated[
    list[str],
    typer.Option(
        "--algos", "--algo", metavar="RULE...", help="Learning rules, separated by spaces or commas (tcost list algos)."
    ),
]
Algo: TypeAlias = Annotated[str, typer.Option("--algo", metavar="RULE", help="Learning rule (tcost list algos).")]
ConventionName: TypeAlias = Annotated[
    str, typer.Option("--convention", metavar="CONVENTION", help="Counting convention: paper, torch or exact.")
]
From: TypeAlias = Annotated[
    str, typer.Option("--from", metavar="CONVENTION", help="Convention that the terms start at: paper, torch or exact.")
]
To: TypeAlias = Annotated[
    str, typer.Option("--to", metavar="CONVENTION", help="Convention that they lead to: paper, torch or exact.")
]
Context: TypeAlias = Annotated[
    int | None, typer.Option("--context", metavar="N", help="Context length; the spec's by default.")
]
EncoderContext: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--encoder-context", metavar="N", help="Length of what an encoder-decoder reads; the spec's by default."
    ),
]
Batch: TypeAlias = Annotated[int, typer.Option("--batch", metavar="N", help="Sequences per training step.")]
CAUSAL_HELP = (
    "Pairs of rows in a decoder's self-attention: all, or the half (and window) that a causal kernel computes."
)
Causal: TypeAlias = Annotated[CausalName, typer.Option("--causal", help=CAUSAL_HELP)]
ATTENTION_HELP = "How scores are computed: eager writes them to memory, flash computes them again in the backward."
Attention: TypeAlias = Annotated[AttentionName, typer.Option("--attention", help=ATTENTION_HELP)]
RECOMPUTE_HELP = "What backpropagation does not keep but computes again: nothing, every block, or everything."
Recompute: TypeAlias = Annotated[RecomputeName, typer.Option("--recompute", help=RECOMPUTE_HELP)]
FormatName: TypeAlias = Annotated[Format, typer.Option("--format", help="How to write the result.")]
OutputPath: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Write to a file, whole or not at all; to standard output by default."
    ),
]
Errata: TypeAlias = Annotated[
    bool, typer.Option("--errata/--no-errata", help="Count the slips in published totals, as rows of their own.")
]
OPTIMIZER_HELP = "What ends the step: sgd, momentum, adam, adamw or none."
OptimizerName: TypeAlias = Annotated[
    str,
    typer.Option("--optimizer", metavar="OPTIMIZER", help=OPTIMIZER_HELP),
]
Integers: TypeAlias = Annotated[bool, typer.Option("--integers", help="Exact integers in tables, not SI units.")]


def step_options(*, causal: CausalName, attention: AttentionName, recompute: RecomputeName, **own: Any) -> Settings:
    """Return the options of a training step as the library takes them."""
    return Settings(causal=causal.value, attention=attention.value, recompute=recompute.value, **own)


def _is_spec(word: str) -> bool:
    """Tell a spec from a further value of a list option."""
    from tcost.learning_rules import LEARNING_RULES
    from tcost.spec import bundled_specs

    looks_like_path = word == "-" or "/" in word or word.endswith((".yaml", ".yml", ".json"))
    return looks_like_path or (word not in LEARNING_RULES and (word in bundled_specs() or os.path.lexists(word)))


class SpecCommand(ManyValuesCommand):
    """A command whose list options end where a spec begins."""

    is_argument = staticmethod(_is_spec)


def load(word: str) -> "ModelSpec":
    """Return the spec that a word on the command line means, or raise InputError."""
    from tcost.learning_rules import LEARNING_RULES
    from tcost.spec import load_spec

    if word in LEARNING_RULES and not os.path.lexists(word):
        raise InputError(f"'{word}' is a learning rule, not a spec\nwrite --algos {word}")
    return load_spec(word)


def rules(words: Sequence[str]) -> list[str]:
    """Return the rules without repetition; a word that is none may have been meant as a spec."""
    from tcost.learning_rules import LEARNING_RULES
    from tcost.spec import bundled_specs

    for word in words:
        if word not in LEARNING_RULES:
            close = nearest(word, [*LEARNING_RULES, *bundled_specs()])
            hint = f"; did you mean '{close}'?" if close else ""
            known = ", ".join(LEARNING_RULES)
            raise InputError(f"'{word}' is neither a learning rule nor a spec{hint}\nlearning rules: {known}")
    return list(dict.fromkeys(words))


@dataclass(frozen=True)
class Printed:
    """What a command has to say, the file that it goes to where there is one, and what failed where a gate did."""

    text: str | bytes
    path: str | None = None
    failure: str = ""


@dataclass(frozen=True)
class Streamed:
    """What a command writes piece by piece, once the parser is done: an interruption there is not its business."""

    write: Callable[[], None]


def tables(shown: Sequence["Table"], format_: Format, output: str | None, failure: str = "") -> Printed:
    """Return tables as a person reads them, drawn or as markdown."""
    from tcost.report.tables import draw, markdown

    if format_ is Format.MARKDOWN:
        return Printed(markdown(shown), output, failure)
    return Printed(draw(shown, color=output is None and use_color()), output, failure)
