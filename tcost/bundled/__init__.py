"""The models that tcost ships: as YAML for people, and as sizes, which takes no reading and no checking."""

import os
from collections.abc import Callable

from tcost.bundled.models import BUNDLED
from tcost.sizes import Sizes

__all__ = ["BUNDLED", "bundled", "is_nowhere", "name_of"]


def name_of(word: str) -> str:
    """Return the name that a word is, with or without `.yaml`, if a model has it."""
    return word.removesuffix(".yaml").removesuffix(".yml")


def bundled(word: str) -> Callable[[], Sizes] | None:
    """Return what makes the sizes of the model that a word names; None where there is none, or a path of that name."""
    made = BUNDLED.get(name_of(word))
    return made if made and is_nowhere(word) else None


def is_nowhere(path: str) -> bool:
    """Tell a path that leads nowhere from one that is there, or behind a folder that may not be searched."""
    try:
        os.lstat(path)
    except PermissionError:
        return False
    except (OSError, ValueError):
        return True
    return False
