"""The same answer of Kommo's in two hands."""

import asyncio
from pathlib import Path

from backend.accounts.install.activate import activate
from backend.accounts.install.pending import keep_answer
from backend.storage.models import Account, Audit
from sandbox.kommo.accounts.grants import Pair
from tests.world import open_world


def raw(pair: Pair) -> bytes:
    return (
        f'{{"token_type":"Bearer","expires_in":86400,"access_token":"{pair.access}","refresh_token":"{pair.refresh}"}}'
    ).encode()


async def test_a_callback_and_a_worker_that_come_at_once_connect_once(
    database_url: str, tmp_path: Path, anyio_backend: str
) -> None:
    async with open_world(database_url, connected=False) as product:
        product.worker.stop()
        integration = product.integration
        pair = product.kommo.issue_pair(integration.client_id, product.account.admin.id)
        waiting = await keep_answer(product.resources, integration.client_id, product.kommo.base_url, raw(pair))
        accounts = await asyncio.gather(*(activate(product.resources, waiting) for _ in range(3)))
        assert {account.id for account in accounts} == {product.account.id}
        assert [account.token_version for account in await product.rows(Account)] == [1]
        assert [said.what for said in await product.rows(Audit)] == ["connected"]
