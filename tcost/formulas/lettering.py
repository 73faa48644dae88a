"""A model and the settings of its step with letters for some sizes, or for all that may be letters."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tcost.errors import InputError, unknown
from tcost.exact import Size, check_size
from tcost.settings import Settings
from tcost.sizes import Sizes
from tcost.symbols import BATCH, DEPTHS, Symbol, batch_symbol, every_symbol, in_letters, in_other_words, letters_of
from tcost.training_step import Spec

ONE_LAYER = Sizes(
    name="the paper's transformer",
    vocab_size=1,
    d_model=1,
    n_heads=1,
    d_head=1,
    d_ff=1,
    n_encoder_layers=0,
    n_decoder_layers=1,
    context_length=1,
)

PLAIN = (ONE_LAYER, replace(ONE_LAYER, n_encoder_layers=1, encoder_context_length=1))
"""The paper's transformer, decoder-only and encoder-decoder, where letters take the place of all sizes."""


@dataclass(frozen=True)
class Lettered:
    """Sizes and settings of a training step in letters, and what the letters stand for."""

    sizes: Sizes
    settings: Settings
    symbols: tuple[Symbol, ...]


def in_letters_of(spec: Spec, settings: Settings, of: Sequence[str] = ()) -> Lettered:
    """Return a model with letters for the sizes of these keys of its spec, or `batch`; for all of them by default.

    A batch of one has no letter unless it is asked for; neither has what stands `in_other_words`.
    Raises InputError as `Spec.at` does, and for a key that is not a size of the model.
    """
    check_size("the batch", settings.batch)
    numbers, batch = spec.at(settings.context, settings.encoder_context), settings.batch
    symbols = _asked(numbers, batch, of) if of else _all(numbers, batch)
    letters = letters_of(symbols)
    # An encoder context that a spec leaves to its default follows the context, whether that is a letter or not.
    lengths = [letters.get(f"{name}_length", getattr(settings, name)) for name in ("context", "encoder_context")]
    own = replace(settings, context=None, encoder_context=None, batch=letters.get(BATCH, batch))
    return Lettered(in_letters(spec.at(*lengths), letters), own, symbols)


def plain(settings: Settings) -> tuple[Lettered, ...]:
    """Return the paper's transformer, decoder-only and encoder-decoder, in letters that have no values."""
    models = [in_letters_of(sizes, settings) for sizes in PLAIN]
    return tuple(
        replace(each, symbols=tuple(s if s.key == BATCH else replace(s, value=None) for s in each.symbols))
        for each in models
    )


def _all(s: Sizes, batch: Size) -> tuple[Symbol, ...]:
    found = [each for each in every_symbol(s) if each.key not in in_other_words(s)]
    return (*found, *([batch_symbol(batch)] if batch != 1 else []))


def _asked(s: Sizes, batch: Size, of: Sequence[str]) -> tuple[Symbol, ...]:
    known = {each.key: each for each in (*every_symbol(s), batch_symbol(batch))}
    for key in of:
        if key not in known:
            raise unknown(f"size of {s.name}", key, known)
        if key in DEPTHS and s.has_patterns:
            raise InputError(f"the layers of {s.name} differ, so that {key} stays a number\nleave it out")
    return tuple(each for key, each in known.items() if key in of)
