"""Parts of the product as processes of their own, forked from one that has imported everything."""

import asyncio
import os
from pathlib import Path

from backend.core.config import Settings
from backend.core.logs import set_up_logs
from backend.server.serving import serve
from backend.server.working import work
from backend.storage.db import Database
from backend.storage.migrations import upgrade
from tests.crash.rig.shared_clock import SharedClock


def live(settings: Settings, proxy: str, board: Path, log: Path) -> None:
    """A worker until SIGTERM or worse. By its ``proxy`` the worlds know which process calls."""
    os.environ["HTTP_PROXY"] = proxy
    _log_to(log)
    asyncio.run(work(settings, clock=SharedClock(board)))


def live_web(settings: Settings, log: Path) -> None:
    """The web alone."""
    _log_to(log)
    asyncio.run(serve(settings, with_worker=False))


def migrate_alone(database_url: str) -> None:
    async def run() -> None:
        database = Database(database_url)
        await upgrade(database)
        await database.close()

    asyncio.run(run())


def _log_to(log: Path) -> None:
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    set_up_logs("console")
