"""How far a long command is, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(rows: int) -> Iterator[Callable[[int], None]]:
    """Draw a bar while the block runs; what it yields is told the number of rows whenever some are done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.percentage:>3.0f} %"), BarColumn(), MofNCompleteColumn(), TextColumn("rows"))
    console = Console(stderr=True)
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as bar:
        task = bar.add_task("", total=rows)
        yield lambda done: bar.advance(task, done)
