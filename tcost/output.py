"""Writing a result where it was asked for, whole or not at all."""

import os
import stat
import sys

from tcost.errors import InputError

TYPE_CHECKING = False  # as in __init__.py
if TYPE_CHECKING:
    from collections.abc import Iterable


CLOSED = "cannot write to standard output: it is closed"


class OutputError(Exception):
    """Output that could not be written; the command line exits with status 74."""


def use_color() -> bool:
    """Tell whether standard output is a terminal that wants colour (https://no-color.org)."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def write(text: str | bytes, path: str | None = None) -> None:
    """Write text, in UTF-8, or bytes to a file, or to standard output where there is no path: see `write_pieces`."""
    write_pieces((text,), path)


def write_pieces(pieces: "Iterable[str | bytes]", path: str | None = None) -> None:
    """Write pieces of a text, each as it comes, to a file, or to standard output where there is no path.

    A regular file is replaced in one step, so that an error leaves the old one whole; a device or a
    pipe is written directly. Raises InputError for a path that cannot be opened, OutputError for a
    write that fails, BrokenPipeError where the reader of standard output has gone.
    """
    if path is None:
        for piece in pieces:
            _write_standard_output(piece)
    elif is_direct(path):
        _write_file(path, pieces, shown=path)
    else:
        _replace_file(path, pieces)


def is_direct(path: str) -> bool:
    """Tell a device or a pipe, which is written directly, from a file, which is replaced."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def target_of(path: str) -> tuple[str, int | None]:
    """Return the file that replacing `path` replaces, behind links, and the permissions that stay, where it is there.

    Raises InputError for a folder, for a path that leads nowhere, and for a file that may not be written.
    """
    if not path or os.path.isdir(path):
        raise InputError(f"cannot write {path or repr(path)}: it is a directory\nexpected a file name")
    target = os.path.realpath(path)
    try:
        mode = stat.S_IMODE(os.stat(target).st_mode)
    except FileNotFoundError:
        mode = None
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}\nexpected a file in a folder that exists") from None
    if mode is not None and not os.access(target, os.W_OK):
        raise InputError(f"cannot write {path}: permission denied")
    return target, mode


def put_in_place(beside: str, target: str, mode: int | None) -> None:
    """Rename a file that is whole to its target, with the permissions that the target had."""
    if mode is not None:
        os.chmod(beside, mode)
    os.replace(beside, target)


def _write_file(path: str, pieces: "Iterable[str | bytes]", *, shown: str) -> None:
    try:
        file = open(path, "wb")
    except OSError as error:
        raise InputError(f"cannot write {shown}: {error.strerror}\nexpected a file in a folder that exists") from None
    try:
        with file:
            file.writelines(piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)
            file.flush()
            if os.path.isfile(path):
                os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(f"cannot write {shown}: {error.strerror}") from None


def _write_standard_output(text: str | bytes) -> None:
    if sys.stdout is None:
        raise OutputError(CLOSED)
    encoding = sys.stdout.encoding if sys.stdout.isatty() else "utf-8"
    data = text if isinstance(text, bytes) else text.encode(encoding, "replace")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise lost(error) from None


def lost(error: OSError) -> OSError | OutputError:
    """Return what is raised where standard output cannot be written, and give up what is still buffered for it.

    That would fail once more when Python exits. A reader that has gone stays a BrokenPipeError.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return error
    return OutputError(f"cannot write to standard output: {error.strerror}")


def _replace_file(path: str, pieces: "Iterable[str | bytes]") -> None:
    """Write beside the target, then rename; a link stays a link, permissions stay as they were."""
    target, mode = target_of(path)
    folder, name = os.path.split(target)
    beside = os.path.join(folder, f".{name[:50]}.{os.urandom(4).hex()}.tmp")
    try:
        _write_file(beside, pieces, shown=path)
        put_in_place(beside, target, mode)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
    finally:
        if os.path.lexists(beside):
            os.unlink(beside)
