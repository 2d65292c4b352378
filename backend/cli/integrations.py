"""``integrations``: the private Kommo integrations of this server."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from backend.accounts import integrations
from backend.accounts.install.add_integration import add_integration
from backend.cli.reading import WHO, nothing, run_with_resources, secret
from backend.core.errors import ProductError
from backend.resources import Resources

app = typer.Typer(no_args_is_help=True, help="Private Kommo integrations; each belongs to one Kommo account.")


@app.command("list")
def list_all() -> None:
    """All integrations, one a line."""

    async def run(resources: Resources) -> None:
        rows = await integrations.list_integrations(resources)
        nothing(rows, "No integration is known yet: `kommo-stripe integrations add`, or KOMMO_CLIENT_ID.")
        for row in rows:
            line = f"{row['client_id']}  account {row['account_id'] or '-'}  {row['source']}  {row['label']}"
            typer.echo(line.rstrip())

    run_with_resources(run)


@app.command()
def add(
    client_id: Annotated[str, typer.Argument(help="The Integration ID in Kommo's tab Keys and scopes.")],
    label: Annotated[str, typer.Option(help="A name to know it by.")] = "",
    with_code: Annotated[
        bool, typer.Option("--code", help="Ask for an authorization code too, where Kommo did not call us.")
    ] = False,
    subdomain: Annotated[str, typer.Option(help="The account of the code: the first word of its address.")] = "",
    redirect_uri: Annotated[str, typer.Option(help="Where Kommo's form holds another than this server's own.")] = "",
) -> None:
    """Add an integration or change its secret; a code that waits for it is exchanged at once.

    Asks for the secret key; where the input is no terminal, it is the input's first line, and the code the second.
    """
    client_secret = secret("Secret key")
    code = secret("Authorization code") if with_code else ""

    async def run(resources: Resources) -> None:
        given = {"client_secret": client_secret, "label": label, "code": code, "subdomain": subdomain}
        given |= {"redirect_uri": redirect_uri} if redirect_uri else {}
        added = await add_integration(resources, client_id, given, who=WHO)
        typer.echo(f"{client_id}: connected to account {added.account.id}" if added.account else f"{client_id}: kept")
        if added.problem:
            typer.echo(added.problem, err=True)

    _saying_why(run)


@app.command()
def remove(client_id: str) -> None:
    """Forget an integration and its secret."""

    async def run(resources: Resources) -> None:
        await integrations.remove_integration(resources, client_id, who=WHO)
        typer.echo(f"{client_id}: removed")

    _saying_why(run)


def _saying_why(run: Callable[[Resources], Awaitable[None]]) -> None:
    try:
        run_with_resources(run)
    except ProductError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(1) from None
