"""The card's answer is remembered, and every change is in the next one: as a process says that remembers nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
from sqlalchemy import event, update
from sqlmodel import SQLModel

from backend.automation.sendings.plan import Origin, plan_sending
from backend.kommo_api.auth.widget_token import LEEWAY
from backend.storage.models import (
    Account,
    PaymentRequest,
    ReminderSettings,
    ReminderStop,
    Sending,
    StageEntry,
    StripeConnection,
)
from backend.work_queue.lock_order import account_unit
from sandbox.clock import MovableClock
from sandbox.kommo.records import Rights
from tests.world import World, open_world

REST_SECONDS = 20.0
"""After which a user may call many times at once again."""
OF_THE_CARD = "FROM stage_entry"


@dataclass
class Panel:
    """A card that is open: ``http`` is the web that remembers, the other one is new for each look."""

    world: World
    lead_id: int

    async def look(self, http: httpx.AsyncClient | None = None, **more: Any) -> httpx.Response:
        http = http or self.world.http
        return await http.get(f"/widget/deals/{self.lead_id}", headers=self.world.token(), **more)

    async def warm(self) -> Any:
        """What it shows, after as many looks as it takes to answer from memory."""
        for _ in range(3):
            answer = await self.look()
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def cold(self) -> Any:
        async with self.world.another_web() as http:
            return (await self.look(http)).json()

    async def shows(self, change: Callable[[], Awaitable[object]]) -> Any:
        """The card after the change, which the very next look shows."""
        self.world.clock.advance(REST_SECONDS)
        before = await self.warm()
        await change()
        after = (await self.look()).json()
        assert after == await self.cold()
        assert after != before
        return after


@asynccontextmanager
async def opened(database_url: str) -> AsyncIterator[Panel]:
    async with open_world(database_url, clock=MovableClock(), worker=False) as world:
        await world.rep.create()
        yield Panel(world, world.first_deal.id)


async def set_all(world: World, table: Any, **values: Any) -> None:
    async with world.resources.database.write() as session:
        await session.exec(update(table).values(**values))


async def add(world: World, *rows: SQLModel) -> None:
    async with world.resources.database.write() as session:
        session.add_all(rows)


async def test_a_card_that_nothing_changed_is_answered_from_memory(tmp_path: Any) -> None:
    async with opened(f"sqlite+aiosqlite:///{tmp_path}/x.db") as panel:
        asked: list[str] = []
        first = (await panel.look()).json()
        assert await panel.warm() == first
        database = panel.world.resources.database
        for engine in (database.engine, database._inline):
            event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        assert (await panel.look()).json() == first
        assert [one for one in asked if OF_THE_CARD in one] == []
        panel.world.clock.advance(11)
        assert (await panel.look()).json() == first
        assert [one for one in asked if OF_THE_CARD in one] != []


async def test_the_next_look_shows_what_changed(database_url: str) -> None:
    async with opened(database_url) as panel:
        world, shows = panel.world, panel.shows
        asked = await shows(lambda: world.rep.create(amount="7.00"))
        assert len(asked["requests"]) == 2
        (request, _) = await world.rows(PaymentRequest)

        async def send() -> None:
            async with account_unit(world.resources.database, world.account.id) as session:
                row = await session.get_one(PaymentRequest, (world.account.id, request.id))
                await plan_sending(
                    session,
                    request=row,
                    deal_id=panel.lead_id,
                    origin=Origin("person", "1", "Somebody asked", 1),
                    channels=("task",),
                    now=world.resources.clock(),
                )

        assert (await shows(send))["sendings"]
        await shows(lambda: set_all(world, Sending, state="done", channel="task", due_at=None))
        now = world.resources.clock()
        mine: dict[str, Any] = {"account_id": world.account.id, "lead_id": panel.lead_id}
        stop = (ReminderSettings(account_id=world.account.id), ReminderStop(**mine, stopped_at=now))
        assert (await shows(lambda: add(world, *stop)))["reminders"]["stopped"]
        entry = StageEntry(**mine, id="1", rule_id="1", root_id="1", received_at=now, state="done", outcome="no_amount")
        assert (await shows(lambda: add(world, entry)))["log"]
        await shows(lambda: world.stored.set_options(create=[]))
        await shows(lambda: world.stored.set_options(create="all", statement=True))
        await shows(lambda: set_all(world, PaymentRequest, description="Another name"))
        await shows(lambda: set_all(world, Account, state="reconnect"))
        await shows(lambda: set_all(world, Account, state="connected"))
        await shows(lambda: set_all(world, StripeConnection, api_key=""))


async def test_a_payment_and_a_refund_are_in_the_next_look(database_url: str) -> None:
    async with opened(database_url) as panel:
        world = panel.world
        world.stripe.pay_session(world.checkout.session["id"])
        paid = await panel.shows(world.rep.check)
        assert paid["payments"]


async def test_a_card_that_is_remembered_is_shown_to_those_alone_who_may_see_it(database_url: str) -> None:
    async with opened(database_url) as panel:
        world, path = panel.world, f"/widget/deals/{panel.lead_id}"
        await panel.warm()
        blind = world.account.add_user("Blind", "blind@example.com", leads=Rights(view="D", edit="D", delete="D"))
        assert (await world.http.get(path, headers=world.token(blind.id))).status_code == 403
        assert (await world.http.get(path, headers={"X-Auth-Token": "nothing"})).status_code == 401
        refunder = world.account.add_user("Refunder", "refunder@example.com")
        await world.stored.set_options(refunds=[refunder.id])
        assert (await panel.look()).json()["may"]["refund"] is False
        assert (await world.http.get(path, headers=world.token(refunder.id))).json()["may"]["refund"] is True


async def test_a_remembered_token_is_refused_once_it_expires_or_is_not_ours_any_more(database_url: str) -> None:
    async with opened(database_url) as panel:
        world, token = panel.world, panel.world.token()
        path = f"/widget/deals/{panel.lead_id}"

        async def status() -> int:
            world.clock.advance(0.5)
            return (await world.http.get(path, headers=token)).status_code

        assert [await status() for _ in range(3)] == [200] * 3
        await set_all(world, Account, client_id="another")
        assert await status() == 401
        await set_all(world, Account, client_id=world.rep.client_id)
        assert await status() == 200
        expired_at = jwt.decode(token["X-Auth-Token"], options={"verify_signature": False})["exp"] + LEEWAY
        world.clock.advance(expired_at - 3 - world.clock())
        assert [await status() for _ in range(5)] == [200] * 5
        world.clock.advance(0.5)
        assert await status() == 401
