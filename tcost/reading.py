"""How a Hugging Face configuration is to be read, where it does not say enough or says too much."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tcost.errors import InputError


@dataclass(frozen=True)
class Reading:
    """What is said of a configuration beside its file."""

    ignore: Sequence[str] = ()
    """Fields that are read as if the file had none."""
    family: str | None = None
    """The family whose class it is of, whatever its model_type is."""
    head: str | None = None
    """The class whose head it has, or what its name ends in (`ForQuestionAnswering`, `Model`)."""

    def __bool__(self) -> bool:
        """Tell whether anything is said."""
        return self != Reading()


class HasIgnored(Protocol):
    """What a configuration became, which tells the fields that were ignored."""

    @property
    def ignored(self) -> tuple[str, ...]:
        """Return the fields that it had."""


def check_used(reading: Reading, imported: Sequence[HasIgnored]) -> None:
    """Raise InputError where `reading` says what no configuration has use for."""
    if reading and not imported:
        raise InputError("--ignore, --as and --head are said of a config.json of Hugging Face\nno SPEC is one")
    unused = [name for name in reading.ignore if not any(name in each.ignored for each in imported)]
    if unused:
        raise InputError(f"--ignore {unused[0]}: no SPEC has such a field\nleave the option out")
