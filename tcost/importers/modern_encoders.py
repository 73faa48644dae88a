"""Encoders that are no BERT any more: rotary positions, gates, norms before; and what grew from them."""

from tcost.importers.encoders import POOLED, second_bias
from tcost.importers.fields import Families, Fields
from tcost.importers.heads import Ends, architecture, head, is_bare, is_language, not_understood
from tcost.importers.parts import ACTIVATIONS, ALL, GATED, activation, biases, decoder, full_layers, llama_like, rotary

MODERN_ENCODERS = Families(lambda _: None)


def _as_encoder(f: Fields) -> None:
    """Turn what was read of a decoder into an encoder, whose rows see each other."""
    f.set(n_encoder_layers=f.spec["n_decoder_layers"], n_decoder_layers=0)


@MODERN_ENCODERS.family("nomic_bert", tie_word_embeddings=True)
def nomic_bert(f: Fields) -> None:
    """Read a NomicBERT: a BERT with rotary positions, gates and no biases in its layers."""
    f.refuse(is_decoder=False, add_cross_attention=False)
    decoder(f)
    _as_encoder(f)
    width = f.optional("head_dim")
    if width is not None:
        f.put("d_head", "head_dim", width)
    f.take("d_ff", "intermediate_size")
    f.take("n_segments", "type_vocab_size")
    f.set(**GATED)
    f.set(norm="layer_norm", norm_position="post", final_norm=False, embedding_norm=True, head_transform=True)
    rotary(f)
    activation(f, "hidden_act")
    head(f, Ends(pooler="tanh"))
    second_bias(f)


@MODERN_ENCODERS.family("eurobert")
def eurobert(f: Fields) -> None:
    """Read a EuroBERT: a Llama whose rows see each other."""
    llama_like(f)
    _as_encoder(f)
    biases(f, "attention_bias", ALL)
    has_bias = f.flag("mlp_bias")
    f.set(ffn_bias=has_bias)
    f.ignore("mask_token_id", "classifier_pooling")
    name = architecture(f)
    if name.endswith("ForSequenceClassification"):
        f.refuse(classifier_pooling="bos")
    elif is_language(name):
        f.set(head_bias=has_bias)
    head(f, Ends(pooler="gelu"))


@MODERN_ENCODERS.family("esm")
def esm(f: Fields) -> None:
    """Read an ESM: norms before each part, and positions of a table or rotary."""
    f.refuse(is_decoder=(False, None), add_cross_attention=(False, None), is_folding_model=(False, None))
    f.agree(hidden_act="gelu")
    decoder(f)
    _as_encoder(f)
    f.take("d_ff", "intermediate_size")
    f.set(attention_bias=ALL, activation="gelu", norm_position="pre", final_norm=True, head_transform=True)
    f.set(embedding_norm=bool(f.get("emb_layer_norm_before")))
    kind = f.choice("position_embedding_type", {"absolute": "learned", "rotary": "rotary"})
    if kind == "rotary":
        rotary(f)
    else:
        rows = f.spec["context_length"]
        f.set(positions=kind, n_positions=rows, context_length=max(1, rows - 2))
    f.notes.append("the class's own gelu keeps more for the backward than gelu, which is measured")
    if f.get("token_dropout"):
        f.notes.append("token_dropout: two products of the embeddings with constants are not counted")
    f.ignore("esmfold_config", "vocab_list")
    size = f.spec["n_encoder_layers"] * f.spec["n_heads"] + 1
    f.notes.append(f"not counted: a head that predicts contacts, {size} parameters, which the class never runs")
    head(f, Ends(pooler="tanh", bare="tanh"))


def _modern(f: Fields) -> int:
    """Set what both ModernBERTs have, and return the depth.

    Their embeddings are normalised and the first block does not normalise what goes into its attention: in numbers
    that is a first block with both norms.
    """
    depth = decoder(f)
    f.take("d_ff", "intermediate_size")
    f.set(**GATED)
    f.set(norm="layer_norm", positions="rotary", head_transform=True)
    f.put("norm_bias", "norm_bias", f.flag("norm_bias"))
    biases(f, "attention_bias", ALL)
    f.put("ffn_bias", "mlp_bias", f.flag("mlp_bias"))
    f.put("head_transform_bias", "classifier_bias", f.flag("classifier_bias"))
    f.put("head_bias", "decoder_bias", f.flag("decoder_bias"))
    activation(f, "hidden_activation")
    kind = f.choice("classifier_activation", ACTIVATIONS)
    if kind != f.spec["activation"]:
        f.put("head_activation", "classifier_activation", kind)
    _whole_heads(f)
    f.ignore("global_rope_theta", "local_rope_theta", "initializer_cutoff_factor")
    f.ignore("mlp_dropout", "classifier_pooling", "deterministic_flash_attn", "sparse_pred_ignore_index")
    f.ignore("position_embedding_type", "reference_compile", "repad_logits_with_grad")
    f.refuse(sparse_prediction=False)
    name = architecture(f)
    if not is_language(name) and not is_bare(name):
        raise not_understood(f, name, "known: language models and the bare model")
    head(f)
    return depth


def _whole_heads(f: Fields) -> None:
    """Refuse positions that turn a part of a head."""
    each = [f.part("rope_scaling"), f.part("rope_parameters")]
    for part in (*each, *(part for nested in each for part in nested.values() if isinstance(part, dict))):
        if part.get("partial_rotary_factor", 1.0) != 1.0:
            raise f.wrong("rope_parameters", "no partial_rotary_factor: the family's class rotates whole heads")


def _slide(f: Fields, depth: int, rows: int, half: int) -> None:
    """Set the window of `rows` and the layers without: those that the file lists, else every so many."""
    f.agree(sliding_window=half)
    number, types = f.number("global_attn_every_n_layers"), f.values.get("layer_types")
    full = list(range(0, depth, number)) if types is None else full_layers(f, types, depth)
    f.ignore("layer_types")
    if len(full) == depth or half == 0:
        return
    f.put("sliding_window", "local_attention", rows)
    if full:
        f.put("full_attention_layers", "layer_types", full if types else {"every": number, "first": 0})


@MODERN_ENCODERS.family("modernbert", global_attn_every_n_layers=3)
def modernbert(f: Fields) -> None:
    """Read a ModernBERT: gates, rotary positions, and a window to both sides in two layers of three."""
    depth = _modern(f)
    _as_encoder(f)
    half = f.number("local_attention") // 2
    _slide(f, depth, 2 * half + 1, half)


@MODERN_ENCODERS.family("modernbert-decoder", global_attn_every_n_layers=3)
def modernbert_decoder(f: Fields) -> None:
    """Read a ModernBERT decoder, whose window is of the rows before."""
    depth = _modern(f)
    half = f.number("local_attention") // 2
    _slide(f, depth, half, half)


@MODERN_ENCODERS.family("rembert")
def rembert(f: Fields) -> None:
    """Read a RemBERT: narrow embeddings, and a wide projection onto the vocabulary that is not theirs."""
    f.refuse(is_decoder=False, add_cross_attention=False)
    decoder(f)
    _as_encoder(f)
    f.take("d_ff", "intermediate_size")
    f.take("n_segments", "type_vocab_size")
    f.take("d_embedding", "input_embedding_size")
    f.set(n_positions=f.spec["context_length"], positions="learned", attention_bias=ALL, norm_position="post")
    f.set(embedding_norm=True, embedding_bias=True, head_transform=True)
    activation(f, "hidden_act")
    width = f.number("output_embedding_size")
    if f.spec["tie_embeddings"] and width != f.spec["d_embedding"]:
        raise f.wrong("output_embedding_size", f"{f.spec['d_embedding']}, the width of the table that it is tied to")
    if width != f.spec["d_embedding"]:
        f.put("d_head_transform", "output_embedding_size", width)
    head(f, POOLED)
