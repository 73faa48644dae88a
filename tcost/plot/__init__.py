"""Results as pictures. Nothing here computes a count."""

from importlib.util import find_spec

from tcost.errors import InputError

LIBRARIES = ("matplotlib", "numpy")


def check_libraries() -> None:
    """Raise InputError where a library that pictures need is not installed."""
    if any(find_spec(name) is None for name in LIBRARIES):
        raise InputError("pictures need matplotlib\npip install 'tcost[plot]'")
