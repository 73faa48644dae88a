"""Encoder-decoder families."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tcost.errors import InputError
from tcost.importers.fields import Families, Fields
from tcost.importers.heads import Ends, architecture, head, is_bare, not_understood, without_vocabulary
from tcost.importers.parts import ACTIVATIONS, ALL, activation, tied

SUMMARY = Ends(pooler="tanh")
"""One row of the decoder, the last token of the text, passes a dense layer before a classifier."""


def whole(f: Fields) -> None:
    """Set the head of an encoder-decoder, and take one stack alone where its class has but one."""
    name = architecture(f)
    if f.family in T5_LIKE and name.endswith(("EncoderModel", "ForTokenClassification")):
        _encoder_alone(f)
        if name.endswith("EncoderModel"):
            f.set(head="none")
            without_vocabulary(f)
        else:
            head(f)
    elif f.family not in T5_LIKE and name.endswith("ForCausalLM"):
        _decoder_alone(f)
    elif not name or is_bare(name) or name.endswith(WHOLE):
        head(f, SUMMARY._replace(spans=f.family in T5_LIKE))
    else:
        raise not_understood(f, name)


def _encoder_alone(f: Fields) -> None:
    """Leave the encoder of what was read."""
    f.refuse(is_encoder_decoder=(True, False))
    f.spec.pop("share_embeddings", None)
    for key in [key for key in f.spec if key.startswith("encoder_") and key != "encoder_input"]:
        f.spec[key.removeprefix("encoder_")] = f.spec.pop(key)
    f.set(n_decoder_layers=0)


def _decoder_alone(f: Fields) -> None:
    """Leave the decoder of what was read, whose class has an attention over an encoder that never runs."""
    for key in [key for key in f.spec if key.startswith("encoder_") or key == "share_embeddings"]:
        del f.spec[key]
    width, depth = f.spec["d_model"], f.spec["n_decoder_layers"]
    f.set(n_encoder_layers=0)
    f.notes.append(
        f"not counted: attention over an encoder in each layer, {depth * (4 * width * (width + 1) + 2 * width)} "
        "parameters, which the class never runs"
    )


ENCODER_DECODERS = Families(whole)

T5_LIKE = ("t5", "mt5", "umt5")
WHOLE = (
    *("ForConditionalGeneration", "MTModel", "WithLMHeadModel"),
    *("ForSequenceClassification", "ForQuestionAnswering"),
)
"""Ends of classes that have both stacks, beside bare models."""

SPARE = 2
"""BART's positions start at 2, past the padding token's."""

FRESH = "not tied, as in the checkpoint: a class of transformers 5 that is built anew ties its tables all the same"


@ENCODER_DECODERS.family("t5", n_positions=512, tie_word_embeddings=True)
def t5(f: Fields) -> None:
    """Read a T5 or mT5: RMSNorm, biases of the scores by distance, one table for both embeddings."""
    f.sizes(vocab_size="vocab_size", d_model="d_model", n_heads="num_heads", d_head="d_kv", d_ff="d_ff")
    encoder = f.take("n_encoder_layers", "num_layers")
    if (
        f.values.get("num_decoder_layers") is None
        and f.values.get("num_layers", f.defaults.get("num_layers")) != encoder
    ):
        # The class fills this field from num_layers before it reads another name for that.
        raise InputError(
            f"{f.where}: field 'num_decoder_layers' is missing\nit does not follow from num_hidden_layers; give it, too"
        )
    f.take("n_decoder_layers", "num_decoder_layers", default=encoder)
    f.sizes(context_length="n_positions", relative_buckets="relative_attention_num_buckets")
    f.ignore("relative_attention_max_distance")
    f.refuse(is_decoder=False)
    f.set(positions="relative", norm="rms_norm", norm_position="pre", final_norm=True, ffn_bias=False)
    f.set(attention_scale=False, share_embeddings=True)
    is_tied = tied(f)
    if not is_tied:
        f.notes.append(FRESH)
    f.set(output_scale=f.flag("scale_decoder_outputs", default=is_tied))
    _gate(f)


def _gate(f: Fields) -> None:
    """Set the activation and whether it gates: two fields of their own win over the one that says both."""
    word = f.get("feed_forward_proj")
    gate, _, act = word.rpartition("-") if isinstance(word, str) else ("?", "", "")
    if gate not in ("", "gated") or act not in ACTIVATIONS:
        raise f.wrong("feed_forward_proj", f"one of {', '.join(ACTIVATIONS)}, or such a word after 'gated-'")
    kind = "gelu_new" if word == "gated-gelu" else ACTIVATIONS[act]
    if "dense_act_fn" in f.values:
        kind = f.choice("dense_act_fn", ACTIVATIONS)
    f.ignore("dense_act_fn")
    is_gated = f.flag("is_gated_act", default=bool(gate))
    for name, key, value in (("dense_act_fn", "activation", kind), ("is_gated_act", "ffn_gated", is_gated)):
        f.put(key, name if name in f.values else "feed_forward_proj", value)


@ENCODER_DECODERS.family("mt5", n_positions=512)
def mt5(f: Fields) -> None:
    """Read an mT5, whose class does not scale what goes into the vocabulary projection."""
    t5(f)
    f.set(output_scale=False)


def _double(f: Fields) -> None:
    """Set the sizes of a BART and its like, whose encoder has its own heads and width."""
    f.sizes(vocab_size="vocab_size", d_model="d_model", n_heads="decoder_attention_heads", d_ff="decoder_ffn_dim")
    f.sizes(n_encoder_layers="encoder_layers", n_decoder_layers="decoder_layers")
    for key, name in (("n_heads", "encoder_attention_heads"), ("d_ff", "encoder_ffn_dim")):
        number = f.number(name)
        f.became(name, f"encoder_{key}", number)
        if number != f.spec[key]:
            f.spec[f"encoder_{key}"] = number
    f.set(attention_bias=ALL)
    tied(f)
    f.put("embedding_scale", "scale_embedding", f.flag("scale_embedding"))
    activation(f, "activation_function")
    f.refuse(is_decoder=(False, architecture(f).endswith("ForCausalLM")), add_bias_logits=False)


def _spare_table(f: Fields) -> None:
    """Say of a table that both stacks would share where it were tied what the class does with it where it is not."""
    if not f.spec["tie_embeddings"]:
        size = f.spec["vocab_size"] * f.spec["d_model"]
        f.notes.append(f"not counted: a fourth table, model.shared of {size} parameters, which the class never runs")


@ENCODER_DECODERS.family("umt5", n_positions=512, tie_word_embeddings=True)
def umt5(f: Fields) -> None:
    """Read a UMT5: an mT5 of which every layer has a table of relative positions."""
    t5(f)
    f.set(relative_everywhere=True)
    if not f.spec["tie_embeddings"]:
        f.notes.remove(FRESH)
        f.notes.append("tie_word_embeddings false is not used: the family's class has one table all the same")
        f.set(tie_embeddings=True)


class Double(NamedTuple):
    """What sets a BART and its like apart."""

    spec: Mapping[str, Any]
    spare: int = 0
    """Rows at the start of the table of positions that are never used."""
    positions: str = "learned"


POST: Mapping[str, Any] = {"norm_position": "post", "embedding_norm": True}
PRE: Mapping[str, Any] = {"norm_position": "pre", "final_norm": True}

DOUBLES: Mapping[str, Double] = {
    "bart": Double(POST, SPARE),
    "mbart": Double({**PRE, "embedding_norm": True}, SPARE),
    "plbart": Double(POST, SPARE),
    "blenderbot": Double(PRE),
    "blenderbot-small": Double(POST),
    "pegasus": Double(PRE, positions="stored"),
    "m2m_100": Double(PRE, positions="sinusoidal"),
}
"""BART and its like."""


def _bart_like(f: Fields) -> None:
    """Read a BART or its like."""
    row = DOUBLES[f.family]
    _double(f)
    rows = f.number("max_position_embeddings")
    f.became("max_position_embeddings", "n_positions", rows + row.spare)
    f.set(context_length=rows, n_positions=rows + row.spare, positions=row.positions, **row.spec)
    is_pre, has_norm = row.spec["norm_position"] == "pre", "embedding_norm" in row.spec
    f.refuse(normalize_before=is_pre, normalize_embedding=has_norm, add_final_layer_norm=is_pre)
    f.refuse(static_position_embeddings=row.positions != "learned")
    f.agree(extra_pos_embeddings=row.spare)
    _spare_table(f)


for _name in DOUBLES:
    ENCODER_DECODERS.family(_name)(_bart_like)


@ENCODER_DECODERS.family("marian")
def marian(f: Fields) -> None:
    """Read a Marian: sinusoids that are stored, and one vocabulary or two."""
    _double(f)
    rows = f.take("n_positions", "max_position_embeddings")
    f.set(context_length=rows, positions="stored", norm_position="post")
    f.refuse(normalize_before=False, normalize_embedding=False, add_final_layer_norm=False)
    f.refuse(static_position_embeddings=True)
    f.ignore("extra_pos_embeddings")
    target = f.optional("decoder_vocab_size")
    if not f.flag("share_encoder_decoder_embeddings"):
        f.set(encoder_vocab_size=f.spec["vocab_size"], share_embeddings=False)
        f.put("vocab_size", "decoder_vocab_size", target or f.spec["vocab_size"])
    else:
        f.agree(decoder_vocab_size=f.spec["vocab_size"])
        f.set(share_embeddings=f.spec["tie_embeddings"])
        _spare_table(f)


@ENCODER_DECODERS.family("whisper")
def whisper(f: Fields) -> None:
    """Read a Whisper: audio through two convolutions, stored sinusoids in the encoder, no biases of keys."""
    _double(f)
    f.set(attention_bias=["query", "value", "output"], encoder_input="audio", norm_position="pre", final_norm=True)
    f.take("n_channels", "num_mel_bins")
    rows, encoder_rows = f.take("n_positions", "max_target_positions"), f.number("max_source_positions")
    f.set(context_length=rows, encoder_context_length=encoder_rows)
    f.put("encoder_n_positions", "max_source_positions", encoder_rows)
    f.set(positions="learned", encoder_positions="stored")
    # The encoder's embeddings are not scaled, and no published model scales the decoder's.
    f.refuse(scale_embedding=False, use_weighted_layer_sum=False, apply_spec_augment=(False, True))
    f.ignore("classifier_proj_size", "median_filter_width", "alignment_heads")
    f.ignore(*(name for name in f.values if name.startswith("mask_")))
