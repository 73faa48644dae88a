"""What the command line says of itself: its commands, and the words that shells complete."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from inspect import signature
from pathlib import Path
from typing import Any, get_args, get_type_hints

from typer.main import get_command

from tcost import completion
from tcost.cli import app, asked_of, command_of
from tcost.commands import MODES, NAMES, modes_of
from tcost.commands.list import LISTINGS
from tcost.completion import FILE
from tcost.cost.measures import MEASURES
from tcost.documents.schema import SCHEMAS
from tcost.importers import FAMILIES
from tcost.importers.heads import LANGUAGE
from tcost.optimizers import OPTIMIZERS
from tcost.spec import ModelSpec

Titles = dict[str, str]

GROUP: Any = get_command(app)

COMMANDS: dict[str, Any] = {name: command_of(name) for name in NAMES}
"""The commands by their names, in the order of the help page, then the modes of some."""

HEADS = (
    *("ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering", "ForMultipleChoice"),
    "ForNextSentencePrediction",
)
"""What the names of classes with another head end in."""

WORDS = Path(completion.__file__).parent / "words.tsv"


def _keys() -> list[str]:
    """Return the keys of a spec that are whole numbers, those inside its parts, and batch."""
    schema = ModelSpec.model_json_schema()
    found = []
    for key, field in schema["properties"].items():
        for each in field.get("anyOf", [field]):
            if each.get("type") == "integer":
                found.append(key)
            elif "$ref" in each:
                part = schema["$defs"][each["$ref"].rpartition("/")[2]]["properties"]
                found += [f"{key}.{inner}" for inner, its in part.items() if its.get("type") == "integer"]
    return [*found, "batch"]


VALUES: dict[str, Callable[[], Titles]] = {
    "COMMAND": lambda: {name: title(name) for name in NAMES if name not in MODES},
    **dict.fromkeys(("BASE", "HEAD", "SPEC"), lambda: {**LISTINGS["specs"](), FILE: ""}),
    "LAYER": LISTINGS["layers"],
    "DOCUMENT": lambda: dict.fromkeys(SCHEMAS, ""),
    "RULE": LISTINGS["algos"],
    "CONVENTION": LISTINGS["conventions"],
    "OPTIMIZER": lambda: {name: optimizer.source for name, optimizer in OPTIMIZERS.items()},
    "MEASURE": lambda: dict.fromkeys(MEASURES, ""),
    **dict.fromkeys(("MEASURE=AMOUNT", "MEASURE=PERCENT"), lambda: dict.fromkeys((f"{m}=" for m in MEASURES), "")),
    "KEY": lambda: dict.fromkeys(_keys(), ""),
    "KEY=VALUES": lambda: dict.fromkeys((f"{key}=" for key in _keys()), ""),
    **dict.fromkeys(("CONFIG", "FILE", "PATH"), lambda: {FILE: ""}),
    "FAMILY": lambda: dict.fromkeys(FAMILIES, ""),
    "CLASS": lambda: dict.fromkeys((*LANGUAGE, *HEADS, "Model"), ""),
    **dict.fromkeys(("ADDRESS", "BYTES", "FIELD", "I/N", "N"), dict),
    "chunked:N": lambda: {"chunked:": ""},
}
"""The words that may stand for a value in capitals of a help page, and what they mean."""


def title(name: str) -> str:
    """Return what a command does, in a sentence."""
    return str(COMMANDS[name].get_short_help_str(200))


def words() -> str:
    """Return the list of words that `tcost.completion` reads."""
    rows = [("tcost", "COMMAND", "COMMAND", ""), *(row for name in ("tcost", *NAMES) for row in _rows(name))]
    taken = {
        value
        for _, _, takes, _ in rows
        for value in takes.removesuffix("...").split("|")
        if value and not value.islower()
    }
    for value in sorted(taken):
        if value not in VALUES:
            raise LookupError(f"a help page has {value}: say in VALUES of tests/commands.py which words it stands for")
        rows += [(value, word, "", meaning) for word, meaning in VALUES[value]().items()]
    return "".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in rows)


def parameters(name: str) -> list[Any]:
    """Return the arguments and options of a command, and of `tcost` itself."""
    top = GROUP.make_context("tcost", [], resilient_parsing=True)
    if name == "tcost":
        return list(GROUP.get_params(top))
    return list(COMMANDS[name].get_params(COMMANDS[name].make_context(name, [], parent=top, resilient_parsing=True)))


def _rows(name: str) -> Iterator[tuple[str, str, str, str]]:
    for param in parameters(name):
        takes = _takes(name, param)
        if getattr(param, "hidden", False):
            continue
        if param.param_type_name == "argument":
            yield name, param.metavar, takes, param.help
        elif param.is_flag:
            yield from (
                (name, max(opts, key=len), "", param.help) for opts in (param.opts, param.secondary_opts) if opts
            )
        else:
            yield name, " ".join(sorted(param.opts, key=len, reverse=True)), takes, param.help
    for word in modes_of(name):
        yield name, word, "", title(f"{name} {word}")


def _takes(name: str, param: Any) -> str:
    """Return what a parameter takes: one of few words, or the name of a value as its help has it."""
    value = "|".join(choices_of(name, param)) or str(param.metavar).removesuffix("...")
    return f"{value}..." if getattr(param, "multiple", False) or param.nargs == -1 else value


def choices_of(name: str, param: Any) -> list[str]:
    """Return the words that a parameter takes, where there are few."""
    return [word for each in kinds_of(name, param) if issubclass(each, StrEnum) for word in each]


def kinds_of(name: str, param: Any) -> list[type]:
    """Return the types that a value of a parameter may have."""
    callback: Any = app.registered_callback and app.registered_callback.callback
    hints = get_type_hints(callback) if name == "tcost" else signature(asked_of(name)).parameters
    hint = hints.get(param.name, Any)
    of = getattr(hint, "annotation", hint)
    of = getattr(of, "__origin__", of)  # without what is annotated
    return [each for each in (of, *get_args(of)) if isinstance(each, type)]
