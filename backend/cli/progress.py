"""A progress bar on the terminal for long work. If the output is no terminal, one line at the end."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as Bars

from backend.core.progress import Progress


@contextmanager
def bar(what: str) -> Iterator[Progress]:
    """Show a progress bar on the error stream, so that a command's output can be piped.

    Yields ``show(done, total)``.
    """
    with Bars(console=Console(stderr=True)) as bars:
        task = bars.add_task(what, total=None)

        def show(done: int, total: int | None) -> None:
            bars.update(task, completed=done, total=total)

        yield show
