"""How pictures look: readable in black and white, the same on every machine."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import text_to_path

from tcost.errors import part_of
from tcost.kinds import PHASES, Phase
from tcost.learning_rules import LEARNING_RULES
from tcost.text import visible

WIDTH = 7.2
"""Inches: two columns of a journal, or a page with its margins."""

TITLE, LABEL, TICK, CAPTION = 9, 8, 7, 6.5
"""Points of the texts."""

POINTS = 72
"""Points of an inch."""

STYLE: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": LABEL,
    "axes.titlesize": LABEL,
    "axes.labelsize": TICK,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.88",
    "grid.linewidth": 0.5,
    "xtick.labelsize": TICK,
    "ytick.labelsize": TICK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "legend.fontsize": TICK,
    "legend.frameon": False,
    "legend.borderpad": 0,
    "legend.borderaxespad": 0,
    "legend.handlelength": 3.2,  # a whole period of every dash pattern
    "hatch.linewidth": 0.5,
    "lines.linewidth": 1.3,
    "lines.markersize": 4,
    "text.hinting": "none",  # texts as wide as they are measured
    "text.parse_math": False,  # a name may have dollar signs
    "pdf.fonttype": 42,  # TrueType, which journals ask for and which can be searched
    "svg.fonttype": "path",  # shapes: a viewer without the font would set the text wider than its place
    "svg.hashsalt": "tcost",  # the same identifiers in every run
}


@dataclass(frozen=True)
class Line:
    """How a learning rule is drawn."""

    color: str
    dashes: Any
    marker: str


LINES = (
    Line("#000000", "solid", "o"),
    Line("#D55E00", (0, (5, 1.6)), "s"),
    Line("#56B4E9", (0, (6, 1.6, 1.2, 1.6)), "^"),
    Line("#0072B2", (0, (1.2, 1.4)), "D"),
    Line("#E69F00", (0, (8, 1.6, 1.2, 1.4, 1.2, 1.6)), "v"),
    Line("#009E73", (0, (3, 3)), "X"),
)
"""A line per learning rule, in the order of the rules: the palette of Okabe & Ito 2008, which colour-blind people can
tell apart, neighbours as far apart in grey as it allows."""

FILLS = (("0.93", ""), ("0.72", "////"), ("0.50", ""), ("0.86", "...."), ("0.62", "xxxx"), ("0.15", ""))
"""Grey and hatch per phase, in the order of the phases."""


def line_of(algo: str) -> Line:
    """Return how a learning rule is drawn: the same in every picture. Raises UnfinishedError without a line for it."""
    lines = dict(zip(LEARNING_RULES, LINES, strict=False))  # there are more lines than rules
    return part_of(lines, "learning rule", algo, "line", "LINES of plot/style.py")


def fill_of(phase: Phase) -> dict[str, Any]:
    """Return how the bars of a phase are filled: the same in every picture. Raises UnfinishedError without a fill."""
    fills: dict[str, tuple[str, str]] = dict(zip(PHASES, FILLS, strict=False))
    grey, hatch = part_of(fills, "phase", phase, "fill", "FILLS of plot/style.py")
    return {"facecolor": grey, "hatch": hatch, "edgecolor": "black", "linewidth": 0.5}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw and write with the settings of this file and the defaults of matplotlib, whatever the user's are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def shown(text: str) -> str:
    """Return text as it can be drawn: what is invisible, or not in the font, as escapes."""
    font = get_font(findfont(FontProperties(family=STYLE["font.family"])))
    return "".join(
        character if font.get_char_index(ord(character)) else character.encode("unicode_escape").decode()
        for character in visible(unicodedata.normalize("NFC", text))
    )


def width_of(text: str, size: float, weight: str = "normal") -> float:
    """Return the width of a text in points."""
    font = FontProperties(family=STYLE["font.family"], size=size, weight=weight)
    width: float = text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]
    return width


def wrapped(text: str, size: float, width: float, weight: str = "normal") -> list[str]:
    """Return a text in lines of so many points, all but the first indented; a word that is longer is cut."""
    indent = "  "
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1].strip() else f"{lines[-1]}{word}"
        if width_of(longer, size, weight) <= width:
            lines[-1] = longer
            continue
        if lines[-1].strip():
            lines.append(indent)
        for character in word:
            if width_of(lines[-1] + character, size, weight) > width:
                lines.append(indent)
            lines[-1] += character
    return lines
