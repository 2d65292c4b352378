"""Rate limiter of calls to Kommo: evenly spaced per account and per address, in fair shares, silent behind a block."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from time import perf_counter

import structlog

from backend.core.clock import Clock, lies_ahead
from backend.kommo_api.errors import KommoBlocked, KommoConnectionError, KommoError, KommoRateLimited, KommoUnavailable
from backend.rate_limit import store
from backend.rate_limit.batch_size import READ, WRITE, Sizes
from backend.rate_limit.fair_gate import FairGate
from backend.rate_limit.store import FARTHEST_SECONDS, LONGEST_HOLD_SECONDS, PROBE_SECONDS, Slot
from backend.rate_limit.unproven_lane import UnprovenLane
from backend.storage.db import Database
from backend.storage.models.rate_limits import ADDRESS

JITTER_SECONDS = 0.1
"""Jitter of the network: Kommo counts a second by the times of arrival."""
LATE_SECONDS = 0.05
"""How late a busy process may use its slot."""
PAUSE_SECONDS = 1.0
"""Pause of all accounts after a 429 to one of them."""
LATENCY_AT_FIRST = 0.3
A_MOMENT = 0.005
NOTED_SECONDS = 1.0
"""Longest time that an answer of Kommo is held back until its success is recorded."""
SHARE = 3
"""The backlog of an account gets every third slot."""

Check = Callable[[], Awaitable[None]]
log = structlog.get_logger()


class Pace:
    """The limiter, one per process, over rows that all processes share; ``turn`` surrounds each request.

    With an address rate of 7 no second, as Kommo sees it, holds an eighth request, whatever the network jitter
    (docs/facts/kommo-api.md 5). An account's rate is kept as given. ``reads`` and ``writes``: deals per call.
    """

    def __init__(self, database: Database, clock: Clock, *, account_rate: float, address_rate: float) -> None:
        self.reads, self.writes = Sizes(READ), Sizes(WRITE)
        self._database, self._clock = database, clock
        self._account_interval = 1 / account_rate
        self._address_interval = (1 + JITTER_SECONDS + LATE_SECONDS) / address_rate
        self._lines: dict[int | None, asyncio.Lock] = {}
        self._gates: dict[int, FairGate] = {}
        self._latencies: dict[int | None, float] = {}
        self._noting: set[asyncio.Task[None]] = set()
        self.unproven = UnprovenLane(clock)

    def under_way(self, account_id: int) -> float:
        """How many requests of this account must be under way at once to use its full rate; seldom a whole number."""
        return self._latencies.get(account_id, LATENCY_AT_FIRST) / self._account_interval

    @asynccontextmanager
    async def turn(
        self, account_id: int | None, *, backlog: bool, last_check: Check | None = None
    ) -> AsyncIterator[None]:
        """Wait for a slot and surround the request; a ``KommoError`` that passes through is recorded.

        Raises ``KommoRateLimited`` while Kommo wants us to wait and ``KommoBlocked`` behind a block. ``last_check`` is
        awaited after all waiting; its errors pass through. ``account_id`` None: the account is unknown yet.
        ``backlog``: no person waits, so the call goes after those of people of the same account.
        """
        refusals, key = 0, account_id or 0
        async with self._line(account_id, backlog):
            if account_id is not None:
                async with self._gate(account_id).turn(key, backlog=backlog):
                    slot = await self._slot(account_id, self._account_interval, backlog)
                    refusals, last_check = slot.refusals, self._last_look(account_id, slot, last_check)
            async with self._gate(ADDRESS).turn(key, backlog=backlog):
                probing = (await self._slot(ADDRESS, self._address_interval, backlog, last_check)).blocked_at > 0
        started = perf_counter()
        try:
            yield
        except KommoError as error:
            await self._answered(account_id, error, refusals, probing)
            raise
        seconds = perf_counter() - started
        self._latencies[account_id] = 0.7 * self._latencies.get(account_id, seconds) + 0.3 * seconds
        if probing or refusals:
            await self._note_success(account_id, refusals, probing)

    def _line(self, account_id: int | None, backlog: bool) -> AbstractAsyncContextManager[None]:
        """A lock that lets one backlog call of an account at a time wait for the address; none for people."""
        return self._lines.setdefault(account_id, asyncio.Lock()) if backlog else nullcontext()

    def _gate(self, row: int) -> FairGate:
        return self._gates.setdefault(row, FairGate())

    async def _slot(self, row: int, interval: float, backlog: bool, last_check: Check | None = None) -> Slot:
        while True:
            slot = await self._when_free(row, interval, backlog)
            await self._check(slot)
            slot = await self._waited_for(row, slot)
            if last_check is not None:
                await last_check()
            checked_at = self._clock()
            if not slot.blocked_at and not await self._keeps(row, slot, interval):
                continue
            if last_check is not None and self._clock() - checked_at > LATE_SECONDS:  # the process slept since
                await last_check()
            return slot

    async def _waited_for(self, row: int, slot: Slot) -> Slot:
        """Wait for the slot. Raises if Kommo limited or blocked us meanwhile, so that waiting calls are not sent."""
        wait = slot.at - self._clock()
        if wait > 0:
            await asyncio.sleep(wait)
        if wait <= 0 or slot.blocked_at:
            return slot
        slot = await store.as_it_stands(self._database, row, slot)
        await self._check(slot)
        return slot

    def _last_look(self, account_id: int, slot: Slot, last_check: Check | None) -> Check:
        """A check to run last: Kommo may have limited the account while the call waited for the address."""

        async def look() -> None:
            if self._clock() - slot.at > A_MOMENT:
                await self._check(await store.as_it_stands(self._database, account_id, slot))
            if last_check is not None:
                await last_check()

        return look

    async def _keeps(self, row: int, slot: Slot, interval: float) -> bool:
        """True if the slot may still be used. A late caller may go if the next slot is not taken yet and can move."""
        while self._clock() - slot.at > LATE_SECONDS:
            async with self._database.write_losable() as session:
                late = await store.put_off(session, row, slot, interval, self._clock())
            if late is None:
                return False
            slot = late
        return True

    async def _when_free(self, row: int, interval: float, backlog: bool) -> Slot:
        """The next slot. It is taken only when it is near, so that callers who arrive meanwhile get their turn.

        Other processes take slots of the same row. People reach one slot farther ahead than the backlog, and a backlog
        call that has waited for its share reaches farthest.
        """
        since = self._clock()
        slot = await self._take(row, interval, ahead=interval * _reach(backlog, waited=0))
        while slot is None:
            now = self._clock()
            ahead = interval * _reach(backlog, waited=(now - since) / interval)
            async with self._database.read() as session:
                wait = await store.next_at(session, row) - ahead - now
            if 0 < wait < FARTHEST_SECONDS:
                await asyncio.sleep(max(min(wait, interval), A_MOMENT))
                continue
            slot = await self._take(row, interval, ahead=ahead)
        return slot

    async def _take(self, row: int, interval: float, ahead: float) -> Slot | None:
        return await store.take(self._database, row, interval, self._clock(), ahead)

    async def _check(self, slot: Slot) -> None:
        """Raise if no call may be sent now. Behind a block one caller may probe every ``PROBE_SECONDS``."""
        now = self._clock()
        if lies_ahead(slot.hold_until, now, LONGEST_HOLD_SECONDS):
            raise KommoRateLimited("waiting as Kommo asked", retry_after=slot.hold_until - now)
        if not slot.blocked_at:
            return
        async with self._database.write() as session:
            may_probe = await store.probe(session, now)
        if not may_probe:
            raise KommoBlocked("no request was sent", retry_after=min(max(0.0, slot.probe_at - now), PROBE_SECONDS))

    async def _note_success(self, account_id: int | None, refusals: int, probing: bool) -> None:
        """Record a success for at most ``NOTED_SECONDS``. Its failure never costs the caller the answer: that may be a
        new token, which exists only there."""
        noting = asyncio.create_task(self._noted(account_id, refusals, probing))
        self._noting.add(noting)
        noting.add_done_callback(self._noting.discard)
        await asyncio.wait({noting}, timeout=NOTED_SECONDS)

    async def _noted(self, account_id: int | None, refusals: int, probing: bool) -> None:
        try:
            await self._answered(account_id, None, refusals, probing)
        except Exception as error:  # the next answer records it again
            log.warning("unblock record failed", account=account_id, reason=type(error).__name__)

    async def _answered(self, account_id: int | None, error: KommoError | None, refusals: int, probing: bool) -> None:
        if isinstance(error, KommoBlocked):
            await self._blocked()
        elif isinstance(error, KommoRateLimited) or (error and error.retry_after):
            await self._hold(account_id, error.retry_after or _backoff(refusals))
        elif not isinstance(error, KommoConnectionError | KommoUnavailable):
            await self._came_through(account_id, refusals, probing)

    async def _blocked(self) -> None:
        async with self._database.write() as session:
            is_news = await store.block(session, self._clock())
        if is_news:
            log.error("address blocked by Kommo", probe_seconds=PROBE_SECONDS)

    async def _hold(self, account_id: int | None, seconds: float) -> None:
        now = self._clock()
        until = now + min(seconds, LONGEST_HOLD_SECONDS - 1) + random.uniform(0, 1)  # noqa: S311 (jitter)
        log.warning("rate limited by Kommo", account=account_id, seconds=round(until - now, 1))
        async with self._database.write() as session:
            await store.pause(session, now + PAUSE_SECONDS, now)
            if account_id is not None:
                await store.hold(session, account_id, until, now)

    async def _came_through(self, account_id: int | None, refusals: int, probing: bool) -> None:
        if not probing and not refusals:
            return
        async with self._database.write() as session:
            if probing:
                log.warning("address unblocked by Kommo")
                await store.unblock(session)
            if account_id is not None:
                await store.forgiven(session, account_id)


def _reach(backlog: bool, *, waited: float) -> int:
    """How many slots ahead a slot is taken, by kind of caller and the number of slots it has waited."""
    if not backlog:
        return 2
    return 3 if waited > SHARE else 1


def _backoff(refusals: int) -> float:
    """Seconds to wait after a refusal that names no time: doubled each time, at most 60."""
    return float(min(2 ** (refusals + 1), 60))
