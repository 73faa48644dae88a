"""Budgets: how much a training step may cost, and how much more than before. Those of a file are in `file`."""

from tcost.budgets.checking import Limit, Outcome, check, limits_of

__all__ = ["Limit", "Outcome", "check", "limits_of"]
