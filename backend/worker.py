"""The loop: claim an account, inbox → ledger, set up what is missing, ledger → card, give the account back."""

import asyncio
import random
import socket
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from backend.accounts.connect import connect_waiting
from backend.accounts.options import options_of
from backend.accounts.setup import look_again, set_up
from backend.accounts.tokens import refresh_idle
from backend.errors import NotConnected
from backend.inbox import next_due as next_event_due
from backend.ingest import ingest
from backend.kommo_api.errors import KommoBlocked, KommoError, KommoRateLimited, KommoUnpaid
from backend.leases import LEASE_SECONDS, Claim, LeaseLost, claim, hand_back, heartbeat, release
from backend.models import Account
from backend.resources import Resources
from backend.stripe_api.client import Unreachable
from backend.writer.audit import audit
from backend.writer.audit import next_due as next_audit_due
from backend.writer.batch import write_dirty
from backend.writer.journal import next_due as next_deal_due
from backend.writer.shadow import foresee

LOOK_SECONDS = 0.5
"""How often work of other processes is looked for; our own is announced by an event."""
TIMERS = ((10.0, connect_waiting), (600.0, refresh_idle), (600.0, look_again))
"""What is done beside the accounts' work, and how often."""
SET_UP_RETRY_SECONDS = 60.0
MAX_ACCOUNTS = 8
"""Accounts worked on at once by one process."""

log = structlog.get_logger()


class Worker:
    """``run`` until ``stop``; what is under way is finished or handed back."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._owner = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        self._stopping = asyncio.Event()
        self._jobs: set[asyncio.Task[None]] = set()
        self.beat_at = resources.clock()

    def stop(self) -> None:
        self._stopping.set()
        self._resources.work_arrived.set()

    async def run(self, grace_seconds: float = 15.0) -> None:
        timers = asyncio.create_task(self._timers())
        try:
            while not self._stopping.is_set():
                await self._look()
                await self._wait_for_work()
        finally:
            timers.cancel()
            with suppress(asyncio.CancelledError):
                await timers
            await self._finish(grace_seconds)

    async def _look(self) -> None:
        """Start a job for every account that waits, as far as there is room."""
        self._resources.work_arrived.clear()
        self.beat_at = self._resources.clock()
        try:
            while len(self._jobs) < MAX_ACCOUNTS and not self._stopping.is_set():
                claimed = await claim(self._resources.database, self._owner, self._resources.clock())
                if claimed is None:
                    return
                job = asyncio.create_task(self._job(claimed))
                self._jobs.add(job)
                job.add_done_callback(self._job_done)
        except Exception:  # the database is away: the loop must outlive that, and says so
            log.exception("looking for work failed")

    def _job_done(self, job: asyncio.Task[None]) -> None:
        self._jobs.discard(job)
        self._resources.work_arrived.set()

    async def _wait_for_work(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._resources.work_arrived.wait(), LOOK_SECONDS)

    async def _finish(self, grace_seconds: float) -> None:
        if self._jobs:
            _, late = await asyncio.wait(self._jobs, timeout=grace_seconds)
            for job in late:
                job.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _job(self, claimed: Claim) -> None:
        beating = asyncio.create_task(self._beat(claimed))
        try:
            await self._work(claimed)
        except LeaseLost as lost:
            log.warning("lease lost", reason=str(lost))
        except asyncio.CancelledError:
            await asyncio.shield(self._hand_back(claimed, 0.0))
            raise
        except Exception as error:
            await self._failed(claimed, error)
        finally:
            beating.cancel()

    async def _beat(self, claimed: Claim) -> None:
        """A long job keeps its lease; a lost lease ends the beating, and the job's next write is refused."""
        with suppress(LeaseLost):
            while True:
                await asyncio.sleep(LEASE_SECONDS / 3)
                await heartbeat(self._resources.database, claimed, self._resources.clock())

    async def _work(self, claimed: Claim) -> None:
        await ingest(self._resources, claimed)
        held = claimed.hold_until if claimed.hold_until > self._resources.clock() else None
        if held is None:
            held = await self._write(claimed)
        moment = await self._next_moment(claimed.account_id, held)
        await release(self._resources.database, claimed, wake_at=moment, hold_until=held)

    async def _write(self, claimed: Claim) -> float | None:
        """Set up and write; where Kommo does not let us, the moment until which the writer waits."""
        try:
            account = await self._ready(claimed.account_id)
            if account and options_of(account).shadow:
                await foresee(self._resources, claimed)
            elif account:
                await write_dirty(self._resources, claimed)
                await audit(self._resources, claimed)
        except (KommoError, NotConnected, Unreachable) as error:
            wait = _wait_seconds(error)
            log.warning("writing put off", account=claimed.account_id, seconds=round(wait, 1), reason=str(error))
            return self._resources.clock() + wait
        return None

    async def _ready(self, account_id: int) -> Account | None:
        """Connected and set up. An account that must be connected again keeps its deals dirty until it is."""
        async with self._resources.database.read() as session:
            account = await session.get(Account, account_id)
        if account is None or account.state != "connected":
            return None
        if not account.set_up_at:
            await set_up(self._resources, account_id)
        return account

    async def _next_moment(self, account_id: int, held: float | None) -> float | None:
        async with self._resources.database.read() as session:
            account = await session.get(Account, account_id)
            event_due = await next_event_due(session, account_id)
            connected = account is not None and account.state == "connected" and not options_of(account).shadow
            deal_due = await next_deal_due(session, account_id) if connected else None
            audit_due = await next_audit_due(session, account_id) if connected else None
        moments = [moment for moment in (deal_due, audit_due) if moment is not None]
        if held is not None and connected:
            moments = [max(held, min(moments, default=0.0))]
        return min((moment for moment in (event_due, *moments) if moment is not None), default=None)

    async def _failed(self, claimed: Claim, error: Exception) -> None:
        log.error("job failed", account=claimed.account_id, exc_info=error)
        with suppress(Exception):  # where even this fails, the lease runs out by itself
            await self._hand_back(claimed, _wait_seconds(error))

    async def _hand_back(self, claimed: Claim, wait: float) -> None:
        await hand_back(self._resources.database, claimed, next_try_at=self._resources.clock() + wait)

    async def _timers(self) -> None:
        async with asyncio.TaskGroup() as timers:
            for seconds, task in TIMERS:
                timers.create_task(self._every(seconds, task))

    async def _every(self, seconds: float, task: Callable[[Resources], Awaitable[None]]) -> None:
        while True:
            await _quietly(task.__name__, lambda: task(self._resources))
            await asyncio.sleep(seconds)


def _wait_seconds(error: Exception) -> float:
    """When to try again: soon after a hiccup, rarely behind a block."""
    if isinstance(error, KommoBlocked):
        return 30.0
    if isinstance(error, KommoUnpaid):
        return 60.0  # seen wrongly for minutes on paid accounts
    if isinstance(error, KommoRateLimited):
        return min(error.retry_after or 2.0, 300.0) + random.uniform(0, 1)  # noqa: S311 (jitter)
    return random.uniform(2.0, 8.0)  # noqa: S311 (jitter)


async def _quietly(what: str, call: Callable[[], Awaitable[object]]) -> None:
    try:
        await call()
    except Exception:  # a timer's failure must not end the worker; the next round tries again
        log.exception("timer failed", doing=what)
