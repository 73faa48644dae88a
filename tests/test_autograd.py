"""The executed gradients of backpropagation against an independent differentiation by torch, where it is installed.

`.ci/run` installs it; without it, the finite differences of `test_verify.py` stand in.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
import pytest
from drawn import MODERN, WITHOUT_HEAD

from tcost import Sizes, load_spec
from tcost.bundled import BUNDLED
from tcost.execution.execution import Execution
from tcost.execution.kernels.base import distances
from tcost.execution.kernels.elements import BOUND, position_constants
from tcost.execution.numbers import values
from tcost.execution.step import Step
from tcost.models import trace_model
from tcost.settings import Settings
from tcost.sizes import PROJECTIONS, WITHOUT_LOSS
from tcost.tracing import Band, Op, Tensor, Trace
from tcost.verify import execute, shrink

torch: Any = pytest.importorskip("torch", reason="finite differences in test_verify.py stand in for autograd")


class Autograd(Execution):
    """An execution with torch's own functions, forward alone; torch differentiates it."""

    def __init__(self, step: Step, weights: dict[str, list[Any]]) -> None:
        """Hold weights that need gradients."""
        super().__init__(step)
        self.weights = weights

    def input(self, name: str, *shape: int, band: Band | None = None) -> Tensor:
        """Return tokens as one-hot rows, and other inputs as torch's tensors."""
        tensor, data = Trace.input(self, name, *shape, band=band), self.step.data[name]
        if name.endswith("tokens"):
            self.values[tensor] = torch.nn.functional.one_hot(torch.tensor(data), shape[1]).double()
        else:
            self.values[tensor] = None if data is None else torch.tensor(values(data))
        return tensor

    def run(self, op: Op, inputs: Sequence[Any]) -> Any:
        """Return the output of an operation, of a band as all pairs with the others at minus infinity."""
        x, w = list(inputs), self.weights.get(op.weight or "", [])
        if op.kind in COMPUTED:
            return COMPUTED[op.kind](op, x, w)
        if op.kind == "top_k":
            best = x[0].topk(op.einsum.sizes["choice"])
            self.choices[0, op.layer] = best.indices.tolist()
            return best.values
        if op.kind in ("expert_linear", "expert_bias"):
            chosen = torch.tensor([list(row) for row in self._chosen(op, inputs)])
            return (_experts if op.kind == "expert_linear" else _expert_bias)(op, x[0], w[0], chosen)
        buckets = (distances(replace_band(op.output)) * 1).clip(max=op.einsum.sizes["bucket"] - 1)
        return w[0][torch.tensor(buckets)].permute(3, 2, 0, 1)


def replace_band(tensor: Tensor) -> Tensor:
    """Return a tensor of all pairs."""
    return Tensor(tensor.shape, tensor.trace)


def _einsum(op: Op, x: list[Any], w: list[Any]) -> Any:
    axes = op.einsum
    letters = {axis: chr(97 + number) for number, axis in enumerate(axes.sizes)}
    operands = [*axes.operands, axes.weight] if w else axes.operands
    left, right = ["".join(letters[axis] for axis in names) for names in operands]
    y = torch.einsum(f"{left},{right}->{''.join(letters[axis] for axis in axes.output)}", *x, *w)
    band = op.output.band
    if band is None:
        return y
    far = torch.arange(band.rows)[:, None] - torch.arange(band.rows)
    return y.masked_fill((far < 0) | (far >= band.window), -torch.inf)


def _experts(op: Op, x: Any, weight: Any, chosen: Any) -> Any:
    axes = op.einsum
    letters = {axis: chr(97 + number) for number, axis in enumerate(axes.sizes)}
    own = [axis for axis in axes.weight if axis != "expert"]
    left, right, out = (
        "".join(letters[a] for a in names) for names in (axes.operands[0], ("q", "choice", *own), axes.output)
    )
    picked = weight.movedim(axes.weight.index("expert"), 0)[chosen]
    return torch.einsum(f"{left},{right}->{out}", x, picked)


def _bias(op: Op, x: list[Any], w: list[Any]) -> Any:
    axes = op.einsum
    order = [axes.weight.index(axis) for axis in axes.output if axis in axes.weight]
    return x[0] + w[0].permute(order).reshape([axes.sizes[a] if a in axes.weight else 1 for a in axes.output])


def _sinusoids(_op: Op, x: list[Any], _w: list[Any]) -> Any:
    width = x[0].shape[1]
    angle = torch.arange(len(x[0]))[:, None].double() / 10_000.0 ** (2 * (torch.arange(width) // 2).double() / width)
    return x[0] + torch.where(torch.arange(width) % 2 == 1, angle.cos(), angle.sin())


def _rotary(op: Op, x: list[Any], _w: list[Any]) -> Any:
    """Turn pairs of elements half the width apart, as complex numbers."""
    width, rows = op.einsum.sizes["rotated"], op.output.shape[-2]
    half = width // 2
    turned = x[0][..., -width:]
    pairs = torch.complex(turned[..., :half], turned[..., half:])
    angles = torch.arange(rows)[:, None].double() / 10_000.0 ** (torch.arange(half).double() / half)
    pairs = pairs * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([x[0][..., :-width], pairs.real, pairs.imag], dim=-1)


def _alibi(op: Op, x: list[Any], _w: list[Any]) -> Any:
    heads = x[0].shape[0] * x[0].shape[1]
    slopes = 2.0 ** (-8 * torch.arange(1, heads + 1).double() / heads)
    far = torch.tensor(distances(replace_band(op.output)))
    return x[0] - slopes.reshape(*x[0].shape[:2], 1, 1) * far


def _convolution(op: Op, x: list[Any], w: list[Any]) -> Any:
    filters = w[0].permute(1, 0, 2)  # axes c, d, window
    stride = op.einsum.sizes["stride"]
    return torch.nn.functional.conv1d(x[0].T[None], filters, stride=stride, padding=1)[0].T


def _sink_softmax(_op: Op, x: list[Any], w: list[Any]) -> Any:
    sink = w[0].T[..., None, None].expand(*x[0].shape[:-1], 1)
    return torch.cat([x[0], sink], dim=-1).softmax(-1)[..., :-1]


def _expert_bias(op: Op, x: Any, weight: Any, chosen: Any) -> Any:
    return x + weight.movedim(op.einsum.weight.index("expert"), 0)[chosen]


def _split(op: Op, x: list[Any], _w: list[Any]) -> Any:
    *heads, rows, width = op.output.shape
    return x[0].reshape(rows, *heads, width).movedim(0, -2)


COMPUTED: dict[str, Callable[[Op, list[Any], list[Any]], Any]] = {
    **dict.fromkeys(("linear", "embedding", "contract", "combine"), _einsum),
    "bias": _bias,
    "added_table": lambda op, x, w: x[0] + (w[0].T[: len(x[0])] if op.name == "position" else w[0].T[[0] * len(x[0])]),
    "added_constant": _sinusoids,
    "rotary": _rotary,
    "alibi": _alibi,
    "convolution": _convolution,
    "split_heads": _split,
    "layer_norm": lambda _, x, w: torch.nn.functional.layer_norm(x[0], x[0].shape[-1:]) * w[0] + w[1],
    "layer_norm_without_weight": lambda _, x, __: torch.nn.functional.layer_norm(x[0], x[0].shape[-1:]),
    "layer_norm_without_bias": lambda _, x, w: torch.nn.functional.layer_norm(x[0], x[0].shape[-1:]) * w[0],
    "rms_norm": lambda _, x, w: torch.nn.functional.rms_norm(x[0], x[0].shape[-1:], eps=1e-5) * w[0],
    "scaled_rows": lambda op, x, _: x[0] * torch.tensor(position_constants(op).astype(float)),
    "clip": lambda _, x, __: x[0].clamp(-BOUND, BOUND),
    "plus_one": lambda _, x, __: x[0] + 1,
    "clip_above": lambda _, x, __: x[0].clamp(max=BOUND),
    "sink_softmax": _sink_softmax,
    "rms_norm_without_weight": lambda _, x, __: torch.nn.functional.rms_norm(x[0], x[0].shape[-1:], eps=1e-5),
    "weigh": lambda _, x, __: x[0][..., None] * x[1][:, None],
    "add": lambda _, x, __: x[0] + x[1],
    "multiply": lambda _, x, __: x[0] * x[1],
    "scale": lambda op, x, _: x[0] / sqrt(op.einsum.sizes["width"]),
    "soft_cap": lambda _, x, __: 30 * torch.tanh(x[0] / 30),
    "softmax": lambda _, x, __: x[0].softmax(-1),
    "normalised_sum": lambda _, x, __: x[0] / x[0].sum(-1, keepdim=True),
    "cross_entropy": lambda _, x, __: x[0],
    "join": lambda _, x, __: torch.cat([x[0], x[1].expand(*x[0].shape[:-1], -1)], dim=-1),
    "end": lambda _, x, __: x[0],
    "learned_row": lambda _, __, w: w[0][None],
    "first_row": lambda _, x, __: x[0][:1],
    "prepended_row": lambda _, x, w: torch.cat([w[0][None], x[0]]),
    "gelu": lambda _, x, __: torch.nn.functional.gelu(x[0]),
    **dict.fromkeys(("gelu_tanh", "gelu_new"), lambda _, x, __: torch.nn.functional.gelu(x[0], approximate="tanh")),
    "quick_gelu": lambda _, x, __: x[0] * torch.sigmoid(1.702 * x[0]),
    "relu": lambda _, x, __: torch.nn.functional.relu(x[0]),
    "relu2": lambda _, x, __: torch.nn.functional.relu(x[0]) ** 2,
    "silu": lambda _, x, __: torch.nn.functional.silu(x[0]),
    "sigmoid": lambda _, x, __: torch.sigmoid(x[0]),
    "tanh": lambda _, x, __: torch.tanh(x[0]),
}
"""Each kind by torch's own functions."""


def models() -> list[tuple[str, Sizes]]:
    """Return every bundled spec, shrunk, and a model with all the parts that they do not combine."""
    bundled = [(name, shrink(load_spec(name).at())) for name in BUNDLED]
    everything = {"head_transform": True, "n_segments": 2, "final_norm": True, "attention_bias": frozenset(PROJECTIONS)}
    whole = replace(dict(bundled)["bart-base"], **everything)  # type: ignore[arg-type]
    return [*bundled, ("everything", whole), *WITHOUT_HEAD.items(), *MODERN.items()]


@pytest.mark.parametrize(("name", "s"), models())
def test_gradients_equal_autograd(name: str, s: Sizes) -> None:
    """Every gradient of every weight equals torch's to 1e-9, and so does the loss."""
    step = execute(s, Settings("bp", causal=s.causal), len(name))
    weights = {key: [torch.tensor(values(w), requires_grad=True) for w in ws] for key, ws in step.parameters.items()}
    run = Autograd(step, weights)
    output = run.values[trace_model(s, run).output]
    loss = (
        output.sum()
        if s.head in WITHOUT_LOSS
        else torch.nn.functional.cross_entropy(output, torch.tensor(step.targets))
    )
    loss.backward()
    assert step.loss == pytest.approx(loss.item(), rel=1e-12)
    for key, gradients in step.gradients.items():
        for ours, theirs in zip(gradients, weights[key], strict=True):
            assert np.allclose(values(ours), theirs.grad.numpy(), rtol=1e-9, atol=1e-12)
