"""The libraries that only some commands need, which not everybody installs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tcost.errors import InputError

EXTRAS: Mapping[str, tuple[str, frozenset[str]]] = {
    "sweep": ("sweeps and break-even points need NumPy and SymPy", frozenset({"numpy", "sympy"})),
    "parquet": ("parquet needs PyArrow", frozenset({"pyarrow"})),
    "distributed": ("a distributed sweep needs Dask", frozenset({"dask", "distributed"})),
    "report": ("a report needs Jinja2", frozenset({"jinja2"})),
}
"""For each extra of the package, what needs it and which modules it brings."""


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Raise InputError, with the command that installs an extra, where importing one of its modules fails."""
    what, modules = EXTRAS[name]
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in modules:
            raise
        raise InputError(f"{what}\npip install 'tcost[{name}]'") from None
