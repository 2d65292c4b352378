"""What becomes of a deal that Kommo refuses."""

from collections.abc import AsyncIterator

import pytest

from backend.deal_sync.revisions import Page, Recheck, postpone
from backend.storage.db import Database
from backend.storage.models import Account, Deal
from backend.work_queue.backoff import NEVER

NOW = 1_800_000_000.0
REFUSED = Recheck(None, "Kommo refused it.")
PAGE = Page(Account(id=7, base_url="", tokens="", connected_at=NOW), seen={4711: 1}, ledgers={}, writes={})


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    async with database.write() as session:
        session.add(Deal(account_id=7, lead_id=4711, wanted=1, dirty_since=NOW - 40 * 86400))
    yield database
    await database.close()


async def _refused(database: Database, now: float) -> Deal:
    async with database.write() as session:
        await postpone(session, PAGE, 4711, REFUSED, now)
    async with database.read() as session:
        return await session.get_one(Deal, (7, 4711))


async def test_a_deal_that_was_not_written_for_a_month_is_not_given_up_at_its_first_refusal(database: Database) -> None:
    """After a long trial in shadow mode, or an account that was connected again after weeks."""
    deal = await _refused(database, NOW)
    assert (deal.next_try_at, deal.attempts, deal.problem) == (NOW + 2, 1, "Kommo refused it.")


async def test_what_is_refused_for_thirty_days_waits_for_news(database: Database) -> None:
    now = NOW
    while (deal := await _refused(database, now)).next_try_at != NEVER:
        now = deal.next_try_at
    assert 30 <= (now - NOW) / 86400 < 31
