"""The database is away when Kommo answers with new tokens: they are stored as soon as it is back, by this process or
by the next one."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import make_url, update
from sqlmodel import col

from backend.accounts.install.kept_answers import take_up_kept_answers
from backend.accounts.install.pending import all_waiting, keep_answer
from backend.accounts.tokens.refresh import require_reconnect
from backend.storage.db import Database
from backend.storage.models import Account, Rate
from sandbox.clock import MovableClock
from tests.storage.test_silent_postgres import Line
from tests.world import Tenant, World, new_tenant, open_world

OVER = 25 * 3600
ANSWER = b'{"access_token": "a", "refresh_token": "r", "expires_in": 86400}'


@asynccontextmanager
async def opened(url: str, folder: Path) -> AsyncIterator[tuple[World, Tenant]]:
    """An account whose access token is over."""
    more = {"state_dir": str(folder)}
    async with open_world(url, clock=MovableClock(), own_hosts=True, more=more) as world:
        tenant = await new_tenant(world)
        world.clock.advance(OVER)
        yield world, tenant


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Somebody else writes to the SQLite database for long."""
    other = sqlite3.connect(str(make_url(url).database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


async def answered(world: World, tenant: Tenant) -> None:
    """Kommo has made the new pair; its answer may still be on its way."""
    while not tenant.refreshes:  # noqa: ASYNC110 (Kommo's log wakes nobody)
        await asyncio.sleep(0.01)


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if one.suffix != ".new")


async def file_of(folder: Path) -> Path:
    async with asyncio.timeout(20):
        while not (found := names(folder)):  # noqa: ASYNC110 (a folder wakes nobody)
            await asyncio.sleep(0.02)
    return folder / found[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "kept"
    made.mkdir()
    return made


@pytest.mark.parametrize("refusals", [0, 1])
async def test_a_pair_waits_in_a_sealed_file_while_the_database_is_locked(
    tmp_path: Path, folder: Path, refusals: int
) -> None:
    """Also where the answer ends a series of refusals, which is noted in the database."""
    url = f"sqlite+aiosqlite:///{tmp_path}/x.db"
    async with opened(url, folder) as (world, tenant):
        async with world.resources.database.write() as session:
            await session.exec(update(Rate).values(refusals=refusals))
        world.kommo.faults.add("delay", "/oauth2/access_token", seconds=0.5)
        asking = asyncio.create_task(tenant.call())
        await answered(world, tenant)
        with locked(url):
            file = await file_of(folder)
            assert file.stat().st_mode & 0o777 == 0o600
            content = file.read_bytes()
            assert not any(one.encode() in content for one in world.kommo.wallet.by_access)
        assert (await asking).id == tenant.account.id
        assert (tenant.refreshes, names(folder)) == (1, [])


async def test_a_process_that_ends_meanwhile_leaves_the_pair_to_the_next_one(tmp_path: Path, folder: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/x.db"
    async with opened(url, folder) as (world, tenant):
        world.kommo.faults.add("delay", "/oauth2/access_token", seconds=0.5)
        asking = asyncio.create_task(tenant.call())
        await answered(world, tenant)
        with locked(url):
            await asyncio.sleep(0.7)  # Kommo's answer is here, the unit of work waits
            await ending(asking)
        assert (await tenant.row()).token_version == 1
        async with world.process() as next_one:
            await take_up_kept_answers(next_one)
            assert ((await tenant.row()).token_version, names(folder)) == (2, [])
            assert (await tenant.call(next_one)).id == tenant.account.id
        assert tenant.refreshes == 1


async def ending(*but: asyncio.Task[object]) -> None:
    """As ``asyncio.run`` ends a process: every task is cancelled, whatever it shields."""
    names = ("_turn", "keep", "store")
    tasks = [one for one in asyncio.all_tasks() if getattr(one.get_coro(), "__name__", "") in names]
    assert tasks
    for one in (*but, *tasks):
        one.cancel()
    await asyncio.gather(*but, *tasks, return_exceptions=True)


async def test_another_process_beside_the_file_reads_it_before_it_asks_kommo(tmp_path: Path, folder: Path) -> None:
    async with opened(f"sqlite+aiosqlite:///{tmp_path}/x.db", folder) as (world, tenant):
        pair = world.kommo.issue_pair(tenant.integration.client_id, tenant.account.admin.id)
        kept = f'{{"access_token": "{pair.access}", "refresh_token": "{pair.refresh}", "expires_in": 86400}}'
        world.resources.files.write(f"refresh-{tenant.account.id}-1", kept.encode())
        assert (await tenant.call()).id == tenant.account.id
        assert (tenant.refreshes, names(folder)) == (0, [])


async def test_a_file_of_another_key_or_of_old_tokens_changes_nothing(tmp_path: Path, folder: Path) -> None:
    async with opened(f"sqlite+aiosqlite:///{tmp_path}/x.db", folder) as (world, tenant):
        world.resources.files.write(f"refresh-{tenant.account.id}-0", ANSWER)
        foreign = folder / "kommo-stripe-kept-refresh-1-1"
        foreign.write_bytes(b"x" * 40)
        before = await tenant.row()
        await take_up_kept_answers(world.resources)
        assert (await tenant.row()).tokens == before.tokens
        assert names(folder) == [foreign.name]


async def test_the_answer_to_a_code_is_kept_in_the_same_way(tmp_path: Path, folder: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/x.db"
    async with opened(url, folder) as (world, _):
        with locked(url):
            keeping = asyncio.create_task(keep_answer(world.resources, "client", "https://a.kommo.com", ANSWER))
            await file_of(folder)
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping
        await take_up_kept_answers(world.resources)
        (kept,) = await all_waiting(world.resources)
        assert (kept.secret, names(folder)) == (ANSWER.decode(), [])


async def test_tokens_that_come_late_end_a_reconnect_that_their_absence_caused(tmp_path: Path, folder: Path) -> None:
    """Another process used the old refresh token while the database was coming back."""
    url = f"sqlite+aiosqlite:///{tmp_path}/x.db"
    async with opened(url, folder) as (world, tenant):
        world.kommo.faults.add("delay", "/oauth2/access_token", seconds=0.5)
        asking = asyncio.create_task(tenant.call())
        await answered(world, tenant)
        await require_reconnect(world.resources, await tenant.row(), "Kommo refused the refresh token.")
        assert (await asking).id == tenant.account.id
        row = await tenant.row()
        assert (row.state, row.problem, row.token_version) == ("connected", "", 2)


@pytest.mark.postgres
async def test_a_pair_outlives_minutes_without_postgresql(database_url: str, folder: Path) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite is a file")
    async with opened(database_url, folder) as (world, tenant), through_a_line(database_url) as (line, url):
        away = replace(world.resources, database=Database(url))
        world.kommo.faults.add("delay", "/oauth2/access_token", seconds=0.5)
        asking = asyncio.create_task(tenant.call(away))
        await answered(world, tenant)
        line.close()
        assert (await file_of(folder)).name.startswith("kommo-stripe-kept-refresh-")
        with suppress(Exception):
            await asyncio.wait_for(asking, 30)
        async with world.resources.database.write() as session:  # minutes later: anybody may take the turn
            await session.exec(update(Account).where(col(Account.id) == tenant.account.id).values(refresh_until=0.0))
        await line.reopen()
        async with asyncio.timeout(30):
            while (await tenant.row()).token_version == 1:  # noqa: ASYNC110 (a commit wakes nobody here)
                await asyncio.sleep(0.05)
        await away.files.settle(10)
        assert (await tenant.call()).id == tenant.account.id
        assert (tenant.refreshes, names(folder)) == (1, [])
        await away.database.close()


class Server(Line):
    """The same that can be shut: connections end, and no new one is taken."""

    server: asyncio.Server
    port: int

    async def start(self, port: int = 0) -> None:
        self.whole.set()
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", port)
        self.port = self.server.sockets[0].getsockname()[1]

    def close(self) -> None:
        self.server.close()
        self.mend()

    async def reopen(self) -> None:
        await self.start(self.port)


@asynccontextmanager
async def through_a_line(direct: str) -> AsyncIterator[tuple[Server, str]]:
    url = make_url(direct)
    line = Server(Path(str(url.query["host"])) / ".s.PGSQL.5432")
    await line.start()
    query = {"sslmode": "disable", "gssencmode": "disable"}
    yield line, url.set(host="127.0.0.1", port=line.port, query=query).render_as_string(hide_password=False)
    line.close()
