"""Files and folders that one process writes at a time. A lock ends with its process, however that ends."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from tcost.errors import InputError
from tcost.sweep.shards import Shard

LOCK = re.compile(r"\.shard-([0-9]{1,9})-of-([0-9]{1,9})\.lock")
"""The file of a folder that the process has locked which writes a shard there."""


def is_taken(path: str, other: str = "file") -> InputError:
    """Return the error for a place that another process is writing to."""
    return InputError(f"another process is writing {path}\nwait for it, or write to another {other}")


@contextmanager
def locked(path: str, taken: InputError, *, shown: str) -> Iterator[IO[bytes]]:
    """Open a file for this process alone, and make it where it is not there.

    Raises InputError where it cannot be opened, `shown` in its place, and `taken` where another process has it.
    """
    try:
        file: Any = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
    except OSError as error:
        raise InputError(f"cannot write {shown}: {error.strerror}\nexpected a file in a folder that exists") from None
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise taken from None
        except OSError:
            pass  # some file systems of clusters have no locks
        if not Path(path).exists() or not os.path.samestat(Path(path).stat(), os.fstat(file.fileno())):
            raise taken  # it was renamed between opening and locking: another process has just finished
        yield file
    finally:
        with suppress(OSError):  # of what could not be written, which has been said
            file.close()


@contextmanager
def claimed(folder: Path, shard: Shard, *, shown: str) -> Iterator[None]:
    """Let no other process write chunks of a shard into a folder while the block runs; those of others it may.

    Raises InputError where another process is writing some of them, `shown` as the name of the folder.
    """
    taken = is_taken(shown, "folder")
    own = folder / f".shard-{shard.number}-of-{shard.of}.lock"
    with ExitStack() as stack:
        with _alone(folder):  # else two could be in the way of each other
            for each in folder.glob(".shard-*.lock"):
                found = LOCK.fullmatch(each.name)
                if found and shard.overlaps(Shard(int(found[1]), int(found[2]))):
                    with locked(str(each), taken, shown=shown):
                        each.unlink()  # a killed process has left it
            stack.enter_context(locked(str(own), taken, shown=shown))
        try:
            yield
        finally:
            own.unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process is in such a block."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # as above
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
