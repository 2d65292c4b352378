"""``serve``, ``worker`` and ``migrate``: the processes of the product."""

import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

import typer

from backend.cli.progress import bar
from backend.cli.reading import load_settings, run_to_its_end
from backend.core.config import Settings
from backend.core.logs import set_up_logs
from backend.core.telemetry.traces import CannotTrace, tracing

Host = Annotated[str | None, typer.Option(help="Address to listen on; HOST by default.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; PORT by default.")]


def serve(
    host: Host = None,
    port: Port = None,
    worker: Annotated[bool, typer.Option(help="Run the worker in this process as well.")] = True,
) -> None:
    """Run the product: the web, and the worker beside it unless --no-worker.

    An unusable database, key or port ends the command with a sentence and exit code 1.
    """
    from backend.server.serving import serve as run
    from backend.web.listening import CannotListen

    given: dict[str, Any] = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    _run(partial(run, with_worker=worker, say=_say), refusals=(CannotListen,), **given)


def worker(
    once: Annotated[bool, typer.Option("--once", help="Do the work that is due, and end.")] = False,
    at_most: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="With --once: begin nothing after so many seconds.")
    ] = 300,
) -> None:
    """Run the worker alone, beside `serve --no-worker`."""
    from backend.server.working import drain, work

    _run(partial(drain, at_most=at_most, say=_say) if once else work)


def migrate() -> None:
    """Bring the database up to date (`serve` and `worker` do so by themselves)."""
    from backend.storage.db import Database
    from backend.storage.migrations import upgrade

    async def run_and_tell(settings: Settings) -> None:
        database = Database(settings.database_url)
        try:
            database.close_to_others()
            with bar("migrating") as progress:
                steps = await upgrade(database, progress)
        finally:
            await database.close()
        typer.echo(f"The database is up to date: {steps} steps." if steps else "The database was up to date already.")

    _run(run_and_tell, interrupted="Nothing was changed. Run it again.")


def _run(
    process: Callable[[Settings], Awaitable[None]],
    *,
    interrupted: str = "",
    refusals: tuple[type[Exception], ...] = (),
    **given: Any,
) -> None:
    settings = load_settings(**given)
    set_up_logs(settings.log_format)

    async def run() -> None:
        with tracing(settings.traces):
            await process(settings)

    run_to_its_end(run(), interrupted, (*refusals, CannotTrace))


def _say(sentence: str) -> None:
    """At once, though the output is a pipe."""
    typer.echo(sentence)
    sys.stdout.flush()
