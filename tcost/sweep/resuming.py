"""A file that is written piece by piece, and gone on with where an interruption left it.

What is written goes to FILE.part. Beside it a journal, FILE.part.json, says how many bytes of it are whole; it
is replaced in one step, and only after they are on the disk. Whenever the process is killed, what is behind
those bytes is cut off by the next one, so that no row is lost or there twice; a journal that cannot be true is refused.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from tcost.errors import InputError
from tcost.output import put_in_place, target_of, writing
from tcost.sweep.locks import is_taken, locked

BLOCK = 2**20
"""Bytes that are read at once."""

GOES_ON = "what is written stays; the same command goes on from there"


class ResumableFile:
    """A file of which some chunks are written: `done` of them, in `bytes` bytes."""

    def __init__(
        self, file: IO[bytes], part: str, content: Mapping[str, str], lines: Callable[[int, int], int | None]
    ) -> None:
        """Go on with an open file. Raises InputError where it is not of the same content."""
        self.file, self.part, self.content = file, part, content
        self.journal = Path(f"{part}.json")
        self.done, self.bytes = self._found(lines)
        with self._writing():
            file.truncate(self.bytes)
            file.seek(self.bytes)
            self._note()

    def append(self, pieces: Iterable[str], *, chunks: int = 1) -> None:
        """Write pieces of text, which are a number of chunks, so that they stay whatever happens next."""
        for piece in pieces:
            with self._writing():
                self.file.write(piece.encode())
        with self._writing():
            self.file.flush()
            os.fsync(self.file.fileno())
            self.done, self.bytes = self.done + chunks, self.file.tell()
            self._note()

    def _writing(self) -> AbstractContextManager[None]:
        return writing(self.part.removesuffix(".part"), f"\n{GOES_ON}")

    def _found(self, lines: Callable[[int, int], int | None]) -> tuple[int, int]:
        """Return the chunks and bytes that are whole."""
        size = os.fstat(self.file.fileno()).st_size
        if size == 0:
            return 0, 0
        try:
            found = json.loads(self.journal.read_text())
            content, done, whole = found["content"], found["chunks"], found["bytes"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            content, done, whole = None, 0, 0
        if content != self.content:
            raise InputError(
                f"{self.part} is of another sweep, or of another version of tcost\n"
                f"remove it to begin again, or write to another file"
            )
        if not (type(done) is type(whole) is int and done >= 0 and 0 <= whole <= size) or (
            lines(done, whole) != self._lines(whole)
        ):
            raise InputError(
                f"{self.journal} does not fit {self.part}: it must say how much of that is whole\n"
                f"remove both to begin again, or write to another file"
            )
        return done, whole

    def _lines(self, whole: int) -> int | None:
        """Return the lines in the first bytes; None where the last of them is not the end of a line."""
        self.file.seek(0)
        lines, last, left = 0, b"\n", whole
        while block := self.file.read(min(left, BLOCK)):
            lines, last, left = lines + block.count(b"\n"), block[-1:], left - len(block)
        return lines if last == b"\n" else None

    def _note(self) -> None:
        beside = self.journal.with_name(f"{self.journal.name}.new")
        text = json.dumps({"content": self.content, "chunks": self.done, "bytes": self.bytes}) + "\n"
        with beside.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.journal)


@contextmanager
def resumable(
    path: str, content: Mapping[str, str], lines: Callable[[int, int], int | None]
) -> Iterator[ResumableFile]:
    """Open what is written of a file, which takes its place once the block ends.

    `content` says what the file will hold: only what was begun with the same is gone on with. `lines` returns how many
    lines some chunks are, in some bytes; None where there are no such chunks. Raises InputError for a path that cannot
    be opened, what was begun with another content, what is not what its journal says, and what another process is
    writing; OutputError for a write that fails. What is written stays after an error, unless it is nothing yet.
    """
    target, mode = target_of(path)
    part = f"{target}.part"
    with locked(part, is_taken(part), shown=path) as file:
        written = ResumableFile(file, part, content, lines)
        try:
            yield written
        except InputError:
            if not written.done:
                _remove(Path(part), written.journal)
            raise
        with writing(path, f"\n{GOES_ON}"):
            put_in_place(part, target, mode)
            _remove(written.journal)


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
