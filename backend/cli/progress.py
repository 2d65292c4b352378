"""A progress bar on the terminal for long work. If the output is no terminal, one line at the end."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from backend.core.progress import Progress


@contextmanager
def bar(what: str) -> Iterator[Progress]:
    """Show a progress bar on the error stream, so that a command's output can be piped; not before there is progress.

    Yields ``show(done, total)``.
    """
    with ExitStack() as shown:
        progress: Progress | None = None

        def show(done: int, total: int | None) -> None:
            nonlocal progress
            progress = progress or _shown(what, shown)
            progress(done, total)

        yield show


def _shown(what: str, stack: ExitStack) -> Progress:
    from rich.console import Console
    from rich.progress import Progress as Bars

    bars = stack.enter_context(Bars(console=Console(stderr=True)))
    task = bars.add_task(what, total=None)

    def show(done: int, total: int | None) -> None:
        bars.update(task, completed=done, total=total)

    return show
