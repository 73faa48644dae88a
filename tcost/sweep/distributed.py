"""Writing a sweep with the workers of a Dask cluster: one task per chunk, each of which writes its file.

A task gives the same file whoever runs it and how often, so that a worker that dies loses nothing.
"""

import asyncio
import logging
import signal
import tempfile
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from tcost import __version__
from tcost.errors import InputError
from tcost.extras import extra
from tcost.output import OutputError, writing
from tcost.sweep.grid import Sweep
from tcost.sweep.parquet import missing, open_folder, sweep_up, write_part
from tcost.sweep.resuming import GOES_ON
from tcost.sweep.shards import WHOLE, Shard
from tcost.sweep.writing import Advance

with extra("distributed"):
    import dask
    from distributed import Client, KilledWorker, LocalCluster, as_completed
    from distributed.comm import connect
    from distributed.security import Security
    from distributed.utils import silence_logging_cmgr

WINDOW = 1024
"""Tasks that the scheduler knows of at once: enough for a large cluster, few enough for a long sweep."""

PATIENCE = 10
"""Seconds to wait for the answer of a scheduler."""


def write_distributed(
    sweep: Sweep,
    path: str,
    shard: Shard = WHOLE,
    advance: Advance = lambda _: None,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
) -> None:
    """Write the rows of a sweep, or of a shard of it, into a folder of Parquet files that all workers see.

    The workers are those of the scheduler at an address or, without one, as many new processes of this machine
    as are asked for, one for every core by default. The files are those of
    `tcost.sweep.parquet.write_parquet`, which raises what this does. Raises InputError for a scheduler that
    does not answer, OutputError for one that is gone and for workers that died again and again.
    """
    numbers = shard.chunks(sweep)
    with open_folder(sweep, path, shard) as folder:
        left = missing(sweep, folder, numbers, advance)
        first = list(islice(left, WINDOW))
        if first:
            with _client(workers, scheduler) as client:
                _run(client, sweep, folder, chain(first, left), advance)
        sweep_up(folder, numbers)


def _run(client: Any, sweep: Sweep, folder: Path, numbers: Iterator[int], advance: Advance) -> None:
    """Let the workers write the files of chunks."""
    # As a task, and not as scattered data, it is made again when the worker that holds it dies.
    shared = client.submit(_checked, sweep, __version__, pure=False)

    def begun(number: int) -> Any:
        return client.submit(_write, shared, str(folder), number, pure=False)

    tasks = as_completed(list(map(begun, islice(numbers, WINDOW))))
    for task in tasks:
        try:
            number = task.result()
        except KilledWorker:
            raise OutputError(f"a chunk killed its workers, perhaps by its memory\n{GOES_ON}") from None
        except CancelledError:
            raise OutputError(f"the Dask scheduler is gone\n{GOES_ON}") from None
        advance(sweep.chunk(number).rows)
        for following in islice(numbers, 1):
            tasks.add(begun(following))


def _checked(sweep: Sweep, version: str) -> Sweep:
    """Return the sweep, on a worker that gives the same numbers as this process."""
    if version != __version__:
        raise InputError(f"a worker has tcost {__version__}, not {version}\ninstall the same one everywhere")
    return sweep


def _write(sweep: Sweep, folder: str, number: int) -> int:
    write_part(sweep, Path(folder), number)
    return number


@contextmanager
def _client(workers: int | None, scheduler: str | None) -> Iterator[Any]:
    """Connect to a scheduler, or to one that lives as long as the block."""
    with ExitStack() as stack:
        with writing("a temporary folder"):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tcost-"))
        own = {"temporary-directory": folder, "distributed.admin.large-graph-warning-threshold": "1GiB"}
        stack.enter_context(dask.config.set(own))
        stack.enter_context(silence_logging_cmgr(logging.CRITICAL))  # what matters of it is raised
        if scheduler is None:
            with _uninterrupted():
                cluster = stack.enter_context(_local_cluster(workers))
            yield stack.enter_context(Client(cluster))
        else:
            _reach(scheduler)
            yield stack.enter_context(Client(scheduler, timeout=PATIENCE))


def _local_cluster(workers: int | None) -> Any:
    """Start a scheduler, which nobody else can reach, and its workers, without a word on the terminal."""
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        memory_limit=0,
        dashboard_address=None,
        scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
        silence_logs=logging.CRITICAL,
    )


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put Ctrl-C off until the block has ended; threads and processes that it starts never get it.

    A terminal sends Ctrl-C to all processes. Workers would show where it hit them; they end with the cluster.
    """
    resource_tracker.ensure_running()  # by itself it would start with the first worker, and unblock the signal there
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _reach(scheduler: str) -> None:
    """Raise InputError where no scheduler answers at an address: a client would hang as it gives up."""

    async def greet() -> None:
        comm = await connect(scheduler, timeout=PATIENCE, **Security().get_connection_args("client"))
        await comm.close()

    try:
        asyncio.run(asyncio.wait_for(greet(), PATIENCE))
    except (OSError, ValueError):
        raise InputError(
            f"no Dask scheduler answers at {scheduler}\nexpected its address, as in tcp://10.0.0.1:8786"
        ) from None
