"""``widget``: the archive that is uploaded to Kommo."""

from pathlib import Path
from typing import Annotated

import typer

from backend.widget_archive import WidgetProblem, build, find_sources

app = typer.Typer(no_args_is_help=True)


@app.callback()
def widget() -> None:
    """Build the widget's archive."""


@app.command("build")
def widget_build(
    out: Annotated[Path, typer.Option(help="Where to write the archive.")] = Path("widget.zip"),
    url: Annotated[str, typer.Option(help="The backend's public address; PUBLIC_URL by default.")] = "",
) -> None:
    """Write widget.zip with the backend's address in it. Exit code 1, and nothing written, if Kommo would refuse it."""
    try:
        built = build(find_sources(), url or _public_url(), out)
    except WidgetProblem as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{out}: version {built.version}")


def _public_url() -> str:
    from backend.cli.reading import load_settings

    return load_settings().public_url
