"""Store webhooks in the inbox: many requests wait together for one commit.

The wake-up is in that commit, so the price of durability is paid once a group, on SQLite and on PostgreSQL alike.
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
"""The largest number of webhooks in one commit."""
DOOR_SECONDS = 8.0
"""A webhook that is not stored within this time is answered with an error, and Stripe sends it again."""


class Writer(Protocol):
    """The database's own way to store a group."""

    async def write(self, group: Group) -> Sequence[int]:
        """Insert the missing rows and wake the accounts, in one commit. Raises ``OperationalError``.

        Returns the accounts to which the connections in ``unowned`` belong after that commit.
        """


class Inbox:
    """Stores arrivals durably. One task commits for all waiting requests; it ends when none waits."""

    def __init__(self, database: Database, vault: Vault, arrived: asyncio.Event) -> None:
        self._database = database
        self._vault = vault
        self._arrived = arrived
        self._writer: Writer = SqliteWriter(database) if database.is_sqlite else PostgresWriter(database)
        self._waiting: list[tuple[Arrival, asyncio.Future[None]]] = []
        self._committer: asyncio.Task[None] | None = None

    async def put(self, arrival: Arrival) -> None:
        """Store an arrival; it is durable when this returns. Raises ``OperationalError``.

        If the database did not answer within ``DOOR_SECONDS``, the arrival may be stored all the same.
        """
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, stored))
        if self._committer is None or self._committer.done():
            self._committer = asyncio.create_task(self._commit_groups())
        async with self._database.bounded(DOOR_SECONDS):
            await stored

    async def _commit_groups(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
            group = [(arrival, stored) for arrival, stored in group if not stored.done()]  # done: its request timed out
            try:
                await self._commit([arrival for arrival, _ in group])
            except Exception as error:  # each waiting request gets it; the next group is tried by itself
                _settle(group, error)
            else:
                self._arrived.set()
                _settle(group, None)

    async def _commit(self, arrivals: Sequence[Arrival]) -> None:
        """Store the group, and wake the accounts that adopted its connections meanwhile.

        An account that adopts a connection after the commit finds the events there. One that adopted it between the
        webhook's look-up and the commit is woken here.
        """
        for account_id in await self._store(group_of(self._vault, arrivals)):
            async with account_unit(self._database, account_id) as session:
                await request_work(session, account_id)

    @repeated
    async def _store(self, group: Group) -> Sequence[int]:
        async with self._database.bounded(DOOR_SECONDS):
            return await self._writer.write(group)


def _settle(group: Sequence[tuple[Arrival, asyncio.Future[None]]], error: Exception | None) -> None:
    for _, stored in group:
        if stored.done():  # its request timed out meanwhile
            continue
        if error is None:
            stored.set_result(None)
        else:
            stored.set_exception(error)
