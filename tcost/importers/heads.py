"""What a model ends in, by the name of its class: a vocabulary projection, a classifier, a pooler or nothing."""

from typing import NamedTuple

from tcost.errors import InputError
from tcost.importers.fields import Fields
from tcost.sizes import NO_VOCABULARY, WITHOUT_LOSS

LANGUAGE = ("ForCausalLM", "LMHeadModel", "ForMaskedLM", "ForConditionalGeneration", "MTModel", "WithLMHeadModel")
PRETRAINING = ("BertForPreTraining", "AlbertForPreTraining", "ErnieForPreTraining")


PARTS = ("HeadsModel", "EncoderModel", "DecoderModel", "PreTrainedModel")
"""Classes that end in `Model` and are no bare model."""

KNOWN = "known: language models, bare models, classifiers of sequences and tokens, question answering"

SPAN = 2
"""A span of text has a start and an end: two scores of every token."""


class Ends(NamedTuple):
    """What the classes of a family have before their classifiers, each an activation after a dense layer."""

    pooler: str | None = None
    """Of the first row, before a classifier of sequences; without one it reads every row without a bias."""
    bare: str | None = None
    """Of the first row, which a bare model ends in."""
    choice: str | None = None
    """Of the first row, before the score of a choice."""
    tokens: str | None = None
    """Of every row, before a classifier of tokens."""
    spans: bool = False
    """Whether the scores of a span's ends are as many as there are labels, which runs with two alone."""


DECODER = Ends()


def architecture(f: Fields) -> str:
    """Return the name of the class, empty where there is none."""
    names = f.values.get("architectures") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise f.wrong("architectures", "a list of names")
    return names[0] if names else ""


def is_language(name: str) -> bool:
    """Tell whether a class ends in a vocabulary projection, as one that is not named does."""
    return not name or name.endswith(LANGUAGE)


def is_bare(name: str) -> bool:
    """Tell whether a class has no head."""
    return name.endswith("Model") and not name.endswith((*LANGUAGE, *PARTS))


def head(f: Fields, ends: Ends = DECODER) -> None:
    """Set the head that the architecture has: the vocabulary projection, unless it is another one or none."""
    name = architecture(f)
    if name in PRETRAINING:
        f.notes.append(f"{name}: priced with the head of the masked language model alone")
        return
    if is_language(name):
        return
    if name.endswith("ForSequenceClassification"):
        kind = {"head": "token_classifier", "head_bias": False} if ends.pooler is None else {"head": "classifier"}
        f.set(**kind, pooler=ends.pooler or "none", n_classes=classes(f))
    elif name.endswith("ForTokenClassification"):
        f.set(head="token_classifier", pooler=ends.tokens or "none", n_classes=classes(f))
    elif name.endswith("ForQuestionAnswering"):
        f.set(head="token_classifier", n_classes=_span(f, ends))
    elif ends.choice and name.endswith("ForMultipleChoice"):
        f.set(head="classifier", pooler=ends.choice, n_classes=1)
        f.notes.append(f"{name}: every choice is a sequence of its own, and a batch counts them all")
    elif ends.bare and name.endswith("ForNextSentencePrediction"):
        f.set(head="classifier", pooler=ends.bare, n_classes=2)
    elif name == "ElectraForPreTraining":
        act = f.spec["activation"]
        f.set(head="token_classifier", pooler=act, n_classes=1)
    elif is_bare(name):
        _bare(f, name, ends.bare)
    else:
        raise not_understood(f, name)
    without_vocabulary(f)


def not_understood(f: Fields, name: str, known: str = KNOWN) -> InputError:
    """Return the error about a class that is not known."""
    return InputError(f"{f.where}: architecture {name} is not understood\n{known}")


def without_vocabulary(f: Fields) -> None:
    """Set that there is no vocabulary projection, and what belongs to one."""
    if f.spec.get("tie_embeddings") and f.spec.get("n_encoder_layers") and f.spec.get("n_decoder_layers"):
        f.spec.setdefault("share_embeddings", True)
    f.set(**NO_VOCABULARY)
    f.spec.pop("head_transform_bias", None)
    if f.spec["head"] in WITHOUT_LOSS:
        f.spec.pop("head_bias", None)
    if "wide_positions" in f.spec:  # an OPT's classifier, too, reads what is projected onto the embedding's width
        f.set(output_projection=True)


def _bare(f: Fields, name: str, pooler: str | None) -> None:
    if pooler:
        end_in_pooler(f, name, pooler)
    else:
        f.set(head="none")
        f.notes.append(
            f"{name} has no head: it ends in its last hidden state, and what comes back to that is not priced"
        )


def end_in_pooler(f: Fields, name: str, act: str) -> None:
    """Set that the model ends in a pooler of the first row."""
    f.set(head="pooler", pooler=act)
    f.notes.append(f"{name} has no head: it ends in its pooler, and what comes back to that is not priced")


def _span(f: Fields, ends: Ends) -> int:
    """Return the scores of a token, two: a start and an end."""
    if ends.spans and classes(f) != SPAN:
        raise f.wrong("num_labels" if "num_labels" in f.values else "id2label", "two labels, a start and an end")
    return SPAN


def classes(f: Fields) -> int:
    """Return the number of labels, two where nothing is said. A number wins over a list, as in the classes."""
    labels = f.part("id2label")
    if f.values.get("num_labels") is not None:
        return f.number("num_labels")
    f.agree(_num_labels=len(labels) or 2)
    return len(labels) or 2
