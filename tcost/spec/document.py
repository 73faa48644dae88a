"""YAML text to plain values that remember where they stood, hardened against hostile input.

Scalars follow YAML 1.2 (`yes` and `1:30` are text, `010` is ten), with `_` between digits allowed.
Refused: duplicate keys, which PyYAML would resolve silently; anchors, aliases and tags, which can
make a small file expand without end; nesting and numbers beyond any honest spec.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn, Self

import yaml

from tcost.errors import InputError

MAX_DEPTH = 16
MAX_VALUES = 30_000
MAX_DIGITS = 30

_INTEGER = r"[-+]?[0-9]+(?:_[0-9]+)*"
_DECIMAL = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"


class Decimal(float):
    """A decimal number that remembers how it was written, which it may only be near."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Return the number that a text means."""
        number = super().__new__(cls, text)
        number.text = text
        return number


_CORE_SCHEMA: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile(r"~|null|Null|NULL|"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(_INTEGER), int),
    (re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+"), lambda text: int(text, 0)),
    (re.compile(_DECIMAL), Decimal),
    (re.compile(r"[-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)"), lambda text: float(text.replace(".", ""))),
)

_HALF = re.compile("[\ud800-\udfff]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")

Path = tuple[str | int, ...]


@dataclass
class Document:
    """The top-level mapping of a YAML text, with where each key and value stands and how it was written."""

    where: str
    max_digits: int = MAX_DIGITS
    """Of a number in it."""
    values: dict[str, Any] = field(default_factory=dict)
    keys: dict[Path, yaml.Mark] = field(default_factory=dict)
    nodes: dict[Path, yaml.Node] = field(default_factory=dict)

    def at_key(self, path: Path) -> str:
        """Return `file:line:column` of a key, or of the file where the key is not in it."""
        return _place(self.where, self.keys.get(path))

    def at_value(self, path: Path) -> str:
        """Return `file:line:column` of a value, or of the file where it is not in it."""
        return _place(self.where, self.nodes[path].start_mark if path in self.nodes else None)

    def text(self, path: Path) -> str:
        """Return a scalar as it was written, without quotes."""
        return str(self.nodes[path].value)


def parse(text: str, where: str, max_digits: int = MAX_DIGITS) -> Document:
    """Return the mapping that a YAML text holds; `where` names the text in messages.

    Raises InputError with the place of what is wrong.
    """
    try:
        root = _composed(text, where)
        document = Document(where, max_digits)
        if root is None:
            raise InputError(f"{where}: the file is empty\nexpected keys such as name, d_model and n_heads")
        if not isinstance(root, yaml.MappingNode):
            raise InputError(f"{_place(where, root.start_mark)}: expected keys with values, such as 'd_model: 768'")
        document.values = _mapping(document, root, ())
    except yaml.MarkedYAMLError as error:
        said = ": ".join(part for part in (error.context, error.problem) if part)
        raise InputError(f"{_place(where, error.problem_mark)}: {said}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputError(f"{where}:{line}: YAML does not allow the character U+{error.character:04X}") from None
    return document


def _composed(text: str, where: str) -> yaml.Node | None:
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    except (ValueError, OverflowError):  # of a version of 5,000 digits, or "\\U99999999", which PyYAML does not look at
        mark: yaml.Mark = loader.get_mark()
        raise InputError(
            f"{_place(where, mark)}: a number or a character that YAML does not have\n"
            "expected keys with values, such as 'd_model: 768'"
        ) from None


class _Loader(yaml.SafeLoader):
    """PyYAML's pure-Python loader, less what a spec has no use for."""

    _depth = 0
    _values = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs leave it bare
        if event.anchor:
            _refuse(event, "anchors and aliases are not allowed; write the value out")
        if getattr(event, "tag", None):
            _refuse(event, f"tags are not allowed; write the value without {event.tag}")
        if self._depth == MAX_DEPTH:
            _refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        self._values += 1
        if self._values > MAX_VALUES:
            _refuse(event, f"more than {MAX_VALUES:,} keys and values")
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def _refuse(item: Any, problem: str) -> NoReturn:
    raise yaml.MarkedYAMLError(problem=problem, problem_mark=item.start_mark)


def _place(where: str, mark: yaml.Mark | None) -> str:
    return f"{where}:{mark.line + 1}:{mark.column + 1}" if mark else where


def _mapping(document: Document, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = _scalar(key_node, document.max_digits) if isinstance(key_node, yaml.ScalarNode) else None
        if not isinstance(key, str):
            _refuse(key_node, "a key must be text")
        here = (*path, key)
        if key in values:
            first = document.keys[here].line + 1
            _refuse(key_node, f"duplicate key '{key}', first given on line {first}; keep one of them")
        document.keys[here] = key_node.start_mark
        values[key] = _value(document, value_node, here)
    return values


def _value(document: Document, node: yaml.Node, path: Path) -> Any:
    document.nodes[path] = node
    if isinstance(node, yaml.MappingNode):
        return _mapping(document, node, path)
    if isinstance(node, yaml.SequenceNode):
        return [_value(document, item, (*path, index)) for index, item in enumerate(node.value)]
    return _scalar(node, document.max_digits)


def _scalar(node: Any, max_digits: int) -> Any:
    """Return the value of a scalar: text where it is quoted, else by the core schema of YAML 1.2."""
    if _HALF.search(str(node.value)):
        # JSON writes a character beyond U+FFFF as two halves (RFC 8259, section 7), which PyYAML leaves apart.
        node.value = _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), node.value)
    text = str(node.value)
    if _HALF.search(text):
        _refuse(node, "half of a character (U+D800 to U+DFFF), which no text has")
    if node.style is not None:
        return text
    for pattern, convert in _CORE_SCHEMA:
        if pattern.fullmatch(text):
            if sum(character.isalnum() for character in text) > max_digits:
                _refuse(node, f"a number of more than {max_digits} digits")
            return convert(text)
    return text
