"""Tracing: axes are bound by position, copies are counted, layers are named, and mistakes are explained."""

import pytest

from tcost.errors import InputError
from tcost.kinds import KINDS, PHASES, kind_of
from tcost.tracing import DOCS, LAYERS, AxisError, Op, Tensor, Trace, layer, repeat
from tcost.tracing.operations import (
    bias,
    combine,
    contract,
    convolve,
    expert_linear,
    join,
    linear,
    normalise,
    rotate,
    sink_softmax,
    top_k,
    weigh,
)


def only(trace: Trace) -> Op:
    """Return the one operation of a trace."""
    (op,) = trace.ops
    return op


def test_linear_binds_axes_by_position() -> None:
    """A weight has the axes that input and output do not share; the index space has all of them."""
    trace = Trace()
    y = linear("query", trace.input("x", 5, 6), "q d -> head q e", head=2, e=3)
    assert y.shape == (2, 5, 3)
    assert only(trace).index_space == 5 * 6 * 2 * 3
    assert only(trace).weight_elements == 6 * 2 * 3


def test_linear_over_several_axes() -> None:
    """Several axes can be contracted at once, as in attention's output."""
    trace = Trace()
    y = linear("output", trace.input("x", 2, 5, 3), "head q e -> q d", d=6)
    assert y.shape == (5, 6)
    assert only(trace).weight_elements == 2 * 3 * 6


def test_contract_checks_shared_axes() -> None:
    """Two activations share axes by name; the index space has each axis once."""
    trace = Trace()
    y = contract("scores", trace.input("x", 2, 5, 3), trace.input("x", 2, 7, 3), "head q e, head k e -> head q k")
    assert y.shape == (2, 5, 7)
    assert only(trace).index_space == 2 * 5 * 7 * 3


def test_row_wise_operations_keep_the_shape() -> None:
    """Rows are all axes but the last."""
    trace = Trace()
    assert normalise("layer_norm", trace.input("x", 2, 5, 3)).shape == (2, 5, 3)
    assert (only(trace).rows, only(trace).columns, only(trace).elements) == (10, 3, 30)


def test_repeat_counts_copies_of_copies() -> None:
    """What is recorded in a repeated block has as many copies as all the scopes around it say."""
    trace = Trace()
    x = bias("a", trace.input("x", 5, 6), "q d", "d")
    repeat(3, "outer", lambda x: repeat(4, "inner", lambda y: bias("b", y, "q d", "d"), x), x)
    assert [(op.repeats, op.layer) for op in trace.ops] == [(1, ""), (12, "outer.inner")]


def test_a_first_copy_without_gradient_is_apart() -> None:
    """Where backward reaches every copy's input but the first's, the first is traced apart, under the same name."""
    trace = Trace()
    repeat(5, "stack", lambda x: linear("up", x, "q d -> q f", f=6), trace.input("x", 5, 6))
    assert [(op.layer, op.name, op.repeats, op.gradients) for op in trace.ops] == [
        ("stack", "up", 1, 0),
        ("stack", "up", 4, 1),
    ]
    assert len({op.weight for op in trace.ops}) == 2


def test_a_block_that_changes_the_shape_cannot_repeat() -> None:
    """The second copy could not follow the first."""
    with pytest.raises(AxisError, match=r"repeat stack: the block turns shape \(5, 6\) into \(5, 7\)"):
        repeat(2, "stack", lambda x: linear("up", x, "q d -> q f", f=7), Trace().input("x", 5, 6))


def test_layers_of_one_name_are_told_apart() -> None:
    """A second layer of a name in one scope is numbered; another scope starts anew; docs come from the docstring."""

    @layer
    def norm_for_test(x: Tensor) -> Tensor:
        """Normalise.

        More.
        """
        return normalise("layer_norm", x)

    trace = Trace()
    x = norm_for_test(norm_for_test(trace.input("x", 5, 6)))
    with trace.scope("stack"):
        norm_for_test(x)
    assert [op.layer for op in trace.ops] == ["norm_for_test", "norm_for_test_2", "stack.norm_for_test"]
    assert LAYERS.pop("norm_for_test") == "Normalise."
    assert DOCS.pop("norm_for_test") == "Normalise.\n\nMore."


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: linear("up", x, "q d", f=7), "not of the form"),
        (lambda x: linear("up", x, "q q -> q f", f=7), "names an axis twice"),
        (lambda x: linear("up", x, "q -> q f", f=7), r"1 axes \(q\) for 2"),
        (lambda x: linear("up", x, "q d -> q f"), "new axes are f, sizes are given for none"),
        (lambda x: linear("up", x, "q d -> q f", f=7, g=8), "new axes are f, sizes are given for f g"),
        (lambda x: linear("up", x, "q d -> q d", d=7), "new axes are none, sizes are given for d"),
        (lambda x: linear("up", x, "q d, q d -> q f", f=7), "2 operands in the pattern, 1 given"),
        (lambda x: contract("scores", x, x.trace.input("x", 5, 7), "q d, k d -> q k"), "axis 'd' is 6 and 7"),
        (lambda x: x + x.trace.input("x", 5, 7), r"cannot add shapes \(5, 6\) and \(5, 7\)"),
    ],
)
def test_mistakes_name_the_pattern_and_the_cause(call: object, message: str) -> None:
    """A pattern that does not fit says what was processed, the shapes and the cause."""
    assert callable(call)
    with pytest.raises(AxisError, match=message):
        call(Trace().input("x", 5, 6))


def test_an_unknown_kind_is_not_a_silent_zero() -> None:
    """A kind that nobody has stated is an error that lists the known ones."""
    trace = Trace()
    trace.record("pooling", "pool", (), (5, 6))
    with pytest.raises(InputError, match=r"unknown kind of operation 'pooling'(.|\n)*known: linear, contract"):
        kind_of(only(trace))


R, C = 7, 5

EFFICIENT = {
    "bias": ({"add": R * C}, {}, {"add": R * C}),
    "added_table": ({"add": R * C}, {}, {"add": R * C}),
    "added_constant": ({"add": R * C}, {}, {}),
    "gradient_sum": ({}, {"add": R * C}, {}),
    "output_error": ({"add": R}, {}, {}),
    "difference": ({}, {}, {"add": R * C}),
    "relu": ({"cmp": R * C}, {"mul": R * C}, {}),
    "gelu": ({"mul": 3 * R * C, "add": R * C, "erf": R * C}, {"mul": 5 * R * C, "add": R * C, "exp": R * C}, {}),
    "add": ({"add": R * C}, {}, {}),
    "scale": ({"mul": R * C}, {"mul": R * C}, {}),
    "softmax": (
        {"cmp": R * C, "add": 2 * R * C, "exp": R * C, "div": R * C},
        {"macc": R * C, "add": R * C, "mul": R * C},
        {},
    ),
    "cross_entropy": (
        {"cmp": R * C, "add": 2 * R * C + R, "exp": R * C, "div": R * C, "log": R},
        {"add": R, "mul": R * C},
        {},
    ),
    "layer_norm": (
        {"macc": R * C, "mul": 2 * R * C, "add": 3 * R * C + R, "div": 3 * R, "sqrt": R},
        {"macc": R * C, "mul": 3 * R * C, "add": 3 * R * C, "div": 2 * R},
        {"macc": R * C, "add": R * C},
    ),
    "rms_norm": (
        {"macc": R * C, "mul": 2 * R * C, "add": R, "div": 2 * R, "sqrt": R},
        {"macc": R * C, "mul": 3 * R * C, "add": R * C, "div": R},
        {"macc": R * C},
    ),
    "layer_norm_without_bias": (
        {"macc": R * C, "mul": 2 * R * C, "add": 2 * R * C + R, "div": 3 * R, "sqrt": R},
        {"macc": R * C, "mul": 3 * R * C, "add": 3 * R * C, "div": 2 * R},
        {"macc": R * C},
    ),
    "layer_norm_without_weight": (
        {"macc": R * C, "mul": R * C, "add": 2 * R * C + R, "div": 3 * R, "sqrt": R},
        {"macc": R * C, "mul": 2 * R * C, "add": 3 * R * C, "div": 2 * R},
        {},
    ),
    "rms_norm_without_weight": (
        {"macc": R * C, "mul": R * C, "add": R, "div": 2 * R, "sqrt": R},
        {"macc": R * C, "mul": 2 * R * C, "add": R * C, "div": R},
        {},
    ),
    "scaled_rows": ({"mul": R * C}, {"mul": R * C}, {}),
    "plus_one": ({"add": R * C}, {}, {}),
    "clip": ({"cmp": 2 * R * C}, {"mul": R * C}, {}),
    "clip_above": ({"cmp": R * C}, {"mul": R * C}, {}),
    "expert_bias": ({"add": R * C}, {}, {"add": R * C}),
    "relu2": ({"cmp": R * C, "mul": R * C}, {"mul": 2 * R * C}, {}),
    # With its product by the other projection, silu(g) u: mul 3, add, div and exp; back mul 4, add 2.
    "silu": (
        {"mul": 2 * R * C, "add": R * C, "div": R * C, "exp": R * C},
        {"mul": 2 * R * C, "add": 2 * R * C},
        {},
    ),
    "multiply": ({"mul": R * C}, {"mul": R * C}, {}),
    "quick_gelu": (
        {"mul": 2 * R * C, "add": R * C, "div": R * C, "exp": R * C},
        {"mul": 3 * R * C, "add": 2 * R * C},
        {},
    ),
    "sigmoid": (
        {"mul": R * C, "add": R * C, "div": R * C, "exp": R * C},
        {"mul": 2 * R * C, "add": R * C},
        {},
    ),
    "tanh": ({"tanh": R * C}, {"mul": 2 * R * C, "add": R * C}, {}),
    "soft_cap": ({"mul": 2 * R * C, "tanh": R * C}, {"mul": 2 * R * C, "add": R * C}, {}),
    "normalised_sum": ({"add": R * C, "div": R * C}, {"macc": R * C, "add": R * C, "div": R * C}, {}),
    "alibi": ({"add": R * C}, {}, {}),
    "relative_bias": ({}, {}, {"add": R * C}),
    "prepended_row": ({}, {}, {"add": C}),
    "learned_row": ({}, {}, {"add": C}),
    "first_row": ({}, {}, {}),
    "end": ({}, {}, {}),
    "split_heads": ({}, {}, {}),
    "gelu_tanh": ({"mul": 5 * R * C, "add": 2 * R * C, "tanh": R * C}, {"mul": 8 * R * C, "add": 4 * R * C}, {}),
    "gelu_new": ({"mul": 5 * R * C, "add": 2 * R * C, "tanh": R * C}, {"mul": 8 * R * C, "add": 4 * R * C}, {}),
}
"""Scalar operations of r rows and c columns, forward, backward and weight update.

Counted on an executed training step whose gradients equal autograd's to 6e-16.
"""


OTHERS = ("convolution", "expert_linear", "combine", "weigh", "sink_softmax", "rotary", "top_k", "join")
"""Kinds that are more than rows and columns: `test_shaped_kinds`."""


def test_shaped_kinds() -> None:
    """Experts, convolutions, rotations and choices, counted by hand from their sizes."""
    trace = Trace()
    x = bias("b", trace.input("x", 6, 4), "q d", "d")
    y = expert_linear("up", x, "q d -> q choice f", 5, choice=2, f=3)
    weights = top_k(linear("router", x, "q d -> q expert", expert=5), 2)
    combine("sum", weights, y, "q choice, q choice d -> q d")
    convolve("halving", x, 7, 3, 2)
    rotate("turn", x, 2)
    weigh("weighed", weights, x)
    sink_softmax(linear("scores", x, "q d -> kv g q k", kv=1, g=3, k=5))  # 18 rows, 90 scores
    keys = linear("keys", x, "k d -> head k e", head=2, e=3)
    join("join", keys, x)
    counts = {op.name: [KINDS[op.kind].count(op, phase) for phase in PHASES[:3]] for op in trace.ops}
    assert counts["up"] == [{"macc": 6 * 2 * 4 * 3}] * 3
    assert counts["top_k"] == [{"cmp": 6 * 2 * 5}, {}, {}]
    assert counts["sum"] == [{"macc": 6 * 2 * 3}, {"macc": 6 * 2 * 3, "mul": 6 * 2 * 3}, {}]
    assert counts["halving"] == [{"macc": 3 * 3 * 4 * 7}] * 3
    assert counts["turn"] == [{"mul": 2 * 6 * 2, "add": 6 * 2}] * 2 + [{}]
    assert counts["weighed"] == [{"mul": 6 * 2 * 4}, {"macc": 2 * 6 * 2 * 4}, {}]
    assert counts["softmax"] == [
        {"cmp": 90 + 18, "add": 2 * (90 + 18), "exp": 90 + 18, "div": 90 + 18},
        {"macc": 90, "add": 90, "mul": 90},
        {"macc": 90 + 18, "add": 3},
    ]
    assert counts["join"] == [{}, {"add": 2 * 6 * 4}, {}]
    up = next(op for op in trace.ops if op.name == "up")
    assert (KINDS["expert_linear"].parameters(up), up.active(up.weight_elements)) == (5 * 4 * 3, 2 * 4 * 3)


@pytest.mark.parametrize("kind", EFFICIENT)
def test_row_wise_kinds(kind: str) -> None:
    """Each row-wise kind states the scalar operations that an executed step was counted to take."""
    trace = Trace()
    x = bias("b", trace.input("x", R, C), "q d", "d")
    trace.record(kind, kind, (x,), (R, C), weight="w")
    counts = tuple(KINDS[kind].count(trace.ops[-1], phase) for phase in PHASES[:3])
    assert counts == EFFICIENT[kind]


def test_einsum_kinds() -> None:
    """A learned product has one gradient product each way; of two activations both gradients are backward."""
    trace = Trace()
    x = linear("up", trace.input("x", R, C), "q d -> q f", f=3)
    contract("scores", x, x, "q f, k f -> q k")
    linear("down", x, "q f -> q d", d=C)
    up, scores, down = trace.ops
    phases = PHASES[:3]
    assert [KINDS["linear"].count(up, phase) for phase in phases] == [{"macc": R * C * 3}, {}, {"macc": R * C * 3}]
    assert [KINDS["linear"].count(down, phase) for phase in phases] == [{"macc": R * C * 3}] * 3
    assert [KINDS["contract"].count(scores, p) for p in phases] == [{"macc": R * R * 3}, {"macc": 2 * R * R * 3}, {}]
    assert set(EFFICIENT) | {"linear", "contract", "embedding", *OTHERS} == set(KINDS)
