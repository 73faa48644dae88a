"""What the signatures of commands are made of, and what commands have in common."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeAlias

from tcost.errors import InputError, nearest
from tcost.output import terminal_width, use_color
from tcost.reading import Reading, check_used

if TYPE_CHECKING:
    from tcost.diff import Asked
    from tcost.report.tables import Table
    from tcost.spec import ModelSpec
    from tcost.training_step import Spec


class Offered:
    """An option, or where there is no flag an argument, as its help page says it."""

    def __init__(
        self, help_: str, *flags: str, metavar: str | None = None, default: bool = False, least: int | None = None
    ) -> None:
        """Take what it is, its flags, what stands for its value, whether its default is shown, and its least value."""
        self.help, self.flags, self.metavar, self.default, self.least = help_, flags, metavar, default, least


class Invocation(NamedTuple):
    """The command line: `command` runs it again, `given` are the names of the parameters that stand on it."""

    command: str
    given: frozenset[str]


class Said(dict[str, Any]):
    """The options of settings that stand on the command line, by name; what is not said may be as it was saved."""


NO_BYTES = {"storage": "formulas are of work, which no type of numbers changes\nsee: tcost memory"}
"""Why commands that give formulas do not take the types of numbers."""

SPEC_HELP = "A YAML file, a Hugging Face config.json, - for standard input, or a bundled name (tcost list specs)."
RULES_HELP = "Learning rules, separated by spaces or commas (tcost list algos)."
FORMAT_HELP = "How to write the result."
SAVED_RULES_HELP = RULES_HELP.replace(" (", "; those of a saved result, else bp (")

SpecName: TypeAlias = Annotated[str, Offered(SPEC_HELP, metavar="SPEC")]
Algos: TypeAlias = Annotated[Sequence[str], Offered(RULES_HELP, "--algos", "--algo", metavar="RULE...", default=True)]
SavedAlgos: TypeAlias = Annotated[
    Sequence[str] | None, Offered(SAVED_RULES_HELP, "--algos", "--algo", metavar="RULE...")
]
Format: TypeAlias = Annotated[
    Literal["table", "json", "csv", "markdown"], Offered(FORMAT_HELP, "--format", default=True)
]
Output: TypeAlias = Annotated[
    str | None,
    Offered("Write to a file, whole or not at all; to standard output by default.", "--output", "-o", metavar="FILE"),
]
Integers: TypeAlias = Annotated[bool, Offered("Exact integers in tables, not SI units.", "--integers")]


IGNORE_HELP = "A field of a config.json to read as if it had none, where it changes no count; repeatable."
HEAD_HELP = "The class whose head a config.json has, or what its name ends in, as in ForCausalLM or Model."
AS_HELP = "The family whose class a config.json is of, as in llama, whatever its model_type is."


def reading_of(
    ignore: Annotated[Sequence[str] | None, Offered(IGNORE_HELP, "--ignore", metavar="FIELD...")] = None,
    as_: Annotated[str | None, Offered(AS_HELP, "--as", metavar="FAMILY")] = None,
    class_: Annotated[str | None, Offered(HEAD_HELP, "--head", metavar="CLASS")] = None,
) -> Reading:
    """Return how configurations are read: the options of every command that has a Reading."""
    return Reading(tuple(ignore or ()), as_, class_)


def is_spec(word: str) -> bool:
    """Tell a spec from a further value of a list option."""
    from tcost.bundled import BUNDLED
    from tcost.learning_rules import LEARNING_RULES

    looks_like_path = word == "-" or "/" in word or word.endswith((".yaml", ".yml", ".json"))
    return looks_like_path or (word not in LEARNING_RULES and (word in BUNDLED or os.path.lexists(word)))


def load(word: str, reading: Reading = Reading()) -> "Spec":
    """Return what a word on the command line means, of which a step can be priced, or raise InputError."""
    return load_all([word], reading)[0]


def load_all(words: Sequence[str], reading: Reading = Reading()) -> "list[Spec]":
    """Return what words mean. Raises InputError, too, where `reading` says what none of them has use for."""
    from tcost.bundled import bundled

    made = [None if reading else bundled(word) for word in words]
    keys = iter(load_all_keys([word for word, make in zip(words, made, strict=True) if make is None], reading))
    return [next(keys) if make is None else make() for make in made]


def load_keys(word: str, reading: Reading = Reading()) -> "ModelSpec":
    """Return the spec that a word on the command line means, with its keys, or raise InputError."""
    return load_all_keys([word], reading)[0]


def load_all_keys(words: Sequence[str], reading: Reading = Reading()) -> "list[ModelSpec]":
    """Return the specs that words mean, with their keys, or raise InputError."""
    from tcost.learning_rules import LEARNING_RULES
    from tcost.spec import read_spec

    for word in words:
        if word in LEARNING_RULES and not os.path.lexists(word):
            raise InputError(f"'{word}' is a learning rule, not a spec\nwrite --algos {word}")
    read = [read_spec(word, reading) for word in words]
    check_used(reading, [imported for _, imported in read if imported])
    return [spec for spec, _ in read]


def rules(words: Sequence[str]) -> list[str]:
    """Return the rules without repetition; a word that is none may have been meant as a spec."""
    from tcost.bundled import BUNDLED
    from tcost.learning_rules import LEARNING_RULES

    for word in words:
        if word not in LEARNING_RULES:
            close = nearest(word, [*LEARNING_RULES, *BUNDLED])
            hint = f"; did you mean '{close}'?" if close else ""
            known = ", ".join(LEARNING_RULES)
            raise InputError(f"'{word}' is neither a learning rule nor a spec{hint}\nlearning rules: {known}")
    return list(dict.fromkeys(words))


def asked(algos: Sequence[str] | None, said: Said) -> "Asked":
    """Return how specs are to be priced: what the command line says, and nothing of what it does not."""
    from tcost.diff import Asked

    return Asked(algos=tuple(rules(algos or [])), said=said)


def rejoined(words: Sequence[str]) -> list[str]:
    """Return settings `KEY=VALUES` of which commas and spaces have made several words: `batch=1,8`, `batch=1 8`."""
    settings: list[str] = []
    for word in words:
        if settings and "=" not in word:
            settings[-1] += f",{word}"
        else:
            settings.append(word)
    return settings


class Printed(NamedTuple):
    """What a command has to say, the file that it goes to where there is one, and what failed where a gate did."""

    text: str | bytes
    path: str | None = None
    failure: str = ""


class Streamed(NamedTuple):
    """What a command writes piece by piece, once the parser is done: an interruption there is not its business."""

    write: Callable[[], None]


def tables(shown: Sequence["Table"], format_: str, output: str | None, failure: str = "") -> Printed:
    """Return tables as a person reads them, drawn or as markdown."""
    from tcost.report.tables import draw, markdown

    if format_ == "markdown":
        return Printed(markdown(shown), output, failure)
    if output is not None:
        return Printed(draw(shown), output, failure)
    return Printed(draw(shown, color=use_color(), width=terminal_width()), None, failure)


def reconcile_command(specs: Sequence[str], contexts: Sequence[int], settings: Any) -> str:
    """Return the command that says why a comparison is another under `paper`; SPEC where there are many."""
    from shlex import quote

    words = ["tcost reconcile", quote(specs[0]) if len(specs) == 1 else "SPEC", "--from paper --to exact"]
    if len(contexts) == 1:
        words.append(f"--context {contexts[0]}")
    if settings.encoder_context is not None:
        words.append(f"--encoder-context {settings.encoder_context}")
    words += [f"--batch {settings.batch}"] * (settings.batch != 1)
    words += ["--no-errata"] * (not settings.errata)
    return " ".join(words)
