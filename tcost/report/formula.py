"""Closed forms as a table, as a module of Python and as LaTeX."""

import textwrap
from collections.abc import Iterable
from dataclasses import replace

from tcost import __version__
from tcost.formulas import Formulas, Part, Quantity
from tcost.formulas.writing import latex_letter, latex_text, letter_text, python_text, shortest, value_of
from tcost.report import notes_of, settings_of, title_of
from tcost.report.tables import GAP, WIDTH, Section, Table, legend
from tcost.report.words import HEADINGS, Format, format_of, words_of
from tcost.symbols import Symbol
from tcost.text import pretty, visible

CODE_WIDTH = 100

FORMULA = 2
"""The column of the formulas."""

NARROWEST = 40
"""Columns of a formula, whatever else there is."""


def formulas_tables(found: Formulas, *, integers: bool = False) -> list[Table]:
    """Return closed forms as a table for each part: a line per measure, with its value where sizes have one."""
    amount = format_of(integers=integers)
    has_values = all(each.value is not None for each in found.symbols)
    tables = [_table(found, part, amount if has_values else None) for part in found.parts]
    return [*(replace(table, notes=()) for table in tables[:-1]), tables[-1]]


def _table(found: Formulas, part: Part, amount: Format | None) -> Table:
    lines = tuple(_lines(part, found.symbols, amount))
    taken = [max(map(len, cells)) + GAP for index, cells in enumerate(zip(*lines, strict=True)) if index != FORMULA]
    return Table(
        title=title_of(found.result),
        settings="\n".join([settings_of(found.result), *copies_of(part)]),
        columns=("", "", "formula", *(["value"] if amount else [])),
        sections=(Section(lines),),
        notes=tuple(filter(None, (legend(found.symbols), *notes_of([found.result])))),
        text_columns=FORMULA + 1,
        text_width=max(NARROWEST, WIDTH - sum(taken) - GAP),
        goes=((FORMULA + 1,),) if amount else (),
    )


def _lines(part: Part, symbols: tuple[Symbol, ...], amount: Format | None) -> Iterable[tuple[str, ...]]:
    """Return the cells of each quantity; the totals of a single phase are its own."""
    shown, phases = "", {each.phase for each in part.quantities if each.phase}
    for each in part.quantities:
        if each.phase is None and each.measure in HEADINGS and len(phases) == 1:
            continue
        label = phase_of(each)
        formula = pretty(letter_text(shortest(each.expression)))
        value = (amount(value_of(each.expression, symbols)),) if amount else ()
        yield (label if label != shown else "", HEADINGS.get(each.measure, ""), formula, *value)
        shown = label


def phase_of(quantity: Quantity) -> str:
    """Return the phase of a quantity with its runs, `total` for all of them, or what is not of a phase."""
    if quantity.phase is None:
        return "total" if quantity.measure in HEADINGS else words_of(quantity.measure)
    often = f" × {quantity.runs}" if quantity.runs != 1 else ""
    return f"{words_of(quantity.phase)}{often}"


def copies_of(part: Part) -> list[str]:
    """Return each layer of a part, and of how many of its copies the closed forms are."""
    return [
        layer.path if layer.copies == 1 else f"{layer.path}: {'one' if part.is_one_copy else 'all'} of {layer.copies}"
        for layer in part.layers
    ]


def python_module(found: Formulas) -> str:
    """Return closed forms as a module of functions, whose arguments are the keys of a spec and default to its sizes.

    Integers give exact integers. A function is named after its phase and measure, `forward_macc`, and where
    there are several layers after its layer.
    """
    arguments = {each.name: each.key.rpartition(".")[2] for each in found.symbols}
    given = [arguments[each.name] + (f"={each.value}" if each.value is not None else "") for each in found.symbols]
    letters = ", ".join(f"{letter} = {name}" for letter, name in arguments.items())
    comments = [*_facts(found), *([f"letters: {letters}"] if letters else [])]
    lines = [f"# {line}" for comment in comments for line in textwrap.wrap(comment, CODE_WIDTH - 2)]
    for part in found.parts:
        prefix = f"{part.layers[0].path}.".replace(".", "_") if len(found.parts) > 1 else ""
        if part.layers:
            lines += ["", "", *(f"# {copies}" for copies in copies_of(part))]
        for each in part.quantities:
            lines += ["", "", *_bracketed(f"def {prefix}{each.name}(", ", ".join(given), "):", "")]
            lines += _bracketed("return ", python_text(shortest(each.expression), arguments), "", "    ")
    return "\n".join(lines) + "\n"


def _facts(found: Formulas) -> list[str]:
    """Return what closed forms are of, and what they depend on."""
    derived = f"{title_of(found.result)}: closed forms, derived by tcost {__version__}"
    return [derived, settings_of(found.result), *notes_of([found.result])]


def _bracketed(start: str, text: str, end: str, indent: str) -> Iterable[str]:
    """Return a line of Python, or several with the text between brackets."""
    line = f"{indent}{start}{text}{end}"
    if len(line) <= CODE_WIDTH:
        return [line]
    inner = textwrap.wrap(text, CODE_WIDTH - 4 - len(indent), break_long_words=False, break_on_hyphens=False)
    opening, closing = (start, end) if end else (f"{start}(", ")")
    return [f"{indent}{opening}", *(f"{indent}    {part}" for part in inner), f"{indent}{closing}"]


def latex(found: Formulas) -> str:
    """Return closed forms as LaTeX to paste: an aligned display for each part, one line per quantity."""
    lines = [f"% {visible(fact)}" for fact in _facts(found)]
    for each in found.symbols:
        value = "" if each.value is None else f" = {each.value}"
        lines.append(f"% ${latex_letter(each.name)}$: {each.meaning}{value}")
    for part in found.parts:
        lines += [f"% {copies}" for copies in copies_of(part)]
        rows = [
            f"{_left_side(each)} &= {latex_text(shortest(each.expression), found.symbols)}" for each in part.quantities
        ]
        lines += [r"\[", r"\begin{aligned}", " \\\\\n".join(rows), r"\end{aligned}", r"\]"]
    return "\n".join(lines) + "\n"


def _left_side(quantity: Quantity) -> str:
    measure = quantity.measure.upper() if quantity.measure in HEADINGS else quantity.measure
    return _upright(measure) + (f"_{{{_upright(quantity.phase)}}}" if quantity.phase else "")


def _upright(name: str) -> str:
    words = name.replace("_", r"\ ")
    return rf"\mathrm{{{words}}}"
