"""Settings and resources of a command, or the reason why it can't start, in one sentence."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from backend.core.clock import system_clock
from backend.core.config import BadSettings, Settings, read_settings
from backend.core.logs import set_up_logs
from backend.core.vault import CannotOpen
from backend.storage.migrations import DatabaseUnusable, upgrade

if TYPE_CHECKING:  # all tables and the clients of Kommo and Stripe, which `migrate` does without
    from backend.resources import Resources

WHO = "command line"
"""The author of a command's changes in the audit."""


def load_settings(**given: Any) -> Settings:
    """Return the validated settings; else print one line per problem and exit with code 2."""
    try:
        return read_settings(**given)
    except BadSettings as error:
        raise_bad(error)


def raise_bad(error: BadSettings) -> NoReturn:
    """Print the problems of the settings and exit with code 2."""
    typer.echo(str(error), err=True)
    raise typer.Exit(2) from None


def run_to_its_end(
    process: Coroutine[Any, Any, None], interrupted: str = "", refusals: tuple[type[Exception], ...] = ()
) -> None:
    """Run the process until it ends.

    An unusable database, key or port is printed as a sentence, with exit code 1; ``interrupted`` is printed after
    Ctrl-C, with exit code 130.
    """
    caught: tuple[type[Exception], ...] = (DatabaseUnusable, CannotOpen, *refusals)
    try:
        asyncio.run(process)
    except caught as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        if interrupted:
            typer.echo(f"Interrupted. {interrupted}", err=True)
        raise typer.Exit(130) from None


def run_with_resources(command: "Callable[[Resources], Awaitable[None]]", *, interrupted: str = "") -> None:
    """Run ``command`` with the database migrated and all resources open."""
    from backend.resources import open_resources

    settings = load_settings()
    set_up_logs(settings.log_format)  # on the error stream: what a command says is the output

    async def run() -> None:
        async with open_resources(settings, system_clock) as resources:
            await upgrade(resources.database)
            await command(resources)

    run_to_its_end(run(), interrupted)


def nothing(found: Sequence[object], sentence: str) -> None:
    """Print that a list is empty on the error stream: the piped output stays a list."""
    if not found:
        typer.echo(sentence, err=True)


def secret(what: str) -> str:
    """Return a secret from a hidden prompt, or a line of the input: arguments show in the process list and the shell's
    history.

    Exits with code 2 if none is given.
    """
    given = typer.prompt(what, hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    if not given.strip():
        typer.echo(f"{what} is missing: type it at the prompt, or give it as a line of the input.", err=True)
        raise typer.Exit(2)
    return str(given).strip()
