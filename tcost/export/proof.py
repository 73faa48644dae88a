"""What was executed, for machines."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from tcost.export.documents import csv_text, document, fields

if TYPE_CHECKING:
    from tcost.torch_check import TorchCheck
    from tcost.verify import Verification

LINE_FIELDS = ("layer", "phase", "scalar", "predicted", "executed", "difference")
VERIFICATION_FIELDS = ("holds", "predicted_peak", "executed_peak")
CHECK_FIELDS = (
    *("spec", "executed_class", "context", "encoder_context", "batch", "agrees"),
    *("predicted_parameters", "executed_parameters", "notes"),
)
GROUP_FIELDS = ("layer", "operation", "phase", "predicted", "executed", "difference")


def verification_to_json(verifications: Iterable["Verification"]) -> str:
    """Return executed steps beside their predictions as JSON."""
    return document(
        verifications=[
            {"spec": each.sizes.name}
            | fields(each.settings, ("algo", "optimizer", "recompute"))
            | fields(each, VERIFICATION_FIELDS)
            | {"sizes": asdict(each.sizes), "lines": [fields(line, LINE_FIELDS) for line in each.lines]}
            for each in verifications
        ]
    )


def verification_to_csv(verifications: Iterable["Verification"]) -> str:
    """Return executed steps beside their predictions as CSV, one line per layer, phase and scalar operation."""
    return csv_text(
        ("spec", "algo", *LINE_FIELDS),
        (
            {"spec": each.sizes.name, "algo": each.settings.algo} | fields(line, LINE_FIELDS)
            for each in verifications
            for line in each.lines
        ),
    )


def torch_check_to_json(checks: Iterable["TorchCheck"]) -> str:
    """Return what torch executed beside the predictions as JSON."""
    return document(
        torch_checks=[
            fields(each, CHECK_FIELDS) | {"lines": [fields(line, GROUP_FIELDS) for line in each.lines]}
            for each in checks
        ]
    )


def torch_check_to_csv(checks: Iterable["TorchCheck"]) -> str:
    """Return what torch executed beside the predictions as CSV, one line per group of operations and phase."""
    settings = CHECK_FIELDS[:5]
    return csv_text(
        (*settings, *GROUP_FIELDS),
        (fields(each, settings) | fields(line, GROUP_FIELDS) for each in checks for line in each.lines),
    )
