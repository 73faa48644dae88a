"""Schemas: every document is of the shape that they say, and what is not is refused."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Tcost
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from readme import SPECS_PAGE
from ruamel.yaml import YAML

from tcost import ModelSpec
from tcost.bundled import BUNDLED
from tcost.documents.compute import ComputeDocument
from tcost.documents.every import AnyDocument
from tcost.documents.schema import SCHEMAS, reader_of, schema_of
from tcost.kinds import MODEL_PHASES
from tcost.spec.document import parse

READER, COMPUTED = reader_of(AnyDocument), reader_of(ComputeDocument)

PROPERTY_MAPS = ("properties", "$defs")
"""Keywords of JSON Schema whose keys are names, not keywords."""

RESULT = schema_of("result")
RESULTS = Draft202012Validator(RESULT)
SPEC = schema_of("spec")
SPECS = Draft202012Validator(SPEC)

COMPUTE = [
    "compute gpt2 --context 16",
    "compute gpt2 --by operation --convention exact --optimizer adam --recompute block",
    "compute gpt2 --by phase --algos bp pepita mempepita --convention torch",
    "compute alexatm-20b --by layer --algos bp pepita mempepita --context 32 --encoder-context 8",
    "compute mixtral-8x7b --convention exact --attention flash --causal half --batch 3",
    "compare alexatm-20b gpt2 --no-errata",
]

OTHERS = [
    "memory alexatm-20b --algos bp pepita mempepita",
    "memory gpt2 --budget 1GB",
    "memory gpt2 --convention exact --optimizer adamw --dtype bf16 --master-weights --budget 1TB",
    "breakeven gpt2 --algos mempepita bp pepita --measures macc stored_activations_bytes",
    "breakeven gpt2 --algos pepita bp --over n_heads=1,2,4",
    "formula alexatm-20b",
    "formula attention",
    "formula mixtral-8x7b attention --convention exact --in context_length --phase forward",
    "explain gpt2 feed_forward --convention exact --optimizer adam",
    "explain alexatm-20b --phase error_projection --algo pepita",
    "reconcile gpt3-small --from paper --to exact",
    "reconcile alexatm-20b --from paper --to torch",
    "verify gpt2 --recompute block",
    "verify deepseek-v3 --algos bp",
    "diff gpt2 bert-base --convention exact --optimizer adam",
    "diff gpt2 gpt2 --algos bp pepita",
    "check gpt2 --max flop=1T parameters=1G --max-growth macc=5% --against gpt2-medium",
    "check gpt2 --algos bp pepita --max-growth peak_bytes=5% --against distilbert",
    "check gpt2 --max flop=1T",
]

MAY_LACK = re.compile(
    r"(.*\.)?(scalars|note|change|changes|budget|recomputed_forward|optimizer_step|trained_parameters"
    r"|(scalars|overrides|axes|documentation)\..*"
    r"|parts\.0\.formulas\.[a-z_]*(\.(active_)?parameters)?)"
)
"""Where a document need not have all that another one has: what commands leave out, and free names."""


MAY_BE_NULL = re.compile(
    r"context|batch|(.*\.)?(encoder_context|peak_at|change|changes|changes\.(exact|paper)|budget|largest_context|largest_batch"
    r"|recomputed_forward|optimizer_step|trained_parameters"
    r"|rows\.0\.(layer|operation|kind|repeats)|start|limit|at|below|cheaper\.0\.1|value"
    r"|total\.(active_)?parameters|encoder_context_length"
    r"|(totals\.[a-z_]*|changes\.0|layer)\.(base|head|percent)|changes\.0\.part|before|limits\.0\.layer)"
)
"""What a document has where there is something to say."""


def written(tcost: Tcost, command: str) -> Any:
    """Return the document that a command writes, be its gate open or not."""
    outcome = tcost(*command.split(), "--format", "json")
    assert outcome.status in (0, 1)
    return json.loads(outcome.out)


def nodes(schema: Any, *, are_names: bool = False) -> Iterator[dict[str, Any]]:
    """Yield every schema in a schema."""
    if isinstance(schema, dict):
        if not are_names:
            yield schema
        for key, inner in schema.items():
            yield from nodes(inner, are_names=not are_names and key in PROPERTY_MAPS)
    for inner in schema if isinstance(schema, list) else ():
        yield from nodes(inner)


def closed() -> Draft202012Validator:
    """Return a validator of results that allows no field without a name in the schema."""
    schema = copy.deepcopy(RESULT)
    for node in nodes(schema):
        if "properties" in node:
            node.setdefault("additionalProperties", False)
    return Draft202012Validator(schema)


CLOSED = closed()


@pytest.mark.parametrize("command", COMPUTE + OTHERS)
def test_documents_are_of_the_schema(command: str, tcost: Tcost) -> None:
    """What a command writes has the fields of the schema and no others, and is read whole."""
    document = written(tcost, command)
    CLOSED.validate(document)
    READER.validate_json(json.dumps(document))
    assert RESULTS.is_valid({**document, "later": {}})
    check_mutants(shortened(document))


def test_lines_of_a_sweep_are_of_the_schema(tcost: Tcost) -> None:
    """Every line is valid with any axes and measures; a line without numbers is not."""
    args = "sweep mixtral-8x7b --over batch=1,2 experts.n_experts=8,16 --algos bp pepita --measures macc peak_bytes"
    lines = [json.loads(line) for line in tcost(*args.split(), "--format", "jsonl").out.splitlines()]
    assert len(lines) == 8
    for line in lines:
        CLOSED.validate(line)
    assert not RESULTS.is_valid({name: lines[0][name] for name in ("spec", "algo", "convention")})
    check_mutants(lines[0], is_read=False)


def test_a_check_against_torch_is_of_the_schema() -> None:
    """A check, which needs torch, is written as the schema says."""
    from tcost.documents.verify import torch_to_json
    from tcost.torch_check import TorchCheck
    from tcost.torch_check.checking import Line

    check = TorchCheck(
        spec="gpt2",
        executed_class="GPT2LMHeadModel",
        context=8,
        encoder_context=None,
        batch=1,
        lines=tuple(Line("decoder.attention", "query + key", phase, 5, 7) for phase in MODEL_PHASES),
        predicted_parameters=3,
        executed_parameters=4,
        notes=("executed by hand",),
    )
    document = json.loads(torch_to_json([check]))
    CLOSED.validate(document)
    check_mutants(document)


def shortened(document: Any) -> Any:
    """Return a document with one item, one with the most fields, of every list of things that have fields."""
    if isinstance(document, dict):
        return {key: shortened(value) for key, value in document.items()}
    is_long = isinstance(document, list) and document and isinstance(document[0], dict | list)
    return [shortened(max(document, key=len))] if is_long else document


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield every value in a document with its path."""
    if path:
        yield path, value
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from places(inner, (*path, key))


def wrong(value: Any) -> Iterator[Any]:
    """Yield what cannot be in the place of a value."""
    match value:
        case bool():
            yield 0
        case int():
            yield from (1.5, [1])
        case float():
            yield "1.5"
        case str():
            yield 1.5
        case list():
            yield {}
        case dict():
            yield []


WORDS = {
    *("phase", "category", "causal", "attention", "recompute"),
    *("weights", "gradients", "activations", "optimizer", "limit"),
}
"""Keys whose text is one of few words, where it is in `storage` or on its own."""


SIZES = {
    *("name", "vocab_size", "d_model", "n_heads", "d_head", "d_ff", "n_encoder_layers", "n_decoder_layers"),
    *("context_length", "encoder_context_length"),
}
"""What every model that `tcost verify` runs has; the schema says nothing of its parts."""


def check_mutants(document: dict[str, Any], *, is_read: bool = True) -> None:
    """Break a document in one place after the other, and see each refused, by our types as well."""
    assert RESULTS.is_valid(document)
    for path, value in places(document):
        *_, key = path
        at = ".".join(map(str, path))
        if "sizes" in path[:-1] and key not in SIZES:
            continue
        broken = [*wrong(value), *([] if MAY_BE_NULL.fullmatch(at) else [None])]
        if key in WORDS and isinstance(value, str) and (key != "optimizer" or "storage" in path):
            broken.append("other")
        for other in broken:
            check_refused(with_value(document, path, other), f"{at} = {other!r}", is_read=is_read)
        if isinstance(key, str) and not MAY_LACK.fullmatch(at) and not is_number_of_a_sweep(document, key):
            check_refused(with_value(document, path, ...), f"without {at}", is_read=is_read)


def is_number_of_a_sweep(document: dict[str, Any], key: str) -> bool:
    """Tell what a line of a sweep has by name of its own, and the length that it has where nothing else says it."""
    return "schema_version" not in document and (isinstance(document.get(key), int) or key == "encoder_context")


def check_refused(document: Any, what: str, *, is_read: bool = True) -> None:
    """Refuse a document by the schema and, where such are read, by the types."""
    assert not RESULTS.is_valid(document), what
    if not is_read:
        return
    with pytest.raises(ValidationError):
        READER.validate_json(json.dumps(document))


def with_value(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """Return a document with another value in one place, or with none for `...`."""
    changed = inner = copy.deepcopy(document)
    for step in path[:-1]:
        inner = inner[step]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return changed


@pytest.mark.parametrize("document", [{}, [], None, 1, "gpt2", {"schema_version": 1}, {"results": []}])
def test_what_is_no_document_is_refused(document: object) -> None:
    """A document has a version, what made it, and something to say."""
    check_refused(document, "no document")


def test_a_document_of_another_version_is_refused(tcost: Tcost) -> None:
    """A document whose fields mean something else is not read as if they did not."""
    document = written(tcost, "compute gpt2 --by phase")
    check_refused({**document, "schema_version": 3}, "of version 3")


@pytest.mark.parametrize("value", [1.5, 2.0, "2", True, None])
def test_a_whole_number_is_nothing_else(value: object, tcost: Tcost) -> None:
    """What is no whole number is refused where one is due, with the place."""
    document = written(tcost, "compute gpt2 --by phase")
    document["results"][0]["rows"][2]["macc"] = value
    with pytest.raises(ValidationError) as caught:
        COMPUTED.validate_json(json.dumps(document))
    assert [problem["loc"] for problem in caught.value.errors()] == [("results", 0, "rows", 2, "macc")]


def test_numbers_of_any_size_stay_exact(tcost: Tcost) -> None:
    """A number beyond 64 bits, and below nothing, comes out as it went in."""
    document = written(tcost, "compute gpt2 --by phase")
    document["results"][0]["totals"]["macc"] = -(10**40) - 1
    RESULTS.validate(document)
    assert COMPUTED.validate_json(json.dumps(document)).results[0].totals.macc == -(10**40) - 1


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_printed(name: str, tcost: Tcost, tmp_path: Path) -> None:
    """A schema is of draft 2020-12, each of its keys is described, and only the whole has a title."""
    printed = tcost("list", "schema", name).out
    schema = json.loads(printed)
    Draft202012Validator.check_schema(schema)
    assert printed == json.dumps(schema, indent=2) + "\n"
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (schema["title"], bool(schema["description"])) == (f"tcost {name}", True)
    assert [node["title"] for node in nodes(schema) if "title" in node] == [f"tcost {name}"]
    for node in nodes(schema):
        for key, described in node.get("properties", {}).items():
            assert re.fullmatch(r"\S.*[.;]?\S", described["description"]), key
    assert tcost("list", "schema", name, "-o", tmp_path / "schema.json") == (0, "", "")
    assert (tmp_path / "schema.json").read_text() == printed


def test_a_schema_that_there_is_not(tcost: Tcost) -> None:
    """A wrong name is answered with the right ones."""
    outcome = tcost("list", "schema", "spce")
    known = ", ".join(SCHEMAS)
    assert outcome == (2, "", f"error: unknown schema 'spce'; did you mean 'spec'?\n       known: {known}\n")


def yaml(text: str) -> Any:
    """Return what another YAML 1.2 parser reads."""
    return YAML(typ="safe", pure=True).load(text)


@pytest.mark.parametrize("name", list(BUNDLED))
def test_bundled_specs_are_of_the_schema(name: str) -> None:
    """Every bundled spec, as another parser reads it, is valid."""
    (path,) = Path(__file__).parent.parent.glob(f"model_specs/{name}.yaml")
    SPECS.validate(yaml(path.read_text()))


def test_the_readme_is_of_the_schema() -> None:
    """The examples of docs/specs.md, which have every key that there is, are valid."""
    sizes, parts = re.findall(r"```yaml\n(.*?)```", SPECS_PAGE.read_text(), flags=re.DOTALL)
    SPECS.validate(yaml(sizes))
    SPECS.validate(yaml(sizes + parts))
    assert {*yaml(sizes + parts)} == {*SPEC["properties"]} == {*ModelSpec.model_fields}


GOOD: dict[str, Any] = {
    "name": "tiny",
    "vocab_size": 5,
    "d_model": 8,
    "n_heads": 2,
    "d_ff": 16,
    "n_encoder_layers": 1,
    "n_decoder_layers": 1,
    "context_length": 4,
    "experts": {"n_experts": 3, "experts_per_token": 1, "d_expert": 2},
    "latent_attention": {"kv_rank": 4, "d_nope": 2, "d_rope": 2, "d_value": 2},
    "train": {"lora": {"rank": 1, "targets": ["query"]}},
    "sliding_window": 2,
    "full_attention_layers": {"every": 2},
}

TOKENS: dict[str, Any] = {
    **{
        token: yaml(token)
        for token in (
            *("none", "all", "relu", "pre", "head", "rotary", "tokens", "softmax", "query", "yes", "x" * 101),
            *("-1", "0", "1", "2", str(10**18), str(10**18 + 1), "1.5", ".inf"),
            *('"768"', '""', "true", "False", "~", ""),
            *("[]", "[0, 1]", "[query]", "[0, final]", "[[]]", "[-1]", "[queri]", "[1.5]", "[~]", "{}"),
            *("{every: 2, first: 0}", "{every: 0}", "{evry: 1}"),
            *("{lora: {rank: 2, targets: [up]}}", "{lora: {rank: 2, targets: []}}", "{lora: {rank: 2}}"),
        )
    },
    **{token: token for token in ("50_257", "+1_0", "_1", "1_", "1__0")},
    "[4_0]": ["4_0"],
}
"""YAML, and what an editor reads. By YAML 1.2, which the other parser departs from there, `50_257` is text."""


def problems_of(values: Any) -> set[str]:
    """Return the kinds of what the tool says of a spec."""
    try:
        ModelSpec.model_validate(values)
    except ValidationError as error:
        return {problem["type"] for problem in error.errors()}
    return set()


PLACES = [path for path, _ in places(GOOD) if isinstance(path[-1], str)] + [
    (key,) for key in ModelSpec.model_fields if key not in GOOD
]


@pytest.mark.parametrize("path", [*PLACES, ("d_modle",), ("experts", "n_expert")], ids=".".join)
def test_the_schema_refuses_what_the_tool_refuses(path: tuple[str, ...]) -> None:
    """In every place of a spec, every value is refused by both or by none, but for what only shows together."""
    for token, value in TOKENS.items():
        problems = problems_of(with_value(GOOD, path, parse(f"value: {token}", "").values["value"]))
        if "_" in token and "string_type" in problems:
            continue  # an editor sees text where text is due, and tcost a number
        assert SPECS.is_valid(with_value(GOOD, path, value)) == (problems <= {"shape"}), (token, problems)


@pytest.mark.parametrize("path", [path for path in PLACES if path[0] in GOOD], ids=".".join)
def test_the_schema_misses_what_the_tool_misses(path: tuple[str, ...]) -> None:
    """A key that must be there must be there for both."""
    without = with_value(GOOD, path, ...)
    assert SPECS.is_valid(without) == (problems_of(without) <= {"shape"})


def test_what_only_the_tool_refuses() -> None:
    """What only shows together is not said by the schema, nor the range of a number with underscores."""
    assert problems_of(GOOD) == set()
    for key, value in {"encoder_n_heads": 3, "d_ff": 16.0, "context_length": "0_0"}.items():
        SPECS.validate({**GOOD, key: value})
        assert problems_of({**GOOD, key: value})
