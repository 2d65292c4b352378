"""Processes of ours that call Kommo for some accounts each time they are told to, and say how that went."""

import asyncio
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

from backend.accounts.tokens.call import with_kommo
from backend.resources import Resources
from tests.crash.rig.shared_clock import SharedClock
from tests.forks import FORKS
from tests.world import KommoHosts, open_process, settings


def live(database_url: str, board: Path, address: str, accounts: list[int], told: Connection) -> None:
    """Told to ``call`` Kommo, or to be ``ready`` to; answers what went wrong in which account."""

    async def once(resources: Resources, account_id: int, word: str) -> str:
        try:
            await with_kommo(resources, account_id, lambda api: api.account() if word == "call" else asyncio.sleep(0))
        except Exception as error:
            return f"{account_id}: {error!r}"
        return ""

    async def life() -> None:
        async with open_process(settings(database_url), SharedClock(board), KommoHosts(address)) as resources:
            told.send([])
            while word := await asyncio.to_thread(told.recv):
                said = await asyncio.gather(*(once(resources, account_id, word) for account_id in accounts))
                told.send([one for one in said if one])

    asyncio.run(life())


class Callers:
    """So many processes. ``all``: each of them does it for each account, all at once; the errors that came of it."""

    def __init__(self, number: int, *given: object) -> None:
        pipes = [FORKS.Pipe() for _ in range(number)]
        self._ours = [ours for ours, _ in pipes]
        self._processes = [FORKS.Process(target=live, args=(*given, theirs)) for _, theirs in pipes]
        for one in self._processes:
            one.start()

    async def started(self) -> None:
        await self._heard()

    async def all(self, word: Literal["call", "ready"]) -> list[str]:
        for pipe in self._ours:
            pipe.send(word)
        return await self._heard()

    async def _heard(self) -> list[str]:
        said = await asyncio.gather(*(asyncio.to_thread(pipe.recv) for pipe in self._ours))
        return [one for errors in said for one in errors]

    def end(self) -> None:
        for pipe in self._ours:
            pipe.send("")
        for one in self._processes:
            one.join(20)
