"""``init``: the first set-up of a server, in the order in which Kommo asks for things."""

import os
import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer

from backend.cli.units import SETTINGS, units
from backend.core.config import BadSettings, read_settings
from backend.widget_archive import WidgetProblem, build, find_sources

ENV = Path(".env")


def init(
    public_url: Annotated[str, typer.Option(prompt="Public address of this server (https://…)", help="PUBLIC_URL.")],
    force: Annotated[bool, typer.Option(help="Replace a .env that is there.")] = False,
    systemd: Annotated[
        bool, typer.Option("--systemd", help="Write units for systemd as well, or into a folder that has its .env.")
    ] = False,
) -> None:
    """Write .env with fresh keys, build widget.zip, and say what to do in Kommo."""
    if systemd and ENV.exists() and not force:
        _write_units()
        return
    if ENV.exists() and not force:
        typer.echo("There is a .env here already. Its keys open what is stored: keep it, or use --force.", err=True)
        raise typer.Exit(1)
    given = {
        "public_url": public_url,
        "secret_keys": secrets.token_urlsafe(32),
        "admin_token": secrets.token_urlsafe(24),
    }
    try:
        settings = read_settings(env_file=None, **given)
    except BadSettings as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    _write_private(ENV, _env_text(given | {"public_url": settings.public_url}))
    if systemd:
        _write_units()
    try:
        built = build(find_sources(), settings.public_url, Path("widget.zip"))
    except WidgetProblem as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo(_next_steps(settings.redirect_uri, settings.public_url, built.version, _start(systemd=systemd)))


def _write_units() -> None:
    program = Path(sys.prefix) / "bin" / "kommo-stripe"
    for name, text in units(program).items():
        Path(name).write_text(text, encoding="utf-8")
        typer.echo(f"{name} is written; it starts {program}.")


def _start(*, systemd: bool) -> str:
    """The command that starts the product."""
    if systemd:
        moved = f"install -D -m 0600 .env {SETTINGS} && cp kommo-stripe-*.service /etc/systemd/system/"
        return f"{moved} && systemctl enable --now kommo-stripe-web kommo-stripe-worker"
    return "kommo-stripe serve   (or: docker compose up --detach)"


def _write_private(path: Path, text: str) -> None:
    """Readable by its owner only, from its first byte on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _env_text(given: dict[str, str]) -> str:
    return f"""# Made by `kommo-stripe init`. Keep it private: SECRET_KEYS opens what the database holds.
PUBLIC_URL={given["public_url"]}
SECRET_KEYS={given["secret_keys"]}
ADMIN_TOKEN={given["admin_token"]}

# For compose.yaml: `full` is PostgreSQL, web and worker; `one` is a single container with SQLite
COMPOSE_PROFILES=full
POSTGRES_PASSWORD={secrets.token_urlsafe(24)}
"""


def _next_steps(redirect_uri: str, public_url: str, version: str, start: str) -> str:
    return f"""
.env is written (readable by you alone), widget.zip is built (version {version}).

Here:
  1. Start the product:       {start}
In Kommo (as an administrator):
  2. Settings → Integrations → Create integration → Private.
     Redirect URL:            {redirect_uri}
     Access revoked notice:   {public_url}/kommo/uninstall
     Scopes:                  access to the account's data
     Widget archive:          widget.zip
At {public_url}/admin/accounts (sign in with ADMIN_TOKEN of .env):
  3. Add an integration: the Integration ID and the Secret key of its tab "Keys and scopes",
     and the first word of the account's address.
In Kommo again:
  4. Install the integration: the account connects by itself. If it does not, press Connect
     on the page of step 3.
  5. Open the widget's Settings, then "Open set-up": it leads to the Stripe key, the stages,
     and a test payment.
"""
