"""What a shell offers for a word that is being typed, from a list of words: none of the libraries is loaded.

`words.tsv` is what the command line says of itself, in four columns: where a word may stand (after a command, or where
a value is taken, by its name in help pages), the word with its other names, what it takes (`RULE`, `RULE...` for
several, `full|half` for one of these), and what it means. An argument of a command is a row, too: `SPEC` stands after
`compute` and takes a `SPEC`. `python tests/readme.py` makes the list.
"""

import os

FILE = "FILE"
"""The word that stands for the name of any file; the shell knows which there are."""

TYPE_CHECKING = False  # as in tcost/__init__.py
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Row = tuple[list[str], str, str]
    Table = dict[str, list[Row]]

NOTHING: "Row" = ([], "", "")
"""A row that nothing stands in."""


def script(shell: str) -> str:
    """Return what bash, zsh or fish reads to complete the words of tcost."""
    return _read(f"tcost.{shell}")


def complete(words: "Sequence[str]") -> str:
    """Return a line for each word that may stand in the place of the last one: the word, a tab, what it means.

    The words are those after `tcost` up to the one that is being typed, which may be empty.
    """
    if not words:
        return ""
    known = table()
    *before, current = _apart(words)
    command = next((word for word in before if word in words_of(known, "COMMAND")), "tcost")
    before = before[before.index(command) + 1 :] if command in before else before
    mode = next((word for word in before if f"{command} {word}" in known), None)
    if mode:
        command = f"{command} {mode}"
        before.remove(mode)
    takes, values, left = _behind(known, command, before)
    needs_value = takes != "" and not values
    if takes.endswith("..."):
        *given, current = current.split(",")
        values += given
    argument = "" if needs_value else next((row[1] for row in left if not is_option(row[0][0])), "")
    rows = [row for each in (takes, argument) for row in _taken(known, each)]
    if not needs_value and (is_option(current) or not (takes or argument)):
        rows = [row for row in left if is_option(row[0][0])]
    offered = [(names[0], meaning) for names, _, meaning in rows if names[0] not in values]
    head = words[-1][: len(words[-1]) - len(current)]
    return "".join(
        f"{word if word == FILE else head + word}\t{meaning}\n"
        for word, meaning in offered
        if word == FILE or word.startswith(current)
    )


def _behind(known: "Table", command: str, before: "Sequence[str]") -> "tuple[str, list[str], list[Row]]":
    """Return what may stand behind some words: what their last option takes, its values so far, and the rows left.

    What an option takes is empty where none does, or where it has the one value that it takes.
    """
    takes, values, left = "", list[str](), list(known[command])
    for word in before:
        argument = next((row for row in left if not is_option(row[0][0])), NOTHING)
        is_further = takes.endswith("...") and not is_option(word) and not _is_argument(known, argument, takes, word)
        if takes and (not values or is_further):
            values += word.split(",")
            takes = takes if takes.endswith("...") else ""
            continue
        used = next((row for row in left if word in row[0]), NOTHING) if is_option(word) else argument
        takes, values = used[1] if is_option(word) else "", []
        left = [row for row in left if row is not used or row[1].endswith("...")]
    return takes, values, left


def _is_argument(known: "Table", argument: "Row", takes: str, word: str) -> bool:
    """Tell an argument from a further value of a list option."""
    is_path = word == "-" or "/" in word or word.endswith((".yaml", ".yml", ".json"))
    return is_path or (word in words_of(known, argument[1]) and word not in words_of(known, takes))


def _taken(known: "Table", takes: str) -> "Iterator[Row]":
    """Yield the rows of what is taken: `SPEC|LAYER` is both, `table|json` are the words themselves."""
    for each in takes.removesuffix("...").split("|"):
        yield from known.get(each, [([each], "", "")] if each.islower() else [])


def words_of(known: "Table", takes: str) -> list[str]:
    """Return the words that an option of that kind takes."""
    return [names[0] for names, *_ in _taken(known, takes)]


def table() -> "Table":
    """Return the rows of the list of words, by where they stand."""
    rows: Table = {}
    for line in _read("words.tsv").splitlines():
        where, names, takes, meaning = line.split("\t")
        rows.setdefault(where, []).append((names.split(), takes, meaning))
    return rows


def _apart(words: "Sequence[str]") -> "Iterator[str]":
    """Yield words, an option and the value behind its `=` as two."""
    for word in words:
        name, equals, value = word.partition("=")
        yield from (name, value) if equals and is_option(word) else (word,)


def is_option(word: str) -> bool:
    """Tell an option from a value; `-` is standard input."""
    return word.startswith("-") and word != "-"


def _read(name: str) -> str:
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return file.read()
