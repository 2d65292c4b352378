"""The worker's loop: claim waiting accounts, give them turns, reclaim accounts of dead workers, run the timers."""

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from math import inf

import structlog

from backend.core.telemetry.traces import WITHIN, span
from backend.resources import Resources
from backend.storage.counters import BEAT_SECONDS
from backend.work_queue.burial import DEAD_SECONDS, free_what_the_dead_held
from backend.work_queue.heartbeats import beat, leave
from backend.work_queue.leases import (
    LEASE_SECONDS,
    Claim,
    LeaseLost,
    check,
    claim,
    hand_back,
    heartbeat,
)
from backend.work_queue.presence import Presence, present
from backend.worker.account_turn import take_in_news, wait_seconds, write_deals
from backend.worker.timers import TIMERS, every, quietly

LOOK_SECONDS = 0.5
"""How often to poll for work of other processes without notifications; an event announces work of this process."""
MAX_ACCOUNTS = 8
"""Accounts whose events one process takes into the ledger at once."""
MAX_WRITING = 64
"""Accounts whose deals one process writes at once. Far more, because writing mostly waits for Kommo, and an account
whose Kommo hangs must not block one whose Kommo is healthy."""
NO_ROOM_SECONDS = 1.0
"""How soon an account is tried again after ``MAX_WRITING`` others were being written."""
HAND_BACK_SECONDS = 3.0

log = structlog.get_logger()


class Worker:
    """A worker: ``run`` works until ``stop``; jobs under way are then finished or handed back."""

    def __init__(self, resources: Resources) -> None:
        self._stopping = asyncio.Event()
        self._resources = replace(resources, stopping=self._stopping, backlog=True)
        self._owner = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        self._jobs: set[asyncio.Task[None]] = set()
        self._reading = 0
        self._writing = 0
        self._turns = 0
        self._timers: asyncio.Task[None] | None = None
        self._started_at = self._looked_at = resources.clock()

    def stop(self) -> None:
        """Stop claiming accounts and let ``run`` or ``drain`` end."""
        self._stopping.set()
        self._resources.work_arrived.set()

    async def run(self, grace_seconds: float = 15.0) -> None:
        """Work until ``stop()``. Then give running jobs ``grace_seconds`` to finish and hand back the others."""
        async with self._at_work(grace_seconds) as presence:
            self._timers = asyncio.create_task(self._beside(presence))
            while not self._stopping.is_set():
                await self._look(presence)
                await self._wait_for_work()

    async def drain(self, grace_seconds: float = 15.0, at_most: float = inf) -> int:
        """Run each timer once and give turns until no account is due; returns the number of turns. Ends early at
        ``stop()``, and after ``at_most`` seconds.

        Database errors are raised: for a scheduler a run without a database has failed.
        """
        async with self._at_work(grace_seconds) as presence:
            ending = asyncio.get_running_loop().call_later(at_most, self.stop) if at_most < inf else None
            await self._bury(presence)
            await self._beat()
            self._timers = asyncio.create_task(self._all_timers())
            while not self._stopping.is_set():
                were_over = self._timers.done()  # before the look: what they brought is seen by it
                await self._claim_what_waits(presence)
                if were_over and not self._jobs:
                    break
                await self._wait_for_work()
            if ending:
                ending.cancel()
        return self._turns

    async def _all_timers(self) -> None:
        for _, task in TIMERS:
            await quietly(task.__name__, partial(task, self._resources))
        self._resources.work_arrived.set()

    @asynccontextmanager
    async def _at_work(self, grace_seconds: float) -> AsyncIterator[Presence]:
        resources = self._resources
        async with present(resources.database, resources.work_arrived, resources.randomness) as presence:
            resources.alive.lock = lambda: presence.lock
            try:
                yield presence
            finally:
                timers = (self._timers,) if self._timers else ()
                for timer in timers:
                    timer.cancel()
                await asyncio.gather(self._finish(grace_seconds), *timers, return_exceptions=True)
                resources.alive.lock = lambda: 0
        leaving = leave(resources.database, self._owner)
        await quietly("leaving", lambda: asyncio.wait_for(leaving, HAND_BACK_SECONDS))

    async def _look(self, presence: Presence) -> None:
        try:
            await self._claim_what_waits(presence)
            self._looked_at = self._resources.clock()
        except Exception:  # the loop must survive a database that is unreachable
            log.exception("work claim failed")

    async def _claim_what_waits(self, presence: Presence) -> None:
        """Start a job for every account that waits, as far as there is room."""
        resources = self._resources
        resources.work_arrived.clear()
        while self._reading < MAX_ACCOUNTS and not self._stopping.is_set():
            claimed = await claim(resources.database, self._owner, resources.clock(), presence.lock)
            if claimed is None:
                break
            self._reading += 1
            self._turns += 1
            job = asyncio.create_task(self._job(claimed))
            self._jobs.add(job)
            job.add_done_callback(self._job_done)

    def _job_done(self, job: asyncio.Task[None]) -> None:
        self._jobs.discard(job)
        self._resources.work_arrived.set()

    async def _wait_for_work(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self._resources.work_arrived.wait()

    async def _finish(self, grace_seconds: float) -> None:
        await self._resources.beside.stop()
        if self._jobs:
            _, late = await asyncio.wait(self._jobs, timeout=grace_seconds)
            for job in late:
                job.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _job(self, claimed: Claim) -> None:
        database, clock = self._resources.database, self._resources.clock
        mine = replace(self._resources, still_ours=lambda: check(database, claimed, clock()))
        beating = asyncio.create_task(self._keep(claimed))
        try:
            with span("turn", WITHIN, {"account": claimed.account_id}):
                await self._turn(mine, claimed)
        except LeaseLost as lost:
            log.warning("lease lost", reason=str(lost))
        except asyncio.CancelledError:
            await asyncio.shield(self._hand_back(claimed, 0.0))
            raise
        except Exception as error:
            log.error("job failed", account=claimed.account_id, exc_info=error)
            await self._hand_back(claimed, wait_seconds(error))
        finally:
            beating.cancel()

    async def _turn(self, mine: Resources, claimed: Claim) -> None:
        """Both halves of the turn; only the writing half counts against ``MAX_WRITING``."""
        try:
            await take_in_news(mine, claimed)
        finally:
            self._reading -= 1
            self._resources.work_arrived.set()
        if self._writing >= MAX_WRITING:
            await self._hand_back(claimed, NO_ROOM_SECONDS)
            return
        self._writing += 1
        try:
            await write_deals(mine, claimed)
        finally:
            self._writing -= 1

    async def _keep(self, claimed: Claim) -> None:
        """Extend the lease of a long job, also after database errors. A lost lease ends this, and the job's next write
        is refused."""
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            try:
                await heartbeat(self._resources.database, claimed, self._resources.clock())
            except LeaseLost:
                return
            except Exception:
                log.exception("heartbeat failed", account=claimed.account_id)

    async def _hand_back(self, claimed: Claim, wait: float) -> None:
        """Release the account undone. If even this fails, the lease runs out by itself."""
        giving = hand_back(self._resources.database, claimed, next_try_at=self._resources.clock() + wait)
        await quietly("handing back", lambda: asyncio.wait_for(giving, HAND_BACK_SECONDS))

    async def _beside(self, presence: Presence) -> None:
        resources = self._resources
        async with asyncio.TaskGroup() as timers:
            timers.create_task(every(DEAD_SECONDS, "looking after the dead", lambda: self._bury(presence)))
            timers.create_task(every(BEAT_SECONDS, "beat", self._beat))
            for seconds, task in TIMERS:
                timers.create_task(every(seconds, task.__name__, partial(task, resources)))

    async def _bury(self, presence: Presence) -> None:
        """Free the accounts of dead workers and claim them at once."""
        if await free_what_the_dead_held(self._resources.database, presence, self._resources.clock):
            self._resources.work_arrived.set()

    async def _beat(self) -> None:
        """Record when the loop last looked for work: the beat of a hanging loop ages although this timer runs."""
        await beat(self._resources.database, self._owner, self._started_at, self._looked_at)
