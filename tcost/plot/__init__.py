"""Results as pictures. Nothing here computes a count."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from tcost.errors import InputError

LIBRARIES = ("matplotlib", "numpy")


def check_libraries() -> None:
    """Raise InputError where a library that pictures need is not installed."""
    if any(find_spec(name) is None for name in LIBRARIES):
        raise InputError("pictures need matplotlib\npip install 'tcost[plot]'")


@contextmanager
def quietly() -> Iterator[None]:
    """Keep what matplotlib says of fonts, layouts and folders of its own from standard error while the block runs."""
    logger = logging.getLogger("matplotlib")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
