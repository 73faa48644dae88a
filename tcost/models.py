"""Model families: how layers make a model, from its sizes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from tcost.errors import InputError, unknown
from tcost.exact import Size
from tcost.layers import block, embed, final_norm, head, score_biases, table_name
from tcost.sizes import Lora, Sizes
from tcost.tracing import COPY, Band, Tensor, Trace, repeat

NOTHING: frozenset[str] = frozenset()
LORA_A = "_lora_a"
"""What the name of an adapter's first matrix ends in."""


class Model(NamedTuple):
    """A traced model: its operations, the output of each embedding, and its output.

    The last embedding is that of the stack which carries the loss; `encoded` is what a stack below it gives.
    """

    trace: Trace
    embedded: tuple[Tensor, ...]
    output: Tensor
    encoded: Tensor | None = None

    @property
    def given(self) -> tuple[Tensor, ...]:
        """What a caller holds until the end of a step, beside the loss: the logits, and the output of an encoder.

        They are in the output of transformers' classes, which training loops keep to the end of the backward.
        Source: CausalLMOutput, MaskedLMOutput and Seq2SeqLMOutput in modeling_outputs.py of transformers 5.
        """
        logits = self.trace.ops[-1].inputs[0]
        return (logits,) if self.encoded is None else (logits, self.encoded)


class Blocks(NamedTuple):
    """Consecutive blocks of a stack that are alike: their number, scope and sizes, and whether they are trained."""

    number: Size
    scope: str
    sizes: Sizes
    is_trained: bool = False


class Traits(NamedTuple):
    """What sets blocks of a stack apart; `above` is whether one stands above the first that is trained, or is it."""

    above: bool
    is_trained: bool
    slides: bool
    rotates: bool
    is_sparse: bool


WORDS = {
    "slides": ("sliding", "full"),
    "rotates": ("rotated", "unrotated"),
    "is_sparse": ("sparse", "dense"),
    "is_trained": ("trained", "frozen"),
}
"""What names the scope of blocks that have a trait, and of those that have not, where both are in a stack."""


def trace_model(s: Sizes, trace: Trace | None = None) -> Model:
    """Call the layers of the model that the sizes describe, on a trace; its family follows from the depths."""
    trace = trace or Trace()
    with trace.training(_trained_names(s)):
        model = _trace_family(s, trace)
    _check_trained(s, trace)
    return model


def _trace_family(s: Sizes, trace: Trace) -> Model:
    if s.family == "encoder-decoder":
        source, memory = _stack(trace, "encoder", s.n_encoder_layers, s.encoder)
        target, x = _stack(trace, "decoder", s.n_decoder_layers, s, memory)
        return Model(trace, (source, target), head(x, s, "decoder"), memory)
    name, depth = ("decoder", s.n_decoder_layers) if s.family == "decoder-only" else ("encoder", s.n_encoder_layers)
    embedded, x = _stack(trace, name, depth, s)
    return Model(trace, (embedded,), head(x, s, name))


def _check_trained(s: Sizes, trace: Trace) -> None:
    """Raise InputError for what is to be trained and is not in the model."""
    if isinstance(s.train, Lora):
        made = {op.name for op in trace.ops}
        for target in s.train.targets:
            if f"{target}{LORA_A}" not in made:
                raise _no_adapter(target, s, trace)
    elif s.train is not None:
        depth = s.n_decoder_layers or s.n_encoder_layers
        layers = dict.fromkeys(name for op in trace.ops for name in COPY.sub("", op.layer).split("."))
        for layer in s.train:
            if isinstance(layer, int) and layer >= depth:
                raise InputError(f"train: there is no layer {layer}\nthe model's layers are 0 to {depth - 1}")
            if isinstance(layer, str) and layer not in layers:
                raise unknown("layer to train", layer, layers)
        if not any(op.is_trained for op in trace.ops):
            raise InputError("train: nothing of the model is trained\nname a layer that learns")


def _no_adapter(target: str, s: Sizes, trace: Trace) -> InputError:
    """Return the error for what has no adapter: a part that the model has and which can have none, or has not."""
    matrices = {op.name: op.kind for op in trace.ops if op.kind in ("linear", "expert_linear")}
    everywhere = Trace()
    _trace_family(replace(s, train=Lora(rank=1, targets=tuple(matrices))), everywhere)
    able = dict.fromkeys(op.name.removesuffix(LORA_A) for op in everywhere.ops if op.name.endswith(LORA_A))
    if target not in matrices and f"expert_{target}" not in matrices:
        return unknown("projection for an adapter", target, able)
    return InputError(
        f"no adapter can stand beside '{target}': tcost has none for routers, experts and the vocabulary\n"
        f"what can have one: {', '.join(able)}"
    )


def _trained_names(s: Sizes) -> frozenset[str] | None:
    """Return the scopes, and the paths of layers, in which everything is trained, None for all.

    What shares a table is trained together, because a table is trained or is not.
    """
    if s.train is None:
        return None
    if isinstance(s.train, Lora):
        return NOTHING
    names = {layer for layer in s.train if isinstance(layer, str)}
    for layers in _that_share_tables(s):
        if any(names.intersection(path.split(".")) for path in layers):
            names |= layers
    return frozenset(names)


def _that_share_tables(s: Sizes) -> Iterable[set[str]]:
    """Return the paths of the layers that share a table of tokens, for each table that has a name."""
    stacks = {"encoder-only": ["encoder"], "decoder-only": ["decoder"]}.get(s.family, ["encoder", "decoder"])
    users: dict[str, set[str]] = {}
    for stack in stacks:
        if (name := table_name(s, stack)) and (stack == "decoder" or s.encoder_input == "tokens"):
            users.setdefault(name, set()).add(f"{stack}.embedding")
    if s.tie_embeddings and s.head == "vocabulary":
        users.setdefault(str(table_name(s, stacks[-1])), set()).add("vocabulary_projection")
    return users.values()


def _stack(trace: Trace, name: str, depth: Size, s: Sizes, memory: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the embedding and the output of a stack of blocks."""
    with trace.scope(name):
        embedded, x = embed(trace, name, s)
        biases = score_biases(trace, name, s, _band(name, s))
    for blocks in _runs(name, depth, s):
        with trace.training(None if blocks.is_trained else _trained_names(s)):
            x = _blocks(blocks, x, memory, _band(name, blocks.sizes), biases)
    if not s.final_norm:
        return embedded, x
    with trace.scope(name):
        return embedded, final_norm(x, s)


def _blocks(blocks: Blocks, x: Tensor, memory: Tensor | None, band: Band | None, biases: Tensor | None) -> Tensor:
    s = blocks.sizes
    return repeat(blocks.number, blocks.scope, lambda h: block(h, s, memory, band, biases), x, unique=s.n_unique_layers)


def _band(stack: str, s: Sizes) -> Band | None:
    """Return the pairs of rows that a decoder's self-attention computes, where it skips those that the mask hides."""
    if stack != "decoder" or s.causal == "full":
        return None
    return Band(s.context_length, s.context_length if s.sliding_window is None else s.sliding_window)


def _runs(stack: str, depth: Size, s: Sizes) -> Iterator[Blocks]:
    """Yield the blocks of a stack, those that are alike together.

    Their order matters only to what is trained: below the first trained block no gradient is needed.
    """
    if not s.has_patterns:
        yield Blocks(depth, stack, s)
        return
    trained = _trained_blocks(stack, s)
    first = min(trained, default=0)
    alike = Counter(
        Traits(
            above=layer >= first,
            is_trained=layer in trained,
            slides=_slides(s, layer),
            rotates=layer not in s.unrotated_layers,
            is_sparse=_is_sparse(s, layer),
        )
        for layer in range(depth)
    )
    for traits, number in alike.items():
        differing = {
            trait: words for trait, words in WORDS.items() if len({getattr(each, trait) for each in alike}) > 1
        }
        scope = [stack, *(yes if getattr(traits, trait) else no for trait, (yes, no) in differing.items())]
        window, experts = s.sliding_window if traits.slides else None, s.experts if traits.is_sparse else None
        positions = s.positions if traits.rotates else "none"
        sizes = replace(s, sliding_window=window, experts=experts, positions=positions)
        yield Blocks(number, ".".join(scope), sizes, traits.is_trained)


def _trained_blocks(stack: str, s: Sizes) -> set[int]:
    """Return the numbers of the blocks that are trained whole: they count the stack that carries the loss."""
    if not isinstance(s.train, tuple) or (stack == "encoder" and s.n_decoder_layers):
        return set()
    return {layer for layer in s.train if isinstance(layer, int)}


def _slides(s: Sizes, layer: int) -> bool:
    return s.sliding_window is not None and layer not in s.full_attention_layers


def _is_sparse(s: Sizes, layer: int) -> bool:
    return s.experts is not None and layer not in s.experts.dense_layers
