"""Two Kommo accounts on one running product, shared by the tests of a module: none of them changes what others see."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.accounts.grants import Integration
from tests.accounts.connecting import installed, put
from tests.world import World, open_world


@dataclass
class TwoAccounts:
    """``product`` speaks for the first account; ``neighbour`` is the second, by an ``integration`` of its own."""

    product: World
    neighbour: Account
    integration: Integration

    @property
    def their_token(self) -> dict[str, str]:
        user = self.neighbour.admin.id
        return {"X-Auth-Token": self.product.kommo.one_time_token(self.integration.client_id, user)}


@pytest.fixture(scope="module")
async def accounts(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[TwoAccounts]:
    folder = tmp_path_factory.mktemp("accounts")
    async with open_world(f"sqlite+aiosqlite:///{folder}/product.db") as product:
        neighbour = product.kommo.add_account("globex")
        integration = await installed(product, neighbour)
        key = product.stripe.default_account.live_secret_key
        await put(product, f"accounts/{neighbour.id}/stripe", {"api_key": key})
        await product.quiet()
        yield TwoAccounts(product, neighbour, integration)
