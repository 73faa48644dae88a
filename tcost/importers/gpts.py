"""More decoder-only families that are like the first GPTs: learned or fixed positions, LayerNorm, no gate."""

from tcost.importers.decoders import gpt2, gptj
from tcost.importers.fields import Families, Fields
from tcost.importers.heads import head
from tcost.importers.parts import ALL, activation, decoder

GPTS = Families(head)


@GPTS.family("gpt_bigcode")
def gpt_bigcode(f: Fields) -> None:
    """Read a GPT-BigCode: a GPT-2 whose queries share one head of keys and values."""
    gpt2(f)
    f.set(n_kv_heads=1 if f.flag("multi_query") else f.spec["n_heads"])
    f.agree(num_key_value_heads=f.spec["n_kv_heads"])
    f.ignore("scale_attention_softmax_in_fp32")


@GPTS.family("openai-gpt")
def openai_gpt(f: Fields) -> None:
    """Read the first GPT: norms after the sums; its `gelu` is the approximation, written out."""
    decoder(f, "n_embd", "n_head", "n_layer", "n_positions")
    f.set(d_ff=4 * f.spec["d_model"], attention_bias=ALL, norm_position="post", positions="learned")
    f.set(n_positions=f.spec["context_length"])
    f.put("activation", "afn", f.choice("afn", {"gelu": "gelu_new", "relu": "relu", "silu": "silu", "swish": "silu"}))


@GPTS.family("xglm")
def xglm(f: Fields) -> None:
    """Read an XGLM: fixed positions."""
    f.refuse(add_cross_attention=False)
    decoder(f, "d_model", "attention_heads", "num_layers")
    f.take("d_ff", "ffn_dim")
    f.set(attention_bias=ALL, norm_position="pre", final_norm=True, positions="sinusoidal")
    f.set(embedding_scale=f.flag("scale_embedding"))
    activation(f, "activation_function")


@GPTS.family("biogpt")
def biogpt(f: Fields) -> None:
    """Read a BioGPT: a table of positions with two rows to spare."""
    decoder(f)
    f.take("d_ff", "intermediate_size")
    f.set(attention_bias=ALL, norm_position="pre", final_norm=True, positions="learned")
    f.set(n_positions=f.spec["context_length"] + 2, embedding_scale=f.flag("scale_embedding"))
    activation(f, "hidden_act")


@GPTS.family("codegen")
def codegen(f: Fields) -> None:
    """Read a CodeGen: a GPT-J, whose class rotates nothing sensible where `rotary_dim` is null."""
    f.number("rotary_dim")
    gptj(f)


@GPTS.family("gpt_neo", attention_types=[[["global", "local"], 12]])
def gpt_neo(f: Fields) -> None:
    """Read a GPT-Neo: scores are not scaled, and some layers have a sliding window."""
    depth = decoder(f, heads="num_heads", layers="num_layers")
    f.take("d_ff", "intermediate_size", default=4 * f.spec["d_model"])
    f.set(attention_bias=["output"], attention_scale=False, norm_position="pre", final_norm=True)
    f.set(positions="learned", n_positions=f.spec["context_length"])
    activation(f, "activation_function")
    f.ignore("resid_dropout")
    layers = _layers_of_neo(f, depth)
    f.agree(attention_layers=layers)
    size = f.number("window_size")
    if "local" in layers:
        f.put("sliding_window", "window_size", size)
        full = [layer for layer, kind in enumerate(layers) if kind == "global"]
        f.put("full_attention_layers", "attention_types", full)


def _layers_of_neo(f: Fields, depth: int) -> list[str]:
    """Return what each layer attends to: words, repeated so many times."""
    groups, expected = f.get("attention_types"), f"words global or local for {depth} layers: [[[words], times], ...]"
    layers: list[str] = []
    for group in groups if isinstance(groups, list) else [None]:
        match group:
            case [list(words), int(times)] if 0 <= times <= depth and len(words) <= depth:
                layers += words * times
            case _:
                raise f.wrong("attention_types", expected)
        if len(layers) > depth:
            break
    if len(layers) != depth or any(each not in ("global", "local") for each in layers):
        raise f.wrong("attention_types", expected)
    return layers
