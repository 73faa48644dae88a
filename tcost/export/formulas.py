"""Closed forms and explanations for machines."""

from typing import Any

from tcost.explain import Explained, Explanation
from tcost.export import OPTION_FIELDS, RESULT_FIELDS, errata_of
from tcost.export.documents import AMOUNT_FIELDS, document, fields
from tcost.formulas import Formulas, Part, python_text, shortest

SYMBOL_FIELDS = ("name", "meaning", "key", "value")
OPERATION_FIELDS = (
    *("layer", "operation", "kind", "phase", "pattern", "axes", "copies", "runs", "times"),
    *("derivation", "citation", "nothing"),
)


def formulas_to_json(found: Formulas) -> str:
    """Return closed forms as JSON: Python that is exact in integers, in the letters of `symbols`."""
    result = found.result
    letters = {name: _size(value) for name, value in fields(result, (*RESULT_FIELDS, *OPTION_FIELDS)).items()}
    return document(
        formulas={
            **letters,
            "symbols": [fields(symbol, SYMBOL_FIELDS) for symbol in found.symbols],
            "parts": [_part(part) for part in found.parts],
            "not_counted": result.not_counted,
            "priced_as_exact": list(result.priced_as_exact),
            "errata": errata_of(result.slips),
        }
    )


def explanation_to_json(explanation: Explanation) -> str:
    """Return what operations execute as JSON: counts of one copy, run and sequence, and the sums of all."""
    result = explanation.result
    return document(
        explanation={
            **fields(result, (*RESULT_FIELDS, *OPTION_FIELDS)),
            "symbols": [fields(symbol, SYMBOL_FIELDS) for symbol in explanation.symbols],
            "documentation": explanation.documentation,
            "operations": [_operation(each) for each in explanation.operations],
            "not_counted": result.not_counted,
            "priced_as_exact": list(result.priced_as_exact),
        }
    )


def _operation(explained: Explained) -> dict[str, Any]:
    counts = [
        {
            "scalar": each.scalar,
            "formula": python_text(shortest(each.formula)),
            "count": each.number,
            "flop_each": each.price,
        }
        for each in explained.counts
    ]
    return fields(explained, OPERATION_FIELDS) | {"counts": counts} | fields(explained.amount, AMOUNT_FIELDS)


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
