"""Closed forms as text: in letters, as Python in the names of a spec's keys, as LaTeX."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tcost.symbols import DEPTHS, ONE_STACK, SYMBOLS, Symbol, algebra

FACTORED_TERMS = 12
"""Terms of a sum that is searched for factors of several terms."""

DEPTH_LETTERS = {ONE_STACK[0], *(SYMBOLS[key][0] for key in DEPTHS)}


def shortest(expression: Any) -> Any:
    """Return a SymPy expression in the form that takes the fewest characters; in one letter, by its powers.

    The forms are: expanded, factored, and by depths with factored coefficients.
    """
    sympy = algebra()
    expanded = sympy.expand(expression)
    if len(expanded.free_symbols) == 1:
        return expanded
    depths = [each for each in expanded.free_symbols if str(each) in DEPTH_LETTERS]
    forms = [expanded, _factored(expanded), sympy.collect(expanded, depths, _factored)]
    return min(forms, key=lambda form: len(str(form)))


def _factored(expanded: Any) -> Any:
    """Return a sum as a product: of what its terms have in common and, where they are few, of its contents.

    SymPy's `factor` finds more, but tries values at random, which of many letters now and then takes minutes.
    """
    sympy = algebra()
    common = sympy.factor_terms(expanded)
    if len(expanded.args) > FACTORED_TERMS or expanded.has(sympy.Min):
        return common
    above, below = sympy.fraction(sympy.together(common))
    divisor, product = below.as_coeff_Mul()
    number, factors = 1 / divisor, [1 / product]
    for factor in sympy.Mul.make_args(above):
        own_number, own_factors = _contents(factor) if factor.is_Add else (1, [factor])
        number, factors = number * own_number, factors + own_factors
    own_number, product = sympy.Mul(*factors).as_coeff_Mul()
    if number * own_number == 1:
        return product
    return sympy.Mul(number * own_number, *sympy.Mul.make_args(product), evaluate=False)  # so that 2·(M + N) stays one


def _contents(polynomial: Any) -> tuple[Any, list[Any]]:
    """Return a sum's integer factor, and as factors its contents: what is without one of its letters.

    A term alone in its power of a letter leaves no content but a monomial, which is taken out before.
    """
    sympy = algebra()
    letters = sorted(polynomial.free_symbols, key=str)
    powers = [powers for powers, _ in sympy.Poly(polynomial, *letters).terms()]
    for index, letter in enumerate(letters):
        if min(Counter(each[index] for each in powers).values()) == 1:
            continue
        content = sympy.gcd_list(sympy.Poly(polynomial, letter).all_coeffs())
        if content.free_symbols:
            first, second = _contents(content), _contents(sympy.quo(polynomial, content))
            return first[0] * second[0], first[1] + second[1]
    number, primitive = polynomial.primitive()
    return number, [primitive]


def python_text(expression: Any, names: Mapping[str, str] | None = None) -> str:
    """Return an expression as Python that is exact in integers, with other names for some of its letters.

    Its one division is the last operation, and leaves nothing over for sizes that a model may have.
    """
    sympy = algebra()
    letters = {str(each): each for each in expression.free_symbols}
    named = expression.subs({letters[old]: sympy.Symbol(new) for old, new in (names or {}).items() if old in letters})
    above, below = sympy.fraction(sympy.together(named))
    if below == 1:
        text = letter_text(named)
        return text if "/" not in text else letter_text(above)
    return f"{_bracketed(above, unless=not above.is_Add)} // {_bracketed(below, unless=below.is_Atom)}"


def _bracketed(expression: Any, *, unless: bool) -> str:
    text = letter_text(expression)
    return text if unless else f"({text})"


def letter_text(expression: Any) -> str:
    """Return an expression as SymPy writes it, with Python's names for its functions: `M*d**2/h`, `min(M, w)`."""
    return str(expression).replace("Min(", "min(").replace("Max(", "max(")


def latex_text(expression: Any, symbols: Sequence[Symbol]) -> str:
    """Return an expression as LaTeX, the letters as `latex_letter` writes them."""
    letters = {str(each): each for each in expression.free_symbols}
    names = {letters[each.name]: latex_letter(each.name) for each in symbols if each.name in letters}
    return str(algebra().latex(expression, symbol_names=names))


def latex_letter(name: str) -> str:
    r"""Return a letter as LaTeX: `L_dec` is `L_{\mathrm{dec}}`."""
    letter, _, index = name.partition("_")
    return rf"{letter}_{{\mathrm{{{index}}}}}" if index else letter


def value_of(expression: Any, symbols: Sequence[Symbol]) -> int:
    """Return what an expression is at the symbols' values, exactly."""
    letters = {str(each): each for each in expression.free_symbols}
    value = expression.subs({letters[each.name]: each.value for each in symbols if each.name in letters})
    if not value.is_Integer:
        raise ValueError(f"{expression} is {value}, which is no whole number")
    return int(value)
