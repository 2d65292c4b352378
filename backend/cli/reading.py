"""Settings for a command: read, or the reason why not, once, in plain words."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import typer

from backend.core.clock import system_clock
from backend.core.config import BadSettings, Settings, read_settings
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
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def run_to_its_end(process: Coroutine[Any, Any, None], interrupted: str = "") -> None:
    """A database that can't be used, or a key that is missing, is said in a sentence, with exit code 1. ``interrupted``
    is said where a person ends it, with exit code 130."""
    try:
        asyncio.run(process)
    except (DatabaseUnusable, CannotOpen) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        if interrupted:
            typer.echo(f"Interrupted. {interrupted}", err=True)
        raise typer.Exit(130) from None


def run_with_resources(command: Callable[[Resources], Awaitable[None]], *, interrupted: str = "") -> None:
    """Run ``command`` with the database up to date and everything open."""
    settings = load_settings()

    async def run() -> None:
        async with open_resources(settings, system_clock) as resources:
            await upgrade(resources.database)
            await command(resources)

    run_to_its_end(run(), interrupted)
