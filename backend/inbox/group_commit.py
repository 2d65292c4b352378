"""Webhooks on their way into the inbox: many requests wait together for one commit.

The wake-up is in that commit: the price of durability is paid once a group, on SQLite and on PostgreSQL alike.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from backend.core.vault import Vault
from backend.inbox.arrivals import Arrival, Group, group_of
from backend.inbox.postgres_writer import PostgresWriter
from backend.inbox.sqlite_writer import SqliteWriter
from backend.storage.db import Database
from backend.storage.repeating import repeated
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import request_work

GROUP = 500
DOOR_SECONDS = 8.0
"""A webhook that is not stored within this time is refused, and sent again by Stripe."""


class Writer(Protocol):
    async def write(self, group: Group) -> Sequence[int]:
        """Inserts the rows that are not there yet and wakes the accounts, in one commit. Returns the accounts that own
        one of the connections ``unowned`` after that commit. Raises ``OperationalError``."""


class Inbox:
    """``put`` returns after the commit. One task commits for all who wait; it lives while somebody does."""

    def __init__(self, database: Database, vault: Vault, arrived: asyncio.Event) -> None:
        self._database = database
        self._vault = vault
        self._arrived = arrived
        self._writer: Writer = SqliteWriter(database) if database.is_sqlite else PostgresWriter(database)
        self._waiting: list[tuple[Arrival, asyncio.Future[None]]] = []
        self._committer: asyncio.Task[None] | None = None

    async def put(self, arrival: Arrival) -> None:
        """Durable when this returns. Raises ``OperationalError``; where the database said nothing for
        ``DOOR_SECONDS``, the arrival may be stored all the same."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, stored))
        if self._committer is None or self._committer.done():
            self._committer = asyncio.create_task(self._commit_groups())
        async with self._database.bounded(DOOR_SECONDS):
            await stored

    async def _commit_groups(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
            group = [(arrival, stored) for arrival, stored in group if not stored.done()]  # others were given up
            try:
                await self._commit([arrival for arrival, _ in group])
            except Exception as error:  # each that waits is told; the next group has its own chance
                _settle(group, error)
            else:
                self._arrived.set()
                _settle(group, None)

    async def _commit(self, arrivals: Sequence[Arrival]) -> None:
        """An account that takes a connection after the commit finds the events there; one that took it between the
        door's look and the commit is woken here."""
        for account_id in await self._store(group_of(self._vault, arrivals)):
            async with account_unit(self._database, account_id) as session:
                await request_work(session, account_id)

    @repeated
    async def _store(self, group: Group) -> Sequence[int]:
        async with self._database.bounded(DOOR_SECONDS):
            return await self._writer.write(group)


def _settle(group: Sequence[tuple[Arrival, asyncio.Future[None]]], error: Exception | None) -> None:
    for _, stored in group:
        if stored.done():  # its request was given up meanwhile
            continue
        if error is None:
            stored.set_result(None)
        else:
            stored.set_exception(error)
