"""What tcost says when the input is wrong."""

TYPE_CHECKING = False  # as in __init__.py
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import TypeVar

    Part = TypeVar("Part")


class InputError(ValueError):
    """Input that tcost cannot use: the message says what, where, and what would be right.

    The command line prints it on standard error and exits with status 2.
    """


class GateError(Exception):
    """A result that is not as it should be: it does not verify. The command line exits with status 1."""


class UnfinishedError(LookupError):
    """A bug of ours: something that tcost knows by name lacks a part of it, which the message names, with its place."""


class Terminated(SystemExit):
    """SIGTERM: the process cleans up behind itself and exits with status 143."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in what can be gone on with: the message says how. The command line exits with status 130."""


def nearest(word: str, known: "Collection[str]") -> str | None:
    """Return the known word that `word` most looks like, or None when none is close."""
    import difflib  # 5 ms: loaded only when there is something to complain about

    matches = difflib.get_close_matches(word.lower(), known, n=1)
    return matches[0] if matches else None


def unknown(what: str, word: str, known: "Collection[str]") -> InputError:
    """Return the error for a `word` that is not a known `what`: it names them all and suggests one."""
    close = nearest(word, known)
    suggestion = f"; did you mean '{close}'?" if close else ""
    return InputError(f"unknown {what} '{word}'{suggestion}\nknown: {', '.join(known)}")


def part_of(parts: "Mapping[str, Part]", what: str, name: str, part: str, place: str) -> "Part":
    """Return the part that something of tcost's own has in a table, such as the kernel of a kind of operation.

    Raises UnfinishedError where it is missing: a `what` of that name has no `part`, which belongs in `place`.
    """
    if name not in parts:
        raise UnfinishedError(f"{what} '{name}' has no {part}: it belongs in {place}")
    return parts[name]
