"""What the price of a training step depends on beside the model: every setting is stated here, and nowhere else.

Options of the command line, keyword arguments of functions, fields of documents, columns, what tells two steps apart,
and the words of captions come of these declarations.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, Field, InitVar, dataclass, field, fields, is_dataclass, replace
from inspect import Parameter, Signature, signature
from typing import Any, Concatenate, Literal, NamedTuple, ParamSpec, Protocol, TypeAlias, TypeVar, get_args

from tcost.errors import unknown
from tcost.exact import Size
from tcost.sizes import AttentionKernel, Causal

Recompute: TypeAlias = Literal["none", "block", "full"]
Dtype: TypeAlias = Literal["fp32", "bf16", "fp16", "int8"]
Words: TypeAlias = Callable[[Any], str]

S = TypeVar("S")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
S_contra = TypeVar("S_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)
P = ParamSpec("P")


def setting(default: Any, help: str, words: Words | None = None, *, metavar: str = "", flag: str = "") -> Any:  # noqa: A002  # what the option's help is called everywhere
    """Declare a setting: its default, what it is, how a caption says it, and how an option is written.

    The flag is the name of the field where no other is given; a setting without `words` is in no caption.
    """
    return field(default=default, metadata={"help": help, "words": words, "metavar": metavar, "flag": flag})


def _unless(usual: Any, form: str) -> Words:
    """Return words for what is not as usual, which goes without saying."""
    return lambda value: "" if value == usual else form.format(value)


def sequences(batch: Size) -> str:
    """Return a batch in words."""
    return f"{'1 sequence' if batch == 1 else f'{batch} sequences'} per step"


def _type_of(what: str, whose: str = "") -> Any:
    """Declare the type of some of the numbers."""
    return setting(
        None, f"Type of {whose or f'the {what}'}; that of --dtype by default.", metavar="TYPE", flag=f"--{what}-dtype"
    )


@dataclass(frozen=True, kw_only=True)
class Storage:
    """The type of the numbers of each kind, and whether the optimizer holds an fp32 copy of the weights.

    PEPITA's fixed matrices are of the type of the weights; gradients of activations, and the differences
    that stand for them, of that of the activations.
    """

    dtype: InitVar[Dtype] = setting(
        "fp32", "Type of all numbers, but of those for which an option below says otherwise."
    )
    weights: Dtype = _type_of("weights")
    gradients: Dtype = _type_of("gradients")
    activations: Dtype = _type_of("activations")
    optimizer: Dtype = _type_of("optimizer", "what the optimizer holds")
    has_master_weights: bool = setting(
        default=False, help="Count a copy of the weights in fp32 with the optimizer's state.", flag="--master-weights"
    )

    def __post_init__(self, dtype: Dtype) -> None:
        """Let what is not said be of the type of all numbers. Raises InputError for a type that there is not."""
        for each in fields(self):
            if each.type is Dtype:
                own = getattr(self, each.name) or dtype
                if own not in get_args(Dtype):
                    raise unknown("type", own, get_args(Dtype))
                object.__setattr__(self, each.name, own)

    def saying(self, **said: Any) -> "Storage":
        """Return what is said, over what was; a type of all numbers takes the place of all types."""
        was = {each.name: getattr(self, each.name) for each in fields(self)}
        types = {each.name for each in fields(self) if each.type is Dtype}
        return Storage(
            **{name: value for name, value in was.items() if "dtype" not in said or name not in types} | said
        )

    def __str__(self) -> str:
        """Return the types in words: one where all are alike."""
        types = {each.name: getattr(self, each.name) for each in fields(self) if each.type is Dtype}
        words = [f"{name} {dtype}" for name, dtype in types.items()] if len({*types.values()}) > 1 else [self.weights]
        return ", ".join([*words, *["master weights fp32"] * self.has_master_weights])


@dataclass(frozen=True)
class Settings:
    """What the price of a training step depends on beside the model.

    A result has these fields, too: it is its settings and rows.
    """

    algo: str = setting("bp", "Learning rule (tcost list algos).", metavar="RULE")
    convention: str = setting(
        "exact", "Counting convention: paper, torch or exact.", "convention {}".format, metavar="CONVENTION"
    )
    _: KW_ONLY
    context: Size = setting(None, "Context length; the spec's by default.", metavar="N")
    encoder_context: Size = setting(
        None, "Length of what an encoder-decoder reads; the spec's by default.", metavar="N"
    )
    batch: Size = setting(1, "Sequences per training step.", sequences, metavar="N")
    optimizer: str = setting(
        "none",
        "What ends the step: sgd, momentum, adam, adamw or none.",
        _unless("none", "optimizer {}"),
        metavar="OPTIMIZER",
    )
    causal: Causal = setting(
        "full",
        "Pairs of rows in a decoder's self-attention: all, or the half (and window) that a causal kernel computes.",
        _unless("full", "causal {}"),
    )
    attention: AttentionKernel = setting(
        "eager",
        "How scores are computed: eager writes them to memory, flash computes them again in the backward.",
        _unless("eager", "attention {}"),
    )
    recompute: Recompute = setting(
        "none",
        "What backpropagation does not keep but computes again: nothing, every block, or everything.",
        _unless("none", "recompute {}"),
    )
    loss: str = setting(
        "held",
        "The logits: held by the caller, dropped, made into their gradient by a fused kernel, or made in N chunks.",
        _unless("held", "loss {}"),
        metavar="held|dropped|fused|chunked:N",
    )
    storage: Storage = setting(Storage(), "The types of the numbers that are held.", _unless(Storage(), "{}"))
    errata: bool = setting(
        default=True,
        help="Count the slips in published totals, as rows of their own.",
        words=lambda counted: "" if counted else "without errata",
    )


RULES = ("bp", "pepita", "mempepita")
"""The learning rules that are priced side by side where no others are asked for."""

NAMES: tuple[str, ...] = tuple(each.name for each in fields(Settings))


class Option(NamedTuple):
    """A setting as it is asked for, or a field of one that has several: `weights_dtype`, `--weights-dtype`."""

    name: str
    flag: str
    type: Any
    default: Any
    help: str
    metavar: str
    path: tuple[str, ...]
    """The setting, and the name in it where it has fields of its own."""

    @property
    def help_of_saved(self) -> str:
        """What it is, where what is not said is as in a saved result."""
        usual = str(self.default).lower() if isinstance(self.default, bool) else self.default
        return self.help if usual is None else f"{self.help.removesuffix('.')}; that of a saved result, else {usual}."


def options() -> list[Option]:
    """Return all options: one for each setting, or for each argument of a setting that has fields of its own."""
    return [option for each in fields(Settings) for option in _options_of(each)]


def _options_of(each: "Field[Any]") -> Iterator[Option]:
    if not is_dataclass(each.type):
        yield _option((each.name,), each)
        return
    for name, inner in each.type.__dataclass_fields__.items():  # those that are only asked for, too
        yield _option((each.name, name), inner)


def _option(path: tuple[str, ...], each: "Field[Any]") -> Option:
    said = each.metadata
    flag = said["flag"] or f"--{each.name.replace('_', '-')}"
    type_: Any = int if each.type is Size else getattr(each.type, "type", each.type)  # of an InitVar, what it is of
    return Option(flag.lstrip("-").replace("-", "_"), flag, type_, each.default, said["help"], said["metavar"], path)


def said_over(settings: Settings, said: Mapping[str, Any]) -> Settings:
    """Return settings with what options say, by the names of these; what is None is not said."""
    changes: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {}
    for option in options():
        if (value := said.get(option.name)) is not None:
            name, *inner = option.path
            if inner:
                parts.setdefault(name, {})[inner[0]] = value
            else:
                changes[name] = value
    return replace(settings, **changes, **{name: getattr(settings, name).saying(**own) for name, own in parts.items()})


def checked(settings: Settings) -> Settings:
    """Return settings of which each has a value that its type allows. Raises InputError where one has not."""
    for each in fields(Settings):
        known = get_args(each.type)
        value = getattr(settings, each.name)
        if known and value not in known:
            raise unknown(each.name, value, known)
    return settings


def values_of(item: object, leave_out: Collection[str] = ()) -> dict[str, Any]:
    """Return the settings of whatever has them, by name."""
    return {name: getattr(item, name) for name in NAMES if name not in leave_out}


def flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the columns of values: each of those inside a part under the part's name and its own."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{name}_")
        elif is_dataclass(value):
            yield from flat({each.name: getattr(value, each.name) for each in fields(value)}, f"{before}{name}_")
        elif not isinstance(value, list | tuple):
            yield f"{before}{name}", value


def in_words(items: Iterable[object], leave_out: Collection[str] = ()) -> str:
    """Return in words the settings that some items share, of which what is as usual goes without saying.

    Where one setting is not the same for all, such as what is computed again under some of several learning rules,
    what is not as usual is said.
    """
    items = tuple(items)

    def said() -> Iterator[str]:
        for each in fields(Settings):
            words = each.metadata["words"]
            if words and each.name not in leave_out:
                yield from dict.fromkeys(filter(None, (words(getattr(item, each.name)) for item in items)))

    return ", ".join(said())


def asking(settings: Callable[P, Settings], answer: Callable[[S, Settings], R]) -> Callable[Concatenate[S, P], R]:
    """Let a function of something and settings take these as arguments: `evaluate(spec, "pepita", batch=8)`."""

    def asked(subject: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return answer(subject, settings(*args, **kwargs))

    return _as_said(asked, answer, list(signature(settings).parameters.values()))


def _as_said(asked: F, answer: Callable[..., Any], own: list[Parameter]) -> F:
    """Return a function that says what it takes: what the answer is of, and arguments in the place of the settings."""
    subject, *_ = signature(answer).parameters.values()
    asked.__signature__ = Signature([subject, *own])  # type: ignore[attr-defined]  # for `help`
    asked.__doc__ = answer.__doc__
    return asked


class OfRules(Protocol[S_contra, P, R_co]):
    """A function of something, learning rules and all settings but the rule."""

    def __call__(self, subject: S_contra, /, algos: Sequence[str] = ..., *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Answer."""


def asking_of_rules(
    settings: Callable[Concatenate[str, P], Settings], answer: Callable[[S, Sequence[str], Settings], R]
) -> OfRules[S, P, R]:
    """Let a function of something, rules and settings take these as arguments: `compare(specs, ["bp"], batch=8)`."""

    def asked(subject: S, /, algos: Sequence[str] = RULES, *args: P.args, **kwargs: P.kwargs) -> R:
        return answer(subject, algos, settings("bp", *args, **kwargs))

    algos = signature(answer).parameters["algos"].replace(default=RULES)
    return _as_said(asked, answer, [algos, *list(signature(settings).parameters.values())[1:]])
