"""Waiting until nothing is left to do. Time in which everybody only waits is skipped."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from sqlmodel import col, select

from backend.storage.models import (
    Account,
    AccountWork,
    BotStep,
    Deal,
    InboxEvent,
    PaymentRequest,
    PendingInstall,
    Sending,
    StageEntry,
)
from tests.crash.rig.killable import KillableWorld

LOOK_SECONDS = 0.04
IDLE_SECONDS = 0.6
"""Longer than between two looks of a worker: an owner that does nothing for so long waits for a moment to come."""
AT_WORK = 0.0
"""Somebody is at it this very moment."""
STUCK_SECONDS = 30.0
"""Real time without any progress."""
ROUNDS = 1000


class NeverQuiet(Exception):
    """The product did not come to rest; the text says what was left."""


@dataclass(frozen=True)
class Left:
    """What is left to do: ``moments`` at which it goes on, and whether somebody may be at work on it now."""

    what: tuple[str, ...]
    moments: tuple[float, ...]
    owned: bool


async def quiet(world: KillableWorld) -> None:
    """Raises ``NeverQuiet``, and whatever the product did wrong on the way."""
    seen: tuple[object, ...] = ()
    since = time.monotonic()
    for _ in range(ROUNDS):
        if world.troubles:
            raise NeverQuiet("; ".join(world.troubles))
        left = await _left(world)
        if not left.what:
            return
        now = (len(world.wire.passed), world.deaths, _answers(world), left.what)
        if now != seen:
            seen, since = now, time.monotonic()
        _skip(world, left, time.monotonic() - since)
        if time.monotonic() - since > STUCK_SECONDS:
            break
        await asyncio.sleep(LOOK_SECONDS)
    raise NeverQuiet(f"left at {world.clock():.1f}: {'; '.join(left.what)}; goes on at {left.moments}")


def _skip(world: KillableWorld, left: Left, idle: float) -> None:
    now = world.clock()
    ahead = [moment for moment in left.moments if moment > now]
    is_waiting = len(ahead) == len(left.moments) > 0
    if is_waiting and world.wire.is_quiet and (idle > IDLE_SECONDS or not left.owned) and world.is_up:
        world.clock.set(min(ahead) + 0.01)
        world.stripe.tick()


def _answers(world: KillableWorld) -> int:
    return sum(len(delivery.answers) for delivery in world.stripe.courier.deliveries)


async def _left(world: KillableWorld) -> Left:
    found = list(_on_the_way(world))
    if all(moment != AT_WORK for _, moment in found):
        found += [one async for one in _in_database(world)]
    return Left(
        tuple(what for what, _ in found),
        tuple(moment for _, moment in found if moment is not None),
        any("is worked on" in what for what, _ in found),
    )


def _on_the_way(world: KillableWorld) -> Iterator[tuple[str, float | None]]:
    if not world.wire.is_quiet:
        yield "a request is under way", AT_WORK
    for delivery in world.stripe.courier.deliveries:
        if delivery.status == "pending":
            yield f"delivery of {delivery.event.type}", AT_WORK if delivery.under_way else delivery.due


async def _in_database(world: KillableWorld) -> AsyncIterator[tuple[str, float | None]]:
    async with world.database.read() as session:
        accounts = (await session.exec(select(Account))).all()
        works = (await session.exec(select(AccountWork))).all()
        events = (await session.exec(select(InboxEvent).where(col(InboxEvent.state).in_(("new", "postponed"))))).all()
        deals = (await session.exec(select(Deal).where(col(Deal.written) < col(Deal.wanted)))).all()
        entries = (await session.exec(select(StageEntry).where(StageEntry.state != "done"))).all()
        sendings = (await session.exec(select(Sending).where(col(Sending.due_at).is_not(None)))).all()
        bots = (await session.exec(select(BotStep).where(BotStep.state != "done"))).all()
        chased = (
            await session.exec(select(PaymentRequest).where(col(PaymentRequest.remind_at) <= world.clock()))
        ).all()
        codes = (await session.exec(select(PendingInstall))).all()
    connected = {account.id for account in accounts if account.state == "connected"}
    is_set_up = all(account.set_up_at for account in accounts if account.id in connected)
    if not is_set_up:
        yield "set-up", None
    for account in accounts:
        if account.refresh_until > world.clock():
            yield "a refresh that somebody began", account.refresh_until
    for work in works:
        if work.owner:
            yield f"account {work.account_id} is worked on", _ahead(world, work.lease_until)
        elif work.wanted > work.done:
            yield "an account that nobody works on", work.next_try_at
        if (events or deals or entries or sendings or bots or chased or not is_set_up) and work.wake_at:
            yield "an account's next look", _ahead(world, work.wake_at) if work.owner else work.wake_at
    for event in events:
        yield f"{event.state} {event.type}", _ahead(world, event.next_try_at)
    for deal in deals:
        if deal.account_id in connected:
            yield f"deal {deal.lead_id}: {deal.problem or 'dirty'}", _ahead(world, deal.next_try_at)
    for entry in entries:
        yield f"deal {entry.lead_id} in a stage", _ahead(world, entry.next_try_at)
    for sending in sendings:
        yield f"a {sending.state} sending", _ahead(world, sending.due_at or 0.0)
    for bot in bots:
        yield f"a bot at {bot.step}", _ahead(world, bot.next_try_at)
    for request in chased:
        yield "a request to be reminded of", _ahead(world, request.remind_at or 0.0)
    if codes:
        yield "a code or an answer that waits", None


def _ahead(world: KillableWorld, moment: float) -> float | None:
    """What is due already is for a worker to see, who looks twice a second."""
    return moment if moment > world.clock() else None
