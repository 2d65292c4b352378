"""The commands, and how the few lines of each are run."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.cli import doctor, events, integrations, keys, payments, sandbox, shadow, start
from backend.cli.progress import bar
from backend.cli.reading import load_settings, run_to_its_end
from backend.core.config import Settings
from backend.core.logs import set_up_logs
from backend.widget_archive import WidgetProblem, build, find_sources

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would print local variables, secrets among them
    help="Stripe payments in the Kommo deal card.",
)
widget = typer.Typer(no_args_is_help=True, help="The widget's archive.")
app.add_typer(widget, name="widget")
app.add_typer(events.app, name="events")
app.add_typer(integrations.app, name="integrations")
app.add_typer(keys.app, name="keys")
app.add_typer(payments.app, name="payments")
app.add_typer(shadow.app, name="shadow")
app.command("init")(start.init)
app.command("doctor")(doctor.doctor)
app.command("sandbox")(sandbox.sandbox)
app.command("story")(sandbox.story)

Host = Annotated[str | None, typer.Option(help="Address to listen on; HOST by default.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; PORT by default.")]


@app.command()
def serve(
    host: Host = None,
    port: Port = None,
    worker: Annotated[bool, typer.Option(help="Run the worker in this process as well.")] = True,
) -> None:
    """Run the product: the web, and the worker beside it unless --no-worker."""
    from backend.server import serve as run

    given: dict[str, Any] = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    _run(lambda settings: run(settings, with_worker=worker), **given)


@app.command("worker")
def worker_command() -> None:
    """Run the worker alone, beside `serve --no-worker`."""
    from backend.server import work

    _run(work)


@app.command()
def migrate() -> None:
    """Bring the database up to date (`serve` and `worker` do so by themselves)."""
    from backend.server import migrate as run

    with bar("migrating") as progress:
        _run(partial(run, progress=progress), interrupted="Nothing was changed. Run it again.")


@widget.command("build")
def widget_build(
    out: Annotated[Path, typer.Option(help="Where to write the archive.")] = Path("widget.zip"),
    url: Annotated[str, typer.Option(help="The backend's public address; PUBLIC_URL by default.")] = "",
) -> None:
    """Write widget.zip with the backend's address in it."""
    try:
        built = build(find_sources(), url or load_settings().public_url, out)
    except WidgetProblem as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{out}: version {built.version}")


def _run(process: Callable[[Settings], Awaitable[None]], *, interrupted: str = "", **given: Any) -> None:
    settings = load_settings(**given)
    set_up_logs(settings.log_format)

    async def run() -> None:
        await process(settings)

    run_to_its_end(run(), interrupted)
