"""The model spec: what its keys may be together, and the sizes that they mean."""

from dataclasses import fields
from typing import Self

from pydantic import model_validator

from tcost.sizes import Lora, Sizes
from tcost.spec.keys import Keys
from tcost.spec.parts import (
    TrainSpec,
    check_head,
    layer_set,
    problem,
)

ENCODER_KEYS = (
    *("encoder_context_length", "encoder_n_heads", "encoder_d_ff", "encoder_vocab_size"),
    *("encoder_positions", "encoder_n_positions"),
)
"""Keys of an encoder-decoder's encoder."""

MAX_PATTERN = 10_000
"""Layers of a stack whose layers differ, which are told apart one by one."""


class ModelSpec(Keys):
    """A transformer and the context it is priced at. Its family follows from the depths."""

    @model_validator(mode="after")
    def _check_depths(self) -> Self:
        if not self.n_encoder_layers and not self.n_decoder_layers:
            raise problem("n_decoder_layers", "a model needs layers: n_encoder_layers or n_decoder_layers above zero")
        is_double = self.n_encoder_layers and self.n_decoder_layers
        for key in ENCODER_KEYS:
            if getattr(self, key) is not None and not is_double:
                other = {"encoder_context_length": "context_length"}.get(key, key.removeprefix("encoder_"))
                raise problem(key, f"{key} is for encoder-decoder models; give it as {other}")
        if max(self.n_encoder_layers, self.n_decoder_layers) > MAX_PATTERN and self._has_patterns():
            raise problem("n_decoder_layers", f"a model whose layers differ may have at most {MAX_PATTERN} of them")
        return self

    @model_validator(mode="after")
    def _check_widths(self) -> Self:
        if self.d_head is None and self.d_model % self.n_heads and self.latent_attention is None:
            raise problem(
                "n_heads",
                f"n_heads {self.n_heads} does not divide d_model {self.d_model}; "
                "give a divisor, or the width of a head as d_head",
            )
        if self.encoder_n_heads and self.d_model % self.encoder_n_heads:
            raise problem(
                "encoder_n_heads", f"encoder_n_heads {self.encoder_n_heads} does not divide d_model {self.d_model}"
            )
        if self.n_kv_heads and self.n_heads % self.n_kv_heads:
            raise problem("n_kv_heads", f"n_kv_heads {self.n_kv_heads} does not divide n_heads {self.n_heads}")
        d_head = self.d_head or self.d_model // self.n_heads
        if self.rotary_dims and self.rotary_dims > d_head:
            raise problem("rotary_dims", f"rotary_dims {self.rotary_dims} is more than the {d_head} of a head")
        rotated = self.latent_attention.d_rope if self.latent_attention else self.rotary_dims or d_head
        if self.positions == "rotary" and rotated % 2:
            raise problem("positions", f"rotary positions turn pairs: a width of {rotated} is odd")
        depth = max(self.n_encoder_layers, self.n_decoder_layers)
        if self.n_unique_layers and depth % self.n_unique_layers:
            raise problem("n_unique_layers", f"n_unique_layers {self.n_unique_layers} does not divide {depth} layers")
        return self

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        check_head(self)
        needs = {
            "relative_buckets": "relative" in (self.positions, self.encoder_positions),
            "patch_size": self.encoder_input == "patches",
            "n_channels": self.encoder_input != "tokens",
            "n_classes": self.head in ("classifier", "token_classifier"),
        }
        for key, is_needed in needs.items():
            if (getattr(self, key) is not None) != is_needed:
                raise problem(key, f"{key} is {'missing' if is_needed else 'given, but nothing of the model uses it'}")
        for key, without, is_wrong in (
            (
                "parallel",
                "cross-attention",
                self.parallel != "none" and self.n_encoder_layers and self.n_decoder_layers,
            ),
            ("positions", "latent_attention", self.latent_attention and self.positions == "relative"),
            ("sliding_window", "relative positions", self.sliding_window and self.positions == "relative"),
            ("relative_everywhere", "other positions", self.relative_everywhere and not self.relative_buckets),
            ("d_head_transform", "a tied embedding", self.d_head_transform and self.tie_embeddings),
            ("n_kv_heads", "latent_attention", self.latent_attention and self.n_kv_heads),
            ("qk_norm", "latent_attention", self.latent_attention and self.qk_norm != "none"),
            ("attention_clip", "latent_attention", self.latent_attention and self.attention_clip),
            ("rotary_dims", "other positions", self.rotary_dims and self.positions != "rotary"),
            ("unrotated_layers", "other positions", self.unrotated_layers and self.positions != "rotary"),
            ("unrotated_layers", "latent_attention", self.unrotated_layers and self.latent_attention),
            ("ffn_clipped", "a feed-forward without a gate", self.ffn_clipped and not self.ffn_gated),
            ("qk_norm", "other positions", self.qk_norm == "rotated" and self.positions != "rotary"),
            (
                "query_position_scale",
                "rotation in every layer",
                self.query_position_scale == "unrotated" and self.positions == "rotary" and not self.unrotated_layers,
            ),
            ("norm_weight", "rms_norm", not self.norm_weight and self.norm == "rms_norm"),
            ("n_unique_layers", "layers that differ", self.n_unique_layers and self._has_patterns()),
        ):
            if is_wrong:
                raise problem(key, f"{key} cannot be given with {without}")
        if self.output_projection and self.d_embedding is None:
            raise problem("output_projection", "output_projection is onto d_embedding, which is not given")
        if self.encoder_input != "tokens" and not self.n_encoder_layers:
            raise problem("encoder_input", "encoder_input is for models with an encoder")
        self._check_image()
        if self.full_attention_layers and self.sliding_window is None:
            raise problem("full_attention_layers", "full_attention_layers is given, but there is no sliding_window")
        return self

    def _check_image(self) -> None:
        rows = self.encoder_context_length or self.context_length
        if self.encoder_input == "patches" and rows <= self.class_tokens:
            least = f"at least {self.class_tokens + 1}"
            raise problem("context_length", f"the context of an image is its patches and class tokens: {least}")
        for key in ("class_tokens", "patch_bias") if self.encoder_input != "patches" else ():
            if getattr(self, key) != type(self).model_fields[key].default:
                raise problem(key, f"{key} is given, but nothing uses it: encoder_input is {self.encoder_input}")

    @property
    def sizes(self) -> Sizes:
        """The model's sizes, with every default filled in but for lengths that follow the context."""
        same = {each.name: getattr(self, each.name) for each in fields(Sizes) if each.name in ModelSpec.model_fields}
        of_spec = {
            "notes": tuple(self.notes),
            "d_head": self.d_head or self.d_model // self.n_heads,
            "n_positions": self.n_positions or max(self.context_length, self.encoder_context_length or 0),
            "attention_bias": frozenset(self.attention_bias),
            "latent_attention": self.latent_attention.part() if self.latent_attention else None,
            "full_attention_layers": layer_set(self.full_attention_layers),
            "unrotated_layers": layer_set(self.unrotated_layers),
            "experts": self.experts.part() if self.experts else None,
            "train": self._trained(),
        }
        return Sizes(**same | of_spec)

    def at(self, context: int | None = None, encoder_context: int | None = None) -> Sizes:
        """Return the model's sizes, at another context where one is given. Raises InputError as `Sizes.at` does."""
        return self.sizes.at(context, encoder_context)

    def _has_patterns(self) -> bool:
        """Tell whether the layers of a stack differ from each other."""
        dense = self.experts.dense_layers if self.experts else []
        return bool(self.full_attention_layers or self.unrotated_layers or dense or isinstance(self.train, list))

    def _trained(self) -> Lora | tuple[int | str, ...] | None:
        if isinstance(self.train, TrainSpec):
            return self.train.part()
        return None if self.train == "all" else tuple(self.train)
