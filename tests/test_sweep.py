"""A sweep is `evaluate` at every point, exactly, whatever the grid, the rule, the convention and the numbers."""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundling import few_first
from conftest import draws
from hypothesis import given, settings
from hypothesis import strategies as st

from tcost import InputError, ModelSpec, evaluate, load_spec
from tcost.conventions import CONVENTIONS
from tcost.cost import result_of
from tcost.learning_rules import LEARNING_RULES
from tcost.settings import Settings
from tcost.sweep import MEASURES, Axis, Sweep, parse_axis
from tcost.sweep.arithmetic import LANES, Box, lane_of, values_of
from tcost.sweep.forms import ClosedForms, Polynomial
from tcost.sweep.pricing import Pricer
from tcost.sweep.values import Integers
from tcost.training_step import of_rules

RULES, NAMES = [*LEARNING_RULES], [*CONVENTIONS]

TINY = {"name": "tiny", "vocab_size": 7, "d_model": 8, "n_heads": 4, "d_ff": 5, "context_length": 4}
STACKS: dict[str, dict[str, Any]] = {
    "decoder": {"n_encoder_layers": 0, "n_decoder_layers": 2},
    "encoder": {"n_encoder_layers": 2, "n_decoder_layers": 0},
    "both": {"n_encoder_layers": 2, "n_decoder_layers": 3, "encoder_context_length": 3},
}
MODELS: dict[str, dict[str, Any]] = {
    **STACKS,
    "modern": {
        **STACKS["decoder"],
        "n_kv_heads": 2,
        "norm": "rms_norm",
        "positions": "rotary",
        "ffn_gated": True,
        "activation": "silu",
        "norm_position": "pre",
        "final_norm": True,
        "qk_norm": "head",
        "tie_embeddings": True,
    },
    "window": {**STACKS["decoder"], "sliding_window": 5, "full_attention_layers": [1]},
    "experts": {**STACKS["decoder"], "experts": {"n_experts": 4, "experts_per_token": 2, "d_expert": 3, "d_shared": 2}},
    "latent": {
        **STACKS["decoder"],
        "latent_attention": {"kv_rank": 3, "q_rank": 2, "d_nope": 3, "d_rope": 2, "d_value": 5},
    },
    "adapters": {**STACKS["decoder"], "train": {"lora": {"rank": 2, "targets": ["query", "value"]}}},
    "relative": {**STACKS["both"], "positions": "relative", "relative_buckets": 4, "share_embeddings": True},
    "parts": {
        **STACKS["encoder"],
        "positions": "learned",
        "n_segments": 2,
        "embedding_norm": True,
        "head_transform": True,
        "attention_bias": True,
        "activation": "gelu_new",
        "d_embedding": 3,
        "n_unique_layers": 1,
    },
}
OWN_AXES = {
    "both": ["encoder_context_length", "n_encoder_layers"],
    "modern": ["n_kv_heads"],
    "window": ["sliding_window"],
    "experts": ["experts.n_experts", "experts.experts_per_token", "experts.d_shared"],
    "latent": ["latent_attention.kv_rank", "latent_attention.q_rank"],
    "adapters": ["train.lora.rank"],
    "relative": ["encoder_context_length", "relative_buckets"],
    "parts": ["n_segments", "d_embedding"],
}
COMMON_AXES = ["context_length", "batch", "vocab_size", "d_ff", "d_model", "n_heads", "depth"]

SPECIAL = {
    "d_model": [8, 16, 24, 40, 2**40],
    "n_heads": [1, 2, 4, 8],
    "n_kv_heads": [1, 2, 4],
    "depth": [1, 2, 3, 7, 10**6],
    "n_encoder_layers": [1, 2, 5],
    "experts.n_experts": [4, 5, 9, 10**9],
    "experts.experts_per_token": [1, 2, 3, 4],
    "experts.d_shared": [0, 1, 3],
}
"""Values of the axes that may not have any."""

ANY = st.integers(1, 9) | st.sampled_from([10**3, 10**6, 10**9, 10**18])


@st.composite
def sweeps(draw: st.DrawFn) -> Sweep:
    """Draw a grid of up to three axes over a small model, under any rules and conventions."""
    name = draw(st.sampled_from([*MODELS]))
    spec = ModelSpec(**{**TINY, **MODELS[name]})
    depth = "n_decoder_layers" if spec.n_decoder_layers else "n_encoder_layers"
    axes = []
    for axis in draw(st.lists(st.sampled_from([*COMMON_AXES, *OWN_AXES.get(name, [])]), min_size=1, max_size=3)):
        known = SPECIAL.get(axis)
        drawn = draw(st.lists(st.sampled_from(known) if known else ANY, min_size=1, max_size=5, unique=True))
        low, step = draw(st.integers(1, 6)), draw(st.integers(1, 7))
        values = range(low, low + 4 * step, step) if known is None and draw(st.booleans()) else tuple(drawn)
        axes.append(Axis(depth if axis == "depth" else axis, values))
    few = {axis.name: axis for axis in axes}
    if "n_unique_layers" in spec.model_fields_set:
        few.pop("n_encoder_layers", None)
    rules = draw(st.lists(st.sampled_from(RULES), min_size=1, max_size=2, unique=True))
    options: dict[str, Any] = {
        "causal": draw(st.sampled_from(["full", "half"])),
        "attention": draw(st.sampled_from(["eager", "eager", "flash"])),
        "recompute": draw(st.sampled_from(["none", "block", "full"])) if "bp" in rules else "none",
        "loss": draw(st.sampled_from(["held", "dropped", "fused", "chunked:1"])) if "bp" in rules else "held",
        "optimizer": draw(st.sampled_from(["none", "sgd", "adam"])),
        "errata": draw(st.booleans()),
    }
    return Sweep(
        spec=spec,
        axes=tuple(few.values()) or (Axis("context_length", (2, 3)),),
        algos=tuple(rules),
        conventions=tuple(draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True))),
        measures=tuple(draw(st.lists(st.sampled_from([*MEASURES]), min_size=1, max_size=3, unique=True))),
        settings=Settings(**options),
        chunk_rows=draw(st.integers(1, 40)),
    )


def rows_of(sweep: Sweep) -> list[dict[str, Any]]:
    """Return all rows of a sweep."""
    pricer, found = Pricer(sweep), []
    for number in range(sweep.chunks):
        chunk = sweep.chunk(number)
        part = pricer.price(chunk)
        columns = {name: each.tolist() for name, each in (*part.axes.items(), *part.measures.items())}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        assert len(rows) == chunk.rows
        assert all(type(value) is int for row in rows for value in row.values())
        found += [{"algo": chunk.algo, "convention": chunk.convention, **row} for row in rows]
    assert len(found) == sweep.rows
    return found


def expected(sweep: Sweep) -> list[dict[str, Any]]:
    """Return what `evaluate` gives at every combination of the axes, one after the other."""
    found = []
    for convention, algo, point in product(
        sweep.conventions, sweep.algos, product(*(axis.values for axis in sweep.axes))
    ):
        values = dict(zip((axis.name for axis in sweep.axes), point, strict=True))
        spec, step = sweep.step(values)
        (own,) = (each for each in of_rules(sweep.algos, step) if each.algo == algo)
        result = result_of(spec, replace(own, convention=convention))
        counts = {name: MEASURES[name](result) for name in sweep.measures}
        found.append({"algo": algo, "convention": convention, **values, **counts})
    return found


@settings(max_examples=draws(100))
@given(sweep=sweeps())
def test_every_point_of_any_grid(sweep: Sweep) -> None:
    """Any grid over any part of a model, with sizes up to 10^18, has the rows of `evaluate`, in order.

    A grid with a point that the model cannot have is refused, as the point is.
    """
    try:
        wanted = expected(sweep)
    except InputError:
        with pytest.raises(InputError):
            rows_of(sweep)
    else:
        assert rows_of(sweep) == wanted


@pytest.mark.parametrize("name", few_first())
def test_contexts_of_bundled_specs(name: str) -> None:
    """Every bundled model, under every rule and convention, from its shortest contexts to far beyond its own."""
    spec = load_spec(name)
    first = 2 if spec.encoder_input == "patches" else 1
    values = (first, first + 1, 7, spec.context_length, 5000, 10**6, 10**12)
    sweep = Sweep(
        spec=spec,
        axes=(Axis("context_length", values),),
        algos=tuple(RULES),
        conventions=tuple(NAMES),
        measures=("macc", "flop", "parameters", "active_parameters", "stored_activations_elements"),
    )
    assert rows_of(sweep) == expected(sweep)


def test_one_call_of_the_layers_prices_a_grid() -> None:
    """Where sizes only add and multiply, a grid has one closed form; a divisor has one for each of its values."""
    spec = load_spec("gpt2")
    smooth = [parse_axis("context_length=2:2048"), parse_axis("d_model=96:960:96"), parse_axis("n_decoder_layers=1:48")]
    sweep = Sweep(spec=spec, axes=(*smooth, parse_axis("n_heads=2,4,6")), measures=("macc", "flop", "parameters"))
    found = list(ClosedForms(sweep, "bp", "paper").within(tuple(map(range, sweep.shape))))
    assert [len(box[3]) for box, _ in found] == [1, 1, 1]
    assert all([len(each) for each in box[:3]] == [2047, 10, 48] for box, _ in found)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("name", ["mixtral-8x7b", "deepseek-v3", "qwen1.5-moe-a2.7b"])
def test_experts_have_a_closed_form(name: str, convention: str) -> None:
    """Along the number of experts a step has one form, as along the context, and that is what every point costs.

    An operation without parameters has none that are active either: zero, divided by the experts.
    """
    for axis in ("experts.n_experts=256:2255", "context_length=256:2255"):
        measures = tuple(each for each in MEASURES if axis.startswith("experts") or "peak" not in each)
        sweep = Sweep(
            spec=load_spec(name),
            axes=(parse_axis(axis),),
            algos=tuple(RULES),
            conventions=(convention,),
            measures=measures,
        )
        for algo in RULES:
            boxes = list(ClosedForms(sweep, algo, convention).within((range(2000),)))
            assert len(boxes) == 1, (axis, algo)
            for index in (0, 1, 777, 1999):
                point = sweep.point(sweep.chunk(RULES.index(algo)), {sweep.axes[0].name: 256 + index})
                for measure in measures:
                    assert max(form(256 + index) for form in boxes[0][1][measure]) == MEASURES[measure](point)


def test_two_forms_in_a_chunk() -> None:
    """An encoder-decoder maps the error of one row to its encoder otherwise than that of several: two forms."""
    spec = load_spec("alexatm-20b")
    sweep = Sweep(spec=spec, axes=(parse_axis("context_length=1:9"),), algos=("pepita",), conventions=("exact",))
    assert len(list(ClosedForms(sweep, "pepita", "exact").within((range(9),)))) == 2
    assert rows_of(sweep) == expected(sweep)


def test_the_far_end_of_a_box_has_to_fit() -> None:
    """Where the smallest values of a grid fit the model and its largest ones do not, it is refused."""
    spec = ModelSpec(**{**TINY, **MODELS["experts"]})
    axes = (Axis("experts.experts_per_token", range(1, 6)), parse_axis("context_length=1:9"))
    with pytest.raises(InputError, match="experts_per_token 5 is more than n_experts 4"):
        rows_of(Sweep(spec=spec, axes=axes))


def test_a_measure_that_is_nothing_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is zero all over a grid is zero in every row."""
    monkeypatch.setitem(MEASURES, "nothing", lambda result: 0 * result.context)
    sweep = Sweep(spec=load_spec("gpt2"), axes=(parse_axis("context_length=2:9"),), measures=("nothing",))
    assert [row["nothing"] for row in rows_of(sweep)] == [0] * 8


def test_many_values_of_a_size_that_has_to_fit() -> None:
    """Of more values than are checked at once all are checked; one that does not fit is said."""
    spec = load_spec("gpt2")
    fits = Sweep(spec=spec, axes=(Axis("d_model", range(12, 12 * 1500, 12)),), measures=("parameters",))
    assert rows_of(fits) == expected(fits)
    with pytest.raises(InputError, match="n_heads 12 does not divide d_model 1011"):
        rows_of(Sweep(spec=spec, axes=(Axis("d_model", range(12, 12 + 2000)),), measures=("parameters",)))


def test_a_window_cuts_a_grid_once() -> None:
    """Contexts up to a window and beyond it have forms of their own, found in a few steps."""
    spec = load_spec("mistral-7b")
    sweep = Sweep(spec=spec, axes=(parse_axis("context_length=2:100_000"),), settings=Settings(causal="half"))
    ends = [box[0].stop + 1 for box, _ in ClosedForms(sweep, "bp", "exact").within((range(99_999),))]
    assert len(ends) < 2 * 17
    assert 4096 in [end + near for end in ends for near in (0, 1)]


@given(
    terms=st.dictionaries(st.tuples(st.integers(0, 4), st.integers(0, 3)), st.integers(-(10**12), 10**20), min_size=1),
    a=st.lists(st.integers(0, 10**18) | st.integers(0, 10**4), min_size=1, max_size=4),
    b=st.lists(st.integers(0, 10**18) | st.integers(0, 10**4), min_size=1, max_size=4),
    denominator=st.sampled_from([1, 1, 2, 6, 12]),
    other=st.sampled_from([0, 7, 10**19]),
)
def test_arithmetic_is_exact(
    terms: dict[tuple[int, int], int], a: list[int], b: list[int], denominator: int, other: int
) -> None:
    """Polynomials of any size are Python's own integers at every point, in every arithmetic that has room for them."""
    polynomial = Polynomial({powers: factor * denominator for powers, factor in terms.items()}, denominator)
    wanted = [polynomial(x, y) for x, y in product(a, b)]
    if min(wanted) < 0:
        return
    form = (polynomial, Polynomial({(0, 0): other}))
    arrays = [np.array(values, dtype=np.int64) for values in (a, b)]
    for lane in LANES[LANES.index(lane_of(form, [max(a), max(b)])) :]:
        found, shape = values_of(form, Box(arrays), lane), (len(a), len(b))
        low, high = (None if x is None else np.broadcast_to(x, shape).ravel() for x in (found.low, found.high))
        values = Integers(low, high).tolist()
        assert values == [max(value, other) for value in wanted]
        assert all(type(value) is int for value in values)


@pytest.mark.parametrize("divisor", [2, 3, 6, 12, 2**31 - 1])
def test_quotients_of_pairs(divisor: int) -> None:
    """Two words are divided exactly, at the borders of a digit, of a word and of both."""
    quotients = [0, 1, 2**32 - 1, 2**32, 2**63, 2**64 - 1, 2**64, 2**64 + 12345678901, 2**90 + 2**40 + 7, 2**94 - 1]
    pairs = [divmod(quotient * divisor, 2**64) for quotient in quotients]
    high, low = zip(*pairs, strict=True)
    found = Integers(np.array(low, dtype=np.uint64), np.array(high, dtype=np.int64)).divided(divisor)
    assert found.tolist() == quotients


def test_each_arithmetic_is_used() -> None:
    """Numbers go from one machine word to two to Python's integers as they grow, and stay exact at the borders."""
    axis = (Axis("context_length", tuple(2**power + off for power in range(1, 59) for off in (-1, 0, 1))[1:]),)
    sweep = Sweep(spec=load_spec("gpt2"), axes=axis, measures=("macc", "flop"), chunk_rows=3)
    pricer, lanes = Pricer(sweep), set()
    for number in range(sweep.chunks):
        found = pricer.price(sweep.chunk(number)).measures["macc"]
        lanes.add("object" if found.low.dtype == object else "int64" if found.high is None else "pair")
    assert lanes == set(LANES)
    assert rows_of(sweep) == expected(sweep)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("batch=1:4", [1, 2, 3, 4]),
        ("batch=1:10:4", [1, 5, 9]),
        ("batch=1:9:4", [1, 5, 9]),
        ("batch=32:256:x2", [32, 64, 128, 256]),
        ("batch=32:255:x2", [32, 64, 128]),
        ("batch=6,12,24", [6, 12, 24]),
        ("batch=3,8:10,100:1000:x10", [3, 8, 9, 10, 100, 1000]),
        ("batch=50_257", [50_257]),
        ("batch=5:5", [5]),
        ("batch= 7 , 8", [7, 8]),
    ],
)
def test_axes(text: str, values: list[int]) -> None:
    """Lists, ranges with a step and with a factor, and mixtures; an end that is reached is a value."""
    axis = parse_axis(text)
    assert (axis.name, list(axis.values)) == ("batch", values)


def test_a_long_axis_is_not_held() -> None:
    """A range of 10^12 values takes no more memory than one of ten."""
    assert parse_axis("batch=1:1_000_000_000_000").values == range(1, 10**12 + 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("batch", "'batch' is no axis"),
        ("=1", "'=1' is no axis"),
        ("batch=", "'' in 'batch=' is no whole number"),
        ("batch=1.5", "'1.5' in 'batch=1.5' is no whole number"),
        ("batch=-1", "'-1' in 'batch=-1' is no whole number"),
        ("batch=1__0", "'1__0' in"),
        ("batch=\N{ARABIC-INDIC DIGIT ONE}", "is no whole number"),
        ("batch=9" + "9" * 5000, "is no whole number"),
        ("batch=1:2:3:4", "'1:2:3:4' in 'batch=1:2:3:4' is no range"),
        ("batch=9:1", "'9:1' in 'batch=9:1' has no end that its steps lead to"),
        ("batch=1:9:0", "has no end"),
        ("batch=1:9:x1", "has no end"),
        ("batch=0:9:x2", "has no end"),
        ("batch=1:9:xx2", "'x2' in 'batch=1:9:xx2' is no whole number"),
        ("batch=1,2,1", "'batch=1,2,1' has the value 1 twice"),
        ("batch=1:1000000,5", "a list of more than 1,000,000 values"),
        ("batch=1:1000000000000000000", "has 1,000,000,000,000,000,000 values"),
        ("batch=10000000000000000000", "is more than 10^18"),
    ],
)
def test_no_axes(text: str, message: str) -> None:
    """What is no axis is refused with what would be one, at once."""
    with pytest.raises(InputError) as refused:
        parse_axis(text)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"axes": ()}, "a sweep needs an axis"),
        ({"axes": (Axis("n_headz", (1, 2)),)}, "unknown size to vary 'n_headz'; did you mean 'n_heads'"),
        ({"axes": (Axis("experts.n_experts", (1, 2)),)}, "unknown size to vary 'experts.n_experts'"),
        ({"axes": (Axis("name", (1, 2)),)}, "gpt2 at name 1: name: "),
        ({"axes": (Axis("n_heads", (6, 7)),)}, "gpt2 at n_heads 7: n_heads 7 does not divide d_model 768"),
        ({"axes": (Axis("d_model", (12, 25)),)}, "gpt2 at d_model 25: n_heads 12 does not divide d_model 25"),
        ({"axes": (Axis("context_length", (0, 1)),)}, "the context must be a whole number from 1"),
        ({"axes": (Axis("batch", (0, 1)),)}, "the batch must be a whole number from 1"),
        ({"axes": (Axis("encoder_context_length", (1, 2)),)}, "an encoder context is for encoder-decoder models"),
        ({"axes": (Axis("batch", (1,)), Axis("batch", (2,)))}, "the axis batch is there twice"),
        (
            {"axes": (Axis("batch", (1,)),), "settings": Settings(batch=2)},
            "batch is an axis of the sweep and an option",
        ),
        ({"axes": (Axis("batch", (1,)),), "measures": ("maccs",)}, "unknown measure 'maccs'; did you mean 'macc'"),
        ({"axes": (Axis("batch", (1,)),), "algos": ("bpp",)}, "unknown learning rule 'bpp'"),
        ({"axes": (Axis("batch", (1,)),), "conventions": ("papr",)}, "unknown convention 'papr'"),
        (
            {"axes": (Axis("batch", (1,)),), "settings": Settings(recompute="block"), "algos": ("pepita",)},
            "recompute is for",
        ),
    ],
)
def test_no_sweeps(arguments: dict[str, Any], message: str) -> None:
    """What cannot be swept, or a point that the model cannot have, is refused with its reason."""
    with pytest.raises(InputError) as refused:
        rows_of(Sweep(spec=load_spec("gpt2"), **arguments))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "axes",
    [
        (Axis("context_length", (5, 0)),),
        (Axis("batch", (5, 0)),),
        (Axis("context_length", (1, 2)), Axis("d_model", (24, 36)), Axis("n_heads", (2, 4, 8))),
    ],
)
def test_a_point_that_cannot_be_is_refused_before_the_first_row(axes: tuple[Axis, ...]) -> None:
    """A sweep is checked as a whole: no row is priced where a later one cannot be."""
    with pytest.raises(InputError):
        Sweep(spec=load_spec("gpt2"), axes=axes).check()


@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    chunk_rows=st.integers(1, 50),
    rules=st.integers(1, 3),
)
def test_chunks_make_up_the_rows(lengths: list[int], chunk_rows: int, rules: int) -> None:
    """Chunks are no larger than asked for, and their rows in order are all combinations, each once."""
    names = ["context_length", "vocab_size", "d_ff", "batch"][: len(lengths)]
    sweep = Sweep(
        spec=load_spec("gpt2"),
        axes=tuple(Axis(name, range(1, length + 1)) for name, length in zip(names, lengths, strict=True)),
        algos=tuple(RULES[:rules]),
        chunk_rows=chunk_rows,
    )
    chunks = [sweep.chunk(number) for number in range(sweep.chunks)]
    assert [chunk.number for chunk in chunks] == [*range(sweep.chunks)]
    assert all(chunk.rows <= chunk_rows for chunk in chunks)
    rows = [(chunk.algo, *point) for chunk in chunks for point in product(*chunk.box)]
    assert rows == [(rule, *point) for rule in RULES[:rules] for point in product(*map(range, lengths))]


def test_a_fingerprint_is_of_what_is_swept() -> None:
    """Whatever changes a row or a chunk changes the fingerprint; nothing else does."""
    axis = Axis("batch", (1, 2))
    first = Sweep(spec=load_spec("gpt2"), axes=(axis,))
    same = Sweep(
        spec=load_spec("gpt2.yaml"), axes=(Axis("batch", (1, 2)),), settings=Settings(causal="full", errata=True)
    )
    assert first.fingerprint == same.fingerprint
    others = [
        Sweep(spec=load_spec("gpt2-medium"), axes=(axis,)),
        Sweep(spec=load_spec("gpt2"), axes=(Axis("batch", (2, 1)),)),
        Sweep(spec=load_spec("gpt2"), axes=(Axis("context_length", (1, 2)),)),
        Sweep(spec=load_spec("gpt2"), axes=(axis,), algos=("pepita",)),
        Sweep(spec=load_spec("gpt2"), axes=(axis,), conventions=("paper",)),
        Sweep(spec=load_spec("gpt2"), axes=(axis,), measures=("macc",)),
        Sweep(spec=load_spec("gpt2"), axes=(axis,), settings=Settings(causal="half")),
        Sweep(spec=load_spec("gpt2"), axes=(axis,), chunk_rows=1),
    ]
    assert len({each.fingerprint for each in (first, *others)}) == len(others) + 1


def test_the_python_of_the_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    """The example of docs/sweeps.md runs, and prints what `evaluate` gives."""
    text = (Path(__file__).parent.parent / "docs" / "sweeps.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    exec(code, {})  # noqa: S102  # it is our own
    spec = load_spec("gpt2")
    lines = [f"{algo} 1024 {evaluate(spec, algo, context=1024).totals.macc}\n" for algo in ("bp", "pepita")]
    assert capsys.readouterr().out == "".join(lines)
