"""Many Kommo accounts at once, each with a deal and a Stripe connection of its own; all are copies of the first."""

import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

from sqlmodel import select

from backend.accounts.tokens.sealed import seal_pair
from backend.inbox.arrivals import Arrival
from backend.inbox.group_commit import Inbox
from backend.kommo_api.auth.tokens import TokenPair
from backend.storage.models import Account, StripeConnection
from sandbox.kommo.accounts.account import Account as KommoAccount
from tests.ledger.events import evt, intent
from tests.world import World


@dataclass(frozen=True)
class Member:
    kommo: KommoAccount
    lead_id: int

    @property
    def connection_id(self) -> str:
        return f"con{self.kommo.id}"


async def gather(product: World, count: int) -> list[Member]:
    """``count`` more accounts, connected by long-lived tokens and set up."""
    members = [_join(product, number) for number in range(count)]
    async with product.resources.database.write() as session:
        first = (await session.exec(select(Account))).one()
        for member in members:
            session.add(Account(**first.model_dump() | _own(product, member)))
            session.add(StripeConnection(id=member.connection_id, account_id=member.kommo.id, livemode=True))
    return members


def _join(product: World, number: int) -> Member:
    made = product.kommo.add_account(f"shop{number}")
    made.pipelines = deepcopy(product.account.pipelines)
    made.custom_fields = deepcopy(product.account.custom_fields)
    return Member(made, made.add_lead("Sofa").id)


def _own(product: World, member: Member) -> dict[str, object]:
    integration = product.kommo.add_integration(member.kommo, f"{product.url}/oauth/kommo/callback")
    pair = TokenPair(product.kommo.long_lived_token(integration.client_id), "", 0.0)
    return {
        "id": member.kommo.id,
        "client_id": "",
        "subdomain": member.kommo.subdomain,
        "tokens": seal_pair(product.resources, member.kommo.id, pair),
        "token_expires_at": 0.0,
    }


async def is_paid(product: World, inbox: Inbox, members: Sequence[Member], number: int) -> None:
    """Stripe tells of each member's ``number``-th payment; stored when this returns."""
    for member in members:
        payment = f"pi_{member.kommo.id}_{number}"
        marks = {"kommo_account_id": str(member.kommo.id), "kommo_lead_id": str(member.lead_id)}
        event = evt("payment_intent.succeeded", intent(id=payment, metadata=marks))
        await inbox.put(
            Arrival(
                connection_id=member.connection_id,
                account_id=member.kommo.id,
                id=event["id"],
                type=event["type"],
                api_version="",
                body=json.dumps(event).encode(),
                state="new",
                received_at=product.resources.clock(),
            )
        )
