"""How long it takes to price and to measure a model, once everything is imported: `python benchmarks/pricing.py`."""

import timeit

from tcost import evaluate, load_spec
from tcost.memory import measure
from tcost.models import trace_model

LOOPS = 200


def milliseconds(statement: str, **names: object) -> float:
    """Return the fastest of five timings of a statement, per execution."""
    return 1000 * min(timeit.repeat(statement, globals=names, repeat=5, number=LOOPS)) / LOOPS


def main() -> None:
    """Print what tracing, pricing and following what is alive take, for a decoder and an encoder-decoder."""
    for name in ("gpt2", "alexatm-20b"):
        sizes = load_spec(name).at()
        trace = milliseconds("trace_model(sizes)", trace_model=trace_model, sizes=sizes)
        whole = milliseconds("evaluate(sizes, 'pepita')", evaluate=evaluate, sizes=sizes)
        peak = milliseconds("measure(sizes, 'bp', 'exact').peak", measure=measure, sizes=sizes)
        print(f"{name:<12} trace {trace:.2f} ms, trace and price {whole:.2f} ms, trace and find the peak {peak:.2f} ms")


if __name__ == "__main__":
    main()
