"""SQL statements are compiled once in a process, rather than once for each engine.

A process in production has one engine and compiles each statement once. Each test opens engines of its own: compiling
would be a quarter of its work.
"""

from sqlalchemy import Connection, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache

SHARED = (SQLiteDialect_aiosqlite, PGDialectAsync_psycopg)
_compiled: LRUCache = LRUCache(3000)  # type: ignore[type-arg]


def share_statements() -> None:
    """The key of a compiled statement names its dialect: those of a kind count as one."""
    for dialect in SHARED:
        dialect.__eq__, dialect.__hash__ = _are_of_a_kind, _hash_of_its_kind  # type: ignore[method-assign]
    event.listen(Engine, "engine_connect", _with_shared)


def _are_of_a_kind(self: object, other: object) -> bool:
    return type(self) is type(other)


def _hash_of_its_kind(self: object) -> int:
    return hash(type(self))


def _with_shared(connection: Connection) -> None:
    if isinstance(connection.dialect, SHARED):
        connection.execution_options(compiled_cache=_compiled)
