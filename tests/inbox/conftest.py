"""The running product of the tests of accounts, for those of missed webhooks; and the inbox with one connection."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from backend.core.vault import Vault
from backend.inbox.group_commit import Inbox
from backend.storage.db import Database
from backend.storage.models import StripeConnection
from tests.accounts.conftest import clock, product, sqlite_url, unconnected

__all__ = ["clock", "product", "sqlite_url", "unconnected"]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    async with database.write() as session:
        session.add(StripeConnection(id="con", account_id=7))
    yield database
    await database.close()


@pytest.fixture
def inbox(database: Database) -> Inbox:
    return Inbox(database, Vault(["a key of the tests"]), asyncio.Event())
