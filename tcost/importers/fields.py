"""The fields of a Hugging Face configuration: each is read once, and none is ignored."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from tcost.errors import InputError
from tcost.exact import MAX_SIZE
from tcost.importers.classes import class_defaults
from tcost.importers.harmless import NO_EFFECT, is_harmless
from tcost.importers.synonyms import SYNONYMS, chosen_names, contradictions

MAX_NAMED = 8
"""Fields that are named where many are not understood."""


class FieldError(InputError):
    """What is wrong with some fields of a configuration, which it knows by name."""

    def __init__(self, message: str, fields: Sequence[str]) -> None:
        """Take the message and the names."""
        super().__init__(message)
        self.fields = tuple(fields)


@dataclass
class Fields:
    """The fields of one configuration, what was read of them, and the spec that they became.

    `defaults` are those of the configuration class in transformers, for fields that a file leaves out.
    """

    where: str
    values: Mapping[str, Any]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    spec: dict[str, Any] = field(default_factory=dict)
    explained: list[tuple[str, str, str, bool]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    family: str = ""
    """What says which other names the fields have."""
    inputs_of: str | None = None
    """The model of several inputs whose text part this is."""

    def __post_init__(self) -> None:
        """Choose the name of each field that the file says by two names."""
        self._chosen = chosen_names(self.family, self.values)
        self._others = SYNONYMS.get(self.family, {})
        self.notes.extend(contradictions(self.family, self.values))

    def set(self, **spec: Any) -> None:
        """Set keys of the spec that the family has whatever the fields are."""
        self.spec.update(spec)

    def get(self, *names: str) -> Any:
        """Return the first field of these names that the file has, or the default."""
        self.seen.update(names, (other for other, name in self._others.items() if name in names))
        given = self._given(names)
        if given in self.values:
            return self.values[given]
        for name in names:
            if name in self.defaults:
                return self.defaults[name]
        raise InputError(f"{self.where}: field '{names[0]}' is missing\nit has no default; give it as a number")

    def wrong(self, name: str, expected: str) -> InputError:
        """Return an error about a field's value."""
        value = repr(self.values.get(name, self.defaults.get(name)))
        shown = value if len(value) < 60 else f"{value[:57]}..."  # noqa: PLR2004  # what a line holds
        return FieldError(f"{self.where}: field '{name}' is {shown}\nexpected {expected}", [name])

    def number(self, *names: str, least: int = 1) -> int:
        """Return a whole number."""
        value = self.get(*names)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MAX_SIZE:
            raise self.wrong(self._given(names), f"a whole number from {least} to 10^18")
        return value

    def optional(self, *names: str, least: int = 1) -> int | None:
        """Return a whole number, or None for null or a field that is left out without a default."""
        try:
            value = self.get(*names)
        except InputError:
            return None
        return None if value is None else self.number(*names, least=least)

    def take(self, key: str, name: str, default: int | None = None) -> int:
        """Set a size of the spec to a field's number, or to a default where the field is null or left out."""
        number = self.number(name) if default is None else self.optional(name) or default
        self.put(key, self._given([name]), number)
        return number

    def sizes(self, **names: str) -> None:
        """Set sizes of the spec, each to the number of the field that is named."""
        for key, name in names.items():
            self.take(key, name)

    def put(self, key: str, name: str, value: Any) -> None:
        """Set a key of the spec to what a field says."""
        self.became(name, key, value)
        self.spec[key] = value

    def became(self, name: str, key: str, value: Any) -> None:
        """Remember which key of the spec a field became."""
        self.explained.append((name, key, str(value), not any(each in self.values for each in name.split(", "))))

    def flag(self, name: str, *, default: bool | None = None) -> bool:
        """Return a field that is true or false."""
        value = self.get(name) if default is None else self.values.get(name, default)
        self.seen.add(name)
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def refuse(self, **allowed: Any) -> None:
        """Raise InputError for fields whose value tcost does not understand; other values are free."""
        for name, only in allowed.items():
            self.seen.add(name)
            values = only if isinstance(only, tuple) else (only,)
            given, expected = self.values.get(name, values[0]), " or ".join(map(str, values))
            if not any(given == value and type(given) is type(value) for value in values):
                raise self.wrong(name, f"{expected}: another value may change the cost and is not understood")

    def agree(self, **derived: Any) -> None:
        """Read fields that the family's class does not: raise InputError where one says another value than was read."""
        for name, value in derived.items():
            self.seen.add(name)
            given = self.values.get(name)
            if given is not None and (given != value or isinstance(given, bool) != isinstance(value, bool)):
                expected = f"{value}, which follows from the other fields; the class does not read this one"
                raise self.wrong(name, expected)

    def ignore(self, *names: str) -> None:
        """Say that fields change no count in this family."""
        self.seen.update(names)

    def choice(self, name: str, known: Mapping[str, str]) -> str:
        """Return what a word means."""
        value = self.get(name)
        if not isinstance(value, str) or value not in known:
            raise self.wrong(self._given([name]), f"one of {', '.join(known)}")
        return known[value]

    def part(self, name: str) -> Mapping[str, Any]:
        """Return a mapping, empty where the field is null or left out."""
        self.seen.add(name)
        value = self.values.get(name)
        if value is not None and not isinstance(value, dict):
            raise self.wrong(name, "a mapping")
        return value or {}

    def fraction(self, value: Any, name: str, of: int) -> int:
        """Return a part of a whole number."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
            raise InputError(f"{self.where}: field '{name}' is {value!r}\nexpected a number above 0, at most 1")
        return int(of * value)

    def finish(self) -> None:
        """Raise FieldError with every field that was not read and may change the cost."""
        left = sorted(set(self.values) - self.seen - NO_EFFECT)
        unknown = [name for name in left if not is_harmless(name, self.values[name], self.spec, self.defaults)]
        if unknown:
            more = f" and {len(unknown) - MAX_NAMED} more" if len(unknown) > MAX_NAMED else ""
            options = " ".join(f"--ignore {name}" for name in unknown[:MAX_NAMED])
            raise FieldError(
                f"{self.where}: not understood: {', '.join(unknown[:MAX_NAMED])}{more}\n"
                f"these fields may change the cost; if you know that they do not: {options}",
                unknown,
            )

    def _given(self, names: Sequence[str]) -> str:
        """Return the name by which the file says a field, the first of its names where it does not."""
        chosen = [self._chosen.get(name, name) for name in names]
        return next((name for name in chosen if name in self.values), names[0])


Reader = TypeVar("Reader", bound=Callable[[Fields], None])


class Family(NamedTuple):
    """What reads the configurations of a family, and the defaults of its class in transformers 5.23."""

    read: Callable[[Fields], None]
    defaults: Mapping[str, Any]
    end: Callable[[Fields], None]
    """What reads the end of the model, after all else."""


class Families(dict[str, Family]):
    """Families by the `model_type` of their configurations; their models `end` alike, in a head for one."""

    def __init__(self, end: Callable[[Fields], None]) -> None:
        """Begin without a family."""
        super().__init__()
        self._end = end

    def family(self, name: str, /, **own: Any) -> Callable[[Reader], Reader]:
        """Make a function the reader of a family.

        Its defaults are those of its class in transformers; what is said here is for fields
        that the class lacks or has no default of.
        """

        def add(read: Reader) -> Reader:
            self[name] = Family(read, with_class_defaults(name, own), self._end)
            return read

        return add


def with_class_defaults(family: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults of a family's class in transformers; `own` are for what the class lacks, or has as null."""
    stated = class_defaults(family)
    return {**dict.fromkeys(stated), **own, **{name: value for name, value in stated.items() if value is not None}}
