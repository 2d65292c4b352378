"""Who may ask Kommo when: evenly spaced by account and by address, people before backlog, silence behind a block."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import perf_counter

import structlog

from backend.clock import Clock
from backend.db import Database
from backend.kommo_api.errors import KommoBlocked, KommoError, KommoRateLimited, KommoUnavailable, KommoUnreachable
from backend.models.rates import ADDRESS
from backend.rate import rows
from backend.rate.rows import FARTHEST_SECONDS, LONGEST_HOLD_SECONDS, Slot

JITTER_SECONDS = 0.1
"""Of the network: Kommo counts a second as it sees it."""
LATE_SECONDS = 0.05
"""A busy process may come so much later than its slot begins."""
MOST_TRIES = 3
"""A process that is always late goes all the same, some time."""
PAUSE_SECONDS = 1.0
"""For everybody after a 429 to one account."""
LATENCY_AT_FIRST = 0.3
NEVER_EARLY = 0.001

Check = Callable[[], Awaitable[None]]
log = structlog.get_logger()


class Pace:
    """One in each process, over rows that all of them share; ``turn`` is around each request.

    By an address's rate of 7 no second as Kommo sees it holds an eighth request, however the network shifts them. An
    account's rate is kept as it is given.
    """

    def __init__(self, database: Database, clock: Clock, *, account_rate: float, address_rate: float) -> None:
        self._database, self._clock = database, clock
        self._account_interval = 1 / account_rate
        self._address_interval = (1 + JITTER_SECONDS + LATE_SECONDS) / address_rate
        self._queues: dict[int, asyncio.Lock] = {}
        self._latencies: dict[int | None, float] = {}

    def under_way(self, account_id: int) -> float:
        """How many requests of this account must be under way at once for its rate to be used."""
        return self._latencies.get(account_id, LATENCY_AT_FIRST) / self._account_interval

    @asynccontextmanager
    async def turn(
        self, account_id: int | None, *, backlog: bool, last_check: Check | None = None
    ) -> AsyncIterator[None]:
        """Entered when the request may go; how it was answered is seen by the ``KommoError`` that passes through.

        Raises ``KommoRateLimited`` and ``KommoBlocked`` where nobody may ask now, and what ``last_check`` raises,
        which is awaited after all waiting. ``account_id`` is None while nobody knows whose request it is.
        ``backlog``: nobody waits for it, so it goes after those for whom somebody does.
        """
        refusals = 0
        if account_id is not None:
            refusals = (await self._slot(account_id, self._account_interval, backlog)).refusals
        probing = (await self._slot(ADDRESS, self._address_interval, backlog, last_check)).blocked_at > 0
        started = perf_counter()
        try:
            yield
        except KommoError as error:
            await self._answered(account_id, error, refusals, probing)
            raise
        await self._answered(account_id, None, refusals, probing)
        seconds = perf_counter() - started
        self._latencies[account_id] = 0.7 * self._latencies.get(account_id, seconds) + 0.3 * seconds

    async def _slot(self, row: int, interval: float, backlog: bool, last_check: Check | None = None) -> Slot:
        for _ in range(MOST_TRIES):
            slot = await (self._in_queue(row, interval) if backlog else self._next(row, interval))
            await self._check(slot)
            await asyncio.sleep(max(0.0, slot.at - self._clock()))
            if last_check is not None:
                await last_check()
            if slot.blocked_at or await self._keeps(row, slot, interval):
                break
        return slot

    async def _keeps(self, row: int, slot: Slot, interval: float) -> bool:
        """Whoever comes late may go if the next one can still be told to wait."""
        now = self._clock()
        if now - slot.at <= LATE_SECONDS:
            return True
        async with self._database.write() as session:
            return await rows.put_off(session, row, slot, now + interval)

    async def _next(self, row: int, interval: float) -> Slot:
        while True:
            slot = await self._take(row, interval, ahead=FARTHEST_SECONDS)
            if slot is not None:
                return slot

    async def _in_queue(self, row: int, interval: float) -> Slot:
        """In the order of coming, and never more than one slot ahead: whoever is waited for goes next."""
        async with self._queues.setdefault(row, asyncio.Lock()):
            while True:
                async with self._database.read() as session:
                    wait = await rows.next_at(session, row) - interval - self._clock()
                if 0 < wait < FARTHEST_SECONDS:
                    await asyncio.sleep(wait)
                slot = await self._take(row, interval, ahead=interval + NEVER_EARLY)
                if slot is not None:
                    return slot

    async def _take(self, row: int, interval: float, ahead: float) -> Slot | None:
        async with self._database.write() as session:
            return await rows.take(session, row, interval, self._clock(), ahead)

    async def _check(self, slot: Slot) -> None:
        """Raises where nobody may ask; behind a block one caller may, now and then."""
        now = self._clock()
        if now < slot.hold_until <= now + 2 * LONGEST_HOLD_SECONDS:
            raise KommoRateLimited("we wait as we were asked to", retry_after=slot.hold_until - now)
        if not slot.blocked_at:
            return
        async with self._database.write() as session:
            may_probe = await rows.probe(session, now)
        if not may_probe:
            raise KommoBlocked("nothing is sent", retry_after=max(0.0, slot.probe_at - now))

    async def _answered(self, account_id: int | None, error: KommoError | None, refusals: int, probing: bool) -> None:
        if isinstance(error, KommoBlocked):
            await self._blocked()
        elif isinstance(error, KommoRateLimited) or (error and error.retry_after):
            await self._hold(account_id, error.retry_after or _backoff(refusals))
        elif not isinstance(error, KommoUnreachable | KommoUnavailable):
            await self._came_through(account_id, refusals, probing)

    async def _blocked(self) -> None:
        async with self._database.write() as session:
            is_news = await rows.block(session, self._clock())
        if is_news:
            log.error("Kommo has blocked our address: nothing is sent to it but one call every half a minute")

    async def _hold(self, account_id: int | None, seconds: float) -> None:
        now = self._clock()
        until = now + min(seconds, LONGEST_HOLD_SECONDS) + random.uniform(0, 1)  # noqa: S311 (jitter)
        log.warning("Kommo asks us to slow down", account=account_id, seconds=round(until - now, 1))
        async with self._database.write() as session:
            await rows.pause(session, now + PAUSE_SECONDS)
            if account_id is not None:
                await rows.hold(session, account_id, until)

    async def _came_through(self, account_id: int | None, refusals: int, probing: bool) -> None:
        if not probing and not refusals:
            return
        async with self._database.write() as session:
            if probing:
                log.warning("Kommo answers our address again")
                await rows.unblock(session)
            if account_id is not None:
                await rows.forgiven(session, account_id)


def _backoff(refusals: int) -> float:
    """After a refusal that names no time: twice as long each time."""
    return float(min(2 ** (refusals + 1), 60))
