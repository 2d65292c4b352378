"""``payments``: payments without a deal, and their assignment to deals."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from backend.admin.attach import accounts_of, attach, detach
from backend.admin.unmatched import unmatched
from backend.cli.reading import WHO, nothing, run_with_resources
from backend.core.errors import ProductError
from backend.resources import Resources

app = typer.Typer(no_args_is_help=True, help="Payments and the deals they belong to.")

Payment = Annotated[str, typer.Argument(help="The payment's Stripe id: pi_…")]
Account = Annotated[int, typer.Option(help="The Kommo account's id, where several know the payment.")]


@app.command("unmatched")
def list_unmatched() -> None:
    """Payments that are ours and fit no deal, newest first, with the deals they may belong to."""

    async def run(resources: Resources) -> None:
        rows = await unmatched(resources)
        nothing(rows, "Every payment has its deal.")
        for row in rows:
            suggested = ", ".join(map(str, row["suggestions"])) or "-"
            typer.echo(
                f"{row['paid_at']}  {row['id']}  {row['amount']} {row['currency']}  account {row['account_id']}  "
                f"suggested: {suggested}  ({row['problem']})"
            )

    run_with_resources(run)


@app.command("attach")
def attach_payment(payment_id: Payment, lead_id: int, account: Account = 0) -> None:
    """Put a payment into a deal, from wherever it is; it is then written like any other."""

    async def run(resources: Resources) -> None:
        given = {"account_id": await _account(resources, payment_id, account), "lead_id": lead_id}
        await attach(resources, payment_id, given, who=WHO)
        typer.echo(f"{payment_id} belongs to deal {lead_id}. A running worker writes it at once.")

    _in_words(run)


@app.command("detach")
def detach_payment(payment_id: Payment, account: Account = 0) -> None:
    """Take a payment out of its deal; it is listed as unmatched. Exit code 1 if no account or several know it."""

    async def run(resources: Resources) -> None:
        await detach(resources, payment_id, await _account(resources, payment_id, account), who=WHO)
        typer.echo(f"{payment_id} belongs to no deal now.")

    _in_words(run)


async def _account(resources: Resources, payment_id: str, given: int) -> int:
    known = [given] if given else await accounts_of(resources, payment_id)
    if len(known) != 1:
        named = f"Several accounts know {payment_id}" if known else f"No payment {payment_id} is known"
        typer.echo(f"{named}{': say --account ' + ' or '.join(map(str, known)) if known else ''}.", err=True)
        raise typer.Exit(1)
    return known[0]


def _in_words(command: Callable[[Resources], Awaitable[None]]) -> None:
    """What can't be done is said in a line, with exit code 1."""

    async def run(resources: Resources) -> None:
        try:
            await command(resources)
        except ProductError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None

    run_with_resources(run)
