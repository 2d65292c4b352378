"""Units of work that stay open, as those of a web that is busy."""

import asyncio

from backend.storage.db import Database


async def held(share: Database, leave: asyncio.Event) -> asyncio.Task[None]:
    """A unit of work of the web that stays open."""
    begun = asyncio.Event()

    async def hold() -> None:
        async with share.read():
            begun.set()
            await leave.wait()

    task = asyncio.create_task(hold())
    await begun.wait()
    return task
