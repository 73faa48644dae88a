"""Every document."""

from tcost.documents.breakeven import BreakEvenDocument
from tcost.documents.check import CheckDocument
from tcost.documents.compute import ComputeDocument
from tcost.documents.diff import DiffDocument
from tcost.documents.explain import ExplainDocument
from tcost.documents.formula import FormulaDocument
from tcost.documents.memory import MemoryDocument
from tcost.documents.reconcile import ReconcileDocument
from tcost.documents.sweep import SweepRow
from tcost.documents.verify import TorchCheckDocument, VerifyDocument

AnyDocument = (
    ComputeDocument
    | MemoryDocument
    | BreakEvenDocument
    | FormulaDocument
    | ExplainDocument
    | ReconcileDocument
    | VerifyDocument
    | TorchCheckDocument
    | DiffDocument
    | CheckDocument
    | SweepRow
)
"""A document that tcost writes as JSON, or a line of its JSON lines."""
