"""The web's share of the database: bounded at work and in waiting, so others find a connection free."""

import asyncio

import pytest
from sqlalchemy import text

from backend.core.errors import Unavailable
from backend.storage.database_share import DatabaseShare
from backend.storage.db import Database

MOST, WAITING = 3, 5


async def test_so_many_units_are_open_and_so_many_wait_and_all_others_are_refused(database_url: str) -> None:
    whole = Database(database_url)
    share, open_now, most, leave = DatabaseShare(whole, MOST, most_waiting=WAITING), 0, 0, asyncio.Event()
    full = asyncio.Event()

    async def unit() -> None:
        nonlocal open_now, most
        async with share.read() as session:
            await session.exec(text("SELECT 1"))  # type: ignore[call-overload]
            open_now += 1
            most = max(most, open_now)
            if open_now == MOST:
                full.set()
            await leave.wait()
            open_now -= 1

    units = [asyncio.create_task(unit()) for _ in range(MOST + WAITING + 2)]
    await full.wait()
    async with whole.write() as session:  # who is outside of the share waits for nobody
        await session.exec(text("SELECT 1"))  # type: ignore[call-overload]
    leave.set()
    ends = await asyncio.gather(*units, return_exceptions=True)
    assert most == MOST
    assert [type(end) for end in ends] == [type(None)] * (MOST + WAITING) + [Unavailable] * 2
    await whole.close()


async def test_a_unit_that_waits_too_long_is_refused_and_its_place_is_no_loss(database_url: str) -> None:
    whole = Database(database_url)
    share = DatabaseShare(whole, 1, seconds=0.05)
    for _ in range(3):
        leave = asyncio.Event()
        first = asyncio.create_task(_open(share, leave))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await _open(share, leave)
        leave.set()
        await first
    async with share.write():
        pass
    await whole.close()


async def test_a_unit_inside_another_needs_no_second_place(database_url: str) -> None:
    whole = Database(database_url)
    share = DatabaseShare(whole, 1, seconds=0.05)
    for _ in range(2):
        async with share.read(), share.read(), share.read():
            pass
    await whole.close()


async def _open(share: DatabaseShare, until: asyncio.Event) -> None:
    async with share.read():
        await until.wait()
