"""The field's letter for every size, and a model whose sizes are letters.

Layers only add and multiply sizes, so that what they are called with decides what comes out: numbers give
counts, letters give formulas.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tcost.errors import InputError
from tcost.exact import Size
from tcost.sizes import Sizes

SYMBOLS: Mapping[str, tuple[str, str]] = {
    "context_length": ("M", "context"),
    "encoder_context_length": ("N", "encoder context"),
    "d_model": ("d", "model width"),
    "n_heads": ("h", "heads"),
    "d_head": ("e", "head width"),
    "encoder_n_heads": ("h_enc", "encoder heads"),
    "d_ff": ("f", "feed-forward width"),
    "encoder_d_ff": ("f_enc", "encoder feed-forward width"),
    "vocab_size": ("V", "vocabulary"),
    "n_encoder_layers": ("L_enc", "encoder layers"),
    "n_decoder_layers": ("L_dec", "decoder layers"),
}
"""The field's symbol for each size that plain transformers have, by its key in a spec, and what it is called."""

PART_SYMBOLS: Mapping[str, tuple[str, str]] = {
    "n_kv_heads": ("h_kv", "heads of keys and values"),
    "sliding_window": ("w", "sliding window"),
    "rotary_dims": ("e_rot", "rotated width of a head"),
    "relative_buckets": ("b", "relative positions"),
    "latent_attention.kv_rank": ("r_kv", "rank of keys and values"),
    "latent_attention.q_rank": ("r_q", "rank of queries"),
    "latent_attention.d_nope": ("e_nope", "head width that is not rotated"),
    "latent_attention.d_rope": ("e_rope", "head width that is rotated"),
    "latent_attention.d_value": ("e_val", "width of a head's value"),
    "experts.n_experts": ("E", "experts"),
    "experts.experts_per_token": ("K", "experts per token"),
    "experts.d_expert": ("f_exp", "width of an expert"),
    "experts.d_shared": ("f_sh", "width of the shared expert"),
    "encoder_vocab_size": ("V_enc", "encoder vocabulary"),
    "n_positions": ("p", "rows of positions"),
    "encoder_n_positions": ("p_enc", "encoder's rows of positions"),
    "n_segments": ("s", "segments"),
    "n_task_types": ("t", "tasks"),
    "d_head_transform": ("c_head", "width of the head transform"),
    "d_embedding": ("c", "embedding width"),
    "patch_size": ("a", "side of a patch"),
    "n_channels": ("n_ch", "channels"),
    "n_classes": ("C", "classes"),
    "d_projection": ("c_proj", "width of the projection of the first row"),
    "n_unique_layers": ("U", "layers with weights of their own"),
    "train.lora.rank": ("r", "rank of an adapter"),
}
"""The same for the sizes that only some models have."""

DEPTHS = ("n_encoder_layers", "n_decoder_layers")

ONE_STACK = ("L", "layers")
"""The symbol for the depth of a model of one stack."""

BATCH = "batch"
"""The key of the batch, which is no size of a model."""


@dataclass(frozen=True)
class Symbol:
    """A letter of the formulas, what it stands for, its value here, and its key in a spec.

    There is no key for what stands in formulas as something else, and no value where there is no spec.
    """

    name: str
    meaning: str
    value: Size
    key: str


def symbols_of(s: Sizes, batch: Size = 1) -> tuple[Symbol, ...]:
    """Return the symbol of each size that plain transformers have, and that of a batch of more than one.

    What stands in formulas in other words has a symbol without a key.
    """
    found = [
        replace(symbol, key="" if symbol.key in in_other_words(s) else symbol.key)
        for symbol in every_symbol(s)
        if symbol.key in SYMBOLS
    ]
    return (*found, batch_symbol(batch)) if batch != 1 else tuple(found)


def in_other_words(s: Sizes) -> tuple[str, ...]:
    """Return the keys of sizes that have no letter in formulas.

    The depth of a stack whose layers differ stands there as numbers: of each kind there are so many. A head
    width that is the model's over the heads stands as that quotient.
    """
    return (DEPTHS if s.has_patterns else ()) + (("d_head",) if _heads_divide_the_width(s) else ())


def every_symbol(s: Sizes) -> tuple[Symbol, ...]:
    """Return the symbol of every size that the model has."""
    one_stack = {} if s.family == "encoder-decoder" else dict.fromkeys(DEPTHS, ONE_STACK)
    named = {**SYMBOLS, **PART_SYMBOLS, **one_stack}
    return tuple(Symbol(*names, value, key) for key, names in named.items() if (value := _value(s, key)))


def batch_symbol(batch: Size) -> Symbol:
    """Return the symbol of the batch."""
    return Symbol("B", "batch", batch, BATCH)


def algebra() -> Any:
    """Return SymPy, which writes formulas, or raise InputError that says how to install it."""
    try:
        import sympy
    except ImportError:
        raise InputError("formulas need SymPy\npip install 'tcost[formula]'") from None
    return sympy


def letters_of(symbols: Iterable[Symbol]) -> dict[str, Any]:
    """Return the SymPy symbol for each key that one of the symbols has. Raises InputError as `algebra` does."""
    sympy = algebra()
    return {each.key: sympy.Symbol(each.name, positive=True, integer=True) for each in symbols if each.key}


def in_letters(s: Sizes, letters: Mapping[str, Any]) -> Sizes:
    """Return a model that has letters for the sizes of those keys; the batch's is left aside.

    A head width without a letter is the quotient of model width and heads where it is so in numbers.
    """
    fields = {key: letter for key, letter in letters.items() if key != BATCH}
    if "d_head" not in fields and _heads_divide_the_width(s):
        sympy = algebra()
        fields["d_head"] = sympy.sympify(fields.get("d_model", s.d_model)) / fields.get("n_heads", s.n_heads)
    for key, letter in fields.items():
        s = _replaced(s, _path(key), letter)
    return s


def written_out(size: Size) -> Any:
    """Return a size as a SymPy expression in which quotients that are whole by construction are quotients."""
    sympy = algebra()
    return sympy.sympify(size).replace(sympy.floor, lambda quotient: quotient)


def _heads_divide_the_width(s: Sizes) -> bool:
    return bool(s.n_heads * s.d_head == s.d_model)


def _path(key: str) -> list[str]:
    """Return where a key of a spec is in `Sizes`, which has no level of its own for adapters."""
    return key.replace(".lora.", ".").split(".")


def _value(s: Sizes, key: str) -> Size:
    part: Any = s
    for name in _path(key):
        part = getattr(part, name, None)
    return part


def _replaced(part: Any, path: list[str], size: Size) -> Any:
    name, *rest = path
    return replace(part, **{name: _replaced(getattr(part, name), rest, size) if rest else size})
