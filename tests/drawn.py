"""Random models for property tests."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from tcost import Sizes
from tcost.sizes import PROJECTIONS, Experts, LatentAttention, LayerSet, Lora

FAMILIES = ["encoder-only", "decoder-only", "encoder-decoder"]

small = st.integers(1, 40)


@st.composite
def models(draw: st.DrawFn, family: str | None = None) -> Sizes:
    """Draw the sizes of a small model, of any family or of one."""
    family = family or draw(st.sampled_from(FAMILIES))
    heads, width = draw(small), draw(small)
    return Sizes(
        name="drawn",
        vocab_size=draw(small),
        d_model=heads * width,
        n_heads=heads,
        d_head=width,
        d_ff=draw(small),
        n_encoder_layers=0 if family == "decoder-only" else draw(small),
        n_decoder_layers=0 if family == "encoder-only" else draw(small),
        context_length=draw(small),
        encoder_context_length=draw(small) if family == "encoder-decoder" else None,
    )


@st.composite
def parts(draw: st.DrawFn) -> Sizes:
    """Draw a tiny model of any family with any combination of parts."""
    two = st.integers(1, 2)
    family = draw(st.sampled_from(FAMILIES))
    heads, width = draw(two), draw(st.integers(1, 3))
    is_double = family == "encoder-decoder"
    return Sizes(
        vocab_size=draw(st.integers(2, 7)),
        d_model=heads * width,
        n_heads=heads,
        d_head=draw(st.sampled_from([width, width + 1])),
        d_ff=draw(st.integers(1, 5)),
        n_encoder_layers=0 if family == "decoder-only" else draw(two),
        n_decoder_layers=0 if family == "encoder-only" else draw(two),
        context_length=draw(st.integers(1, 4)),
        encoder_context_length=draw(st.integers(1, 4)) if is_double else None,
        encoder_n_heads=heads if is_double and draw(st.booleans()) else None,
        encoder_d_ff=draw(st.integers(1, 5)) if is_double and draw(st.booleans()) else None,
        attention_bias=draw(st.frozensets(st.sampled_from(PROJECTIONS))),
        ffn_bias=draw(st.booleans()),
        activation=draw(st.sampled_from(["gelu", "gelu_tanh", "relu"])),
        norm_position=draw(st.sampled_from(["pre", "post"])),
        positions=draw(st.sampled_from(["learned", "sinusoidal", "none"])),
        n_positions=4,
        n_segments=draw(st.integers(0, 2)),
        embedding_norm=draw(st.booleans()),
        final_norm=draw(st.booleans()),
        head_transform=draw(st.booleans()),
        tie_embeddings=draw(st.booleans()),
    )


def _tiny(**parts: Any) -> Sizes:
    sizes = {"vocab_size": 7, "d_model": 8, "n_heads": 4, "d_head": 2, "d_ff": 5, "context_length": 4}
    return Sizes(**{"n_encoder_layers": 0, "n_decoder_layers": 2, **sizes, **parts})


ENCODER: dict[str, Any] = {"n_encoder_layers": 2, "n_decoder_layers": 0}
DOUBLE: dict[str, Any] = {"n_encoder_layers": 2, "encoder_context_length": 3}
LLAMA: dict[str, Any] = {
    "norm": "rms_norm",
    "positions": "rotary",
    "norm_position": "pre",
    "final_norm": True,
    "ffn_gated": True,
    "activation": "silu",
    "ffn_bias": False,
}
FIRST = LayerSet(frozenset({0}))
LATENT = LatentAttention(kv_rank=3, d_nope=3, d_rope=2, d_value=5, q_rank=4)

POOLED = _tiny(**ENCODER, head="pooler", pooler="tanh")
BARE = _tiny(n_task_types=2, head="none")
FIRST_ROW = _tiny(**ENCODER, head="first_row", pooled_norm=True, d_projection=3, projection_bias=True)
ATTENTION_POOL = _tiny(
    **(ENCODER | {"context_length": 5}),
    encoder_input="patches",
    patch_size=2,
    n_channels=1,
    class_tokens=0,
    attention_bias=frozenset({"query", "value"}),
    final_norm=True,
    head="attention_pool",
)
WITHOUT_HEAD = {"pooled": POOLED, "bare": BARE, "first row": FIRST_ROW, "attention pool": ATTENTION_POOL}
"""Models without a head, which have no loss: for backpropagation alone."""

MODERN = {
    "grouped-query": _tiny(**LLAMA, n_kv_heads=2),
    "multi-query alibi": _tiny(n_kv_heads=1, positions="alibi", norm_bias=False),
    "half alibi": _tiny(n_kv_heads=1, positions="alibi", causal="half"),
    "narrow classifier": _tiny(
        d_embedding=5,
        positions="learned",
        n_positions=6,
        wide_positions=True,
        head="token_classifier",
        n_classes=3,
        output_projection=True,
    ),
    "head activation": _tiny(**ENCODER, head_transform=True, head_activation="gelu", activation="relu"),
    "window": _tiny(sliding_window=2, causal="half", full_attention_layers=LayerSet(every=2), n_decoder_layers=3),
    "experts": _tiny(
        **(LLAMA | {"n_decoder_layers": 3}),
        experts=Experts(
            n_experts=3,
            experts_per_token=2,
            d_expert=5,
            d_shared=3,
            shared_gate=True,
            normalise=True,
            scale=True,
            dense_layers=FIRST,
        ),
    ),
    "sigmoid router": _tiny(
        experts=Experts(n_experts=3, experts_per_token=1, d_expert=5, d_shared=2, router="sigmoid")
    ),
    "softmax of the chosen": _tiny(
        experts=Experts(n_experts=3, experts_per_token=2, d_expert=5, router="chosen_softmax", output_norm=True)
    ),
    "no router": _tiny(experts=Experts(n_experts=2, experts_per_token=2, d_expert=5, router="none")),
    "latent": _tiny(latent_attention=LATENT, attention_bias=frozenset({"output"})),
    "latent half": _tiny(latent_attention=replace(LATENT, q_rank=None), causal="half"),
    "relative": _tiny(
        **DOUBLE,
        positions="relative",
        relative_buckets=3,
        norm="rms_norm",
        attention_scale=False,
        norm_position="pre",
        share_embeddings=True,
        output_scale=True,
    ),
    "relative everywhere": _tiny(**DOUBLE, positions="relative", relative_buckets=3, relative_everywhere=True),
    "tasks": _tiny(
        **ENCODER,
        n_task_types=2,
        head_transform=True,
        head_transform_bias=False,
        d_head_transform=3,
        activation="sigmoid",
    ),
    "relative half": _tiny(**DOUBLE, positions="relative", relative_buckets=3, causal="half", tie_embeddings=True),
    "head norms": _tiny(qk_norm="head", n_kv_heads=2, positions="rotary", d_head=4, rotary_dims=2),
    "query norms": _tiny(qk_norm="all", n_kv_heads=2, norm="rms_norm", norm_position="output"),
    "norms of each head": _tiny(qk_norm="each_head", n_kv_heads=2, norm_bias=False, parallel="one_norm"),
    "layer norms of each head": _tiny(qk_norm="each_head", n_kv_heads=2),
    "constants": _tiny(**LLAMA, residual_scale=True, embedding_scale=True, logit_scale=True),
    "clipped": _tiny(n_kv_heads=2, norm_weight=False, norm_position="pre", attention_clip=True),
    "scaled by position": _tiny(**LLAMA, query_position_scale="all", logit_scale=True, logit_softcap=True),
    "latent scaled by position": _tiny(latent_attention=LATENT, query_position_scale="all", residual_scale=True),
    "some unrotated": _tiny(
        **(LLAMA | {"n_decoder_layers": 3}), unrotated_layers=LayerSet(every=2), sliding_window=2, causal="half"
    ),
    "sinks": _tiny(attention_sinks=True, n_kv_heads=2),
    "sinks, half": _tiny(
        **(LLAMA | {"activation": "quick_gelu"}),
        attention_sinks=True,
        n_kv_heads=2,
        causal="half",
        sliding_window=2,
        ffn_clipped=True,
        experts=Experts(n_experts=3, experts_per_token=2, d_expert=5, router="chosen_softmax", bias=True),
    ),
    "like Llama 4": _tiny(
        **(LLAMA | {"n_decoder_layers": 3}),
        qk_norm="rotated",
        query_position_scale="unrotated",
        unrotated_layers=LayerSet(every=2),
        experts=Experts(
            n_experts=3,
            experts_per_token=2,
            d_expert=5,
            d_shared=3,
            router="chosen_sigmoid",
            weighs_input=True,
            dense_layers=FIRST,
        ),
    ),
    "soft caps": _tiny(
        norm_position="both",
        attention_softcap=True,
        logit_softcap=True,
        embedding_scale=True,
        tie_embeddings=True,
        activation="gelu_tanh",
        ffn_gated=True,
    ),
    "parallel": _tiny(parallel="one_norm", head_bias=True),
    "parallel norms": _tiny(parallel="two_norms", activation="quick_gelu"),
    "squared relu": _tiny(activation="relu2"),
    "relu and sinusoids": _tiny(activation="relu", positions="sinusoidal", attention_bias=frozenset(PROJECTIONS)),
    "shared layers": _tiny(
        **ENCODER, n_unique_layers=1, d_embedding=3, embedding_bias=True, head_transform=True, tie_embeddings=True
    ),
    "two layers shared": _tiny(n_decoder_layers=4, n_unique_layers=2, activation="gelu_new"),
    "narrow embedding": _tiny(
        d_embedding=3, wide_positions=True, positions="learned", n_positions=4, tie_embeddings=True
    ),
    "image": _tiny(
        **ENCODER,
        encoder_input="patches",
        patch_size=2,
        n_channels=1,
        head="classifier",
        n_classes=3,
        positions="learned",
        n_positions=4,
        final_norm=True,
    ),
    "image with a distillation token": _tiny(
        **ENCODER,
        encoder_input="patches",
        patch_size=2,
        n_channels=2,
        class_tokens=2,
        patch_bias=False,
        head="classifier",
        n_classes=3,
    ),
    "audio": _tiny(
        **DOUBLE,
        encoder_input="audio",
        n_channels=2,
        encoder_positions="stored",
        positions="learned",
        n_positions=4,
        encoder_n_positions=3,
        attention_bias=frozenset({"query", "value", "output"}),
        tie_embeddings=True,
    ),
    "classifier": _tiny(**ENCODER, head="classifier", pooler="tanh", n_classes=3),
    "token classifier": _tiny(
        **ENCODER, head="token_classifier", n_classes=3, head_bias=False, n_segments=2, embedding_norm=True
    ),
    "two vocabularies": _tiny(**DOUBLE, encoder_vocab_size=5, tie_embeddings=True, share_embeddings=False),
    "adapters": _tiny(**LLAMA, train=Lora(rank=2, targets=("query", "value", "down"))),
    "value adapter": _tiny(n_decoder_layers=3, train=Lora(rank=2, targets=("value",))),
    "a layer trained": _tiny(n_decoder_layers=3, train=(1,)),
    "two kinds of layer trained": _tiny(train=("attention", "final_norm"), final_norm=True),
    "head trained": _tiny(train=("vocabulary_projection",)),
    "tied head trained": _tiny(train=("vocabulary_projection",), tie_embeddings=True),
    "decoder trained": _tiny(**DOUBLE, train=("decoder",)),
    "tied decoder trained": _tiny(train=("decoder",), tie_embeddings=True),
    "shared table trained": _tiny(**DOUBLE, train=("decoder",), share_embeddings=True),
}
"""Tiny models that between them have every part, and train everything or some."""


@st.composite
def modern(draw: st.DrawFn) -> Sizes:
    """Draw a tiny model of any family with any combination of modern parts."""
    s, flag, few = draw(parts()), st.booleans(), st.integers(1, 3)
    divisors = [number for number in range(1, s.n_heads + 1) if s.n_heads % number == 0]
    is_encoder = s.family == "encoder-only"
    experts = draw(few)
    mixture = Experts(
        n_experts=experts,
        experts_per_token=draw(st.integers(1, experts)),
        d_expert=draw(few),
        d_shared=draw(st.integers(0, 2)),
        shared_gate=draw(flag),
        router=draw(st.sampled_from(["softmax", "chosen_softmax", "sigmoid", "chosen_sigmoid"])),
        normalise=draw(flag),
        scale=draw(flag),
        output_norm=draw(flag),
        **draw(st.sampled_from([{}, {"bias": True}, {"weighs_input": True}])),
        dense_layers=draw(st.sampled_from([LayerSet(), FIRST])),
    )
    latent = LatentAttention(
        q_rank=draw(st.none() | few), kv_rank=draw(few), d_nope=draw(few), d_rope=2, d_value=draw(few)
    )
    parts_drawn: dict[str, Any] = {
        "n_kv_heads": draw(st.sampled_from(divisors)) if s.encoder_n_heads is None else None,
        "latent_attention": draw(st.sampled_from([None, None, latent])),
        "experts": draw(st.sampled_from([None, mixture])),
        "attention_scale": draw(flag),
        "attention_softcap": draw(flag),
        "logit_softcap": draw(flag),
        "attention_sinks": draw(flag),
        "attention_clip": draw(flag),
        "query_position_scale": draw(st.sampled_from(["none", "all", "unrotated"])),
        "qk_norm": draw(st.sampled_from(["none", "head", "each_head", "all", "rotated"])),
        "sliding_window": draw(st.none() | few),
        "full_attention_layers": draw(st.sampled_from([LayerSet(), LayerSet(every=2)])),
        "causal": draw(st.sampled_from(["full", "half"])),
        "ffn_gated": draw(flag),
        "ffn_clipped": draw(flag),
        "activation": draw(st.sampled_from(["gelu", "gelu_tanh", "quick_gelu", "relu", "relu2", "silu", "tanh"])),
        "parallel": draw(st.sampled_from(["none", "none", "one_norm", "two_norms"])),
        "norm": draw(st.sampled_from(["layer_norm", "rms_norm"])),
        "norm_weight": draw(flag),
        "norm_bias": draw(flag),
        "norm_position": draw(st.sampled_from(["pre", "post", "both", "output"])),
        "positions": draw(st.sampled_from(["learned", "stored", "rotary", "alibi", "relative", "none"])),
        "relative_buckets": draw(few),
        "rotary_dims": draw(st.none() | st.integers(1, s.d_model // s.n_heads)),
        "d_embedding": draw(st.none() | few),
        "embedding_bias": draw(flag),
        "wide_positions": draw(flag),
        "embedding_scale": draw(flag),
        "unrotated_layers": draw(st.sampled_from([LayerSet(), LayerSet(), LayerSet(every=2)])),
        "residual_scale": draw(flag),
        "logit_scale": draw(flag),
        "n_unique_layers": draw(st.sampled_from([None, 1])),
        "output_scale": draw(flag),
        "head": draw(st.sampled_from(["vocabulary", "classifier", "token_classifier"])) if is_encoder else "vocabulary",
        "n_classes": draw(few),
        "pooler": draw(st.sampled_from(["none", "tanh"])),
        "head_bias": draw(st.sampled_from([None, True, False])),
        "train": draw(st.sampled_from([None, None, Lora(rank=2, targets=("output",)), ("attention_or_latent",), (0,)])),
    }
    if parts_drawn["train"] == ("attention_or_latent",):
        parts_drawn["train"] = ("latent_attention",) if parts_drawn["latent_attention"] else ("attention",)
    if s.family == "encoder-decoder":
        parts_drawn["parallel"] = "none"
    if parts_drawn["latent_attention"] and parts_drawn["positions"] == "relative":
        parts_drawn["positions"] = "none"
    if parts_drawn["positions"] == "relative":
        parts_drawn["sliding_window"] = None
    if parts_drawn["positions"] != "rotary" or parts_drawn["latent_attention"]:
        parts_drawn["unrotated_layers"] = LayerSet()
    if parts_drawn["latent_attention"]:
        parts_drawn["attention_clip"] = False
    if parts_drawn["norm"] == "rms_norm":
        parts_drawn["norm_weight"] = True
    if parts_drawn["n_unique_layers"] and (parts_drawn["experts"] or parts_drawn["unrotated_layers"] != LayerSet()):
        parts_drawn["n_unique_layers"] = None  # layers that differ share nothing
    if isinstance(parts_drawn["train"], tuple) or parts_drawn["sliding_window"]:
        parts_drawn["n_unique_layers"] = None
    return replace(s, **parts_drawn)


@st.composite
def everything(draw: st.DrawFn) -> Sizes:
    """Draw a tiny model of any family with any combination of parts, inputs, heads, vocabularies and tables."""
    s, flag, few = draw(modern()), st.booleans(), st.integers(1, 3)
    is_double, has_encoder = s.family == "encoder-decoder", s.family != "decoder-only"
    given = draw(st.sampled_from(["tokens", "patches", "audio"])) if has_encoder else "tokens"
    changes: dict[str, Any] = {
        "encoder_input": given,
        "patch_size": draw(few) if given == "patches" else None,
        "n_channels": draw(few) if given != "tokens" else None,
        "head": draw(st.sampled_from(["vocabulary", "vocabulary", "classifier", "token_classifier"])),
        "share_embeddings": draw(st.sampled_from([None, True, False])),
    }
    if given == "patches":
        key = "encoder_context_length" if is_double else "context_length"
        changes[key] = draw(st.integers(2, 4))  # a class token and a patch
    if is_double:
        changes["encoder_positions"] = draw(st.sampled_from([None, "learned", "sinusoidal", "none"]))
        changes["encoder_n_positions"] = draw(st.none() | few)
        if not changes["share_embeddings"] and not s.tie_embeddings:
            changes["encoder_vocab_size"] = draw(st.none() | st.integers(2, 9))
    if s.train is None and not s.n_unique_layers and draw(flag):
        changes["train"] = draw(st.sampled_from([("decoder",), ("encoder", 0), (0,)])) if is_double else (0,)
    return replace(s, **changes)


def losses(s: Sizes, batch: int = 1) -> st.SearchStrategy[str]:
    """Draw a loss that a model can have: in chunks that its rows can be cut into, where it ends in a loss."""
    if s.head == "pooler":
        return st.just("held")
    rows = batch * (1 if s.head == "classifier" else s.context_length)
    chunks = [f"chunked:{number}" for number in range(1, rows + 1) if rows % number == 0]
    return st.sampled_from(["held", "dropped", "fused", *chunks])
