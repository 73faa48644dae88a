"""Text from a user, made safe to show."""

import re
import unicodedata

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}

_COMMAND = re.compile(r"(?<=:):|(?<=#)#(?=[\w.-]*\[)|\A[-+~^](?=--|\+\+|~~|\^\^)")
"""The characters that make commands of CI systems, anywhere and at the start of a text."""


def visible(text: str) -> str:
    """Return text with control, direction and line-break characters as escapes: a name cannot drive a terminal.

    Nor can it drive a CI system that reads the log, see `harmless`.
    """
    return harmless(
        "".join(
            _escape(character) if unicodedata.category(character) in _INVISIBLE else character for character in text
        )
    )


def harmless(text: str) -> str:
    r"""Return text in which no CI system finds a command, one character of each as an escape: `:\x3aerror::`.

    Of GitHub `::error::` and `##[error]`, of Azure `##vso[task.complete]`, of TeamCity `##teamcity[message]`, of
    Buildkite a line that starts with `---`, `+++`, `~~~` or `^^^`; those of GitLab begin with a control character.
    Source: docs.github.com "Workflow commands", learn.microsoft.com "Logging commands", jetbrains.com/help/teamcity
    "Service messages", buildkite.com/docs "Managing log output", docs.gitlab.com "Custom collapsible sections".
    """
    indent = len(text) - len(text.lstrip())
    return text[:indent] + _COMMAND.sub(lambda match: f"\\x{ord(match[0]):02x}", text[indent:])


def harmless_json(text: str) -> str:
    r"""Return JSON that means the same, and in which no CI system finds a command, wherever in a line it looks.

    Lines of JSON begin with no text, so that it is `##` alone, which only strings have: `"#\u0023[error]"`.
    """
    return text.replace("##", r"#\u0023")


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def csv_cell(text: str) -> str:
    """Return text that a spreadsheet will not run as a formula."""
    shown = visible(text)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) else shown


_LINKED = re.compile(
    r"@|#\w|\bGH-\d|://|\bwww\.|[~$]|:[\w+-]+:"  # mentions and addresses, numbers of issues, formulas, emoji
    r"|(?<![^\W_])_|_(?![^\W_])"  # underscores but those between letters
    r"|(?<!\w)[0-9a-f]{7,40}(?!\w)",  # commits
    re.IGNORECASE,
)
"""What GitHub makes something of, a backslash before it or not, but where it is code."""

_BLOCK = re.compile(r"(?:#{1,6}|[-+]|=+|-{2,}|\d{1,9}[.)])(?= .)")
"""What begins a heading, a list or a line at the start of a text."""


def csv_word(value: object) -> object:
    """Return a value as a cell of CSV: a text harmless to spreadsheets, true and false as in JSON, nothing for null."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return csv_cell(value) if isinstance(value, str) else value


def markdown_cell(text: str) -> str:
    """Return text that stays one cell of a markdown table and starts no markup, no mention and no link."""
    shown = visible(text)
    block = _BLOCK.match(shown)
    first = code(block[0]) if block else ""
    return first + " ".join(map(_markdown_word, shown[block.end() if block else 0 :].split(" ")))


def _markdown_word(word: str) -> str:
    if _LINKED.search(word):
        return code(word)
    return "".join(f"\\{character}" if character in r"\`*[]<>|&" else character for character in word)


def code(text: str) -> str:
    """Return a text as code, in which nothing is markup, a mention, a link or the end of a cell."""
    return "`" + visible(text).replace("`", "'").replace("|", "¦") + "`"


def pretty(formula: str) -> str:
    """Return a formula as the field writes it, `L·M²·d` for `L*M**2*d`, with spaces only where a line may end."""
    powers = re.sub(r"\*\*(\d+)", lambda match: match[1].translate(_SUPERSCRIPTS), formula)
    return powers.replace("*", "·").replace(", ", ",")
