"""Writing a result where it was asked for, whole or not at all."""

import os
import stat
import sys

from tcost.errors import InputError

TYPE_CHECKING = False  # as in __init__.py
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, BinaryIO

STDOUT, MAX_LINKS = 1, 40
"""The descriptor of standard output, and the links that a path may go through, as in Linux."""

NARROWEST = 40
"""Columns that a terminal has at the least."""

CLOSED = "cannot write to standard output: it is closed"


class OutputError(Exception):
    """Output that could not be written; the command line exits with status 74."""


class ReaderGoneError(BrokenPipeError):
    """The reader of standard output has gone; the command line exits with status 141, silently."""


def use_color() -> bool:
    """Tell whether standard output is a terminal that wants colour (https://no-color.org)."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def terminal_width() -> int | None:
    """Return the columns of the terminal that standard output is, as COLUMNS says where it is set, or None."""
    columns = os.environ.get("COLUMNS", "")
    try:
        width = int(columns) if columns.isdecimal() else os.get_terminal_size(STDOUT).columns
    except OSError:  # a file or a pipe
        return None
    return max(width, NARROWEST) if width else None


def write(text: str | bytes, path: str | None = None) -> None:
    """Write text, in UTF-8, or bytes to a file, or to standard output where there is no path: see `write_pieces`."""
    write_pieces((text,), path)


def write_pieces(pieces: "Iterable[str | bytes]", path: str | None = None) -> None:
    """Write pieces of a text, each as it comes, to a file, or to standard output where there is no path.

    A regular file is replaced in one step, so that an error leaves the old one whole; a device, a pipe or an open
    descriptor, such as /dev/stdout, is written directly. Raises InputError for a path that cannot be opened,
    OutputError for a write that fails, ReaderGoneError where the reader of standard output has gone.
    """
    number = STDOUT if path is None else descriptor_of(path)
    if path is None or number == STDOUT:
        for piece in pieces:
            _write_standard_output(piece)
    elif number is not None:
        _write_all(_opened(number, path), pieces, path)
    elif is_direct(path):
        _write_file(path, pieces, shown=path)
    else:
        _replace_file(path, pieces)


def is_direct(path: str) -> bool:
    """Tell a device, a pipe or an open descriptor, which is written directly, from a file, which is replaced."""
    if descriptor_of(path) is not None:
        return True
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def descriptor_of(path: str) -> int | None:
    """Return the open descriptor that a path means, such as 1 for /dev/stdout, /dev/fd/1 and a link to them, or None.

    What is behind it may be a file that the shell has opened to append to: replacing that would lose what is in it.
    Raises InputError for a descriptor of another process.
    """
    own = {os.path.realpath(folder) for folder in ("/dev/fd", "/proc/self/fd", "/proc/thread-self/fd")}
    at = path
    for _ in range(MAX_LINKS):
        folder, name = os.path.split(at)
        real = os.path.realpath(folder)
        if name.isdecimal() and real in own:
            return int(name)
        if name.isdecimal() and real.startswith("/proc/") and real.endswith("/fd"):
            raise InputError(f"cannot write {path}: it is open in another process\nexpected a file, or /dev/stdout")
        if not os.path.islink(at):
            break
        at = os.path.join(folder, os.readlink(at))
    return None


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


class writing:  # noqa: N801  # it stands behind `with`; contextlib would take a third of what starting Python does
    """Raise what writing raises in the block as an OutputError that names the place; reading has no part in it."""

    def __init__(self, shown: str, more: str = "") -> None:
        """Name the place, and what else there is to say."""
        self._shown, self._more = shown, more

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: "type[BaseException] | None", error: BaseException | None, _: object) -> None:
        """End; see above."""
        if isinstance(error, OSError):
            raise OutputError(f"cannot write {self._shown}: {error.strerror or error}{self._more}") from None


def _write_file(path: str, pieces: "Iterable[str | bytes]", *, shown: str) -> None:
    try:
        file = open(path, "wb")
    except OSError as error:
        raise InputError(f"cannot write {shown}: {error.strerror}\nexpected a file in a folder that exists") from None
    _write_all(file, pieces, shown)


def _opened(number: int, path: str) -> "BinaryIO":
    """Return a file that writes to an open descriptor, which stays open behind it."""
    import fcntl

    try:
        can_write = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}\nexpected a descriptor that is open") from None
    if not can_write:
        raise InputError(f"cannot write {path}: it is open for reading\nexpected a descriptor that is open to write")
    return os.fdopen(os.dup(number), "wb")


def _write_all(file: "BinaryIO", pieces: "Iterable[str | bytes]", shown: str) -> None:
    """Write pieces, to the disk where there is one, and close the file."""
    try:
        for piece in pieces:
            data = piece if isinstance(piece, bytes) else piece.encode()
            with writing(shown):
                file.write(data)
        with writing(shown):
            file.flush()
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                os.fsync(file.fileno())
    finally:
        try:
            file.close()
        except OSError:  # which has been said
            pass


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
        give_up(sys.stdout)
        if isinstance(error, BrokenPipeError):
            raise ReaderGoneError from None
        raise OutputError(f"cannot write to standard output: {error.strerror}") from None


def give_up(stream: "Any") -> None:
    """Let what is still buffered for a stream, and all that follows, go nowhere: else Python fails at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class Forgiving:
    """A stream such as standard error that drops what it cannot write: the exit status is that of what happened."""

    def __init__(self, stream: "Any") -> None:
        """Write to another stream as long as it takes what is written."""
        self._stream = stream

    def __getattr__(self, name: str) -> "Any":
        """Return whatever else the stream has."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text, or drop it; return its length."""
        try:
            self._stream.write(text)
        except OSError:
            give_up(self._stream)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered, or drop it."""
        try:
            self._stream.flush()
        except OSError:
            give_up(self._stream)


def _replace_file(path: str, pieces: "Iterable[str | bytes]") -> None:
    """Write beside the target, then rename; a link stays a link, permissions stay as they were."""
    target, mode = target_of(path)
    folder, name = os.path.split(target)
    beside = os.path.join(folder, f".{name[:50]}.{os.urandom(4).hex()}.tmp")
    try:
        _write_file(beside, pieces, shown=path)
        with writing(path):
            put_in_place(beside, target, mode)
    finally:
        if os.path.lexists(beside):
            os.unlink(beside)
