"""A family that is like Llama, as a row of a table: what its class in transformers does, field by field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tcost.importers.fields import Family, Fields, with_class_defaults
from tcost.importers.heads import head
from tcost.importers.parts import ALL, GATED, QKV, activation, decoder, heads, no_window, rotary

Part = Callable[[Fields, int], None]
"""What reads some fields of a configuration of so many layers."""

ANY_BIAS: Mapping[str, list[str]] = {"attention_bias": ALL}
"""All projections of the attention have biases, or none."""

QKV_BIAS: Mapping[str, list[str]] = {"attention_bias": QKV}
"""All but the output have, or none."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What the class of a family does: RMSNorm, rotary positions and a gated feed-forward, unless the row says else.

    `defaults` are for fields that a file leaves out and of which its configuration class has no default.
    """

    defaults: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the spec that the family has whatever the fields are."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Its words for the sizes of `decoder`, where they are others."""
    width: str | None = "intermediate_size"
    """The field of the feed-forward's width; None: a part reads it."""
    activation: str = "hidden_act"
    """The field of the activation function."""
    biases: Mapping[str, list[str]] = field(default_factory=dict)
    """Flags, and the projections of the attention that have biases where one is true."""
    ffn_bias: str | None = None
    """The flag that says whether the feed-forward has biases."""
    partial_rotary: float | None = None
    """The default of the rotated part of a head; None: the class rotates whole heads."""
    window: Part = no_window
    """What reads the sliding window, and which layers have it."""
    refused: Mapping[str, Any] = field(default_factory=dict)
    """Fields of which tcost understands these values alone, the first of them where nothing is said."""
    ignored: tuple[str, ...] = ()
    """Fields that change no count."""
    parts: tuple[Part, ...] = ()
    """What reads the rest."""

    def read(self, f: Fields) -> None:
        """Read a configuration of the family. Raises InputError as `Fields` does."""
        depth = decoder(f, **self.names)
        self._heads(f)
        if self.width is not None:
            f.take("d_ff", self.width)
        f.set(**{**GATED, **self.spec})
        self._layer(f)
        f.refuse(**self.refused)
        f.ignore(*self.ignored)
        for part in (*self.parts, self.window):
            part(f, depth)

    def _heads(self, f: Fields) -> None:
        heads(f)

    def _layer(self, f: Fields) -> None:
        """Set positions, activation and which projections have biases."""
        rotary(f, default=self.partial_rotary)
        activation(f, self.activation)
        for name, which in self.biases.items():
            has_bias = f.flag(name)
            f.became(name, "attention_bias", which if has_bias else False)
            f.set(attention_bias=f.spec["attention_bias"] + (which if has_bias else []))
        self._ffn_bias(f)

    def _ffn_bias(self, f: Fields) -> None:
        if self.ffn_bias is not None:
            f.put("ffn_bias", self.ffn_bias, f.flag(self.ffn_bias))


def families(rows: Mapping[str, Row]) -> dict[str, Family]:
    """Return the families of some rows, which end in a vocabulary projection or a classifier."""
    return {name: Family(row.read, with_class_defaults(name, row.defaults), head) for name, row in rows.items()}
