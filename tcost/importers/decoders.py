"""Decoder-only families without experts. Each function reads what the family's class in transformers does."""

from tcost.importers.fields import Families, Fields
from tcost.importers.heads import head
from tcost.importers.parts import ALL, activation, biases, d_head, decoder, heads, read_by_none, rotary

DECODERS = Families(head)

MPT_RATIO = 4
"""Feed-forward width over model width of MptMLP, whatever the configuration says."""


@DECODERS.family("gpt2")
def gpt2(f: Fields) -> None:
    """Read a GPT-2."""
    f.refuse(add_cross_attention=False)
    f.ignore("scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn")
    decoder(f, "n_embd", "n_head", "n_layer", "n_positions")
    f.take("d_ff", "n_inner", default=4 * f.spec["d_model"])
    f.set(attention_bias=ALL, norm_position="pre", positions="learned", final_norm=True)
    f.set(n_positions=f.spec["context_length"], attention_scale=f.flag("scale_attn_weights"))
    activation(f, "activation_function")


@DECODERS.family("gpt_neox")
def gpt_neox(f: Fields) -> None:
    """Read a GPT-NeoX or Pythia: side by side, after two norms."""
    decoder(f)
    f.take("d_ff", "intermediate_size")
    is_parallel = f.flag("use_parallel_residual")
    f.set(parallel="two_norms" if is_parallel else "none", norm_position="pre", final_norm=True)
    biases(f, "attention_bias", ALL)
    rotary(f, "rotary_pct", 0.25)
    activation(f, "hidden_act")
    f.refuse(is_decoder=(True, False))


@DECODERS.family("gptj")
def gptj(f: Fields) -> None:
    """Read a GPT-J: attention and feed-forward side by side, after one norm."""
    decoder(f, "n_embd", "n_head", "n_layer", "n_positions")
    f.take("d_ff", "n_inner", default=4 * f.spec["d_model"])
    f.take("rotary_dims", "rotary_dim", default=d_head(f))
    f.set(positions="rotary", parallel="one_norm", norm_position="pre", final_norm=True, head_bias=True)
    f.ignore("scale_attn_weights")
    f.agree(rotary=True)
    activation(f, "activation_function")


@DECODERS.family("opt")
def opt(f: Fields) -> None:
    """Read an OPT: a table of positions with two rows to spare."""
    f.refuse(layer_norm_elementwise_affine=True)
    decoder(f)
    f.take("d_ff", "ffn_dim")
    has_bias, is_pre = f.flag("enable_bias"), f.flag("do_layer_norm_before")
    is_bare = f.flag("_remove_final_layer_norm")
    f.set(attention_bias=ALL if has_bias else [], ffn_bias=has_bias)
    f.set(norm_position="pre" if is_pre else "post", final_norm=is_pre and not is_bare)
    f.set(positions="learned", n_positions=f.spec["context_length"] + 2)
    width = f.optional("word_embed_proj_dim")
    if width is not None and width != f.spec["d_model"]:
        f.put("d_embedding", "word_embed_proj_dim", width)
        f.set(wide_positions=True)
    activation(f, "activation_function")


@DECODERS.family("bloom", seq_length=2048)
def bloom(f: Fields) -> None:
    """Read a BLOOM. Where the residual branches off a norm changes no count."""
    f.ignore("apply_residual_connection_post_layernorm")
    f.refuse(n_inner=None)
    decoder(f, heads="n_head", layers="n_layer", context="seq_length")
    f.set(d_ff=4 * f.spec["d_model"], activation="gelu_tanh", attention_bias=ALL, positions="alibi")
    f.set(embedding_norm=True, norm_position="pre", final_norm=True)


@DECODERS.family("falcon")
def falcon(f: Fields) -> None:
    """Read a Falcon: the first, one norm and one head of keys; the new architecture, two norms and groups."""
    depth = decoder(f)
    f.take("d_ff", "ffn_hidden_size", default=4 * f.spec["d_model"])
    is_new, is_parallel = f.flag("new_decoder_architecture"), f.flag("parallel_attn")
    kv = f.optional("num_kv_heads") or f.spec["n_heads"]
    one = 1 if f.flag("multi_query") else f.spec["n_heads"]
    f.set(n_kv_heads=kv if is_new else one)
    norms = f.optional("num_ln_in_parallel_attn") or (2 if is_new else 1)
    parallel = "two_norms" if is_new and norms == 2 else "one_norm"  # noqa: PLR2004  # norms are one or two
    f.set(parallel=parallel if is_parallel else "none", norm_position="pre", final_norm=True)
    has_bias = f.flag("bias")
    f.set(attention_bias=ALL if has_bias else [], ffn_bias=has_bias)
    if f.flag("alibi"):
        f.set(positions="alibi")
        f.ignore("rope_parameters", "rope_scaling")
    else:
        rotary(f)
    f.ignore("apply_residual_connection_post_layernorm")
    f.agree(n_layer=depth, n_head=f.spec["n_heads"], n_head_kv=f.spec["n_kv_heads"])
    activation(f, "activation")


@DECODERS.family("mpt")
def mpt(f: Fields) -> None:
    """Read an MPT: no biases, LayerNorms without them, ALiBi."""
    decoder(f, "d_model", "n_heads", "n_layers", "max_seq_len")
    if (ratio := f.number("expansion_ratio")) != MPT_RATIO:
        f.notes.append(f"expansion_ratio {ratio} is not used: the class in transformers has {MPT_RATIO}")
    f.set(d_ff=MPT_RATIO * f.spec["d_model"], activation="gelu", ffn_bias=False, norm_bias=False, norm_position="pre")
    f.set(final_norm=True, positions="alibi")
    f.refuse(no_bias=True, logit_scale=None)
    attention = Fields(f"{f.where}, attn_config", f.part("attn_config"))
    attention.refuse(attn_type="multihead_attention", clip_qkv=None, qk_ln=False, alibi=True, prefix_lm=False)
    attention.ignore("alibi_bias_max", "softmax_scale", "attn_impl", "attn_uses_sequence_id", "attn_pdrop")
    read_by_none(attention)
    attention.finish()
    norms = ("low_precision_layernorm", "layernorm")
    f.refuse(norm_type=norms, layer_norm_type=norms)
    f.ignore("learned_pos_emb", "embedding_fraction", "attn_impl")


@DECODERS.family("phi")
def phi(f: Fields) -> None:
    """Read a Phi: side by side after one norm, biases everywhere."""
    decoder(f)
    f.take("d_ff", "intermediate_size")
    heads(f)
    f.set(attention_bias=ALL, parallel="one_norm", norm_position="pre", final_norm=True, head_bias=True)
    f.set(qk_norm="head" if f.flag("qk_layernorm") else "none")
    rotary(f, default=0.5)
    activation(f, "hidden_act")
