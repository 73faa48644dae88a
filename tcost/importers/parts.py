"""What the configurations of several families say in the same words."""

from collections.abc import Mapping
from typing import Any

from tcost.errors import InputError
from tcost.importers.fields import Fields

ACTIVATIONS = {
    **dict.fromkeys(("gelu", "gelu_python"), "gelu"),
    **dict.fromkeys(("gelu_new", "gelu_fast", "gelu_accurate", "gelu_python_tanh"), "gelu_new"),
    "gelu_pytorch_tanh": "gelu_tanh",
    **dict.fromkeys(("silu", "swish"), "silu"),
    "quick_gelu": "quick_gelu",
    "sigmoid": "sigmoid",
    "relu": "relu",
    "relu2": "relu2",
}
"""Activation functions by the names that transformers has for them."""

HUNGRY = ("gelu_fast", "gelu_python")
"""Activation functions of so many operations of Python that they keep more for the backward than is measured."""

MAX_LAYERS = 100_000
"""No model is deeper; its layers may differ."""

ALL = ["query", "key", "value", "output"]
QKV = ALL[:3]

GATED: Mapping[str, Any] = {
    "norm": "rms_norm",
    "norm_position": "pre",
    "final_norm": True,
    "ffn_gated": True,
    "ffn_bias": False,
    "attention_bias": [],
}
"""What Llama and its like have."""


def activation(f: Fields, name: str) -> None:
    """Set the activation function."""
    given = f.get(name)
    if given in HUNGRY:
        f.notes.append(f"activation {given} keeps more for the backward than {ACTIVATIONS[given]}, which is measured")
    word = f.choice(name, ACTIVATIONS)
    f.put("activation", name, word)


def tied(f: Fields) -> bool:
    """Set whether the vocabulary projection and the embedding are one table."""
    is_tied = f.flag("tie_word_embeddings")
    f.put("tie_embeddings", "tie_word_embeddings", is_tied)
    return is_tied


def decoder(
    f: Fields,
    width: str = "hidden_size",
    heads: str = "num_attention_heads",
    layers: str = "num_hidden_layers",
    context: str = "max_position_embeddings",
) -> int:
    """Set the sizes of a decoder, by default in the words of most configurations, and return its depth."""
    f.sizes(vocab_size="vocab_size", d_model=width, n_heads=heads)
    f.set(n_encoder_layers=0)
    depth = f.take("n_decoder_layers", layers)
    if depth > MAX_LAYERS:
        raise f.wrong(layers, f"at most {MAX_LAYERS} layers, which are told apart one by one")
    f.take("context_length", context)
    tied(f)
    return depth


def heads(f: Fields) -> None:
    """Set heads of keys and values, and the width of a head where it is given."""
    kv = f.take("n_kv_heads", "num_key_value_heads", default=f.spec["n_heads"])
    if f.spec["n_heads"] % kv:
        raise f.wrong("num_key_value_heads", f"a divisor of the {f.spec['n_heads']} heads")
    width = f.optional("head_dim")
    if width is not None:
        f.put("d_head", "head_dim", width)


def d_head(f: Fields) -> int:
    """Return the width of a head."""
    if "d_head" in f.spec:
        return int(f.spec["d_head"])
    if f.spec["d_model"] % f.spec["n_heads"]:
        raise InputError(f"{f.where}: {f.spec['n_heads']} heads do not divide the width {f.spec['d_model']}")
    return int(f.spec["d_model"] // f.spec["n_heads"])


def rotary(f: Fields, partial: str = "partial_rotary_factor", default: float | None = None) -> None:
    """Set rotary positions, partial where a factor says so; bases and long-context scalings change no count.

    A class without a `default` for the factor rotates whole heads: another factor is refused.
    """
    f.set(positions="rotary")
    old, new = f.part("rope_scaling"), f.part("rope_parameters")
    f.ignore("rope_interleave", partial)
    factor: Any = (old or new).get("partial_rotary_factor", f.values.get(partial, default or 1.0))
    width = d_head(f)
    dims = f.fraction(factor, partial, width)
    if dims != width and default is None:
        raise InputError(
            f"{f.where}: field '{partial}' is {factor}\nexpected 1.0: the family's class rotates whole heads"
        )
    if dims != width:
        f.put("rotary_dims", partial, dims)


def llama_like(f: Fields, act: str = "hidden_act", partial: float | None = None) -> int:
    """Set what Llama and its like have, and return the depth; `partial` is the default of `rotary`."""
    depth = decoder(f)
    heads(f)
    f.take("d_ff", "intermediate_size")
    f.set(**GATED)
    rotary(f, default=partial)
    activation(f, act)
    return depth


def window(f: Fields, depth: int, full: list[int] | dict[str, int]) -> None:
    """Set the sliding window and the layers that have none: those of a list in the file, else the `full` ones."""
    _slide(f, depth, f.optional("sliding_window", least=0), full_or_listed(f, depth, full))


def full_or_listed(f: Fields, depth: int, full: list[int] | dict[str, int]) -> list[int] | dict[str, int]:
    """Return the layers that have full attention: those of a list in the file, else the `full` ones."""
    types = f.values.get("layer_types")
    f.ignore("layer_types")
    return full if types is None else full_layers(f, types, depth)


def _slide(f: Fields, depth: int, size: int | None, full: list[int] | dict[str, int]) -> None:
    if not size or (isinstance(full, list) and len(full) == depth):
        return
    f.put("sliding_window", "sliding_window", size)
    if full:
        f.put("full_attention_layers", "layer_types", full)


def every(number: int) -> dict[str, int]:
    """Return the layers of which every so many has full attention, as a spec says them."""
    return {"every": number, "first": number - 1}


def window_everywhere(f: Fields, depth: int, *, is_used: bool = True) -> None:
    """Set the sliding window of a family whose layers are alike; a list of layers that says otherwise is refused."""
    size = f.optional("sliding_window", least=0) if is_used else None
    f.ignore("sliding_window")
    kind = "sliding_attention" if size else "full_attention"
    f.agree(layer_types=[kind] * depth)
    _slide(f, depth, size, [])


def no_window(f: Fields, depth: int) -> None:
    """Read a family whose class has no sliding window, whatever the file says."""
    f.refuse(use_sliding_window=(False, None))
    size = f.optional("sliding_window", least=0)
    if size and f.values.get("use_sliding_window") is None:
        f.notes.append(f"sliding_window {size} is not used: the family's class attends to every row before")
    f.agree(layer_types=["full_attention"] * depth)


def window_where_used(f: Fields, depth: int, *, late: bool = True) -> None:
    """Set the sliding window, where it is used, of the layers from `max_window_layers` on or of every second before."""
    limit = f.number("max_window_layers", least=0)
    full = range(min(limit, depth)) if late else (layer for layer in range(depth) if layer % 2 or layer >= limit)
    if f.flag("use_sliding_window"):
        window(f, depth, list(full))
    f.ignore("sliding_window", "layer_types")


def full_layers(f: Fields, types: Any, depth: int) -> list[int]:
    """Return the layers that have full attention, of a list that says it of each."""
    known = ("full_attention", "sliding_attention")
    if not isinstance(types, list) or len(types) != depth or any(each not in known for each in types):
        raise f.wrong("layer_types", f"a list of {depth} words, full_attention or sliding_attention")
    return [layer for layer, each in enumerate(types) if each == "full_attention"]


def biases(f: Fields, name: str, which: list[str]) -> None:
    """Set which projections of the attention have biases where a flag says so."""
    has_bias = f.flag(name)
    f.became(name, "attention_bias", which if has_bias else False)
    f.set(attention_bias=which if has_bias else [])


def read_by_none(f: Fields) -> None:
    """Read fields of all families that no class of transformers 5.24 reads: what they would change is refused."""
    if "is_encoder_decoder" not in f.seen:  # one stack alone is saved either way
        f.agree(is_encoder_decoder=bool(f.spec.get("n_encoder_layers") and f.spec.get("n_decoder_layers")))
    f.refuse(pruned_heads=({}, None), tie_encoder_decoder=(False, None), cross_attention_hidden_size=None)
    if quantized := f.part("quantization_config"):
        method = quantized.get("quant_method")
        which = f" ({method})" if isinstance(method, str) else ""
        f.notes.append(
            f"quantization_config{which}: parameters are counted as they are before they are quantized, "
            "and memory in the type that --dtype says"
        )
    own = [each for name, each in f.part("auto_map").items() if name != "AutoConfig" and isinstance(each, str)]
    if own:
        f.notes.append(f"auto_map: the checkpoint has a class of its own, {own[0]}; priced as that of transformers")
