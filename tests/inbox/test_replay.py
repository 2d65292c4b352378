"""A replay of everything: in portions, whatever asked for it, so that webhooks go on in between."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import event
from sqlmodel import select

from backend.admin.events import work_in_again
from backend.core.config import Settings
from backend.core.errors import Conflict
from backend.inbox import replay
from backend.resources import Resources, open_resources
from backend.storage.models import Account, Audit, InboxEvent, StripeConnection
from sandbox.clock import MovableClock

pytestmark = pytest.mark.anyio
NOW, DEAD = 1_800_000_000.0, 7


@pytest.fixture
async def resources(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Resources]:
    """Two accounts, each with seven events that were given up and one that is done."""
    settings = Settings(
        _env_file=None, public_url="http://127.0.0.1:1", database_url=database_url,
        secret_keys="a sealing key of the tests", admin_token="admin-token-of-the-tests",
    )  # fmt: skip
    monkeypatch.setattr(replay, "PORTION", 3)
    monkeypatch.setattr(replay, "PAUSE_SECONDS", 0)
    async with open_resources(settings, MovableClock(lambda: NOW)) as opened:
        async with opened.database.write() as session:
            for account_id in (7, 8):
                session.add(Account(id=account_id, base_url="", tokens="", connected_at=NOW))
                session.add(StripeConnection(id=f"con{account_id}", account_id=account_id))
                for number in range(DEAD + 1):
                    row = InboxEvent(connection_id=f"con{account_id}", id=f"evt_{number}", type="x", received_at=NOW)
                    row.body, row.state = b"sealed", "dead" if number < DEAD else "done"
                    session.add(row)
        yield opened


async def _again(resources: Resources) -> list[str]:
    async with resources.database.read() as session:
        found = await session.exec(select(InboxEvent.connection_id).where(InboxEvent.state == "new"))
        return list(found.all())


async def test_all_that_was_given_up_is_replayed_in_portions(resources: Resources) -> None:
    most = 0

    def count(*words: object) -> None:
        nonlocal most
        context = words[4]
        if context.isupdate and "inbox_event" in str(words[2]):  # type: ignore[attr-defined]
            most = max(most, context.rowcount)  # type: ignore[attr-defined]

    engine = resources.database.engine.sync_engine
    event.listen(engine, "after_cursor_execute", count)
    assert await work_in_again(resources, 7, "", who="Ann") == DEAD
    event.remove(engine, "after_cursor_execute", count)
    assert (most, await _again(resources)) == (3, ["con7"] * DEAD)
    async with resources.database.read() as session:
        (entry,) = (await session.exec(select(Audit))).all()
    assert (entry.account_id, entry.who, entry.after) == (7, "Ann", {"event": "all given up", "count": DEAD})
    with pytest.raises(Conflict):
        await work_in_again(resources, 7, "", who="Ann")


async def test_one_event_is_replayed_in_its_account_alone(resources: Resources) -> None:
    assert await work_in_again(resources, 8, "evt_1", who="Ann") == 1
    assert await _again(resources) == ["con8"]
