"""The commands, each a function in a file of its name, whose signature says what the command line offers.

No parser is known here: `tcost.cli` reads the signatures.
"""

NAMES = (
    *("compute", "compare", "memory", "report", "sweep", "breakeven", "formula", "explain", "reconcile", "plot"),
    *("verify", "diff", "check", "import", "schema", "list"),
)
"""The commands in the order of the help page."""
