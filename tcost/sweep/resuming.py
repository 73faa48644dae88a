"""A file that is written piece by piece, and gone on with where an interruption left it.

What is written goes to FILE.part. Beside it a journal, FILE.part.json, says how many bytes of it are whole; it
is replaced in one step, and only after they are on the disk. Whenever the process is killed, what is behind
those bytes is cut off by the next one, so that no row is lost or there twice.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tcost.errors import InputError
from tcost.output import OutputError, put_in_place, target_of

GOES_ON = "what is written stays; the same command goes on from there"


class ResumableFile:
    """A file of which some chunks are written: `done` of them, in `bytes` bytes."""

    def __init__(self, file: IO[bytes], part: str, content: Mapping[str, str]) -> None:
        """Go on with an open file. Raises InputError where it is not of the same content."""
        self.file, self.part, self.content = file, part, content
        self.journal = Path(f"{part}.json")
        self.done, self.bytes = self._found()
        file.truncate(self.bytes)
        file.seek(self.bytes)
        self._note()

    def append(self, pieces: Iterable[str], *, chunks: int = 1) -> None:
        """Write pieces of text, which are a number of chunks, so that they stay whatever happens next."""
        self.file.writelines(piece.encode() for piece in pieces)
        self.file.flush()
        os.fsync(self.file.fileno())
        self.done, self.bytes = self.done + chunks, self.file.tell()
        self._note()

    def _found(self) -> tuple[int, int]:
        """Return the chunks and bytes that are whole; none where the journal says more than there is."""
        size = os.fstat(self.file.fileno()).st_size
        if size == 0:
            return 0, 0
        try:
            found = json.loads(self.journal.read_text())
            content, done, whole = found["content"], int(found["chunks"]), int(found["bytes"])
        except (OSError, ValueError, KeyError, TypeError):
            content, done, whole = None, 0, 0
        if content != self.content:
            raise InputError(
                f"{self.part} is of another sweep, or of another version of tcost\n"
                f"remove it to begin again, or write to another file"
            )
        return (done, whole) if whole <= size else (0, 0)

    def _note(self) -> None:
        beside = self.journal.with_name(f"{self.journal.name}.new")
        text = json.dumps({"content": self.content, "chunks": self.done, "bytes": self.bytes}) + "\n"
        with beside.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.journal)


@contextmanager
def resumable(path: str, content: Mapping[str, str]) -> Iterator[ResumableFile]:
    """Open what is written of a file, which takes its place once the block ends.

    `content` says what the file will hold: only what was begun with the same is gone on with. Raises InputError
    for a path that cannot be opened, what was begun with another content, and what another process is writing;
    OutputError for a write that fails. What is written stays after an error, unless it is nothing yet.
    """
    target, mode = target_of(path)
    part = f"{target}.part"
    try:
        with _locked(part, shown=path) as file:
            written = ResumableFile(file, part, content)
            try:
                yield written
            except InputError:
                if not written.done:
                    _remove(Path(part), written.journal)
                raise
            put_in_place(part, target, mode)
            _remove(written.journal)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}\n{GOES_ON}") from None


@contextmanager
def _locked(part: str, *, shown: str) -> Iterator[IO[bytes]]:
    """Open a file for this process alone, and make it where it is not there."""
    try:
        file: Any = os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
    except OSError as error:
        raise InputError(f"cannot write {shown}: {error.strerror}\nexpected a file in a folder that exists") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _is_taken(part) from None
        except OSError:
            pass  # some file systems of clusters have no locks
        if not Path(part).exists() or not os.path.samestat(Path(part).stat(), os.fstat(file.fileno())):
            raise _is_taken(part)  # it was renamed between opening and locking: another process has just finished
        yield file


def _is_taken(part: str) -> InputError:
    return InputError(f"another process is writing {part}\nwait for it, or write to another file")


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
