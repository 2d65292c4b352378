"""``integrations``: the private Kommo integrations that this server answers for."""

from typing import Annotated

import typer
from sqlmodel import select

from backend.accounts import integrations
from backend.cli.reading import run_with_resources
from backend.errors import ProductError
from backend.models import Integration
from backend.resources import Resources

app = typer.Typer(no_args_is_help=True, help="Private Kommo integrations; each belongs to one Kommo account.")


@app.command("list")
def list_all() -> None:
    """All integrations, one a line."""

    async def run(resources: Resources) -> None:
        async with resources.database.read() as session:
            for row in (await session.exec(select(Integration))).all():
                typer.echo(f"{row.client_id}  account {row.account_id or '-'}  {row.source}  {row.label}".rstrip())

    run_with_resources(run)
