"""Settings for a command: read, or the reason why not, once, in plain words."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, NoReturn

import typer

from backend.core.clock import system_clock
from backend.core.config import BadSettings, Settings, read_settings
from backend.core.logs import set_up_logs
from backend.core.vault import CannotOpen
from backend.resources import Resources, open_resources
from backend.storage.migrations import DatabaseUnusable, upgrade

WHO = "command line"
"""In the audit, of what is done by a command."""


def load_settings(**given: Any) -> Settings:
    """All settings checked; else each problem on its own line, and exit code 2."""
    try:
        return read_settings(**given)
    except BadSettings as error:
        raise_bad(error)


def raise_bad(error: BadSettings) -> NoReturn:
    typer.echo(str(error), err=True)
    raise typer.Exit(2) from None


def run_to_its_end(
    process: Coroutine[Any, Any, None], interrupted: str = "", refusals: tuple[type[Exception], ...] = ()
) -> None:
    """What can't be used (database, key, port) is said in a sentence, with exit code 1. ``interrupted`` is said where a
    person ends it, with exit code 130."""
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


def run_with_resources(command: Callable[[Resources], Awaitable[None]], *, interrupted: str = "") -> None:
    """Run ``command`` with the database up to date and everything open."""
    settings = load_settings()
    set_up_logs(settings.log_format)  # on the error stream: what a command says is the output

    async def run() -> None:
        async with open_resources(settings, system_clock) as resources:
            await upgrade(resources.database)
            await command(resources)

    run_to_its_end(run(), interrupted)


def nothing(found: Sequence[object], sentence: str) -> None:
    """Say that a list is empty, on the error stream: what is piped on stays a list."""
    if not found:
        typer.echo(sentence, err=True)


def secret(what: str) -> str:
    """Asked for unseen, or a line of the input: what stands in a command is in the list of processes and in a history.

    Exit code 2 where nothing is given.
    """
    given = typer.prompt(what, hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    if not given.strip():
        typer.echo(f"{what} is missing: type it at the prompt, or give it as a line of the input.", err=True)
        raise typer.Exit(2)
    return str(given).strip()
