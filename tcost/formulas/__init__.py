"""Closed forms: what a training step, or a layer of it, costs in the letters of the field.

No formula is written here. The layers that the counts come out of are called with SymPy symbols for sizes
(`tcost.symbols`), and what comes out is put into shape.
"""

from tcost.formulas.closed_forms import Formulas, Part, Quantity, formulas
from tcost.formulas.lettering import in_letters_of
from tcost.formulas.naming import layers_named, not_found, not_run
from tcost.formulas.writing import python_text, shortest, value_of

__all__ = [
    "Formulas",
    "Part",
    "Quantity",
    "formulas",
    "in_letters_of",
    "layers_named",
    "not_found",
    "not_run",
    "python_text",
    "shortest",
    "value_of",
]
