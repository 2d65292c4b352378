"""Many days in a minute: one payment a day while the clock is moved, and at the end every one is on its deal."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from backend.core.config import Settings
from backend.server.serving import serve
from sandbox.clock import MovableClock
from sandbox.stage import Stage, connect, set_stage
from sandbox.story import Differs, Storyteller, ask, pay

DAY = 86400.0
OPENED_LATE, SERVER_AWAY, REFUNDED = 5, 9, 10
"""Every so many days the client opens the link a day later, the webhooks come a day later, the money goes back."""


@dataclass
class Paid:
    """One payment, and what its deal must show at the end."""

    day: int
    lead_id: int
    amount: int
    refunded: bool = False


@dataclass
class Diary:
    teller: Storyteller
    clock: MovableClock
    paid: list[Paid] = field(default_factory=list)

    @property
    def stage(self) -> Stage:
        return self.teller.stage


async def live(days: int) -> int:
    """0 when everything is as promised; what differs is printed."""
    clock, started = MovableClock(), time.monotonic()
    async with set_stage(clock=clock, more={"KOMMO_RATE": "6.9"}) as stage, httpx.AsyncClient(timeout=30.0) as http:
        diary = Diary(Storyteller(stage, http), clock)
        try:
            async with _served(stage, clock):
                await connect(stage)
                await diary.teller.until("set up", lambda: bool(stage.stripe.default_account.shelves[True].endpoints))
                for day in range(days):
                    await _day(diary, day)
                await _look_back(diary)
        except Differs as difference:
            print(f"✗ {difference}")
            return 1
    print(f"{_told(diary)}, in {time.monotonic() - started:.0f} s.")
    return 0


@asynccontextmanager
async def _served(stage: Stage, clock: MovableClock) -> AsyncIterator[None]:
    """The product in this process: its clock must be moved with the worlds'."""
    given: dict[str, Any] = {name.lower(): value for name, value in stage.settings.items()}
    database = f"sqlite+aiosqlite:///{stage.folder}/product.db"
    settings = Settings(_env_file=None, database_url=database, **given)
    product = asyncio.create_task(serve(settings, with_worker=True, clock=clock))
    try:
        await _answering(product, stage.backend_url)
        yield
    finally:
        if not product.done():
            signal.raise_signal(signal.SIGTERM)
        await product


async def _answering(product: asyncio.Task[None], url: str) -> None:
    async with httpx.AsyncClient(timeout=2.0) as http:
        while not product.done():
            try:
                await http.get(f"{url}/healthz")
                return
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
    await product  # it ended; with its own words
    raise Differs("the product ended before it answered")


async def _day(diary: Diary, day: int) -> None:
    stage, teller = diary.stage, diary.teller
    one = Paid(day, stage.kommo.account.add_lead(f"Deal of day {day + 1}", 0).id, 10_00 + day)
    diary.paid.append(one)
    made = await ask(teller, one.lead_id, f"{one.amount // 100}.{one.amount % 100:02}", "USD")
    if day % OPENED_LATE == OPENED_LATE - 1:
        diary.clock.advance(DAY)
    stage.stripe.courier.held = day % SERVER_AWAY == SERVER_AWAY - 1
    await pay(teller, made["url"])
    if stage.stripe.courier.held:
        diary.clock.advance(DAY)
        stage.stripe.courier.release("reversed")
    await teller.until(f"day {day + 1} is paid", lambda: _shows(diary, one, "Paid"))
    if day % REFUNDED == REFUNDED - 1:
        one.refunded = True
        stage.stripe.refund(str(teller.deal(one.lead_id)["fields"]["STRIPE_PAYMENT_INTENT"]))
        await teller.until(f"day {day + 1} is refunded", lambda: _shows(diary, one, "Refunded"))
    diary.clock.advance(DAY)


def _shows(diary: Diary, one: Paid, state: str) -> bool:
    deal = diary.teller.deal(one.lead_id)
    notes = 2 if one.refunded else 1
    return deal["fields"].get("STRIPE_PAYMENT_STATUS") == state and len(deal["notes"]) == notes


async def _look_back(diary: Diary) -> None:
    """Every deal, to the cent; nothing is left over; and the account can still be written to."""
    for one in diary.paid:
        deal = diary.teller.deal(one.lead_id)
        state = "Refunded" if one.refunded else "Paid"
        found = (
            deal["fields"]["STRIPE_PAYMENT_STATUS"],
            round(float(deal["fields"]["STRIPE_AMOUNT_PAID"]) * 100),
            len(deal["notes"]),
            len(deal["moves"]),
        )
        promised = (state, one.amount, 2 if one.refunded else 1, 1)
        if found != promised:
            raise Differs(f"day {one.day + 1}, deal {one.lead_id}: promised {promised}, found {found}")
    answer = await diary.teller.http.get(f"{diary.stage.backend_url}/admin/api/unmatched", headers=diary.stage.admin)
    if answer.json():
        raise Differs(f"payments without a deal: {answer.json()}")
    accounts = await diary.teller.http.get(f"{diary.stage.backend_url}/admin/api/accounts", headers=diary.stage.admin)
    if [one["state"] for one in accounts.json()] != ["connected"]:
        raise Differs(f"the account is not connected any more: {accounts.json()}")


def _told(diary: Diary) -> str:
    refunded = sum(one.refunded for one in diary.paid)
    rotations = sum("/oauth2/access_token" in asked.path for asked in diary.stage.kommo.requests) - 1
    count = len(diary.paid)
    return f"{count} days: {count} payments on their deals, {refunded} refunded, {rotations} token refreshes"
