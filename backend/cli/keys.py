"""``keys``: the keys that seal stored secrets."""

import typer

from backend.admin.rotate_keys import reseal
from backend.cli.progress import bar
from backend.cli.reading import run_with_resources
from backend.resources import Resources

app = typer.Typer(no_args_is_help=True, help="SECRET_KEYS, which seal what is stored.")


@app.callback()
def keys() -> None:
    """SECRET_KEYS, which seal what is stored."""


@app.command()
def rotate() -> None:
    """Seal every stored secret under the newest of SECRET_KEYS. Restart every process with that key first: a process
    without it can no longer read what this command sealed.

    The command may run while the server runs, and may be interrupted and repeated. Exit code 1 if a value can be opened
    by no key.
    """

    async def run(resources: Resources) -> None:
        with bar("sealing anew") as progress:
            done = await reseal(resources, progress)
        typer.echo(f"{done.anew} values sealed anew, {done.already} were already under the newest key.")
        if done.unreadable:
            typer.echo(f"{done.unreadable} open by no key: put back the key that they were sealed with.", err=True)
            raise typer.Exit(1)
        typer.echo(
            "The older keys may be taken away, if every process runs with these SECRET_KEYS. One that was started "
            "before them reads nothing now: restart it, and run this once more."
        )

    run_with_resources(run, interrupted="Not all is sealed anew yet. Run it again: it passes over what is.")
