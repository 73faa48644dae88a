"""What `tcost explain --formula` writes."""

from typing import Any, Literal

from tcost.documents.parts import Document, Named, Slip
from tcost.documents.writing import Left, as_json, content, part
from tcost.formulas import Formulas as Found
from tcost.formulas import Part, python_text, shortest
from tcost.kinds import Phase
from tcost.settings import Settings


@part
class ValuedSymbol:
    """A letter of formulas."""

    name: str
    """The letter."""
    meaning: str
    """What it stands for."""
    value: int | None
    """Its value here; null where there is no spec."""


@part
class Symbol(ValuedSymbol):
    """A letter of formulas, with where it comes from."""

    key: str
    """Its key in a spec, or batch; empty for what stands in formulas in other words."""


@part
class Forms:
    """Closed forms, as Python that is exact in integers."""

    macc: str
    """Of the MACCs."""
    flop: str
    """Of the FLOPs."""
    parameters: Left[str]
    """Of the learned parameters; under `total` alone."""
    active_parameters: Left[str]
    """Of those that one token uses; where they are not all."""
    trained_parameters: Left[str]
    """Of those that are trained; where they are not all."""


@part
class Copies:
    """A layer, and how many of it the model has."""

    layer: str
    """Its path."""
    copies: int | str
    """How many, as a number or in letters."""


@part
class FormulaPart:
    """The closed forms of a whole model, which names no layers, or of layers whose closed forms are equal."""

    layers: list[Copies]
    """Those layers."""
    one_copy: bool
    """Whether the forms are of one copy, or of all together."""
    formulas: dict[Literal[Phase, "total"], Forms]
    """The forms of each phase, and of all together."""


@part
class Formulas(Settings, Named):
    """Closed forms of a training step, and what they depend on."""

    context: int | str
    """Length of what the model reads or writes, as a number or in letters."""
    encoder_context: int | str | None
    """Length of what an encoder-decoder's encoder reads, likewise; null for other models."""
    batch: int | str
    """Sequences per training step, likewise."""
    symbols: list[Symbol]
    """The letters that occur."""
    parts: list[FormulaPart]
    """The closed forms."""
    not_counted: list[str]
    """What the convention leaves out, in words."""
    priced_as_exact: list[str]
    """Kinds of operation that the convention's model does not have, priced as convention `exact` does."""
    slips: list[Slip]
    """The slips in published totals that are counted."""


@part
class FormulaDocument(Document):
    """What `tcost explain --formula` writes."""

    formulas: Formulas
    """The closed forms."""


def to_json(found: Found) -> str:
    """Return closed forms as JSON: Python that is exact in integers, in the letters of `symbols`."""
    sizes = {name: _size(getattr(found.result, name)) for name in ("context", "encoder_context", "batch")}
    parts = list(map(_part, found.parts))
    return as_json(
        FormulaDocument, formulas=content(Formulas, found.result, **sizes, symbols=found.symbols, parts=parts)
    )


def _part(part: Part) -> dict[str, Any]:
    """Return the closed forms of a part by phase and measure, those of all phases under `total`."""
    phases: dict[str, dict[str, str]] = {}
    for each in part.quantities:
        phases.setdefault(each.phase or "total", {})[each.measure] = python_text(shortest(each.expression))
    return {
        "layers": [{"layer": layer.path, "copies": _size(layer.copies)} for layer in part.layers],
        "one_copy": part.is_one_copy,
        "formulas": phases,
    }


def _size(size: Any) -> Any:
    """Return a size as a number where it is one, else in letters."""
    if size is None or isinstance(size, int):
        return size
    return int(size) if size.is_Integer else python_text(size)
