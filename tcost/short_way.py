"""The short way: a command line that is as the list of words says goes to its command without the parser.

The list is the one that shells complete (`tcost.completion`), made of what the commands offer. Nothing is guessed: for
a word that is not in it, a value that is none of those listed, an option that is there twice, or `--help`, there is no
answer, and the parser has its say.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tcost.commands.base import Printed, Streamed, is_spec
from tcost.commands.calling import call, module_of, offered, own_of, settings_of
from tcost.completion import is_option, table, words_of

if TYPE_CHECKING:
    from tcost.completion import Row, Table

MAX_DIGITS = 18
"""Of a number: with so many none is too large for a size."""

READ_BY_COMMANDS = ("FILE", "BYTES", "FIELD", "CLASS")
"""Values that are any text for the parser."""


class Unusual(Exception):  # noqa: N818  # nothing is wrong: the parser knows better
    """A command line that only the parser can answer."""


def answer(args: Sequence[str]) -> Printed | Streamed | None:
    """Return what a command gives, or None where the parser is to answer. Raises what the command does."""
    module = module_of(args[0])
    try:
        said = _said(args[0], args[1:])
        words = _by_parameter(module.run, said)
    except Unusual:
        return None
    return call(module.run, words, getattr(module, "UNANSWERED", {}))


class Value(NamedTuple):
    """What is said behind a flag, by its first name, or in the place of an argument, whose flag is empty."""

    flag: str
    value: Any


def _said(command: str, args: Sequence[str]) -> list[Value]:
    """Return what is said on a command line. Raises Unusual for what is not as the list says."""
    rows = table()
    flags = {name: row for row in rows[command] for name in row[0] if is_option(name)}
    argument = next(row for row in rows[command] if not is_option(row[0][0]))
    found, specs, left = list[Value](), list[str](), list(reversed(args))
    while left:
        word = left.pop()
        name, equals, value = word.partition("=")
        if not is_option(word):
            _require(is_spec(word))
            specs.append(word)
        elif name not in flags or name == "--help" or (equals and not name.startswith("--")):
            raise Unusual
        else:
            found.append(Value(name, _value(rows, flags[name], value if equals else None, left)))
    if specs:
        is_many = argument[1].endswith("...")
        _require(is_many or len(specs) == 1)
        found.append(Value("", specs if is_many else specs[0]))
    return found


def _value(rows: "Table", row: "Row", behind: str | None, left: list[str]) -> Any:
    """Return the value of an option: what stands behind its `=`, or the next words."""
    takes = row[1]
    if not takes:
        _require(behind is None)
        return True
    is_many, kind = takes.endswith("..."), takes.removesuffix("...")
    _require(bool(left) or behind is not None)
    words = [left.pop() if behind is None else behind]
    while is_many and behind is None and left and not is_option(left[-1]) and not is_spec(left[-1]):
        words.append(left.pop())
    if not is_many:
        return _one(rows, kind, words[0])
    return [_one(rows, kind, part) for word in words for part in word.split(",")]


def _one(rows: "Table", kind: str, word: str) -> Any:
    """Return one value: a number, one of the words that are listed, or a text that the command reads itself."""
    _require(bool(word) and not word.startswith("-"))
    if kind == "N":
        _require(word.isascii() and word.isdigit() and word[0] != "0" and len(word) <= MAX_DIGITS)
        return int(word)
    listed = words_of(rows, kind)
    is_begun = any(each.endswith(":") and word.startswith(each) for each in listed)
    _require(kind in READ_BY_COMMANDS or is_begun or word in listed)
    return word


def _require(is_usual: bool) -> None:  # noqa: FBT001  # as in assert
    if not is_usual:
        raise Unusual


def _by_parameter(run: Any, said: Sequence[Value]) -> dict[str, Any]:
    """Return what is said by the names that the command calls it. Raises Unusual for what is there twice, or lacks."""
    own = own_of(run)
    names = {flag: name for name, each in own.items() for flag in offered(each).flags}
    names |= {each.flag: each.name for each in settings_of(run)}
    names[""] = next(iter(own))
    found: dict[str, Any] = {}
    for flag, value in said:
        is_no = flag.startswith("--no-") and flag not in names
        name = names[flag.replace("--no-", "--") if is_no else flag]
        _require(name not in found)
        found[name] = not is_no if value is True else value
    argument = own[names[""]]
    _require(argument.name in found or argument.default is not argument.empty)
    return found
