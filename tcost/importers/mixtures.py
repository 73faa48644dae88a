"""What classes with experts or latent attention do, as parts of a family's row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tcost.importers.fields import Fields
from tcost.importers.parts import activation, d_head
from tcost.importers.rows import Row
from tcost.sizes import Router

DenseLayers = Callable[[Fields, int], list[int]]
"""What reads which layers of so many have a plain feed-forward."""

LATENT = {
    "kv_rank": "kv_lora_rank",
    "d_nope": "qk_nope_head_dim",
    "d_rope": "qk_rope_head_dim",
    "d_value": "v_head_dim",
}
"""The sizes of latent attention, and what DeepSeek calls them."""


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """What a class says of its experts: which fields it reads, and what it does whatever they are.

    `count`, `chosen` and `width` are the fields of how many there are, how many a token takes and how wide one
    is; `shared` that of how many more every token takes, or `d_shared` that of their width together.
    """

    count: str
    width: str
    chosen: str = "num_experts_per_tok"
    router: Router = "softmax"
    normalise: bool | str = False
    """Whether the weights of the chosen experts are made to sum to one, or the flag that says so."""
    scale: str | None = None
    """The field of the constant that weights are multiplied by."""
    shared: str | None = None
    d_shared: str | None = None
    must_share: bool = False
    """Whether the class means something else by no shared expert, which is refused."""
    shared_gate: bool = False
    output_norm: bool = False
    """Whether what the mixture gives is normalised."""
    weighs_input: bool = False
    """Whether weights are those of what an expert reads."""
    bias: bool = False
    """Whether experts and router have biases."""
    dense: DenseLayers | None = None
    """What reads which layers are dense; None: none is."""

    def __call__(self, f: Fields, depth: int) -> None:
        """Set the experts of a spec. Raises InputError as `Fields` does."""
        experts = self._sizes(f) | {"router": self.router, "normalise": self._is_normalised(f)}
        experts["d_shared"] = self._shared(f, experts["d_expert"])
        if self.scale is not None:
            experts["scale"] = _factor(f, self.scale) != 1
        if self.shared_gate and experts["d_shared"]:
            experts["shared_gate"] = True
        experts |= {key: True for key in ("output_norm", "weighs_input", "bias") if getattr(self, key)}
        dense = self.dense(f, depth) if self.dense else []
        f.set(experts=experts | ({"dense_layers": dense} if dense else {}))

    def _sizes(self, f: Fields) -> dict[str, Any]:
        names = {"n_experts": self.count, "experts_per_token": self.chosen, "d_expert": self.width}
        sizes = {key: f.number(name) for key, name in names.items()}
        for key, name in names.items():
            f.became(name, f"experts.{key}", sizes[key])
        if sizes["experts_per_token"] > sizes["n_experts"]:
            raise f.wrong(self.chosen, f"at most the {sizes['n_experts']} experts that there are")
        return sizes

    def _is_normalised(self, f: Fields) -> bool:
        return f.flag(self.normalise) if isinstance(self.normalise, str) else self.normalise

    def _shared(self, f: Fields, width: int) -> int:
        name = self.shared or self.d_shared
        if name is None:
            return 0
        number = f.number(name) if self.must_share else f.optional(name, least=0) or 0
        shared = number * (width if self.shared else 1)
        f.became(name, "experts.d_shared", shared)
        return shared


def _factor(f: Fields, name: str) -> float:
    factor = f.get(name)
    if isinstance(factor, bool) or not isinstance(factor, int | float):
        raise f.wrong(name, "a number")
    return factor


def all_but_every(f: Fields, depth: int) -> list[int]:
    """Return the layers that are named, and all but every so many."""
    step, named = f.number("decoder_sparse_step"), f.get("mlp_only_layers")
    if not isinstance(named, list) or not all(isinstance(layer, int) for layer in named):
        raise f.wrong("mlp_only_layers", "a list of layers, counted from zero")
    plain = set(named)
    return _said(
        f,
        "decoder_sparse_step, mlp_only_layers",
        [layer for layer in range(depth) if layer in plain or (layer + 1) % step],
    )


def first_ones(f: Fields, depth: int) -> list[int]:
    """Return the first so many layers."""
    number = f.number("first_k_dense_replace", least=0)
    return _said(f, "first_k_dense_replace", list(range(min(number, depth))))


def by_list(f: Fields, depth: int) -> list[int]:
    """Return the layers that a list says are dense; where there is none, the first so many, by default one."""
    types = f.values.get("mlp_layer_types")
    f.ignore("mlp_layer_types")
    if types is None:
        return first_ones(f, depth)
    if not isinstance(types, list) or len(types) != depth or any(each not in ("dense", "sparse") for each in types):
        raise f.wrong("mlp_layer_types", f"a list of {depth} words, dense or sparse")
    f.ignore("first_k_dense_replace")
    return _said(f, "mlp_layer_types", [layer for layer, each in enumerate(types) if each == "dense"])


def by_list_else_one(f: Fields, depth: int) -> list[int]:
    """Return the layers that a list says are dense, else the first; the class has no other word for it."""
    if f.values.get("mlp_layer_types") is not None:
        return by_list(f, depth)
    f.ignore("mlp_layer_types")
    f.agree(first_k_dense_replace=1)
    return _said(f, "first_k_dense_replace", list(range(min(1, depth))))


def by_interval(f: Fields, depth: int) -> list[int]:
    """Return the layers outside a range, and those within it but every so many."""
    first, interval = f.number("moe_layer_start_index", least=0), f.number("moe_layer_interval")
    last = f.number("moe_layer_end_index", least=-1)
    last = depth - 1 if last == -1 else last
    return _said(
        f,
        "moe_layer_start_index, moe_layer_end_index, moe_layer_interval",
        [layer for layer in range(depth) if not first <= layer <= last or (layer + 1) % interval],
    )


def _said(f: Fields, names: str, dense: list[int]) -> list[int]:
    if dense:
        f.became(names, "experts.dense_layers", dense)
    return dense


@dataclass(frozen=True, kw_only=True)
class LatentRow(Row):
    """A family whose attention is latent: keys and values, and queries in most, pass a low rank."""

    head_dim: tuple[str, ...] = ("d_rope",)
    """What the class calls the width of a head: the sum of these sizes."""
    value_follows: bool = False
    """Whether a value is as wide as the model's heads where its field is null."""
    can_skip_query_rank: bool = True
    """Whether queries may be projected directly."""

    def _heads(self, f: Fields) -> None:
        """Leave the heads: latent attention has sizes of its own for them."""

    def _layer(self, f: Fields) -> None:
        """Set latent attention; its flag gives a bias to the output and to what leads to the low ranks."""
        f.set(positions="rotary")
        f.ignore("rope_parameters", "rope_scaling", "rope_interleave")
        if self.value_follows and f.get("v_head_dim") is None:
            f.values = {**f.values, "v_head_dim": d_head(f)}
        latent = {key: f.number(name) for key, name in LATENT.items()}
        f.agree(num_key_value_heads=f.spec["n_heads"], head_dim=sum(latent[key] for key in self.head_dim))
        f.agree(qk_head_dim=latent["d_nope"] + latent["d_rope"])
        rank = f.optional("q_lora_rank") if self.can_skip_query_rank else f.number("q_lora_rank")
        f.set(latent_attention=latent if rank is None else {**latent, "q_rank": rank})
        for key, name in {**LATENT, "q_rank": "q_lora_rank"}.items():
            f.became(name, f"latent_attention.{key}", f.spec["latent_attention"].get(key))
        f.set(attention_bias=["output"] if f.flag("attention_bias") else [])
        self._ffn_bias(f)
        activation(f, self.activation)


def further_tokens_left_out(f: Fields, _depth: int) -> None:
    """Say that layers which predict further tokens are no part of the class."""
    if f.optional("num_mtp_layers", "num_nextn_predict_layers", least=0):
        say_left_out(f, "num_nextn_predict_layers")


def say_left_out(f: Fields, name: str) -> None:
    """Say that layers which predict further tokens are left out; the field has their number."""
    f.notes.append(f"layers that predict further tokens ({name}) are left out")


def said_not_counted(what: str) -> Callable[[Fields, int], None]:
    """Return a part that says in a note what the class does beside what is counted."""

    def say(f: Fields, _depth: int) -> None:
        f.notes.append(f"not counted: {what}")

    return say


GROUPS = ("n_group", "topk_group", "topk_method", "ep_size")
"""Fields of which experts are chosen among, and where they lie: they change no count."""

ROUTED: Mapping[str, Any] = {
    "count": "n_routed_experts",
    "width": "moe_intermediate_size",
    "scale": "routed_scaling_factor",
}

DEEPSEEK_HAS: Mapping[str, Any] = {"mlp_bias": False, "moe_layer_freq": 1, "scoring_func": "sigmoid"}
"""Fields of which the class of DeepSeek-V3, and those that have taken its experts over, know these values alone."""

LIKE_DEEPSEEK = Mixture(
    **ROUTED, router="sigmoid", normalise="norm_topk_prob", shared="n_shared_experts", dense=first_ones
)
"""The experts of DeepSeek-V3 and the families that have taken them over."""
