"""The commands by name. Only the called one is imported; the others are a sentence on the help page, which
starts fast.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer


@dataclass(frozen=True)
class Command:
    """A command's module, and its sentence in the list of commands."""

    module: str
    help: str


COMMANDS = {
    "init": Command("start", "Write .env with fresh keys, build widget.zip, and say what to do in Kommo."),
    "serve": Command("running", "Run the product: the web, and the worker beside it unless --no-worker."),
    "worker": Command("running", "Run the worker alone, beside `serve --no-worker`."),
    "migrate": Command("running", "Bring the database up to date (`serve` and `worker` do so by themselves)."),
    "doctor": Command("doctor", "Check settings, database, Kommo, Stripe and the widget's archive."),
    "widget": Command("widget", "Build the widget's archive."),
    "events": Command("events", "The inbox of Stripe's events."),
    "integrations": Command("integrations", "Private Kommo integrations; each belongs to one Kommo account."),
    "keys": Command("keys", "SECRET_KEYS, which seal what is stored."),
    "payments": Command("payments", "Payments and the deals they belong to."),
    "shadow": Command("shadow", "Try the product beside what you have: nothing is written to Kommo."),
    "sandbox": Command("sandbox", "Play the whole product on this machine; needs a checkout."),
    "story": Command("sandbox", "The same without a person, told step by step; needs a checkout."),
}


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kommo-stripe {_version()}")
        raise typer.Exit


def _version() -> str:
    try:
        return version("kommo-stripe")
    except PackageNotFoundError:
        return "(a checkout, which is not installed)"


def command_line(words: Sequence[str]) -> typer.Typer:
    """Return the command line for these words: only the command that they name is complete."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # they would print local variables, secrets among them
        help="Stripe payments in the Kommo deal card.",
    )
    app.callback()(_options)
    for name, command in COMMANDS.items():
        if name in words[:1]:
            _add(app, name, command)
        else:
            app.command(name, help=command.help)(_not_called)
    return app


def _add(app: typer.Typer, name: str, command: Command) -> None:
    module = import_module(f"backend.cli.{command.module}")
    group: typer.Typer | None = getattr(module, "app", None)
    if group is not None:
        app.add_typer(group, name=name, help=command.help)
        return
    function: Callable[..., None] = getattr(module, name)
    app.command(name)(function)


def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version, and end.")
    ] = False,
) -> None:
    """Stripe payments in the Kommo deal card."""


def _not_called() -> None:
    """Stands for a command of which only the sentence is shown."""
