"""The peaks that classes of transformers have on the CPU beside the predicted ones; the table is in docs/memory.md.

Run by hand: `python benchmarks/peak.py`; needs tcost[torch], two minutes and 2 GB. The cases are those of
`tests/golden/peaks.json`, executed anew: tiny models with fp32 numbers, eager attention and an output that is held.
"""

import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from conftest import golden
from peaks import OWN, peak_of
from test_families import build, inputs

from tcost import Sizes, load_spec, measure


def sizes_of(case: dict[str, Any]) -> Sizes:
    """Return the sizes of a case's configuration."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps(case["config"]))
        return load_spec(path).at(case["context"], case["encoder_context"])


def main() -> None:
    """Print a line of the table for each case: bytes, and in elements what is the class's own."""
    warnings.simplefilter("ignore")
    print("| case | vocabulary | context | batch | torch | predicted | ratio | the class's own |")
    print("| :-- | --: | --: | --: | --: | --: | --: | :-- |")
    for case in golden("peaks"):
        s, batch = sizes_of(case), case["batch"]
        model = build(case)
        executed = peak_of(model, inputs(case, model.config))
        predicted = int(measure(s, "bp", "exact", batch=batch).peak.bytes)
        own = OWN.get(case["name"])
        elements = own.elements(s, batch) if own else 0
        rest = executed - predicted - 4 * elements
        said = f"{own.formula} = {elements:,}" if own else ""
        context = f"{s.context_length}" + (f" of {s.encoder_context_length}" if s.encoder_context_length else "")
        words = f"{s.vocab_size:,}" if s.head == "vocabulary" else f"{s.n_classes} classes"
        print(
            f"| {case['name']} | {words} | {context} | {batch} | {executed:,} | {predicted:,} |"
            f" {executed / predicted:.4f} | {said}{f' and {rest:,} bytes' if rest else ''} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
