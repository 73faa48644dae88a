"""Price all combinations of some sizes."""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from tcost.commands.base import (
    Algos,
    Integers,
    Invocation,
    Offered,
    Printed,
    SpecName,
    Streamed,
    is_spec,
    load_keys,
    rejoined,
    rules,
    tables,
)
from tcost.cost.measures import IN_WORDS
from tcost.errors import InputError, Interrupted
from tcost.output import is_direct
from tcost.reading import Reading
from tcost.settings import Settings

if TYPE_CHECKING:
    from tcost.sweep import Sweep
    from tcost.sweep.writing import Advance

Write: TypeAlias = Callable[["Advance"], None]

ENDINGS = {".md": "markdown", ".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}
"""What the name of an output says of its format."""

OVER_HELP = "A key of the spec, or batch, and its values: a list, a:b, a:b:step or a:b:xK. Several make a grid."
CONVENTIONS_HELP = "Counting conventions, separated by spaces or commas: paper, torch or exact."
NUMBERS_HELP = f"Numbers of each row, separated by spaces or commas: {IN_WORDS}."
FORMAT_HELP = "How to write the rows; by the ending of --output, else a table."
OUTPUT_HELP = "A file, or a folder for parquet; the same command goes on with what was interrupted."
CHUNK_HELP = "Rows that are priced and written together."
SHARD_HELP = "Write only a part of the rows: 1/4, 2/4, 3/4 and 4/4 have all of them, each once."
DISTRIBUTED_HELP = "Let processes of this machine share the work, with Dask; parquet only."
WORKERS_HELP = "Processes of --distributed; one for every core by default."
SCHEDULER_HELP = "Let the workers of a running Dask scheduler do it; parquet only."


def is_argument(word: str) -> bool:
    """Tell a spec from a further value, whatever files there are: `--over batch=1 2 4` has no spec `2`."""
    from tcost.conventions import CONVENTIONS
    from tcost.cost.measures import MEASURES

    is_value = re.fullmatch(r"[a-z_.]+=[^/]*|[0-9_:x,]+", word) or word in CONVENTIONS or word in MEASURES
    return not is_value and is_spec(word)


def run(
    invoked: Invocation,
    spec: SpecName,
    over: Annotated[Sequence[str], Offered(OVER_HELP, "--over", metavar="KEY=VALUES...")],
    algos: Algos = ("bp",),
    conventions: Annotated[
        Sequence[str],
        Offered(CONVENTIONS_HELP, "--conventions", "--convention", metavar="CONVENTION...", default=True),
    ] = (Settings.convention,),
    measures: Annotated[Sequence[str], Offered(NUMBERS_HELP, "--measures", metavar="MEASURE...", default=True)] = (
        *("macc", "flop", "parameters", "stored_activations_bytes"),
    ),
    settings: Settings = Settings(),
    reading: Reading = Reading(),
    format_: Annotated[
        Literal["table", "markdown", "csv", "jsonl", "parquet"] | None, Offered(FORMAT_HELP, "--format")
    ] = None,
    output: Annotated[str | None, Offered(OUTPUT_HELP, "--output", "-o", metavar="PATH")] = None,
    chunk_rows: Annotated[int, Offered(CHUNK_HELP, "--chunk-rows", metavar="N", default=True)] = 2**18,
    shard: Annotated[str | None, Offered(SHARD_HELP, "--shard", metavar="I/N")] = None,
    distributed: Annotated[bool, Offered(DISTRIBUTED_HELP, "--distributed")] = False,
    workers: Annotated[int | None, Offered(WORKERS_HELP, "--workers", metavar="N", least=1)] = None,
    scheduler: Annotated[str | None, Offered(SCHEDULER_HELP, "--scheduler", metavar="ADDRESS")] = None,
    integers: Integers = False,
) -> Printed | Streamed:
    """Price all combinations of some sizes.

    A row for each, under each rule and convention: a table of a few, or CSV, JSON lines or Parquet of any number.

    Needs NumPy and SymPy: pip install 'tcost[sweep]'.

    Example: tcost sweep gpt2 --over context_length=128:1024:x2 batch=1,8
    """
    from tcost.sweep import Sweep, parse_axis
    from tcost.sweep.shards import WHOLE, parse_shard

    asked = Sweep(
        spec=load_keys(spec, reading),
        axes=tuple(map(parse_axis, rejoined(over))),
        algos=tuple(rules(algos)),
        conventions=tuple(dict.fromkeys(conventions)),
        measures=tuple(dict.fromkeys(measures)),
        settings=settings,
        given=invoked.given,
        chunk_rows=chunk_rows,
    )
    asked.check()
    kind = format_ or ENDINGS.get(Path(output or "").suffix, "table")
    part = parse_shard(shard) if shard else WHOLE
    is_distributed = distributed or scheduler is not None
    _check(kind, shard, is_distributed=is_distributed, workers=workers, scheduler=scheduler)
    if kind in ("table", "markdown"):
        return Printed(_table(asked, kind, output, integers=integers), output)
    if is_distributed:
        from tcost.sweep.distributed import write_distributed

        write: Write = partial(write_distributed, asked, _folder(output), part, workers=workers, scheduler=scheduler)
    elif kind == "parquet":
        from tcost.sweep.parquet import write_parquet

        write = partial(write_parquet, asked, _folder(output), part)
    else:
        from tcost.sweep.writing import write_lines

        write = partial(write_lines, asked, output, kind, part)
    return Streamed(partial(_stream, write, output, partial(part.rows, asked)))


def _folder(output: str | None) -> str:
    if output is None:
        raise InputError("parquet is written to a folder\ngive one: --output FOLDER")
    return output


def _check(
    kind: str,
    shard: str | None,
    *,
    is_distributed: bool,
    workers: int | None,
    scheduler: str | None,
) -> None:
    """Refuse options that have no meaning together."""
    if is_distributed and kind != "parquet":
        raise InputError("workers write parquet\ngive a folder for it: --format parquet --output FOLDER")
    if shard and kind in ("table", "markdown"):
        raise InputError("a table has all rows, not those of a shard\nchoose --format csv, jsonl or parquet")
    if workers and (scheduler or not is_distributed):
        raise InputError("--workers is the number of processes of --distributed\ngive it with --distributed alone")


def _table(sweep: "Sweep", kind: str, output: str | None, *, integers: bool) -> str:
    from tcost.report.sweep import check_rows, sweep_table
    from tcost.sweep.corners import corners
    from tcost.sweep.writing import priced

    check_rows(sweep)
    table = sweep_table(sweep, priced(sweep, range(sweep.chunks)), corners(sweep), integers=integers)
    return str(tables([table], kind, output).text)


def _stream(write: Write, output: str | None, rows: Callable[[], int]) -> None:
    """Write with a bar of the progress; where Ctrl-C leaves something that can be gone on with, say so."""
    try:
        with _progress(output, rows) as advance:
            write(advance)
    except KeyboardInterrupt:
        if output is None or is_direct(output):
            raise
        raise Interrupted(
            f"interrupted before {output} was complete\nthe same command goes on from what is written"
        ) from None


@contextmanager
def _progress(output: str | None, rows: Callable[[], int]) -> "Iterator[Advance]":
    """Draw a bar on standard error, where that is a terminal to which the rows do not go themselves."""
    is_free = output is not None or sys.stdout is None or not sys.stdout.isatty()
    if is_free and sys.stderr is not None and sys.stderr.isatty():
        from tcost.report.progress import progress

        with progress(rows()) as advance:
            yield advance
    else:
        yield lambda _: None
