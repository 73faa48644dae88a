"""What the tests of pages share: a hostile spec, and what the command line says of the same numbers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from conftest import Tcost

from tcost.units import binary, si

RULES = ("bp", "pepita", "mempepita")

HOSTILE = "</script><img src=x onerror=alert(1)>\u202e\x1b[31m'\"&amp;{{ 7 * 7 }}".ljust(100, "W")
"""A name that ends scripts, starts pictures, turns text around and is too long for a line: a hundred characters."""

SHOWN = HOSTILE.replace("\u202e", "\\u202e").replace("\x1b", "\\x1b")


def hostile_spec(folder: Path) -> Path:
    """Write a spec of which every text is hostile; return its path, which is not harmless either."""
    path = folder / "<b>&'.yaml"
    sizes = (
        "vocab_size: 97\nd_model: 8\nn_heads: 2\nd_ff: 16\nn_encoder_layers: 0\nn_decoder_layers: 3\ncontext_length: 5"
    )
    texts = json.dumps({"name": HOSTILE, "description": HOSTILE, "source": HOSTILE, "notes": [HOSTILE]})
    path.write_text(f"{sizes}\n" + "".join(f"{k}: {json.dumps(v)}\n" for k, v in json.loads(texts).items()))
    return path


@dataclass(frozen=True)
class Line:
    """A line of the table of layers, of which the last number is the share of the MACCs."""

    spec: str
    algo: str
    layer: str
    phase: str
    copies: int
    runs: int
    macc: int
    flop: int
    parameters: int
    share: Fraction

    @property
    def text(self) -> str:
        """What the filter of texts looks at."""
        return f"{self.spec} {self.algo} {self.layer} {self.phase}"


def lines_of(tcost: Tcost, *args: object) -> list[Line]:
    """Return the lines of the table of layers as `tcost compute` has them: `args` are a spec, then options."""
    by_layer, operations = (
        json.loads(tcost("compute", *args, "--algos", *RULES, "--by", by, "--format", "json").out)["results"]
        for by in ("layer", "operation")
    )
    return [
        Line(
            spec=result["spec"],
            algo=result["algo"],
            layer=row["layer"],
            phase=row["phase"].replace("_", " "),
            copies=next(each["repeats"] for each in detailed["rows"] if each["layer"] == row["layer"]),
            runs=row["runs"],
            macc=row["macc"],
            flop=row["flop"],
            parameters=row["parameters"],
            share=Fraction(row["macc"], result["totals"]["macc"]),
        )
        for result, detailed in zip(by_layer, operations, strict=True)
        for row in result["rows"]
    ]


def line_in(cells: Sequence[tuple[str, str]], spec: str) -> Line:
    """Return a line of the page; its cells are texts, each with its value where it has one; `spec` where only one."""
    texts = [text for text, _ in cells]
    if len(cells) == 9:
        texts, cells = [spec, *texts], [("", ""), *cells]
    copies, runs, macc, flop, parameters = (int(value or 0) for _, value in cells[4:9])
    assert texts[4:6] == [str(copies), str(runs)]
    assert texts[6:9] == [si(macc), si(flop), si(parameters) if parameters else ""]
    share = Fraction(*map(int, cells[9][1].split("/")))
    assert texts[9] == f"{float(100 * share):.1f} %"
    spec, algo, layer, phase = texts[:4]
    return Line(spec, algo, layer.removesuffix(" *"), phase, copies, runs, macc, flop, parameters, share)


def summary_of(result: dict[str, Any], *, has_active: bool, has_trained: bool) -> list[Any]:
    """Return what the table of summaries has of a result of `tcost compare`: exact integers, and changes in percent."""
    totals, memory, change = result["totals"], result["memory"], result["change"]
    is_first = change["against"] == result["algo"]
    changes = [change[f"{name}_percent"] for name in ("macc", "flop", "stored_activations", "peak")]
    macc, flop, stored, peak = (None if is_first else each for each in changes)
    return [
        *(totals["macc"], macc, totals["flop"], flop, totals["parameters"]),
        *([totals["active_parameters"]] * has_active),
        *([totals["trained_parameters"]] * has_trained),
        *(memory["stored_activations"]["bytes"], stored, memory["peak"]["bytes"], peak),
    ]


def texts_of(summary: Sequence[Any]) -> list[str]:
    """Return how amounts and bytes of a summary are written; of changes, nothing."""
    amounts = [None if number is None or isinstance(number, float) else number for number in summary]
    last = len(amounts) - 4
    return [
        "" if number is None else (binary(number) if place >= last else si(number))
        for place, number in enumerate(amounts)
    ]
