"""``shadow``: a trial next to other software: everything is computed, nothing is written."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated

import typer

from backend.accounts.preferences import put_options
from backend.admin.accounts import list_accounts
from backend.cli.reading import WHO, run_with_resources
from backend.core.errors import ProductError
from backend.deal_sync.shadow import Foreseen, report
from backend.kommo_api.errors import KommoError
from backend.resources import Resources

app = typer.Typer(no_args_is_help=True, help="Try the product beside what you have: nothing is written to Kommo.")

Run = Callable[[Resources], Awaitable[None]]
Account = Annotated[int, typer.Option(help="The Kommo account's id, where several are connected.")]


@app.command("on")
def switch_on(account: Account = 0) -> None:
    """From now on nothing is written to this account's deals; what would be is recorded."""
    _switch(account, shadow=True)


@app.command("off")
def switch_off(account: Account = 0) -> None:
    """From now on deals are written. What differs by then is written at once; stages only for money of three days."""
    _switch(account, shadow=False)


@app.command("report")
def show_report(
    account: Account = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    differing: Annotated[bool, typer.Option("--differing", help="Only deals that differ today.")] = False,
) -> None:
    """What would have been written, deal by deal, and where each deal differs today."""

    async def run(resources: Resources) -> None:
        nothing = "Nothing was recorded in shadow mode."
        async for deal in report(resources, await _account(resources, account)):
            if deal.today or not differing:
                typer.echo(json.dumps(asdict(deal), ensure_ascii=False) if as_json else "\n".join(lines(deal)))
                nothing = ""
            elif nothing:
                nothing = "No deal differs today."
        if nothing and not as_json:
            typer.echo(nothing)

    _in_words(run)


def lines(deal: Foreseen) -> list[str]:
    """Return one deal's lines for a terminal."""
    said = [f"Deal {deal.lead_id}  {deal.name}{'  (not in Kommo any more)' if deal.is_gone else ''}"]
    said += [f"  would set  {code}: {there or '-'} -> {wanted or '-'}" for code, (there, wanted) in deal.fields.items()]
    said += [f"  stage      {deal.stage}"] if deal.stage else []
    said += [f"  note       {line}" for note in deal.notes for line in note.splitlines()]
    said += [f"  task       {task}" for task in deal.tasks]
    said += [f"  new deal   for the renewal of {renewal}, which all the rest counts here" for renewal in deal.renewals]
    said += [
        f"  today      {code} is {there or '-'}, not {wanted or '-'}" for code, (there, wanted) in deal.today.items()
    ]
    return said if deal.today or deal.is_gone else [*said, "  today      the fields are as we would write them"]


def _switch(account: int, *, shadow: bool) -> None:
    async def run(resources: Resources) -> None:
        account_id = await _account(resources, account)
        await put_options(resources, account_id, {"shadow": shadow}, who=WHO)
        typer.echo(f"Account {account_id}: shadow mode is {'on' if shadow else 'off'}.")

    _in_words(run)


async def _account(resources: Resources, given: int) -> int:
    known = [given] if given else [one["account_id"] for one in await list_accounts(resources)]
    if len(known) != 1:
        named = ", ".join(map(str, known))
        typer.echo(f"Say --account: {named} are connected." if known else "No account is connected.", err=True)
        raise typer.Exit(1)
    return int(known[0])


def _in_words(run: Run) -> None:
    async def in_words(resources: Resources) -> None:
        try:
            await run(resources)
        except (ProductError, KommoError) as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None

    run_with_resources(in_words)
