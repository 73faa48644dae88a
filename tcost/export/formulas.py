"""Closed forms for machines."""

from typing import Any

from tcost.export import OPTION_FIELDS, RESULT_FIELDS, _document, _errata, _fields
from tcost.formulas import Formulas, Part, python_text, shortest


def formulas_to_json(found: Formulas) -> str:
    """Return closed forms as JSON: Python that is exact in integers, in the letters of `symbols`."""
    result = found.result
    letters = {name: _size(value) for name, value in _fields(result, (*RESULT_FIELDS, *OPTION_FIELDS)).items()}
    return _document(
        formulas={
            **letters,
            "symbols": [_fields(symbol, ("name", "meaning", "key", "value")) for symbol in found.symbols],
            "parts": [_part(part) for part in found.parts],
            "not_counted": result.not_counted,
            "priced_as_exact": list(result.priced_as_exact),
            "errata": _errata(result.errata),
        }
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
    if size is None or isinstance(size, int | str):
        return size
    return int(size) if size.is_Integer else python_text(size)
