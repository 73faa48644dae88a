"""What `tcost check` writes: JSON, and JUnit's XML, which CI systems show."""

from collections.abc import Sequence
from typing import Any, Literal
from xml.etree import ElementTree as ET

from tcost.budgets import Outcome, by_step
from tcost.documents.diff import Change, change_of
from tcost.documents.parts import Document, Step
from tcost.documents.writing import as_json, content, part
from tcost.report.check import failure_of
from tcost.text import visible


@part
class Layer:
    """A layer."""

    layer: str
    """Its path."""


@part
class LayerChange(Change, Layer):
    """The layer that grew most, or the largest where nothing was before."""


@part
class LimitOutcome:
    """A limit, and what is held against it."""

    measure: str
    """What is limited."""
    limit: Literal["max", "max_growth"]
    """Whether the amount is limited, or its growth."""
    written: str
    """The limit as it was written."""
    before: int | None
    """What was before; null where nothing was given."""
    amount: int
    """What the step takes."""
    allowed: int
    """The most that is allowed."""
    excess: int
    """How much is too much; less than zero is what is left."""
    holds: bool
    """Whether the limit holds."""
    layer: LayerChange | None
    """The layer that grew most, or the largest where nothing was before; null where none grew."""


@part
class Check(Step):
    """A training step and its limits."""

    not_counted: list[str]
    """What the convention leaves out, in words."""
    limits: list[LimitOutcome]
    """Each limit."""


@part
class CheckDocument(Document):
    """What `tcost check` writes."""

    holds: bool
    """Whether all limits hold."""
    checks: list[Check]
    """One for each step."""


def to_json(outcomes: Sequence[Outcome]) -> str:
    """Return outcomes as JSON: what each step depends on, and every limit with what is taken, allowed and too much."""
    return as_json(
        CheckDocument,
        holds=all(outcome.holds for outcome in outcomes),
        checks=[content(Check, of_step[0].step, limits=list(map(_limit, of_step))) for of_step in by_step(outcomes)],
    )


def to_junit(outcomes: Sequence[Outcome]) -> str:
    """Return outcomes as JUnit's XML: a suite per step, a case per limit, a failure for each that does not hold.

    Source: the elements and attributes that Jenkins' and GitLab's readers name, testsuites/testsuite/testcase/failure.
    """
    root = ET.Element("testsuites", {"name": "tcost check", **_counts(outcomes)})
    for of_step in by_step(outcomes):
        step = of_step[0].step
        name = _xml(f"{step.spec} under {step.algo}, convention {step.convention}, context {step.context}")
        suite = ET.SubElement(root, "testsuite", {"name": name, **_counts(of_step)})
        for outcome in of_step:
            limit = outcome.limit
            title = f"{limit.measure} {'growth' if limit.is_growth else 'max'} {limit.written}"
            case = ET.SubElement(suite, "testcase", classname=name, name=_xml(title), time="0")
            if not outcome.holds:
                ET.SubElement(case, "failure", type="over budget", message=_xml(failure_of(outcome)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _counts(outcomes: Sequence[Outcome]) -> dict[str, str]:
    failed = sum(not outcome.holds for outcome in outcomes)
    return {"tests": str(len(outcomes)), "failures": str(failed), "errors": "0"}


def _limit(outcome: Outcome) -> dict[str, Any]:
    limit, layer = outcome.limit, outcome.layer
    return content(
        LimitOutcome,
        outcome,
        measure=limit.measure,
        limit="max_growth" if limit.is_growth else "max",
        written=limit.written,
        layer=layer and {"layer": layer.layer, **change_of(layer)},
    )


def _xml(text: str) -> str:
    """Return a text as XML allows it: what it has no character for is shown."""
    return visible(text).replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
