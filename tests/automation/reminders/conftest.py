"""A merchant who chases what is due: both worlds, and an account's turns one after the other, as the test asks."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from backend.automation.reminders.settings import put_chasing
from backend.core.days import day_at
from backend.storage.models import Reminder, Sending
from backend.work_queue.leases import claim
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import request_work
from backend.worker.account_turn import take_in_news, write_deals
from sandbox.clock import MovableClock
from sandbox.kommo.accounts.chat_acts import add_bot, client_writes
from sandbox.kommo.chat_records import Message
from tests.world import World, open_world

DAY, HOUR = 86400.0, 3600.0
MONDAY_AT_NINE = 1_796_029_200.0
"""2026-11-30 09:00 UTC."""
ALWAYS: dict[str, Any] = {"send_hours": [0, 24], "send_weekdays": [1, 2, 3, 4, 5, 6, 7], "send_time_zone": "UTC"}


@dataclass
class Merchant:
    world: World

    @property
    def lead_id(self) -> int:
        return self.world.first_deal.id

    async def chooses(self, *days: int, channel: str = "bot", **more: Any) -> None:
        """Reminders so many days after the due date, each by that channel."""
        rules = [{"days": one, "channel": channel} for one in days]
        await self.put({"rules": rules, **more})

    async def put(self, chosen: dict[str, Any]) -> None:
        await put_chasing(self.world.resources, self.world.account.id, chosen, who="the test")

    async def asks(self, due_in: int, **more: Any) -> dict[str, Any]:
        """A request that is due in so many days, of the first deal; test money goes only to a deal with that tag."""
        self.world.kommo.person().tag_lead(self.lead_id, "stripe-test")
        due = day_at(self.world.clock(), "UTC") + timedelta(days=due_in)
        return await self.world.rep.create(**{"due_on": due.isoformat(), "valid_until": None} | more)

    async def turn(self) -> None:
        """What a worker does with the account, until nothing is due."""
        resources, courier = self.world.resources, self.world.stripe.courier
        await self.world.until(
            lambda: all(one.status != "pending" for one in courier.deliveries)
        )  # they lock the account
        for _ in range(4):
            claimed = await claim(resources.database, "the test", resources.clock())
            if claimed is None:
                return
            await take_in_news(resources, claimed)
            await write_deals(resources, claimed)

    async def lives(self, days: float) -> None:
        """Time passes, with turns in each hour in which something may be due."""
        for _ in range(round(days * 4)):
            self.world.stripe.advance(DAY / 4)
            await self.turn()

    async def sleeps(self, days: float) -> None:
        """Time passes, and nothing of ours runs."""
        self.world.stripe.advance(days * DAY)

    def client_writes(self, text: str = "Hello") -> Message:
        return client_writes(self.world.account, self.lead_id, text, "telegram")

    async def steps(self) -> list[tuple[str, str, str]]:
        """What became of the steps: name, state, reason; in the order in which they were decided."""
        rows = await self.world.rows(Reminder)
        ordered = sorted(rows, key=lambda row: (row.request_id, row.number))
        return [(row.step, row.state, row.reason) for row in ordered]

    async def reminders(self) -> list[Reminder]:
        rows: list[Reminder] = await self.world.rows(Reminder)
        return rows

    async def sendings(self) -> list[Sending]:
        async with self.world.resources.database.read() as session:
            return list((await session.exec(select(Sending).order_by(col(Sending.created_at)))).all())

    @property
    def messages(self) -> list[str]:
        return [one.text for one in self.world.account.chats.messages if not one.incoming]

    @property
    def tasks(self) -> list[Any]:
        return list(self.world.account.tasks.values())


@pytest.fixture
async def merchant(database_url: str, anyio_backend: str) -> AsyncIterator[Merchant]:
    began = time.monotonic()
    clock = MovableClock(lambda: MONDAY_AT_NINE + time.monotonic() - began)
    async with open_world(database_url, clock=clock, worker=False) as world:
        world.kommo.switches.set("chat_scopes", "present")
        made = Merchant(world)
        made.client_writes()
        async with account_unit(world.resources.database, world.account.id) as session:
            await request_work(session, world.account.id)
        await made.turn()
        field = world.account.field("STRIPE_PAYMENT_LINK")
        assert field is not None
        bot = add_bot(world.account, "Remind", f"Pay here: {{{{lead.cf.{field.id}}}}}")
        await world.stored.set_options(**ALWAYS, send_bot=bot.id)
        yield made
