"""What the paper's authors count as stored activations, as in their published implementation.

Backpropagation stores what the gradients need: the input of every projection, queries, keys, values and
the attention map, the hidden units once, the input and the normalised rows of every norm, and the
probabilities; embeddings store nothing. PEPITA stores the same without the attention map. MEMPEPITA stores
nothing; what is published is the largest set of elements that is alive while it updates one part, with the
other pass beside it. Source: Pau & Aymone, Electronics 2024, 13(2), 402, section 6.1, and the
authors' published implementation.
"""

from collections.abc import Collection, Mapping
from math import prod

from tcost.conventions.base import MemoryErratum, PublishedMemory
from tcost.exact import Size, exact_div
from tcost.models import Model
from tcost.sizes import Sizes
from tcost.tracing import Tensor


def _sets(s: Sizes, model: Model) -> Mapping[str, Size]:
    """Return what is alive at once under MEMPEPITA, for one sequence.

    An output that both passes have counts twice, the input of a part once; heads are computed one after
    the other. The error, M·V or what the model's head gives, lives until it is projected: behind the encoder, where
    there is one.
    """
    words = model.output.shape[-1]
    sets = _of_stack("decoder" if s.n_decoder_layers else "encoder", s, words)
    if s.family == "encoder-decoder":
        error, read = s.context_length * words, s.encoder_context_length * s.d_model
        of_encoder = _of_stack("encoder", s.encoder, words)
        del of_encoder["vocabulary projection"]
        sets["decoder attention"] = sets["decoder attention"] + read
        sets["keys and values of the encoder's output"] = 2 * read + 2 * s.encoder_context_length * s.d_head
        sets["keys of the encoder's output, next head"] = 3 * read + s.context_length * s.d_head
        sets |= {name: error + elements for name, elements in of_encoder.items()}
    return sets


def _of_stack(stack: str, s: Sizes, words: Size) -> dict[str, Size]:
    rows, one = s.context_length, s.context_length * s.d_model
    logits = rows * words
    return {
        f"{stack} embedding": logits + 2 * one,
        f"{stack} attention": 2 * one + 2 * rows * s.d_head,
        f"{stack} norm": 3 * one,
        f"{stack} feed-forward": one + 2 * rows * s.d_ff,
        "vocabulary projection": one + logits,
    }


def _attention_map(_s: Sizes, model: Model, kept: Collection[Tensor]) -> Size:
    """Return one map in the place of one for every head, of all attentions that keep theirs."""
    ops = [op for op in model.trace.ops if op.output in kept]
    maps = [op for op in ops if op.name == "softmax" and op.layer.endswith("attention")]
    return sum(op.repeats * (exact_div(op.elements, prod(op.output.shape[:2])) - op.elements) for op in maps)


def _probabilities(s: Sizes, model: Model, kept: Collection[Tensor]) -> Size:
    rows, words = model.output.shape
    return rows * (s.d_model - words) if model.output in kept else 0


def _encoder_output(_s: Sizes, model: Model, kept: Collection[Tensor]) -> Size:
    return 0 if model.encoded is None or model.encoded not in kept else -model.encoded.elements


PUBLISHED_MEMORY = PublishedMemory(
    source="Pau & Aymone, Electronics 2024, 13(2), 402, as in the authors' published implementation",
    forgets={"pepita": frozenset({"softmax"})},
    sets={"mempepita": _sets},
    errata=(
        MemoryErratum(
            "attention map",
            "published as M·N elements, without its h heads, where the softmax gives M·N·h",
            ("bp",),
            _attention_map,
        ),
        MemoryErratum(
            "softmax layer",
            "its output is published as M·d elements, where it has M·V",
            ("bp", "pepita"),
            _probabilities,
        ),
        MemoryErratum(
            "encoder output",
            "left out, N·d elements, which every cross-attention's keys and values need",
            ("bp", "pepita"),
            _encoder_output,
        ),
    ),
)
