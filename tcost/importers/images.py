"""Families that read images, and the towers of models that compare images with texts."""

from tcost.importers.encoders import SIZES
from tcost.importers.fields import Families, Fields
from tcost.importers.heads import architecture, classes, end_in_pooler, not_understood
from tcost.importers.parts import ACTIVATIONS, ALL, activation

IMAGES = Families(lambda _: None)


def image(f: Fields, class_tokens: int) -> None:
    """Set the sizes of a vision transformer, whose rows are the patches of an image and so many class tokens."""
    side, patch = f.number("image_size"), f.number("patch_size")
    if side < patch:
        raise f.wrong("patch_size", f"at most the image's side, {side}")
    f.set(vocab_size=1)
    f.put("context_length", "image_size", (side // patch) ** 2 + class_tokens)
    f.set(n_decoder_layers=0, encoder_input="patches", class_tokens=class_tokens)
    f.sizes(**SIZES, patch_size="patch_size", n_channels="num_channels")
    f.set(attention_bias=ALL, norm_position="pre", positions="learned")
    activation(f, "hidden_act")
    f.ignore("tie_word_embeddings")
    f.notes.append("vocab_size is not used: the model reads images")


@IMAGES.family("vit")
def vit(f: Fields) -> None:
    """Read a vision transformer, which classifies images or ends in a pooler."""
    _classifier(f, "ViT", class_tokens=1)


@IMAGES.family("deit")
def deit(f: Fields) -> None:
    """Read a DeiT: a vision transformer with a distillation token beside the class token."""
    _classifier(f, "DeiT", class_tokens=2)


def _classifier(f: Fields, model: str, class_tokens: int) -> None:
    image(f, class_tokens)
    f.set(attention_bias=ALL if f.flag("qkv_bias") else ["output"], final_norm=True)
    f.ignore("encoder_stride")
    name = architecture(f)
    if name.endswith(f"{model}Model"):
        f.agree(pooler_output_size=f.spec["d_model"])
        end_in_pooler(f, name, f.choice("pooler_act", ACTIVATIONS | {"tanh": "tanh"}))
    elif name.endswith("ForImageClassification") or not name:
        f.ignore("pooler_output_size", "pooler_act")
        f.set(head="classifier", n_classes=classes(f))
    else:
        raise not_understood(f, name, f"known: {model}ForImageClassification and {model}Model")


@IMAGES.family("clip_vision_model")
def clip_vision(f: Fields) -> None:
    """Read the tower of CLIP that reads images: it ends in its first row, which alone is normalised."""
    image(f, class_tokens=1)
    f.set(patch_bias=False, embedding_norm=True, head="first_row", pooled_norm=True)
    _end_of_clip(f, "CLIPVisionModel")


@IMAGES.family("clip_text_model")
def clip_text(f: Fields) -> None:
    """Read the tower of CLIP that reads texts: each token sees those before; the last one stands for the whole."""
    _text(f)
    f.became("num_hidden_layers", "n_decoder_layers", f.spec["n_encoder_layers"])
    f.set(n_decoder_layers=f.spec["n_encoder_layers"], n_encoder_layers=0, head="none")
    _end_of_clip(f, "CLIPTextModel")


def _text(f: Fields) -> None:
    f.sizes(vocab_size="vocab_size", **SIZES)
    f.take("context_length", "max_position_embeddings")
    f.ignore("tie_word_embeddings")
    f.set(n_decoder_layers=0, attention_bias=ALL, norm_position="pre", positions="learned", final_norm=True)
    activation(f, "hidden_act")


def _end_of_clip(f: Fields, model: str) -> None:
    """Set whether a tower of CLIP ends in a projection onto what it shares with the other one."""
    if _tower(f, model, f"{model}WithProjection", both="CLIPModel").endswith("WithProjection"):
        f.set(head="first_row")
        f.take("d_projection", "projection_dim")
    else:
        f.ignore("projection_dim")


@IMAGES.family("siglip_text_model")
def siglip_text(f: Fields) -> None:
    """Read the tower of SigLIP that reads texts: it ends in a projection of its last row."""
    _text(f)
    f.take("d_projection", "projection_size", default=f.spec["d_model"])
    f.set(head="first_row", projection_bias=True)
    _tower(f, "SiglipTextModel", both="SiglipModel")


@IMAGES.family("siglip_vision_model", vision_use_head=True)
def siglip_vision(f: Fields) -> None:
    """Read the tower of SigLIP that reads images: it ends in attention of one learned row over all, where it has it."""
    image(f, class_tokens=0)
    f.set(final_norm=True)
    f.put("head", "vision_use_head", "attention_pool" if f.flag("vision_use_head") else "none")
    _tower(f, "SiglipVisionModel")


def _tower(f: Fields, *known: str, both: str | None = None) -> str:
    """Return the class of a tower, by default the first one, or that of `both`, and say that it has no loss."""
    name = architecture(f) or known[0]
    if name not in (*known, both):
        raise not_understood(f, name, f"known: {' and '.join(known)}")
    f.notes.append(f"{name} has no loss of its own: what comes back to its end is not priced")
    return name
