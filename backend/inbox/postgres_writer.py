"""The webhook endpoint's own connection to PostgreSQL: a group of webhooks is one round trip, sent as a pipeline."""

from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy.exc import OperationalError

from backend.inbox.arrivals import Group
from backend.inbox.statements import POSTGRES, as_lists
from backend.storage.db import ASLEEP_SECONDS, Database
from backend.storage.repeating import ENDED_BY_THE_DATABASE
from backend.work_queue.wakeups import CHANNEL


class PostgresWriter:
    """Writes groups, one at a time. It connects at the first one, and again after a failure."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: psycopg.AsyncConnection | None = None
        database.at_close(self._forget)

    async def write(self, group: Group) -> Sequence[int]:
        """As ``Writer.write``. A group of repeated deliveries wakes its accounts, too: finding out that no row is new
        would cost a second round trip."""
        try:
            return await self._write(group)
        except psycopg.Error as error:
            raise OperationalError("a group of webhooks", None, error) from error

    async def _write(self, group: Group) -> Sequence[int]:
        """Write the group; repeat it if a kept connection turns out to be closed, since
        existing rows stay as they are."""
        had_one = self._connection is not None
        try:
            return await self._commit(await self._opened(), group)
        except psycopg.OperationalError as error:
            await self._forget()
            if not had_one or error.sqlstate in ENDED_BY_THE_DATABASE:
                raise
            return await self._write(group)
        except BaseException:
            await self._forget()
            raise

    async def _commit(self, connection: psycopg.AsyncConnection, group: Group) -> Sequence[int]:
        """Write the group in the lock order: ``account_work`` before ``inbox_event``."""
        owners: list[psycopg.AsyncCursor[Any]] = []
        async with connection.pipeline(), connection.cursor() as cursor:
            await cursor.execute("BEGIN")
            await cursor.execute("SET LOCAL synchronous_commit TO on")
            for account_id in group.accounts:
                await cursor.execute(POSTGRES.wake_account, POSTGRES.wake(account_id))
            await cursor.execute(POSTGRES.insert_event, as_lists(group.rows))
            if group.accounts:
                await cursor.execute("SELECT pg_notify(%s, '')", (CHANNEL,))
            await cursor.execute("COMMIT")
            for connection_id in group.unowned:
                owners.append(await connection.execute(POSTGRES.owner, {"connection": connection_id}))
        return [account_id for found in owners for (account_id,) in await found.fetchall()]

    async def _opened(self) -> psycopg.AsyncConnection:
        if self._connection is None:
            words, options = self._database.connect_words()
            self._connection = await psycopg.AsyncConnection.connect(*words, **options, autocommit=True)
            await self._connection.execute(f"SET idle_in_transaction_session_timeout = '{ASLEEP_SECONDS}s'")
        return self._connection

    async def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
