"""A desk from which links are sent: both worlds, and an account's turns one after the other, as the test asks."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlmodel import col, select

from backend.automation.sendings.plan import Channel, Origin, plan_sending
from backend.storage.models import PaymentRequest, Sending
from backend.work_queue.leases import claim
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import request_work
from backend.worker.account_turn import take_in_news, write_deals
from sandbox.clock import MovableClock
from sandbox.kommo.accounts.chat_acts import add_bot, client_writes
from sandbox.kommo.chat_records import Message, Salesbot
from tests.world import World, open_world

MONDAY_AT_TEN = 1_796_050_800.0
"""2026-11-30 15:00 UTC, which is ten in the morning in New York, where the first account is."""
ALWAYS = {"send_hours": [0, 24], "send_weekdays": [1, 2, 3, 4, 5, 6, 7]}
LINK_FIELD = "STRIPE_PAYMENT_LINK"


@dataclass
class Desk:
    world: World
    count: int = field(default=0)

    @property
    def lead_id(self) -> int:
        return self.world.first_deal.id

    async def request(self, **more: Any) -> dict[str, Any]:
        return await self.world.rep.create(**more)

    def client_writes(self, lead_id: int | None = None, text: str = "Hello") -> Message:
        return client_writes(self.world.account, lead_id or self.lead_id, text)

    async def bot(self, says: str | None = None, **facts: Any) -> Salesbot:
        """A bot that says the link, and that the account has chosen. The fields are made before."""
        await self.turn()
        known = self.world.account.field(LINK_FIELD)
        assert known is not None
        made = add_bot(self.world.account, "Ask", says or f"Pay here: {{{{lead.cf.{known.id}}}}}", **facts)
        await self.world.stored.set_options(send_bot=made.id)
        return made

    async def plan(
        self, request: dict[str, Any], kind: str = "rule", *channels: Channel, key: str = "", lead_id: int | None = None
    ) -> Sending:
        resources = self.world.resources
        self.count += 1
        origin = Origin(kind, key or str(self.count), "Stage *Offer sent*", 1 if kind == "person" else 0)  # type: ignore[arg-type]
        async with account_unit(resources.database, self.world.account.id) as session:
            row = await session.get_one(PaymentRequest, (self.world.account.id, request["id"]))
            return await plan_sending(
                session,
                request=row,
                deal_id=lead_id or row.lead_id,
                origin=origin,
                channels=channels or ("bot", "chat", "task"),
                now=resources.clock(),
            )

    async def turn(self, owner: str = "the test") -> None:
        """What a worker does with the account until nothing is due."""
        resources = self.world.resources
        claimed = await claim(resources.database, owner, resources.clock())
        if claimed is not None:
            await take_in_news(resources, claimed)
            await write_deals(resources, claimed)

    async def later(self, seconds: float) -> None:
        self.world.clock.advance(seconds)
        await self.turn()

    async def sent(self, sending: Sending | None = None) -> Sending:
        """The row as it is now; the newest where none is named."""
        async with self.world.resources.database.read() as session:
            found = (await session.exec(select(Sending).order_by(col(Sending.created_at)))).all()
        return next(one for one in reversed(found) if sending is None or one.id == sending.id)

    @property
    def messages(self) -> list[str]:
        """What reached, or may reach, the client."""
        return [one.text for one in self.world.account.chats.messages if not one.incoming]

    @property
    def tasks(self) -> list[str]:
        return [one.text for one in self.world.account.tasks.values()]


@pytest.fixture
async def desk(daily_url: str, anyio_backend: str) -> AsyncIterator[Desk]:
    async with _open_desk(daily_url) as found:
        yield found


@pytest.fixture
async def desk_on_both(database_url: str, anyio_backend: str) -> AsyncIterator[Desk]:
    """For what the databases could do differently: locks, and who sees what when."""
    async with _open_desk(database_url) as found:
        yield found


@asynccontextmanager
async def _open_desk(url: str) -> AsyncIterator[Desk]:
    began = time.monotonic()
    clock = MovableClock(lambda: MONDAY_AT_TEN + time.monotonic() - began)
    async with open_world(url, clock=clock, worker=False) as world:
        world.kommo.switches.set("chat_scopes", "present")
        await world.stored.set_options(**ALWAYS)
        async with account_unit(world.resources.database, world.account.id) as session:
            await request_work(session, world.account.id)
        yield Desk(world)
