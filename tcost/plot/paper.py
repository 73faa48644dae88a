"""The figure of Pau & Aymone 2024: MACCs, FLOPs and stored activations over the context, under each learning rule."""

from collections.abc import Sequence

from tcost.spec import ModelSpec
from tcost.sweep import Axis, Sweep
from tcost.training_step import Options

POINTS = 16
"""Contexts of the figure, evenly spaced."""

MEASURES = ("macc", "flop", "stored_activations_bytes")


def paper_sweep(spec: ModelSpec, algos: Sequence[str], convention: str, options: Options) -> Sweep:
    """Return what the figure shows: contexts up to that of the options or, where there is none, the spec's own."""
    last = spec.at(options.get("context")).context_length
    contexts = dict.fromkeys(max(1, last * place // POINTS) for place in range(1, POINTS + 1))
    rest: Options = {**options, "context": None}
    axis = Axis("context_length", tuple(contexts))
    return Sweep(
        spec=spec, axes=(axis,), algos=tuple(algos), conventions=(convention,), measures=MEASURES, options=rest
    )
