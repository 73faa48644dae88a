"""The commands, each a function in a file of its name, whose signature says what the command line offers.

No parser is known here: `tcost.cli` reads the signatures.
"""

PANELS = {
    "Cost": ("compute", "compare", "memory", "sweep"),
    "Why": ("explain", "reconcile", "verify"),
    "Show": ("plot", "report"),
    "In CI": ("diff", "check"),
    "Specs": ("import", "list"),
}
"""The commands by what they are for, in the order of the help page."""

MODES = ("sweep --break-even", "explain --formula")
"""What a word on the line of a command makes of it: a command of its own, with its own options and help page."""


def modes_of(command: str) -> list[str]:
    """Return the words that make another command of one."""
    return [word for name, word in map(str.split, MODES) if name == command]


NAMES = (*(name for names in PANELS.values() for name in names), *MODES)
"""All of them."""
