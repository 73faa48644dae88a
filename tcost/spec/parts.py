"""The parts of a spec that have keys of their own: experts, latent attention, adapters, sets of layers."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from tcost.exact import MAX_SIZE
from tcost.sizes import NO_VOCABULARY, PROJECTIONS, WITHOUT_LOSS, Experts, LatentAttention, LayerSet, Lora, Router

Count = Annotated[int, Field(ge=1, le=MAX_SIZE)]
Depth = Annotated[int, Field(ge=0, le=MAX_SIZE)]
LayerNumber = Annotated[int, Field(ge=0, le=MAX_SIZE)]


def problem(key: str, message: str) -> PydanticCustomError:
    """Return an error about a key that only shows together with others."""
    return PydanticCustomError("shape", "{message}", {"message": message, "key": key})


class Part(BaseModel):
    """A part of a spec; unknown keys and numbers in quotes are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class LayersSpec(Part):
    """Every so many layers: `{every: 6, first: 5}` is layers 5, 11, 17, ..., counted from zero."""

    every: Count
    """How many layers on the next one is."""
    first: Depth = 0
    """The first one, counted from zero."""


LayersKey = list[LayerNumber] | LayersSpec


def layer_set(layers: LayersKey) -> LayerSet:
    """Return the layers that a list of numbers or an `every` means."""
    if isinstance(layers, LayersSpec):
        return LayerSet(every=layers.every, first=layers.first)
    return LayerSet(numbers=frozenset(layers))


def _all_or_none(value: Any) -> Any:
    return {True: list(PROJECTIONS), False: []}.get(value, value) if isinstance(value, bool) else value


BiasKey = Annotated[
    list[Literal["query", "key", "value", "output"]],
    BeforeValidator(_all_or_none),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "array", "items": {"enum": list(PROJECTIONS)}}]}),
]
"""`true`, `false`, or a list of the projections that have biases."""


class ExpertsSpec(Part):
    """A mixture of experts in the place of the feed-forward."""

    n_experts: Count
    """How many experts there are."""
    experts_per_token: Count
    """How many experts every token goes through."""
    d_expert: Count
    """Width of one expert."""
    d_shared: Depth = 0
    """Width of the expert that every token takes, all shared experts together; 0: there is none."""
    shared_gate: bool = False
    """Whether the shared expert's output is weighed by a sigmoid gate."""
    router: Router = "softmax"
    """What makes weights of the router's scores: `softmax` or `sigmoid` of all, `chosen_softmax` or `chosen_sigmoid` of
    those of the chosen experts alone; with `none`, outputs are added as they are."""
    normalise: bool = False
    """Whether the weights of the chosen experts are made to sum to one."""
    scale: bool = False
    """Whether the weights are multiplied by a constant."""
    weighs_input: bool = False
    """Whether the weights are those of what an expert reads, not of what it gives."""
    output_norm: bool = False
    """Whether what the experts give together is normalised before it is added."""
    bias: bool = False
    """Whether the projections of the experts and of the router have biases."""
    dense_layers: LayersKey = []
    """Layers, counted from zero, that have a plain feed-forward of width d_ff."""

    @model_validator(mode="after")
    def _check_shape(self) -> Self:
        if self.experts_per_token > self.n_experts:
            raise problem(
                "experts_per_token",
                f"experts_per_token {self.experts_per_token} is more than n_experts {self.n_experts}",
            )
        if self.router == "none" and self.experts_per_token != self.n_experts:
            raise problem("router", "without a router every token goes through all experts")
        if self.bias and (self.router == "none" or self.weighs_input):
            raise problem("bias", "bias is of outputs that the router weighs, which are not added up in one product")
        if self.router == "none" and self.weighs_input:
            raise problem("weighs_input", "weighs_input cannot be given with router: none")
        return self

    def part(self) -> Experts:
        """Return the part as sizes have it."""
        return Experts(**{**dict(self), "dense_layers": layer_set(self.dense_layers)})


class LatentAttentionSpec(Part):
    """Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1)."""

    kv_rank: Count
    """Rank that keys and values pass."""
    q_rank: Count | None = None
    """Rank that queries pass; by default they are projected directly."""
    d_nope: Count
    """Width of a head's query and key that is not rotated."""
    d_rope: Count
    """Width that is rotated; the key's is shared by all heads."""
    d_value: Count
    """Width of a head's value."""

    def part(self) -> LatentAttention:
        """Return the part as sizes have it."""
        return LatentAttention(**dict(self))


class LoraSpec(Part):
    """Low-rank adapters beside projections (Hu et al. 2021, arXiv 2106.09685)."""

    rank: Count
    """Width between an adapter's two matrices."""
    targets: Annotated[list[str], Field(min_length=1)]
    """Projections that get an adapter, by their names in a table of operations: query, value, up, ..."""


class TrainSpec(Part):
    """Adapters alone are trained."""

    lora: LoraSpec
    """Which adapters."""

    def part(self) -> Lora:
        """Return the part as sizes have it."""
        return Lora(rank=self.lora.rank, targets=tuple(self.lora.targets))


def check_head(spec: Any) -> None:
    """Raise a problem of a model for a key that its head does not use, and for what its head lacks."""
    unused = (*NO_VOCABULARY,) if spec.head != "vocabulary" else ()
    for key in (*unused, *(("head_bias",) if spec.head in WITHOUT_LOSS else ())):
        if getattr(spec, key) not in (None, False):
            raise problem(key, f"{key} is given, but nothing of the model uses it: head is {spec.head}")
    if not spec.head_transform and (spec.d_head_transform or not spec.head_transform_bias):
        key = "d_head_transform" if spec.d_head_transform else "head_transform_bias"
        raise problem(key, f"{key} is given, but there is no head_transform to use it")
    if spec.head_activation and not spec.head_transform:
        raise problem("head_activation", "head_activation is given, but there is no head_transform to use it")
    if spec.pooler != "none" and spec.head not in ("pooler", "classifier", "token_classifier"):
        raise problem("pooler", f"pooler is given, but nothing of the model uses it: head is {spec.head}")
    for key in ("pooled_norm", "d_projection", "projection_bias") if spec.head != "first_row" else ():
        if getattr(spec, key):
            raise problem(key, f"{key} is given, but nothing of the model uses it: head is {spec.head}")
    if spec.projection_bias and spec.d_projection is None:
        raise problem("projection_bias", "projection_bias is given, but there is no d_projection to use it")
    if spec.head == "pooler" and spec.pooler == "none":
        raise problem("head", "head: pooler needs the activation of the pooler; give it as pooler: tanh")
