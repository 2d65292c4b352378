"""One write by one statement without the engine, for rows that are worth nothing after a restart."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from backend.storage.db import Database
from backend.storage.plain_reads import Prepared, Row, prepared


class PlainWrite:
    """A prepared ``INSERT`` with ``ON CONFLICT`` and ``RETURNING`` into ``table``.

    ``complete``: adds all but the table, and names the values by ``bindparam``.
    """

    def __init__(self, table: type[SQLModel], complete: Callable[[Any], Any]) -> None:
        self._on_sqlite, self._on_postgres = complete(sqlite.insert(table)), complete(postgresql.insert(table))

    @cached_property
    def _prepared(self) -> Prepared:
        return prepared(self._on_sqlite)

    async def first(self, database: Database, **values: Any) -> Row | None:
        """The row that the statement returns, or None. The commit does not wait for the disk.

        On SQLite it is tried on the event loop, and made in a unit of work if another one is being written. Raises
        ``OperationalError``.
        """
        if database.is_sqlite:
            text, fixed = self._prepared
            rows = database.plain_writer.write(text, fixed | values)
            if rows is not None:
                return rows[0] if rows else None
        statement = self._on_sqlite if database.is_sqlite else self._on_postgres
        async with database.write_losable() as session:
            found = (await (await session.connection()).execute(statement, values)).first()
        return None if found is None else tuple(found)
