"""Writing a sweep as Parquet: a folder with a file per chunk, which any number of processes fill together.

A file of a chunk is written under another name and renamed, so that it is whole or not there. Which chunks are
done is which files there are: going on after an interruption, shards and workers need nothing else.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tcost import __version__
from tcost.errors import InputError
from tcost.extras import extra
from tcost.output import OutputError, write, writing
from tcost.settings import flat
from tcost.sweep.corners import not_counted
from tcost.sweep.grid import Sweep
from tcost.sweep.locks import claimed
from tcost.sweep.pricing import Part, price
from tcost.sweep.resuming import GOES_ON
from tcost.sweep.shards import WHOLE, Shard
from tcost.sweep.values import Integers
from tcost.sweep.writing import Advance

with extra("parquet"):
    import pyarrow as pa
    from pyarrow import parquet as pq

LARGEST = 10**38 - 1
"""The largest decimal128, which is the widest exact type that pyarrow, polars and DuckDB read alike."""

SUMMARY = "sweep.json"
"""The file of a folder that says which sweep it holds."""

PART = re.compile(r"part-([0-9]{8,})\.parquet")


def write_parquet(sweep: Sweep, path: str, shard: Shard = WHOLE, advance: Advance = lambda _: None) -> None:
    """Write the rows of a sweep, or of a shard of it, into a folder; files of chunks that are there stay.

    Raises InputError for a folder of something else, for chunks that another process is writing and for numbers beyond
    decimal128, OutputError for a write that fails.
    """
    numbers = shard.chunks(sweep)
    with open_folder(sweep, path, shard) as folder:
        for number in missing(sweep, folder, numbers, advance):
            write_part(sweep, folder, number)
            advance(sweep.chunk(number).rows)
        sweep_up(folder, numbers)


@contextmanager
def open_folder(sweep: Sweep, path: str, shard: Shard) -> Iterator[Path]:
    """Open the folder of a sweep, made where it is not there, with a summary of what it holds, to write a shard.

    Raises InputError where it is the folder of another sweep, or of anything else, and where another process is writing
    chunks of the same shard.
    """
    folder = Path(path).absolute()
    try:
        folder.mkdir(exist_ok=True)
        is_empty = all(each.name.startswith(".") for each in folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}\nexpected a folder, or a name for one") from None
    if (folder / SUMMARY).exists():  # asked after the listing: another process writes it before its first part
        if _fingerprint(folder) != sweep.fingerprint:
            raise InputError(
                f"{path} holds another sweep, or one of another version of tcost\n"
                "remove it to begin again, or write to another folder"
            )
    elif not is_empty:
        raise InputError(f"{path} is not empty and holds no sweep\nwrite to a new folder")
    else:
        write(json.dumps(_summary(sweep), indent=2) + "\n", str(folder / SUMMARY))
    with claimed(folder, shard, shown=path):
        yield folder


def missing(sweep: Sweep, folder: Path, numbers: range, advance: Advance) -> Iterator[int]:
    """Return those of the chunks that have no file yet; the rows of the others are done."""
    there = _there(folder)
    advance(sum(sweep.chunk(number).rows for number in numbers if number in there))
    return (number for number in numbers if number not in there)


def write_part(sweep: Sweep, folder: Path, number: int) -> None:
    """Price a chunk and write its file; a file that is there already is replaced by the same."""
    part = price(sweep, sweep.chunk(number))
    target = folder / _name(number)
    beside = folder / f".{target.name}.{os.urandom(4).hex()}.tmp"
    try:
        with writing(str(target), f"\n{GOES_ON}"):
            with beside.open("wb") as file:
                save(sweep, part, file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def save(sweep: Sweep, part: Part, file: BinaryIO) -> None:
    """Write the rows of a chunk into an open file."""
    words = {"spec": sweep.spec.name, **dict(flat(sweep.fixed(part.chunk)))}
    columns = {name: _repeated(word, part.chunk.rows) for name, word in words.items()}
    columns |= {name: pa.array(values) for name, values in part.axes.items()}
    repeated = list(columns)  # measures hardly repeat: looking for values that do would take half of the time
    columns |= {name: decimals(values, name) for name, values in part.measures.items()}
    pq.write_table(pa.table(columns), file, compression="zstd", use_dictionary=repeated)


def sweep_up(folder: Path, numbers: range) -> None:
    """Remove what killed processes left of the files of these chunks. Raises OutputError where one is not there."""
    there = _there(folder)
    absent = [number for number in numbers if number not in there]
    if absent:
        raise OutputError(
            f"{len(absent)} of {len(numbers)} chunks are not in {folder}, {_name(absent[0])} for one\n"
            "every worker must see the same folder under this name"
        )
    for left in folder.glob(".part-*.tmp"):
        if (found := PART.search(left.name)) and int(found[1]) in numbers:
            left.unlink(missing_ok=True)


def _repeated(word: str | int | None, rows: int) -> Any:
    """Return a column of one value: a text, true or false, or a length, null where it is left to another one."""
    if isinstance(word, str):
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype=np.int32)), [word])
    one = pa.array([word], pa.bool_() if isinstance(word, bool) else pa.int64())
    return one.take(pa.array(np.zeros(rows, np.int32)))


def decimals(values: Integers, name: str) -> Any:
    """Return integers as decimal128(38, 0), from the halves of 64 bits that they are made of.

    Raises InputError for those that it cannot hold.
    """
    is_large = values.low.dtype == object if values.high is None else values.high.max(initial=0) >= LARGEST >> 64
    if is_large and max(values.tolist(), default=0) > LARGEST:
        raise InputError(f"{name} is more than 10^38 - 1 in a row, which Parquet cannot hold\nwrite csv or jsonl")
    pairs = np.stack(_halves(values), axis=1).astype("<u8", copy=False)
    return pa.Array.from_buffers(pa.decimal128(38, 0), len(values), [None, pa.py_buffer(pairs)])


def _halves(values: Integers) -> tuple[Any, Any]:
    """Return the lower and the upper 64 bits of integers."""
    if values.high is not None:
        return values.low, values.high.view(np.uint64)
    if values.low.dtype != object:
        return values.low.view(np.uint64), np.zeros(len(values), np.uint64)  # none is less than zero
    whole = values.tolist()
    low, high = [each % 2**64 for each in whole], [each >> 64 for each in whole]
    return np.array(low, np.uint64), np.array(high, np.uint64)


def _name(number: int) -> str:
    return f"part-{number:08}.parquet"


def _there(folder: Path) -> set[int]:
    return {int(found[1]) for each in folder.iterdir() if (found := PART.fullmatch(each.name))}


def _fingerprint(folder: Path) -> object:
    try:
        summary = json.loads((folder / SUMMARY).read_text())
    except (OSError, ValueError, RecursionError):
        return None
    return summary.get("fingerprint") if isinstance(summary, dict) else None


def _summary(sweep: Sweep) -> dict[str, Any]:
    """Return what the folder holds, for who finds it: the same from every process that fills it."""
    return {
        "tool": {"name": "tcost", "version": __version__},
        "fingerprint": sweep.fingerprint,
        "columns": sweep.columns,
        "rows": sweep.rows,
        "chunks": sweep.chunks,
        "settings": asdict(sweep.settings),
        "not_counted": not_counted(sweep),
    }
