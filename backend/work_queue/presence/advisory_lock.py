"""Presence on PostgreSQL: one unshared connection that holds an advisory lock and listens for announcements of work."""

import asyncio
from collections.abc import Collection
from typing import cast

import psycopg
import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.storage.db import Database
from backend.work_queue.wakeups import CHANNEL, notify

LOCK_CLASS = 0x6B73
"""The first of the two numbers of our locks; the second is the worker's own."""
CHECK_SECONDS = 5.0
AGAIN_SECONDS = 0.3
POOLED_SECONDS = 60.0
"""How long to wait before checking again whether a pooler is still in between."""
HEARD_SECONDS = 1.0

_HELD = text("""
    SELECT objid::bigint FROM pg_locks
    WHERE locktype = 'advisory' AND classid = :ours AND objsubid = 2 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")
log = structlog.get_logger()


class LockSession:
    """Holds the lock while its ``keep`` runs in a task.

    A pooler that lends connections by transaction leaves no session to hold. It is detected by a notification that does
    not arrive; then only polling and leases remain.
    """

    def __init__(self, database: Database, news: asyncio.Event, number: int) -> None:
        self._database, self._news, self._number = database, news, number
        self._missed: set[int] = set()
        self.lock = 0
        self.tried = asyncio.Event()
        """Set once it is known whether a lock can be held. Only their lease frees accounts claimed before that."""

    async def dead(self, locks: Collection[int]) -> set[int]:
        """Those of ``locks`` that were missing at two calls in a row, so a database restart does not evict live
        workers."""
        async with self._database.read() as session:
            held = set((await (await session.connection()).execute(_HELD, {"ours": LOCK_CLASS})).scalars())
        missing = set(locks) - held
        dead, self._missed = missing & self._missed, missing
        return dead

    async def keep(self) -> None:
        """Hold the lock and listen, reconnecting after each failure; runs until it is cancelled."""
        while True:
            wait = AGAIN_SECONDS
            try:
                await self._hold()
                wait = POOLED_SECONDS
            except (SQLAlchemyError, psycopg.Error, OSError, TimeoutError) as error:
                log.warning("listen session lost", reason=str(error).strip())
            finally:
                self.lock = 0
                self.tried.set()
            await asyncio.sleep(wait)

    async def _hold(self) -> None:
        """Hold the lock until the connection fails; returns if there is no session to hold."""
        async with self._database.unshared() as connection:
            driver = cast(psycopg.AsyncConnection, (await connection.get_raw_connection()).driver_connection)
            await driver.execute(f"LISTEN {CHANNEL}")
            if not await self._hears_itself(driver):
                log.warning("notifications unavailable", reason="a pooler by transaction?", instead="polling")
                return
            while True:
                # Not wait_for: in Python 3.11 it drops a cancellation that arrives as the call returns
                # (https://github.com/python/cpython/issues/86296), and the process would not end.
                async with asyncio.timeout(CHECK_SECONDS):
                    await self._take_lock(driver)
                async for _ in driver.notifies(timeout=CHECK_SECONDS):
                    self._news.set()

    async def _take_lock(self, driver: psycopg.AsyncConnection) -> None:
        """Take the lock or test the connection. Called repeatedly: a broken connection raises here, and the lock may
        become free only once the server has noticed the end of our last session."""
        if self.lock:
            await driver.execute("SELECT 1")
            return
        answer = await driver.execute("SELECT pg_try_advisory_lock(%s, %s)", (LOCK_CLASS, self._number))
        row = await answer.fetchone()
        self.lock = self._number if row and row[0] else 0
        self.tried.set()

    async def _hears_itself(self, driver: psycopg.AsyncConnection) -> bool:
        async with self._database.write() as session:
            await notify(session, str(self._number))
        async for heard in driver.notifies(timeout=HEARD_SECONDS):
            self._news.set()
            if heard.payload == str(self._number):
                return True
        return False
