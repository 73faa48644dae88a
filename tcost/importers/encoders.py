"""Encoder-only families."""

from collections.abc import Mapping
from typing import Any

from tcost.errors import InputError
from tcost.importers.fields import Families, Fields
from tcost.importers.heads import Ends, architecture, head
from tcost.importers.parts import ALL, activation, tied

ENCODERS = Families(lambda _: None)

POOLED = Ends(pooler="tanh", bare="tanh", choice="tanh", spans=True)
"""What BERT and its like end in."""

MASKED: Mapping[str, Any] = {
    "attention_bias": ALL,
    "norm_position": "post",
    "positions": "learned",
    "embedding_norm": True,
    "head_transform": True,
    "n_decoder_layers": 0,
}
"""What BERT and its like have."""

SIZES: Mapping[str, str] = {
    "d_model": "hidden_size",
    "n_heads": "num_attention_heads",
    "d_ff": "intermediate_size",
    "n_encoder_layers": "num_hidden_layers",
}
"""What most encoders call their sizes."""


def _masked(f: Fields, sizes: Mapping[str, str] = SIZES, act: str = "hidden_act", *, spare: int = 0) -> None:
    """Set the sizes of a masked language model; `spare` rows of its table of positions are never used."""
    f.refuse(position_embedding_type=(None, "absolute"), add_cross_attention=False)
    f.sizes(vocab_size="vocab_size", **sizes)
    rows = f.take("n_positions", "max_position_embeddings")
    f.set(context_length=max(1, rows - spare), **MASKED)
    tied(f)
    activation(f, act)


def _end(f: Fields, ends: Ends) -> None:
    """Set the head; with `is_decoder` a model of one stack hides the rows after each."""
    head(f, ends)
    if f.flag("is_decoder", default=False):
        f.became("is_decoder", "n_decoder_layers", f.spec["n_encoder_layers"])
        f.set(n_decoder_layers=f.spec["n_encoder_layers"], n_encoder_layers=0)


def _with_segments(f: Fields, *, spare: int = 0) -> None:
    """Set the sizes of a masked language model that tells segments apart."""
    _masked(f, spare=spare)
    f.take("n_segments", "type_vocab_size")


@ENCODERS.family("bert")
def bert(f: Fields) -> None:
    """Read a BERT."""
    _with_segments(f)
    f.ignore("pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head")
    f.ignore("pooler_type", "directionality")
    _end(f, POOLED)
    second_bias(f)


def second_bias(f: Fields) -> None:
    """Say that a vocabulary projection which is not tied has a bias of its own, beside that of the head."""
    if not f.spec["tie_embeddings"] and "head" not in f.spec:
        f.notes.append(
            f"not counted: a second bias of the vocabulary projection, {f.spec['vocab_size']} parameters, "
            "which the class never runs"
        )


@ENCODERS.family("ernie")
def ernie(f: Fields) -> None:
    """Read an ERNIE: a BERT with a table of tasks where it is used."""
    bert(f)
    if f.flag("use_task_id"):
        f.take("n_task_types", "task_type_vocab_size")
    f.ignore("task_type_vocab_size")


_PRE: Mapping[str, Any] = {"norm_position": "pre", "final_norm": True}

ROBERTAS: Mapping[str, Mapping[str, Any]] = {
    **{name: {} for name in ("roberta", "xlm-roberta", "camembert", "data2vec-text")},
    "roberta-prelayernorm": _PRE,
    "xlm-roberta-xl": {**_PRE, "embedding_norm": False},
}
"""What sets RoBERTa and its like apart from a BERT, beside that positions start at 2, past the padding token's."""


def _roberta_like(f: Fields) -> None:
    """Read a RoBERTa or its like."""
    _with_segments(f, spare=2)
    f.set(**ROBERTAS[f.family])
    _gelu_in_head(f)
    _end(f, POOLED)
    second_bias(f)


for _name in ROBERTAS:
    ENCODERS.family(_name)(_roberta_like)


def _gelu_in_head(f: Fields) -> None:
    """Set the activation of the head transform where the class has the erf form, whatever the layers have."""
    if f.spec["activation"] != "gelu":
        f.set(head_activation="gelu")


@ENCODERS.family("distilbert")
def distilbert(f: Fields) -> None:
    """Read a DistilBERT: no segments. Sinusoids are where its table of positions starts; its class trains them, too."""
    names = {"d_model": "dim", "n_heads": "n_heads", "d_ff": "hidden_dim", "n_encoder_layers": "n_layers"}
    _masked(f, names, "activation")
    f.refuse(is_decoder=False)
    f.ignore("sinusoidal_pos_embds")
    _end(f, Ends(pooler="relu", choice="relu", spans=True))


@ENCODERS.family("electra")
def electra(f: Fields) -> None:
    """Read an ELECTRA: narrow embeddings and a projection where their width is another."""
    _with_segments(f)
    width = f.number("embedding_size")
    if width != f.spec["d_model"]:
        f.put("d_embedding", "embedding_size", width)
        f.set(embedding_bias=True)
    _gelu_in_head(f)
    if architecture(f).endswith("ForMultipleChoice"):
        f.refuse(summary_type="first", summary_use_proj=True, summary_activation="gelu")
        f.refuse(summary_proj_to_labels=(False, None))
    _end(f, Ends(pooler="gelu", choice="gelu", spans=True))


@ENCODERS.family("albert")
def albert(f: Fields) -> None:
    """Read an ALBERT: narrow embeddings, and layers that share weights in groups."""
    _with_segments(f)
    f.refuse(is_decoder=False)
    depth, inner, groups = f.spec["n_encoder_layers"], f.number("inner_group_num"), f.number("num_hidden_groups")
    f.take("d_embedding", "embedding_size")
    f.put("n_unique_layers", "num_hidden_groups, inner_group_num", groups * inner)
    f.set(n_encoder_layers=depth * inner, embedding_bias=True)
    f.ignore("net_structure_type", "num_memory_blocks", "gap_size", "down_scale_factor")
    if depth % groups:
        raise InputError(f"{f.where}: {groups} groups of layers do not divide {depth} layers")
    _end(f, POOLED)
    second_bias(f)
