"""What a training step costs."""

from tcost.cost.comparison import BESIDE, Change, Comparison, Standing, compare, comparisons_of, standings
from tcost.cost.evaluation import Work, beside, evaluate, evaluate_rules, result_of, results_of, works_of
from tcost.cost.rows import Amount, By, Result, Row, Totals, group_by, total

__all__ = [
    "BESIDE",
    "Amount",
    "By",
    "Change",
    "Comparison",
    "Result",
    "Row",
    "Standing",
    "Totals",
    "Work",
    "beside",
    "compare",
    "comparisons_of",
    "evaluate",
    "evaluate_rules",
    "group_by",
    "result_of",
    "results_of",
    "standings",
    "total",
    "works_of",
]
