"""What reports have in common: titles, settings, labels and notes. Nothing here computes a count."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import methodcaller
from typing import TYPE_CHECKING, TypeAlias

from tcost.cost import By, Result, Row
from tcost.exact import Size
from tcost.learning_rules import learning_rule
from tcost.report.words import HEADINGS, words_of
from tcost.settings import in_words
from tcost.text import visible
from tcost.units import grouped

if TYPE_CHECKING:
    from tcost.diff import Snapshot
    from tcost.memory import Memory
    from tcost.torch_check import TorchCheck

Measure: TypeAlias = Callable[[Row], Size]
Group: TypeAlias = tuple[str, list[Row]]

WORK: Mapping[str, Measure] = {title: methodcaller("amount", name) for name, title in HEADINGS.items()}
"""The amounts of work of a row, by what they are called."""


def title_of(result: "Result | Snapshot") -> str:
    """Return the model and the learning rule in words."""
    return f"{visible(result.spec)} under {learning_rule(result.algo).title} ({result.algo})"


def settings_of(result: "Result | Snapshot", leave_out: Sequence[str] = ()) -> str:
    """Return in words what a result depends on beside them, without what is said elsewhere."""
    return f"{in_words([result], leave_out)}, {lengths_of(result)}"


def groups_of(rows: Sequence[Row], by: By) -> list[Group]:
    """Return the rows of each layer or, under a label of its own for each layer, of each operation."""
    layers: dict[str | None, dict[str, list[Row]]] = {}
    for row in rows:
        layers.setdefault(row.layer, {}).setdefault(_operation(row), []).append(row)
    groups: list[Group] = []
    for operations in layers.values():
        members = [row for rows in operations.values() for row in rows]
        label = layer_of(members[0]) + _mark(members)
        if by == "operation":
            groups += [(label, []), *operations.items()]
        else:
            groups.append((label, members))
    return groups


def layer_of(row: Row) -> str:
    """Return the layer of a row, and of how many copies it is."""
    return f"{row.layer} × {row.repeats}" if row.repeats != 1 else str(row.layer)


def _operation(row: Row) -> str:
    kind = "" if str(row.kind) in str(row.operation) else f" ({row.kind})"
    return f"  {row.operation}{kind}{_mark([row])}"


def _mark(rows: Sequence[Row]) -> str:
    return " *" if _notes(rows) else ""


def _notes(rows: Sequence[Row]) -> list[str]:
    """Return what sets rows apart together: nothing where it is only some of them."""
    return [row.note for row in rows] if all(row.note for row in rows) else []


def context_of(result: "Result | Snapshot | TorchCheck", encoder: str) -> str:
    """Return the context, and that of the encoder, where there is one, in the form of `encoder`."""
    second = encoder.format(length(result.encoder_context)) if result.encoder_context else ""
    return f"{length(result.context)}{second}"


def length(size: Size) -> str:
    """Return a length as it is read, or its letter."""
    return grouped(size) if isinstance(size, int) else str(size)


def lengths_of(result: "Result | Snapshot") -> str:
    """Return the context, and that of the encoder, in words: which of them are the spec's own, and what changes that.

    An encoder's that follows the context which was asked for is not the spec's own.
    """
    follows = "context" in result.overrides and result.encoder_context == result.context
    own = {"--context": "context" not in result.overrides and isinstance(result.context, int)}
    own["--encoder-context"] = bool(
        result.encoder_context and "encoder_context" not in result.overrides and not follows
    )
    options = ", ".join(option for option, is_own in own.items() if is_own)
    whose = f" (the spec's; {options})" if options else ""
    return f"context {context_of(result, ', encoder context {}')}{whose}"


def notes_of(results: Sequence[Result]) -> tuple[str, ...]:
    """Say once what the convention leaves out, and what each erratum of the results is."""
    not_counted = f"not counted: {', '.join(results[0].not_counted)}"
    return (*of_models(results), *foreign_kinds(results), not_counted, *slips_of(results))


def of_models(results: "Sequence[Result | Snapshot]") -> tuple[str, ...]:
    """Say once what a reader should know of each model."""
    return tuple(dict.fromkeys(visible(f"{each.spec}: {note}") for each in results for note in each.notes))


def foreign_kinds(results: Sequence[Result]) -> tuple[str, ...]:
    """Say in one line, or none, which kinds of operation the convention's model does not have."""
    foreign = ", ".join(dict.fromkeys(words_of(kind) for each in results for kind in each.priced_as_exact))
    return (f"not in the {results[0].convention}'s model, priced as in exact: {foreign}",) if foreign else ()


def slips_of(items: "Iterable[Result | Memory | Snapshot]") -> tuple[str, ...]:
    """Say once what each slip in the published totals of some work, or of stored activations, is."""
    return tuple(dict.fromkeys(f"{layer}: {slip}" for each in items for layer, slip in each.slips))
