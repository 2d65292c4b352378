"""One of several Kommo accounts that the product serves, each at a host of its own."""

from dataclasses import dataclass

from backend.accounts.install.add_integration import add_integration
from backend.accounts.tokens.call import with_kommo
from backend.kommo_api.values import AccountInfo
from backend.resources import Resources
from backend.storage.models import Account
from sandbox.kommo.accounts.account import Account as KommoAccount
from sandbox.kommo.accounts.grants import Integration
from sandbox.kommo.traffic.log import CallRecord
from tests.world.world import World

TOKEN = "/oauth2/access_token"


@dataclass
class Tenant:
    """``seen``: how many of Kommo's requests came before those that ``asked`` tells."""

    world: World
    account: KommoAccount
    integration: Integration
    seen: int

    async def row(self) -> Account:
        async with self.world.resources.database.read() as session:
            return await session.get_one(Account, self.account.id)

    async def call(self, resources: Resources | None = None) -> AccountInfo:
        """Anything that is asked of Kommo for this account."""
        return await with_kommo(resources or self.world.resources, self.account.id, lambda api: api.account())

    @property
    def asked(self) -> list[str]:
        return [one.path for one in self.requests]

    @property
    def requests(self) -> list[CallRecord]:
        return self.world.kommo.requests[self.seen :]

    @property
    def refreshes(self) -> int:
        return self.asked.count(TOKEN)

    def end_access(self) -> None:
        """Kommo takes the access tokens back, and leaves the refresh tokens."""
        for pair in self.world.kommo.wallet.by_access.values():
            if pair.client_id == self.integration.client_id:
                pair.access_revoked = True


async def new_tenant(world: World) -> Tenant:
    """A Kommo account of its own, connected by a code."""
    account = world.kommo.add_account(f"shop-{len(world.kommo.accounts)}")
    made = world.kommo.add_integration(account, world.settings.redirect_uri)
    code = world.kommo.issue_code(made.client_id)
    given = {"client_secret": made.client_secret, "code": code, "subdomain": account.subdomain}
    await add_integration(world.resources, made.client_id, given, who="test")
    return Tenant(world, account, made, seen=len(world.kommo.requests))
