"""What follows attention in a block: a feed-forward, or a mixture of experts."""

from tcost.exact import Size
from tcost.layers.projections import normed, projection
from tcost.sizes import Experts, Sizes
from tcost.tracing import Tensor, layer
from tcost.tracing.operations import (
    activate,
    add,
    bias,
    clip,
    clip_above,
    combine,
    expert_bias,
    expert_linear,
    linear,
    multiply,
    normalise_sum,
    plus_one,
    scale,
    softmax,
    top_k,
    weigh,
)


@layer
def feed_forward(x: Tensor, s: Sizes) -> Tensor:
    """Two projections with an activation function between them, which may gate a third.

    x [q, d] -> [q, f] -> [q, d]. Source: Vaswani et al. 2017, section 3.3; Shazeer 2020,
    arXiv 2002.05202, for gates.
    """
    return _feed_forward(x, s, s.d_ff)


def _feed_forward(x: Tensor, s: Sizes, width: Size, prefix: str = "") -> Tensor:
    def up(name: str) -> Tensor:
        return projection(f"{prefix}{name}", x, "q d -> q f", s, has_bias=s.ffn_bias, f=width)

    if s.ffn_gated:
        hidden = _gated(s, up("gate"), up("up"), prefix)
    else:
        hidden = activate(s.activation, up("up"), f"{prefix}activation")
    return projection(f"{prefix}down", hidden, "q f -> q d", s, has_bias=s.ffn_bias, d=s.d_model)


def _gated(s: Sizes, gate: Tensor, up: Tensor, prefix: str = "") -> Tensor:
    if s.ffn_clipped:
        gate = clip_above(f"{prefix}gate_clip", gate)
        up = plus_one(f"{prefix}up_plus_one", clip(f"{prefix}up_clip", up))
    return multiply(f"{prefix}gated", activate(s.activation, gate, f"{prefix}activation"), up)


@layer
def mixture_of_experts(x: Tensor, s: Sizes, experts: Experts) -> Tensor:
    """Feed-forwards of which a router chooses some for every token; each output has the router's weight.

    x [q, d] -> [q, choice, f] -> [q, d]. Source: Jiang et al. 2024, arXiv 2401.04088, section 2.1;
    Dai et al. 2024, arXiv 2401.06066, section 3, for shared experts. Omits: DeepSeek-V3's correction of
    the scores and choice by groups, and losses that balance the load.
    """
    weights = None if experts.router == "none" else _route(x, s, experts)
    choice = {"choice": experts.experts_per_token}
    given, pattern = x, "q d -> q choice f"
    if weights is not None and experts.weighs_input:
        given, pattern, choice, weights = weigh("weighed", weights, x), "q choice d -> q choice f", {}, None

    def up(name: str) -> Tensor:
        y = expert_linear(name, given, pattern, experts.n_experts, **choice, f=experts.d_expert)
        return expert_bias(f"{name}_bias", y, "q choice f", experts.n_experts) if experts.bias else y

    if s.ffn_gated:
        hidden = _gated(s, up("expert_gate"), up("expert_up"), "expert_")
    else:
        hidden = activate(s.activation, up("expert_up"), "expert_activation")
    if weights is None:
        y = expert_linear("expert_down", hidden, "q choice f -> q d", experts.n_experts, d=s.d_model)
    else:
        outputs = expert_linear("expert_down", hidden, "q choice f -> q choice d", experts.n_experts, d=s.d_model)
        if experts.bias:
            outputs = expert_bias("expert_down_bias", outputs, "q choice d", experts.n_experts)
        y = combine("combine", weights, outputs, "q choice, q choice d -> q d")
    if experts.d_shared:
        y = add("shared_sum", y, _shared_expert(x, s, experts))
    return normed(y, s, "output_norm") if experts.output_norm else y


def _route(x: Tensor, s: Sizes, experts: Experts) -> Tensor:
    """Return the weight of every expert that a token chose: [q, choice]."""
    scores = linear("router", x, "q d -> q expert", expert=experts.n_experts)
    if experts.bias:
        scores = bias("router_bias", scores, "q expert", "expert")
    if experts.router in ("chosen_softmax", "chosen_sigmoid"):
        weights = _weights_of(top_k(scores, experts.experts_per_token), experts)
    else:
        weights = top_k(_weights_of(scores, experts), experts.experts_per_token)
    if experts.normalise:
        weights = normalise_sum(weights)
    return scale(weights, s.d_model, "router_scale") if experts.scale else weights


def _weights_of(scores: Tensor, experts: Experts) -> Tensor:
    is_softmax = experts.router in ("softmax", "chosen_softmax")
    return softmax(scores) if is_softmax else activate("sigmoid", scores, "router_sigmoid")


def _shared_expert(x: Tensor, s: Sizes, experts: Experts) -> Tensor:
    """Return the output of the expert that every token takes, weighed by its gate where it has one."""
    y = _feed_forward(x, s, experts.d_shared, "shared_")
    if not experts.shared_gate:
        return y
    gate = activate("sigmoid", linear("shared_expert_gate", x, "q d -> q one", one=1), "shared_sigmoid")
    return combine("shared_weighed", gate, y, "q one, q d -> q d")
