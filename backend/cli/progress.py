"""A bar on the terminal for work that takes long. Where the output is no terminal, one line at the end."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as Bars

from backend.core.progress import Progress


@contextmanager
def bar(what: str) -> Iterator[Progress]:
    """Shown on the error stream, so that what a command says can be piped on."""
    with Bars(console=Console(stderr=True)) as bars:
        task = bars.add_task(what, total=None)

        def show(done: int, total: int | None) -> None:
            bars.update(task, completed=done, total=total)

        yield show
