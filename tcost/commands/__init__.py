"""The commands, each a function in a file of its name, whose signature says what the command line offers.

No parser is known here: `tcost.cli` reads the signatures.
"""

PANELS = {
    "Cost": ("compute", "compare", "memory", "sweep", "breakeven"),
    "Why": ("explain", "formula", "reconcile", "verify"),
    "Show": ("plot", "report"),
    "In CI": ("diff", "check"),
    "Specs": ("import", "list", "schema"),
}
"""The commands by what they are for, in the order of the help page."""

NAMES = tuple(name for names in PANELS.values() for name in names)
"""All of them."""
