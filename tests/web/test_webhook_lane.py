"""Stripe's door beside everybody else who calls: what it needs of the database is small, and is not in their share."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import orjson
from fastapi import FastAPI
from sqlalchemy import event
from stripe import WebhookSignature

from backend.storage.models import StripeConnection
from backend.web.app import WEB_UNITS, create_app
from tests.web.holding import held
from tests.world import ADMIN_TOKEN, World, open_world

PATIENCE_SECONDS = 30.0
FEW = 5
"""The first read, and those that all who were refused share."""
SECRET = "whsec_given_by_hand"


@dataclass
class Door:
    world: World
    app: FastAPI
    http: httpx.AsyncClient
    url: str

    async def post(self, event_id: str) -> int:
        body = orjson.dumps({"id": event_id, "object": "event", "type": "customer.created", "created": 1_800_000_000,
                             "livemode": True, "data": {"object": {"id": "cus_1"}}})  # fmt: skip
        header = WebhookSignature.generate_signature_header(body.decode(), SECRET, timestamp=int(time.time()))
        return (await self.http.post(self.url, content=body, headers={"Stripe-Signature": header})).status_code

    async def lie(self, url: str = "") -> int:
        return (await self.http.post(url or self.url, content=b"{}")).status_code


@asynccontextmanager
async def opened(database_url: str) -> AsyncIterator[Door]:
    async with open_world(database_url, worker=False, more={"stripe_webhook_secret": SECRET}) as world:
        app = create_app(world.resources, admin_token=ADMIN_TOKEN)
        connection = next(one for one in await world.rows(StripeConnection) if one.given_secrets)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=world.url) as http:
            yield Door(world, app, http, f"/stripe/webhook/{connection.id}")


async def test_many_at_once_read_the_connection_once(database_url: str) -> None:
    """Half-sent ones too: the connection is looked up before a body is read."""
    async with opened(database_url) as door:
        asked: list[str] = []
        engine = door.world.resources.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        assert set(await asyncio.gather(*(door.lie() for _ in range(60)))) == {400}
        assert len([one for one in asked if "FROM stripe_connection" in one]) <= FEW


async def test_an_event_is_stored_while_the_web_uses_all_of_its_share(database_url: str) -> None:
    async with opened(database_url) as door:
        assert await door.post("evt_1") == 200  # its connection has been read once
        leave = asyncio.Event()
        holding = [await held(door.app.state.resources.database, leave) for _ in range(WEB_UNITS)]
        waiting = [asyncio.create_task(door.lie("/stripe/webhook/nobody")) for _ in range(30)]
        await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await door.post("evt_2") == 200
        is_sqlite = door.world.resources.database.is_sqlite  # there a look is over before anybody could wait
        assert is_sqlite or not any(one.done() for one in waiting)
        leave.set()
        await asyncio.gather(*holding)
        assert set(await asyncio.gather(*waiting)) == {404}
