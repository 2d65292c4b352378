"""SQLite's statements in one step each: all rows arrive, long reads leave the event loop, and nothing blocks it."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from backend.storage.threaded_sqlite import ROWS_A_STEP, SHORT_OPERATIONS, StatementConnection, open_threaded

COUNT = 3 * ROWS_A_STEP
ALL = "SELECT number, here() FROM row ORDER BY number"
HELD_SECONDS = 5
LONG = "SELECT count(*), here() FROM row a, row b"


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[StatementConnection]:
    """A connection to a file of ``COUNT`` rows, with a function that says in which thread it is called."""
    options: dict[str, Any] = {"isolation_level": None, "check_same_thread": False, "timeout": 5}
    opened: StatementConnection = await open_threaded(str(tmp_path / "rows.db"), **options)
    await run(opened, "PRAGMA journal_mode=WAL")
    await opened.create_function("here", 0, threading.get_ident)
    await run(opened, "CREATE TABLE row (number INTEGER PRIMARY KEY)")
    await opened.cursor().executemany("INSERT INTO row VALUES (?)", [(number,) for number in range(COUNT)])
    await opened.rollback()
    yield opened
    await opened.close()


async def run(connection: StatementConnection, statement: str) -> list[Any]:
    cursor = await connection.cursor().execute(statement)
    rows: list[Any] = await cursor.fetchall()
    await cursor.close()
    return rows


async def threads(connection: StatementConnection, statement: str) -> set[bool]:
    """Whether the statement ran on the event loop's thread."""
    return {row[-1] == threading.get_ident() for row in await run(connection, statement)}


async def test_all_rows_arrive_however_they_are_fetched(connection: StatementConnection) -> None:
    for first in ("BEGIN", "BEGIN IMMEDIATE"):
        await run(connection, first)
        assert [row[0] for row in await run(connection, ALL)] == list(range(COUNT))
        cursor = await connection.cursor().execute(ALL)
        assert (await cursor.fetchone())[0] == 0
        assert [row[0] for row in await cursor.fetchmany(ROWS_A_STEP)] == list(range(1, ROWS_A_STEP + 1))
        assert [row[0] for row in await cursor.fetchall()] == list(range(ROWS_A_STEP + 1, COUNT))
        assert await cursor.fetchone() is None
        await connection.rollback()


async def test_a_short_read_runs_on_the_loop(connection: StatementConnection) -> None:
    short = "SELECT number, here() FROM row WHERE number = 7"
    for begin in ("BEGIN", "BEGIN IMMEDIATE"):
        await run(connection, begin)
        assert await threads(connection, short) == {True}
        await connection.commit()


async def test_the_loop_goes_on_while_a_unit_waits_for_the_lock(
    connection: StatementConnection, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "rows.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(run(connection, "BEGIN IMMEDIATE"))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    other.rollback()
    other.close()
    await asyncio.wait_for(waiting, HELD_SECONDS)
    await run(connection, "DELETE FROM row WHERE number = 0")
    await connection.commit()


async def test_short_statements_are_made_however_often(connection: StatementConnection) -> None:
    """SQLite counts a statement's operations over all its runs, and interrupts it after some thousand of them."""
    for _ in range(SHORT_OPERATIONS // 3):
        await run(connection, "BEGIN IMMEDIATE")
        assert await run(connection, "SELECT 1 FROM row WHERE number = 7") == [(1,)]
        await connection.rollback()


async def test_a_long_read_is_interrupted_and_the_thread_finds_all_of_it(connection: StatementConnection) -> None:
    await run(connection, "BEGIN IMMEDIATE")
    await run(connection, "DELETE FROM row WHERE number = 0")
    ((count, thread),) = await run(connection, LONG)
    assert (count, thread == threading.get_ident()) == ((COUNT - 1) ** 2, False)
    await connection.commit()
    assert await run(connection, "SELECT count(*) FROM row") == [(COUNT - 1,)]


async def test_a_write_never_runs_on_the_loop(connection: StatementConnection) -> None:
    await run(connection, "BEGIN IMMEDIATE")
    assert await threads(connection, "UPDATE row SET number = number RETURNING number, here()") == {False}
    await connection.commit()


async def test_a_refused_write_leaves_the_transaction_as_it_was(connection: StatementConnection) -> None:
    await run(connection, "BEGIN IMMEDIATE")
    await run(connection, "DELETE FROM row WHERE number = 3")
    with pytest.raises(sqlite3.IntegrityError):
        await run(connection, "INSERT INTO row VALUES (4)")
    await connection.commit()
    assert await run(connection, "SELECT count(*) FROM row") == [(COUNT - 1,)]


async def test_the_loop_does_not_wait_for_a_statement_whose_task_was_cancelled(
    connection: StatementConnection,
) -> None:
    let_go = threading.Event()
    await connection.create_function("held", 0, lambda: let_go.wait(HELD_SECONDS))
    await run(connection, "BEGIN IMMEDIATE")
    write = asyncio.create_task(run(connection, "UPDATE row SET number = -1 WHERE number = 0 AND held()"))
    await asyncio.sleep(0.01)
    write.cancel()
    await asyncio.gather(write, return_exceptions=True)
    ended = asyncio.create_task(connection.rollback())
    await asyncio.sleep(0)
    was_done = ended.done()
    let_go.set()
    await ended
    assert not was_done
