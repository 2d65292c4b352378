"""After a refusal an account's fields are read again: once for all of its batches, and no other account waits."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from backend.accounts.provisioning import set_up
from backend.deal_sync.apply.recheck import check_map
from sandbox.clock import MovableClock
from tests.world import KommoHosts, Tenant, World, new_tenant, open_world

FIELDS = "/api/v4/leads/custom_fields"


class HeldKommo(KommoHosts):
    """Requests to ``host`` reach Kommo once ``let_go`` is set."""

    def __init__(self, address: str, host: str) -> None:
        super().__init__(address)
        self._host, self.arrived, self.let_go = host, asyncio.Event(), asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == self._host:
            self.arrived.set()
            await self.let_go.wait()
        return await super().handle_async_request(request)


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=MovableClock(), own_hosts=True) as made:
        yield made


async def set_up_tenant(shared: World) -> Tenant:
    tenant = await new_tenant(shared)
    await set_up(shared.resources, tenant.account.id)
    return tenant


async def test_the_batches_of_an_account_share_one_reading_a_minute(shared: World) -> None:
    tenant = await set_up_tenant(shared)
    row = await tenant.row()
    before = tenant.asked.count(FIELDS)
    await asyncio.gather(*(check_map(shared.resources, row) for _ in range(3)))
    once = tenant.asked.count(FIELDS) - before
    shared.clock.advance(61)
    await check_map(shared.resources, row)
    assert (once, tenant.asked.count(FIELDS) - before) == (1, 2)


async def test_while_one_accounts_kommo_is_silent_another_account_is_checked(shared: World) -> None:
    silent, other = await set_up_tenant(shared), await set_up_tenant(shared)
    kommo = HeldKommo(shared.kommo_address, f"{silent.account.subdomain}.kommo.com")
    async with httpx.AsyncClient(transport=kommo, timeout=30.0) as http:
        resources = replace(shared.resources, kommo_http=http)
        waiting = asyncio.ensure_future(check_map(resources, await silent.row()))
        await kommo.arrived.wait()
        try:
            await asyncio.wait_for(check_map(resources, await other.row()), timeout=30.0)
            assert not waiting.done()
        finally:
            kommo.let_go.set()
            await waiting
