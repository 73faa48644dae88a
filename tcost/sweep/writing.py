"""Writing a sweep as text, chunk by chunk, whatever its length."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from tcost.output import is_direct, write_pieces
from tcost.sweep.grid import Sweep
from tcost.sweep.lines import LINES, text_of
from tcost.sweep.pricing import Part, price
from tcost.sweep.resuming import resumable
from tcost.sweep.shards import WHOLE, Shard

Advance: TypeAlias = Callable[[int], None]
"""Is told the number of rows whenever some are written."""


def priced(sweep: Sweep, numbers: range) -> Iterator[Part]:
    """Return the rows of the chunks of these numbers."""
    return (price(sweep, sweep.chunk(number)) for number in numbers)


def write_lines(
    sweep: Sweep, path: str | None = None, name: str = "csv", shard: Shard = WHOLE, advance: Advance = lambda _: None
) -> None:
    """Write the rows of a sweep, or of a shard of it, as `csv` or `jsonl`, to a file or to standard output.

    A file is gone on with where an interruption left it, and has the same bytes as one that was not
    interrupted; see `tcost.sweep.resuming.resumable`, which raises what this does. Standard output, devices
    and pipes get each chunk as it comes; see `tcost.output.write_pieces`.
    """
    lines, numbers = LINES[name], shard.chunks(sweep)
    if path is None or is_direct(path):
        write_pieces(_streamed(sweep, name, numbers, advance), path)
        return
    content = {"fingerprint": sweep.fingerprint, "format": name, "shard": str(shard)}

    def lines_of(done: int, whole: int) -> int | None:
        rows = sum(sweep.chunk(number).rows for number in numbers[:done])
        return rows + lines.header(sweep).count("\n") * bool(done or whole) if done <= len(numbers) else None

    with resumable(path, content, lines_of) as file:
        if not file.bytes:
            file.append([lines.header(sweep)], chunks=0)
        advance(sum(sweep.chunk(number).rows for number in numbers[: file.done]))
        for part in priced(sweep, numbers[file.done :]):
            file.append(text_of(sweep, part, lines))
            advance(part.chunk.rows)


def _streamed(sweep: Sweep, name: str, numbers: range, advance: Advance) -> Iterator[str]:
    yield LINES[name].header(sweep)
    for part in priced(sweep, numbers):
        yield from text_of(sweep, part, LINES[name])
        advance(part.chunk.rows)
