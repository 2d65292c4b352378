"""Stripe hears 200 when its event is on the disk, and no moment earlier."""

import asyncio
import json
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import stripe
from sqlalchemy import Connection, event, make_url
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.accounts.stripe.connections import seal_secrets
from backend.core.clock import system_clock
from backend.core.config import Settings
from backend.inbox.sqlite_writer import open_connection
from backend.resources import Resources, open_resources
from backend.storage.models import Account, StripeConnection
from backend.web.app import create_app
from sandbox.serving import free_port
from tests.forks import FORKS
from tests.ledger.events import ACCOUNT, evt, intent
from tests.processes.child import live_web
from tests.processes.page_cache import can_tell, unsynced_pages

SECRET = "whsec_made_up_for_the_tests"
NOWHERE = "http://127.0.0.1:1"


@dataclass
class Door:
    """Stripe's door, and a watch that looks from outside at the moment at which an answer begins."""

    resources: Resources
    app: ASGIApp
    look: Callable[[str], Any] = lambda _event_id: None
    seen: dict[str, Any] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = dict(scope["headers"]).get(b"x-event", b"").decode()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                self.seen[name] = self.look(name)  # blocks everything: nothing can be caught up on meanwhile
            await send(message)

        await self.app(scope, receive, watched)

    async def post(self, name: str) -> None:
        body, headers = letter(name)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self), base_url="http://door") as http:
            answer = await http.post("/stripe/webhook/con", content=body, headers=headers)
        assert answer.status_code == 200, answer.text


def letter(name: str) -> tuple[bytes, dict[str, str]]:
    """An event of this id as Stripe posts it: body and headers."""
    body = json.dumps(evt("payment_intent.succeeded", intent()) | {"id": name}).encode()
    now = int(time.time())
    signature = stripe.WebhookSignature._compute_signature(f"{now}.{body.decode()}", SECRET)
    return body, {"Stripe-Signature": f"t={now},v1={signature}", "X-Event": name}


def settings(database_url: str, **more: Any) -> Settings:
    return Settings(
        _env_file=None, public_url=NOWHERE, database_url=database_url, secret_keys="a sealing key of the tests",
        admin_token="admin-token-of-the-tests", **more,
    )  # fmt: skip


@pytest.fixture
async def door(database_url: str, anyio_backend: str) -> AsyncIterator[Door]:
    async with open_resources(settings(database_url), system_clock) as resources:
        async with resources.database.write() as session:
            session.add(Account(id=ACCOUNT, base_url=NOWHERE, tokens="", connected_at=0))
            secrets = seal_secrets(resources, "con", [SECRET])
            session.add(StripeConnection(id="con", account_id=ACCOUNT, livemode=True, given_secrets=secrets))
        yield Door(resources, create_app(resources, admin_token="admin-token-of-the-tests"))


def stored(database_url: str, event_id: str) -> bool:
    """What somebody else sees, by a connection of their own."""
    url = make_url(database_url)
    query = f"SELECT count(*) FROM inbox_event WHERE id = '{event_id}'"  # noqa: S608 (our own words)
    if url.get_backend_name() == "sqlite":
        other = sqlite3.connect(str(url.database))
        count = other.execute(query).fetchone()[0]
        other.close()
        return bool(count)
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        row = connection.execute(query).fetchone()
    return bool(row and row[0])


async def test_an_event_is_committed_before_its_answer_begins(door: Door, database_url: str) -> None:
    door.look = lambda name: stored(database_url, name)
    names = [f"evt_{number}" for number in range(20)]
    await asyncio.gather(*(door.post(name) for name in names))
    assert door.seen == dict.fromkeys(names, True)


async def test_it_is_on_the_disk_before_its_answer_begins(door: Door, database_url: str, tmp_path: Path) -> None:
    """Looked at from outside. A background writer of PostgreSQL's may add to the log at a moment, so one may differ;
    a server that answers first would show it nearly each time."""
    if make_url(database_url).get_backend_name() == "sqlite":
        if not can_tell(tmp_path):
            pytest.skip("this machine does not tell what is synced")
        log = Path(f"{make_url(database_url).database}-wal")
        door.look = lambda _name: unsynced_pages(log) == 0
    else:
        door.look = lambda _name: log_is_flushed(database_url)
    for number in range(6):
        await door.post(f"evt_{number}")
    assert sum(door.seen.values()) >= 5


def log_is_flushed(database_url: str) -> bool:
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()").fetchone()
    return bool(row and row[0])


async def test_every_commit_waits_for_the_disk(door: Door) -> None:
    """Seen by the very connection, at the commit: also where nobody can look at the disk."""
    engine = door.resources.database.engine.sync_engine
    is_sqlite = engine.dialect.name == "sqlite"
    questions = ["PRAGMA synchronous", "PRAGMA journal_mode"] if is_sqlite else ["SHOW synchronous_commit"]
    answers: list[tuple[object, ...]] = []

    @event.listens_for(engine, "commit")
    def _ask(connection: Connection) -> None:
        answers.append(tuple(connection.exec_driver_sql(question).scalar() for question in questions))

    async with door.resources.database.write() as session:
        session.add(StripeConnection(id="another", account_id=ACCOUNT))
    if is_sqlite:
        with closing(open_connection(door.resources.database)) as own:  # the door's
            answers.append(tuple(own.execute(question).fetchone()[0] for question in questions))
    assert answers
    assert set(answers) == {(2, "wal") if is_sqlite else ("on",)}


@pytest.mark.postgres
async def test_the_doors_commit_waits_where_the_server_would_not(door: Door, database_url: str) -> None:
    """A server whose own setting lets commits be answered before they are written."""
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite's setting is ours")
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {make_url(database_url).database} SET synchronous_commit = off")
    door.look = lambda _name: log_is_flushed(database_url)
    for number in range(6):
        await door.post(f"evt_{number}")
    assert sum(door.seen.values()) >= 5


async def test_a_server_that_is_killed_at_the_first_byte_of_its_answer_has_the_event(
    door: Door, database_url: str, tmp_path: Path
) -> None:
    port = free_port()
    served = FORKS.Process(target=live_web, args=(settings(database_url, port=port), tmp_path / "log"), daemon=True)
    served.start()
    body, headers = letter("evt_1")
    with await asyncio.to_thread(reached, port) as line:
        said = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        begin = f"POST /stripe/webhook/con HTTP/1.1\r\nHost: door\r\nContent-Length: {len(body)}\r\n{said}\r\n"
        line.sendall(begin.encode() + body)
        assert line.recv(1)
        served.kill()
        assert line.recv(11) == b"TTP/1.1 200"
    served.join()
    assert stored(database_url, "evt_1")


def reached(port: int) -> socket.socket:
    for _ in range(500):
        with suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port), timeout=20)
        time.sleep(0.02)
    raise AssertionError("nobody listens")
