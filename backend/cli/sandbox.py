"""The commands that run the sandbox. Its Kommo and Stripe exist in a checkout only."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from backend.core.logs import set_up_logs


def sandbox(
    days: Annotated[int, typer.Option(min=0, max=1000, help="Live through so many days, a payment each, and end.")] = 0,
) -> None:
    """Play the whole product on this machine: a local Kommo, a local Stripe, and our backend between them."""
    with _from_a_checkout("sandbox"):
        from sandbox.days import live
        from sandbox.stage import play

    if days:
        set_up_logs("console", only_errors=True)
        sys.exit(asyncio.run(live(days)))
    set_up_logs("console")
    asyncio.run(play())


def story() -> None:
    """The same without a person: from install to Paid, each step printed; non-zero if anything differs."""
    with _from_a_checkout("story"):
        from sandbox.story import tell

    set_up_logs("console")
    sys.exit(asyncio.run(tell()))


@contextmanager
def _from_a_checkout(command: str) -> Iterator[None]:
    """Import the sandbox inside, or end with a sentence: the installed package holds neither it nor what it needs."""
    try:
        yield
    except ModuleNotFoundError as missing:
        typer.echo(
            f"`{command}` needs a checkout of the repository: run `python3 run.py {command}` there."
            f" The installed package has no {missing.name}.",
            err=True,
        )
        raise typer.Exit(1) from None
