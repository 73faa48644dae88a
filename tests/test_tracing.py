"""Tracing: axes are bound by position, copies are counted, layers are named, and mistakes are explained."""

import pytest

from tcost.errors import InputError
from tcost.kinds import KINDS, PHASES, kind_of
from tcost.tracing import LAYERS, AxisError, Op, Tensor, Trace, bias, contract, layer, linear, normalise, repeat


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
    repeat(3, "outer", lambda x: repeat(4, "inner", lambda y: bias("b", y, "q d", "d"), x), trace.input("x", 5, 6))
    assert (only(trace).repeats, only(trace).layer) == (12, "outer.inner")


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
    trace.record("convolution", "conv", (), (5, 6))
    with pytest.raises(InputError, match=r"unknown kind of operation 'convolution'(.|\n)*known: linear, contract"):
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
    "gelu_tanh": ({"mul": 5 * R * C, "add": 2 * R * C, "tanh": R * C}, {"mul": 8 * R * C, "add": 4 * R * C}, {}),
}
"""Scalar operations of r rows and c columns, forward, backward and weight update.

Counted on an executed training step whose gradients equal autograd's to 6e-16.
"""


@pytest.mark.parametrize("kind", EFFICIENT)
def test_row_wise_kinds(kind: str) -> None:
    """Each row-wise kind states the scalar operations that an executed step was counted to take."""
    trace = Trace()
    trace.record(kind, kind, (), (R, C))
    counts = tuple(KINDS[kind].count(only(trace), phase) for phase in PHASES[:3])
    assert counts == EFFICIENT[kind]


def test_einsum_kinds() -> None:
    """A learned product has one gradient product each way; of two activations both gradients are backward."""
    trace = Trace()
    x = linear("up", trace.input("x", R, C), "q d -> q f", f=3)
    contract("scores", x, x, "q f, k f -> q k")
    up, scores = trace.ops
    phases = PHASES[:3]
    assert [KINDS["linear"].count(up, phase) for phase in phases] == [{"macc": R * C * 3}] * 3
    assert [KINDS["contract"].count(scores, p) for p in phases] == [{"macc": R * R * 3}, {"macc": 2 * R * R * 3}, {}]
    assert set(EFFICIENT) | {"linear", "contract", "embedding"} == set(KINDS)
