"""A PostgreSQL that vanishes without a word: nobody waits for it for long, and all goes on when it is back."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import select

from backend.core.vault import Vault
from backend.inbox import group_commit
from backend.inbox.arrivals import Arrival
from backend.inbox.group_commit import Inbox
from backend.storage.db import SILENT_PEER, Database
from backend.storage.models import InboxEvent

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]
has_user_timeout = pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has no such option")
ARRIVAL = Arrival("con", 7, "evt_1", "payment_intent.succeeded", "", b"{}", "new", 1_800_000_000.0)
GUARD_SECONDS = 60.0
"""Only a hang takes so long."""


@dataclass
class Line:
    """A TCP port in front of the server's socket. While it is ``cut``, all bytes are accepted and none goes on."""

    target: Path
    whole: asyncio.Event = field(default_factory=asyncio.Event)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def cut(self) -> None:
        self.whole.clear()

    def mend(self) -> None:
        """Connections of before are gone, as behind a server that was started again."""
        for task in self.tasks:
            task.cancel()
        for writer in self.writers:
            writer.close()
        self.tasks.clear()
        self.writers.clear()
        self.whole.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        await self.whole.wait()
        inner_reader, inner_writer = await asyncio.open_unix_connection(self.target)
        self.writers.append(inner_writer)
        for source, sink in ((reader, inner_writer), (inner_reader, writer)):
            self.tasks.append(asyncio.create_task(self._carry(source, sink)))

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                await self.whole.wait()
                sink.write(data)
                await sink.drain()
            sink.close()


@pytest.fixture
async def line(database_url: str) -> AsyncIterator[tuple[Line, str]]:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite is a file")
    url = make_url(database_url)
    line = Line(Path(str(url.query["host"])) / ".s.PGSQL.5432")
    line.whole.set()
    server = await asyncio.start_server(line.accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    query = {"sslmode": "disable", "gssencmode": "disable"}
    through = url.set(host="127.0.0.1", port=port, query=query)
    yield line, through.render_as_string(hide_password=False)
    line.mend()
    server.close()


@pytest.fixture
async def database(line: tuple[Line, str]) -> AsyncIterator[Database]:
    database = Database(line[1])
    yield database
    line[0].mend()
    await database.close()


async def test_webhooks_are_refused_while_the_server_is_silent_and_stored_when_it_is_back(
    line: tuple[Line, str], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "DOOR_SECONDS", 1.0)
    inbox = Inbox(database, Vault(["a key of the tests"]), asyncio.Event())
    await inbox.put(ARRIVAL)
    line[0].cut()
    arrivals = [replace(ARRIVAL, id=f"evt_{number}") for number in range(160)]
    async with asyncio.timeout(GUARD_SECONDS):
        answers = await asyncio.gather(*(inbox.put(one) for one in arrivals), return_exceptions=True)
    assert {type(answer) for answer in answers} == {OperationalError}
    line[0].mend()
    async with asyncio.timeout(GUARD_SECONDS):
        await _until_stored(inbox, replace(ARRIVAL, id="evt_back"))
    async with database.read() as session:
        assert "evt_back" in (await session.exec(select(InboxEvent.id))).all()


async def _until_stored(inbox: Inbox, arrival: Arrival) -> None:
    while True:
        with suppress(DBAPIError):
            await inbox.put(arrival)
            return


async def test_a_unit_of_work_gives_a_silent_server_up(line: tuple[Line, str], database: Database) -> None:
    async def ask() -> None:
        async with database.write(1.0) as session:
            line[0].cut()
            await (await session.connection()).execute(text("SELECT 1"))

    async with asyncio.timeout(GUARD_SECONDS):
        with pytest.raises(OperationalError, match="did not answer within 1 s"):
            await ask()


async def test_connecting_to_a_silent_server_ends_by_itself(line: tuple[Line, str], database: Database) -> None:
    line[0].cut()
    async with asyncio.timeout(GUARD_SECONDS):
        with pytest.raises(DBAPIError):
            async with database.engine.connect():
                pass


async def test_a_lock_that_is_held_for_long_ends_the_doors_statement(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "DOOR_SECONDS", 1.0)
    inbox = Inbox(database, Vault(["a key of the tests"]), asyncio.Event())
    await inbox.put(ARRIVAL)
    async with database.write() as session:
        connection = await session.connection()
        await connection.execute(text("SELECT * FROM account_work FOR UPDATE"))
        with pytest.raises(OperationalError):
            await inbox.put(replace(ARRIVAL, id="evt_2"))
        while await _waiting_statements(database):  # noqa: ASYNC110 (the server knows, and tells nobody)
            await asyncio.sleep(0.05)
    await inbox.put(replace(ARRIVAL, id="evt_3"))


async def _waiting_statements(database: Database) -> int:
    async with database.read() as session:
        found = await (await session.connection()).execute(
            text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        )
        return int(found.scalar_one())


@contextmanager
def _opened_sockets(database: Database) -> Iterator[list[socket.socket]]:
    opened: list[socket.socket] = []

    def connected(connection: Any, _record: Any) -> None:
        opened.append(socket.socket(fileno=socket.dup(connection.driver_connection.fileno())))

    event.listen(database.engine.sync_engine, "connect", connected)
    yield opened
    for one in opened:
        one.close()


@has_user_timeout
async def test_connections_notice_a_host_that_is_gone(database: Database) -> None:
    with _opened_sockets(database) as opened:
        async with database.read() as session:
            await (await session.connection()).execute(text("SELECT 1"))
        (one,) = opened
        assert one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == SILENT_PEER["keepalives_idle"]
        assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == SILENT_PEER["tcp_user_timeout"]


@has_user_timeout
async def test_the_address_of_the_database_may_name_its_own_patience(line: tuple[Line, str]) -> None:
    database = Database(f"{line[1]}&tcp_user_timeout=4000")
    with _opened_sockets(database) as opened:
        async with database.engine.connect():
            pass
        assert opened[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 4000
    await database.close()
