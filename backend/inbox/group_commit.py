"""Webhooks on their way into the inbox: many requests wait together for one commit.

The wake-up is in that commit: the price of durability is paid once a group, on SQLite and on PostgreSQL alike.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, Protocol

from sqlmodel import col, select

from backend.core.vault import Vault
from backend.inbox.arrivals import Arrival, Group, group_of
from backend.inbox.postgres_writer import PostgresWriter
from backend.inbox.sqlite_writer import SqliteWriter
from backend.storage.db import Database
from backend.storage.models import StripeConnection
from backend.storage.repeating import repeated
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import request_work

GROUP = 500
DOOR_SECONDS = 8.0
"""A webhook that is not stored within this time is refused, and sent again by Stripe."""


class Writer(Protocol):
    async def write(self, rows: Sequence[dict[str, Any]], accounts: Sequence[int]) -> None:
        """Insert the rows that are not there yet and wake the accounts, in one commit. Raises ``OperationalError``."""


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
        group = group_of(self._vault, arrivals)
        await self._store(group)
        nobodys = {one.connection_id for one in arrivals if one.account_id is None and one.state == "new"}
        for account_id in await self._owners(nobodys):
            async with account_unit(self._database, account_id) as session:
                await request_work(session, account_id)

    @repeated
    async def _store(self, group: Group) -> None:
        async with self._database.bounded(DOOR_SECONDS):
            await self._writer.write(group.rows, group.accounts)

    async def _owners(self, connection_ids: Collection[str]) -> list[int]:
        """Accounts that took one of these connections since the door looked.

        Read after the events are committed: an account that takes one later finds them there.
        """
        if not connection_ids:
            return []
        async with self._database.read() as session:
            found = await session.exec(
                select(StripeConnection.account_id).where(col(StripeConnection.id).in_(connection_ids))
            )
            return sorted({account_id for account_id in found.all() if account_id is not None})


def _settle(group: Sequence[tuple[Arrival, asyncio.Future[None]]], error: Exception | None) -> None:
    for _, stored in group:
        if stored.done():  # its request was given up meanwhile
            continue
        if error is None:
            stored.set_result(None)
        else:
            stored.set_exception(error)
