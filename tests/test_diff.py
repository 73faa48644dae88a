"""`tcost diff`: what has changed between two training steps, priced or saved."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Outcome, Tcost
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tcost import InputError, evaluate, load_spec
from tcost.bundled import BUNDLED
from tcost.cost.measures import MEASURES
from tcost.diff import Asked, differences, price_both, snapshot_of
from tcost.documents.side import read_side
from tcost.memory import CATEGORIES
from tcost.report.comment import LIMIT, comment
from tcost.spec import to_yaml, with_values

BY_LAYER = ("macc", "flop", "parameters", "memory_bytes")

Save = Callable[..., Path]


@pytest.fixture
def save(tcost: Tcost, tmp_path: Path) -> Save:
    """Save the JSON of a command: `save("base.json", "compute", "gpt2")`."""

    def write(name: str, *args: object) -> Path:
        path = tmp_path / name
        assert tcost(*args, "--format", "json", "--output", path).status == 0
        return path

    return write


def found(outcome: Outcome) -> list[dict[str, Any]]:
    """Return the differences of a JSON output, which is status 0."""
    assert (outcome.status, outcome.err) == (0, "")
    pairs: list[dict[str, Any]] = json.loads(outcome.out)["differences"]
    return pairs


def spec_file(folder: Path, name: str = "gpt2", **values: int) -> Path:
    """Write a bundled spec with some other sizes."""
    path = folder / f"{name}-changed.yaml"
    path.write_text(to_yaml(with_values(load_spec(name), values)))
    return path


def test_a_wider_feed_forward(tcost: Tcost, tmp_path: Path) -> None:
    """A feed-forward 1,024 wider is 2·M·d·1024 more MACCs per layer in every phase, and nothing else changes."""
    wide = spec_file(tmp_path, d_ff=4096)
    (pair,) = found(tcost("diff", "gpt2", wide, "--convention", "torch", "--format", "json"))
    layers, m, d, more = 12, 1024, 768, 1024
    changes = {(each["measure"], each["part"]): each["difference"] for each in pair["changes"]}
    assert {each["layer"] for each in pair["changes"]} == {"decoder.feed_forward"}
    for phase in ("forward", "backward", "weight_update"):
        assert changes["macc", phase] == layers * 2 * m * d * more
        assert changes["flop", phase] == 2 * changes["macc", phase]
    weights = layers * (2 * d * more + more)
    assert changes["parameters", None] == weights
    assert changes["memory_bytes", "parameters"] == changes["memory_bytes", "gradients"] == 4 * weights
    # Kept of x/2 · (1 + tanh(...)) as operations of Python: x, the tanh, both factors, and what goes into `down`.
    assert changes["memory_bytes", "stored_activations"] == 4 * 5 * layers * m * more
    assert pair["totals"]["flop"]["difference"] == 3 * 2 * layers * 2 * m * d * more
    assert pair["totals"]["active_parameters"]["difference"] == weights


SIZES = {"d_ff": st.integers(1, 64), "n_decoder_layers": st.integers(1, 9), "context_length": st.integers(1, 40)}


@given(sizes=st.fixed_dictionaries(SIZES), convention=st.sampled_from(["paper", "exact", "torch"]), data=st.data())
def test_changes_add_up(sizes: dict[str, int], convention: str, data: st.DataObject) -> None:
    """What changes by layer and phase adds up to the change of the totals, which are those of `evaluate`."""
    algo = data.draw(st.sampled_from(["bp", "pepita", "mempepita"]))
    small = with_values(load_spec("gpt2"), {"d_model": 12, "vocab_size": 30, "n_positions": 40})
    results = [evaluate(spec, algo, convention) for spec in (small, with_values(small, sizes))]
    (pair,) = differences(*([snapshot_of(result)] for result in results)).pairs
    for measure, of in MEASURES.items():
        before, after = map(of, results)
        assert (pair.total(measure).base, pair.total(measure).head) == (before, after)
    for measure in BY_LAYER:
        assert sum(each.difference for each in pair.changes(measure)) == pair.total(measure).difference
        assert sum(each.difference for each in pair.by_layer(measure)) == pair.total(measure).difference
    held = [sum(r.memory.of(c).bytes for c in ("parameters", "gradients", "optimizer", "projection")) for r in results]
    stored = [result.memory.of("stored_activations").bytes for result in results]
    assert pair.total("memory_bytes").difference == held[1] + stored[1] - held[0] - stored[0]


OPTIONS = [
    "gpt2",
    "gpt2 --algos bp pepita mempepita --convention exact --optimizer adam --batch 3",
    "gpt2 --recompute block --attention flash --causal half --convention exact --context 100",
    "alexatm-20b --algos bp pepita --context 32 --encoder-context 7",
    "alexatm-20b --no-errata",
    "mixtral-8x7b --convention torch --context 64",
    "t5-base --by phase",
    "t5-base --by layer",
]


@pytest.mark.parametrize("options", OPTIONS)
def test_a_spec_is_priced_as_what_was_saved(options: str, tcost: Tcost, save: Save) -> None:
    """A spec beside its own saved result has not changed, whatever it was saved with; on either side."""
    saved = save("base.json", "compute", *options.split())
    spec = options.split(maxsplit=1)[0]
    for sides in ((saved, spec), (spec, saved), (saved, saved)):
        pairs = found(tcost("diff", *sides, "--format", "json"))
        assert len(pairs) == len(json.loads(saved.read_text())["results"])
        for pair in pairs:
            assert pair["base"] == pair["head"]
            assert pair["changes"] == []
            assert {each["difference"] for each in pair["totals"].values()} == {0}


def test_a_longer_context_is_seen(tcost: Tcost, save: Save, tmp_path: Path) -> None:
    """The spec's own context counts where nothing else was asked for; what was asked for is asked for again."""
    longer = spec_file(tmp_path, context_length=2048)
    (pair,) = found(tcost("diff", save("own.json", "compute", "gpt2"), longer, "--format", "json"))
    assert (pair["base"]["context"], pair["head"]["context"]) == (1024, 2048)
    asked = save("asked.json", "compute", "gpt2", "--context", 64)
    (pair,) = found(tcost("diff", asked, longer, "--format", "json"))
    assert (pair["base"]["context"], pair["head"]["context"]) == (64, 64)
    (pair,) = found(tcost("diff", asked, longer, "--context", 128, "--dtype", "bf16", "--format", "json"))
    assert (pair["head"]["context"], pair["head"]["storage"]["weights"]) == (128, "bf16")
    assert (
        "not the same: context 64 → 128, storage fp32 → bf16"
        in tcost("diff", asked, "gpt2", "--context", 128, "--dtype", "bf16").out
    )


def test_layers_that_come_and_go(tcost: Tcost) -> None:
    """A layer that one side alone has is new or gone, and its amounts are those of `compute`."""
    (pair,) = found(tcost("diff", "bert-base", "gpt2", "--format", "json"))
    new = [each for each in pair["changes"] if each["layer"] == "decoder.attention" and each["measure"] == "macc"]
    rows = [row for row in evaluate(load_spec("gpt2")).rows if row.layer == "decoder.attention"]
    assert {each["part"]: each["head"] for each in new} == {
        phase: sum(row.macc for row in rows if row.phase == phase) for phase in ("forward", "backward", "weight_update")
    }
    assert {(each["base"], each["percent"]) for each in new} == {(None, None)}
    table = tcost("diff", "bert-base", "gpt2").out
    assert "bert-base → gpt2 under backpropagation (bp)" in table
    assert [line.split()[-1] for line in table.splitlines() if line.startswith("encoder.attention")] == ["gone"] * 4


def test_saved_comparisons_pair_up(tcost: Tcost, save: Save) -> None:
    """Models, contexts and rules of two comparisons find each other; what has no match is named."""
    base = save("base.json", "compare", "gpt2", "t5-base", "--algos", "bp", "pepita", "--context", 64, 128)
    head = save("head.json", "compare", "t5-base", "bert-base", "--algos", "bp", "--context", 64)
    document = json.loads(tcost("diff", base, head, "--format", "json").out)
    assert [(each["head"]["spec"], each["head"]["context"]) for each in document["differences"]] == [("t5-base", 64)]
    assert [each["spec"] for each in document["only_head"]] == ["bert-base"]
    assert len(document["only_base"]) == 7
    table = tcost("diff", base, head).out
    assert "only in head: bert-base under bp, context 64" in table
    one = found(tcost("diff", base, "t5-base", "--algos", "bp", "--format", "json"))
    assert [(each["base"]["context"], each["head"]["context"]) for each in one] == [(64, 64), (128, 128)]


@pytest.fixture
def odd_files(save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saved results, good and bad, in the folder that the test runs in."""
    monkeypatch.chdir(tmp_path)
    saved = save("saved.json", "compute", "gpt2").read_text()
    save("two.json", "compare", "gpt2", "bert-base", "--algos", "bp")
    save("memory.json", "memory", "gpt2")
    document = json.loads(saved)
    begin = '{"schema_version": 1, "tool": {"name": "tcost", "version": "0"}, "results": '
    texts = {
        "version": saved.replace('"schema_version": 2', '"schema_version": 3'),
        "broken": '{"schema_version": 1, x}',
        "empty": f"{begin}[]}}",
        "deep": begin + "[" * 100_000,
        "many": begin + "[{}," * 600_000,
        "keys": begin + json.dumps(dict.fromkeys(map(str, range(1001)))) + "]}",
        "digits": f"{begin}{'9' * 1001}}}",
        "nan": f"{begin}NaN}}",
        "number": saved.replace('"batch": 1,', '"batch": 1.5,'),
        "twice": json.dumps(document | {"results": document["results"] * 2}),
        "rule": saved.replace('"algo": "bp"', '"algo": "feedback"'),
    }
    for name, text in texts.items():
        Path(f"{name}.json").write_text(text)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("saved.json gpt2 --convention paper", "base is under exact, head under paper\n       a difference needs one"),
        ("saved.json saved.json --batch 2", "both sides are saved results, which no option prices again\n"),
        ("saved.json gpt2 --algos pepita", "no saved result is of pepita\n       saved: bp"),
        ("two.json vit-base", "no saved result is of 'vit-base'\n       saved: gpt2, bert-base"),
        ("memory.json gpt2", "memory.json: results.0.overrides: Field required\n       expected what tcost compute"),
        ("version.json gpt2", "version.json: schema version 3 is not known\n       expected 2, as this version writes"),
        ("broken.json gpt2", "broken.json:1:23: not JSON: Expecting property name enclosed in double quotes"),
        ("empty.json gpt2", "empty.json: there is no result in it"),
        ("deep.json gpt2", "deep.json: nested deeper than any result"),
        ("many.json gpt2", "many.json: more than 500,000 values, which no saved result has"),
        ("keys.json gpt2", "keys.json: more than 1,000 keys in one place, which no saved result has"),
        ("digits.json gpt2", "digits.json: a number of more than 300 digits"),
        ("nan.json gpt2", "nan.json: NaN is not a number that JSON has"),
        ("number.json gpt2", "number.json: results.0.batch: Input should be a valid integer"),
        ("twice.json gpt2", "a side has several results of the same model, context and rule"),
        ("rule.json gpt2", "unknown learning rule 'feedback'"),
        ("gpt2 gtp2", "no spec 'gtp2': neither a file nor a bundled spec; did you mean 'gpt2'?"),
        ("gpt2", "Missing argument 'HEAD'"),
        ("gpt2 gpt2 --algos pepitta", "'pepitta' is neither a learning rule nor a spec; did you mean 'pepita'?"),
        ("/dev/zero gpt2", "/dev/zero is larger than 16384 KiB"),
    ],
)
def test_what_cannot_be_compared(args: str, message: str, tcost: Tcost, odd_files: None) -> None:  # noqa: ARG001  # files here
    """What is no saved result, or cannot be held against the other side, is bad input that says so."""
    outcome = tcost("diff", *args.split())
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err
    assert len(outcome.err.splitlines()) <= 2


SUMS = [
    *(("totals", name) for name in ("macc", "flop", "parameters", "active_parameters")),
    *(("phases", phase, name) for phase in ("forward", "backward", "weight_update") for name in ("macc", "flop")),
    *(("memory", name, unit) for name in (*CATEGORIES,) for unit in ("elements", "bytes")),
]


@pytest.mark.parametrize("by", ["layer", "phase", "operation"])
def test_sums_that_contradict_their_rows(by: str, tcost: Tcost, save: Save, tmp_path: Path) -> None:
    """A saved result of which a sum is not that of its rows is bad input of diff and of check, in two lines."""
    args = ("gpt2", "--convention", "exact", "--optimizer", "adam", "--by", by)
    text = save("good.json", "compute", *args, "--algos", "pepita", "bp").read_text()
    bad = tmp_path / "bad.json"
    for place in SUMS:
        document = json.loads(text)
        part = document["results"][1]
        for key in place[:-1]:
            part = part[key]
        part[place[-1]] += 1
        bad.write_text(json.dumps(document))
        for line in (("diff", bad, "gpt2"), ("diff", "gpt2", bad), ("check", bad, "--max", "flop=9E")):
            outcome = tcost(*line)
            assert (outcome.status, outcome.out) == (2, "")
            assert (
                f"bad.json: results.1.{'.'.join(place)} is {part[place[-1]]:,}, but its rows add up to" in outcome.err
            )
            assert len(outcome.err.splitlines()) == 2
    for name, amount in (("rows", "macc"), ("memory_rows", "bytes")):
        for change in ("one less", "one twice", "none"):
            document = json.loads(text)
            rows = sorted(document["results"][0][name], key=lambda row: int(row[amount]))
            changed = {"one less": rows[:-1], "one twice": [*rows, rows[-1]], "none": []}[change]
            document["results"][0][name] = changed
            bad.write_text(json.dumps(document))
            assert tcost("diff", bad, "gpt2").status == 2


@pytest.mark.parametrize("algo", ["bp", "pepita", "mempepita"])
@pytest.mark.parametrize("convention", ["paper", "torch", "exact"])
def test_sums_that_are_right(convention: str, algo: str, tcost: Tcost, save: Save) -> None:
    """Whatever tcost writes, by whatever it groups, it reads."""
    options: tuple[str, ...] = ("--convention", convention, "--algos", algo, "--optimizer", "adam")
    options += ("--recompute", "block") * (algo == "bp")
    specs = ["alexatm-20b", "mixtral-8x7b"]
    saved = [save(f"{by}.json", "compute", specs[0], "--by", by, *options) for by in ("layer", "phase", "operation")]
    saved.append(save("compare.json", "compare", *specs, *options))
    for path in saved:
        assert tcost("check", path, "--max", "flop=1000000Q").status == 0


def test_steps_that_do_not_meet() -> None:
    """Two sides without a common rule have nothing to compare."""
    sides = [[snapshot_of(evaluate(load_spec("gpt2"), algo))] for algo in ("bp", "pepita")]
    with pytest.raises(InputError, match="nothing to compare: base has gpt2 under bp; head has gpt2 under pepita"):
        differences(*sides)


def test_tables_fit(tcost: Tcost) -> None:
    """No difference of two bundled specs under any convention is wider than 100 columns."""
    names = list(BUNDLED)
    for index, name in enumerate(names):
        convention = ("paper", "exact", "torch")[index % 3]
        out = tcost("diff", names[index - 1], name, "--convention", convention, "--optimizer", "adam").out
        assert max(map(len, out.splitlines())) <= 100
        assert "total" in out


def test_integers(tcost: Tcost) -> None:
    """`--integers` shows every amount whole."""
    out = tcost("diff", "gpt2", "gpt2-medium", "--integers").out
    totals = [evaluate(load_spec(name)).totals.flop for name in ("gpt2", "gpt2-medium")]
    assert f"{totals[0]:,}  {totals[1]:,}  +{totals[1] - totals[0]:,}" in out


def test_the_comment_of_one_step(tcost: Tcost) -> None:
    """The first line says it all, the table by layer is collapsed, and GitHub's dialect reads the tables as such."""
    text = tcost("diff", "gpt2", "gpt2-medium", "--format", "markdown").out
    totals = [evaluate(load_spec(name)).totals for name in ("gpt2", "gpt2-medium")]
    percent = f"{100 * (totals[1].flop / totals[0].flop - 1):+.0f} %"
    line = text.splitlines()[0]
    assert line.startswith(f"**A training step of `gpt2` → `gpt2-medium` under `bp`:** FLOPs {percent}, MACCs +")
    assert line.endswith("convention exact.")
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    kinds = [token.type for token in tokens]
    assert kinds.count("table_open") == 2
    opened = next(index for index, token in enumerate(tokens) if token.content.startswith("<details>"))
    assert kinds.index("table_open") < opened < len(kinds) - 1 - kinds[::-1].index("table_close")
    assert text.count("<details>") == text.count("</details>") == 1
    same = tcost("diff", "gpt2", "gpt2", "--format", "markdown").out
    assert same == "**The cost of a training step has not changed**, convention exact.\n"


def test_a_comment_is_never_too_long(tcost: Tcost, save: Save) -> None:
    """Of all bundled models at another context, what does not fit is left out, with the command that prints it."""
    base, head = (save(f"{context}.json", "compare", "--context", context) for context in (32, 33))
    text = tcost("diff", base, head, "--format", "markdown").out
    number = 3 * len(BUNDLED)
    assert text.startswith(f"**{number} of {number} training steps have changed**, most of all `")
    assert LIMIT - 20_000 < len(text.encode()) <= LIMIT == 65_536
    assert text.count("<details>") == text.count("</details>") > 3
    assert text.count("\n| `") == number
    assert f"The rest did not fit into this comment: `tcost diff {base} {head}`\n" in text


def test_a_hostile_name_in_a_comment(tcost: Tcost, tmp_path: Path) -> None:
    """A name with markup, a mention, a cell's end and escapes is text: it opens no tag and breaks no table."""
    path = tmp_path / "hostile.yaml"
    name = r"</summary><img src=x onerror=alert(1)> `@all` | \e[1m**"
    text = to_yaml(load_spec("gpt2")).replace("name: gpt2", f'name: "{name}"')
    path.write_text(text)
    out = tcost("diff", path, "gpt2-medium", "--format", "markdown").out
    assert "\x1b" not in out
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(out)
    html = "".join(token.content for token in tokens if token.type == "html_block")
    assert "<img" not in html
    assert html.count("</summary>") == 1
    inline = [child for token in tokens for child in token.children or []]
    assert not [child for child in inline if child.type == "html_inline"]
    assert not [child for child in inline if child.type == "text" and "@all" in child.content]
    rows = [line for line in out.splitlines() if line.startswith("| `")]
    assert [row.count("|") for row in rows] == [10]


def test_a_name_without_end_is_cut() -> None:
    """A saved result may name anything: the comment shows its beginning."""
    saved = snapshot_of(evaluate(load_spec("gpt2")))
    long = [type(saved)(**{**vars(saved), "spec": "x" * 100_000, "totals": {**saved.totals, "flop": 1}})]
    assert len(comment(differences([saved], long), "x" * 100_000).encode()) < LIMIT


def test_a_difference_from_python() -> None:
    """The command line and the API are the same functions."""
    base, head = read_side("gpt2"), read_side("gpt2-medium")
    (pair,) = differences(*price_both(base, head, Asked(said={"convention": "torch"}))).pairs
    flops = [evaluate(load_spec(name), convention="torch").totals.flop for name in ("gpt2", "gpt2-medium")]
    assert pair.total("flop").difference == flops[1] - flops[0]
