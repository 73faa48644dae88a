"""Text from a user, made safe to show."""

import re
import unicodedata

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def visible(text: str) -> str:
    """Return text with control, direction and line-break characters as escapes: a name cannot drive a terminal."""
    return "".join(
        _escape(character) if unicodedata.category(character) in _INVISIBLE else character for character in text
    )


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def csv_cell(text: str) -> str:
    """Return text that a spreadsheet will not run as a formula."""
    shown = visible(text)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) else shown


def markdown_cell(text: str) -> str:
    """Return text that stays one cell of a markdown table and starts no markup."""
    return "".join(f"\\{character}" if character in r"\`*[]<>|" else character for character in visible(text))


def pretty(formula: str) -> str:
    """Return a formula as the field writes it, `L·M²·d` for `L*M**2*d`, with spaces only where a line may end."""
    powers = re.sub(r"\*\*(\d+)", lambda match: match[1].translate(_SUPERSCRIPTS), formula)
    return powers.replace("*", "·").replace(", ", ",")
