"""What the product has stored of the first account, put there or changed without its help."""

from dataclasses import dataclass
from typing import Any

import orjson
from sqlmodel import select

from backend.resources import Resources
from backend.storage.models import Account, Integration, LedgerEntry, LedgerLink, StripeConnection
from sandbox.kommo import KommoWorld
from sandbox.kommo.accounts.grants import Integration as KommoIntegration
from sandbox.stripe import StripeWorld

CONNECTION = "shopconnection"
_KEY_ROW = f"stripe_connection:{CONNECTION}:api_key"


@dataclass(frozen=True)
class Stored:
    resources: Resources
    account_id: int

    async def set_options(self, **options: Any) -> None:
        async with self.resources.database.write() as session:
            account = await session.get_one(Account, self.account_id)
            account.options = account.options | options

    async def use_stripe_key(self, api_key: str) -> None:
        """Stripe by another key; by an empty one not at all, and what it did stays."""
        async with self.resources.database.write() as session:
            connection = await session.get_one(StripeConnection, CONNECTION)
            connection.api_key = self.resources.vault.seal_text(api_key, _KEY_ROW) if api_key else ""

    async def hear_twice(self) -> None:
        """The same Stripe account was connected twice, and both connections heard of everything so far."""
        async with self.resources.database.write() as session:
            for table in (StripeConnection, LedgerEntry, LedgerLink):
                for row in (await session.exec(select(table))).all():
                    again = {"id": "again", "api_key": ""} if table is StripeConnection else {"connection_id": "again"}
                    session.add(table(**row.model_dump() | again))


async def store_connected(
    resources: Resources, kommo: KommoWorld, stripe: StripeWorld, integration: KommoIntegration
) -> None:
    """The first account's rows as they are when it is connected to both sides: Stripe by a test key, in EUR."""
    account, client_id = kommo.account, integration.client_id
    pair = kommo.issue_pair(client_id, account.admin.id)
    tokens = orjson.dumps({"access_token": pair.access, "refresh_token": pair.refresh}).decode()
    seal = resources.vault.seal_text
    async with resources.database.write() as session:
        session.add(
            Integration(
                client_id=client_id,
                secret=seal(integration.client_secret, f"integration:{client_id}:secret"),
                redirect_uri=integration.redirect_uri,
                account_id=account.id,
            )
        )
        session.add(
            Account(
                id=account.id,
                client_id=client_id,
                base_url=kommo.base_url,
                subdomain=account.subdomain,
                tokens=seal(tokens, f"account:{account.id}:tokens"),
                token_issued_at=resources.clock(),
                token_expires_at=pair.access_until,
                currency="EUR",
                connected_at=resources.clock(),
            )
        )
        session.add(
            StripeConnection(
                id=CONNECTION,
                account_id=account.id,
                label="Acme Studio",
                api_key=seal(stripe.default_account.secret_key, _KEY_ROW),
            )
        )
