"""The order in which units of work lock rows, and the one function that takes the first of these locks.

    account_work → account → merged_deal → stripe_connection → payment_request, refund_request → ledger_entry
    → inbox_event → deal → deal_task → payment_line → card_write → sending → payment_rule → stage_entry
    → bot_step

Every unit that changes what an account's worker also changes begins with ``account_work``: web and worker then wait for
each other there and cannot deadlock. A test reads the order from the statements.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.storage.db import Database, dialect_insert
from backend.storage.models import AccountWork

LOCK_ORDER = (
    "account_work",
    "account",
    "merged_deal",
    "stripe_connection",
    "payment_request",
    "refund_request",
    "ledger_entry",
    "inbox_event",
    "deal",
    "deal_task",
    "payment_line",
    "card_write",
    "sending",
    "payment_rule",
    "stage_entry",
    "bot_step",
)
NEW_WORK = {
    "wanted": 1, "done": 0, "owner": "", "epoch": 0, "lease_until": 0.0, "next_try_at": 0.0, "hold_until": 0.0,
    "wake_at": 0.0, "owner_lock": 0, "claimed_at": 0.0,
}  # fmt: skip
"""The values of a new row of ``account_work``, with one request for work."""


@asynccontextmanager
async def account_unit(database: Database, account_id: int | None) -> AsyncIterator[AsyncSession]:
    """A unit of work that first locks the account's ``account_work`` row, so that it cannot deadlock with the worker.

    A plain unit of work if ``account_id`` is None.
    """
    async with database.write() as session:
        if account_id is not None:
            await lock_account_work(session, account_id)
        yield session


async def lock_account_work(session: AsyncSession, account_id: int) -> None:
    """Lock the account's ``account_work`` row until the commit, creating it if it is missing.

    On SQLite this does nothing, because a writing unit holds the only lock from its beginning.
    """
    if session.get_bind().dialect.name == "sqlite":
        return
    row = dialect_insert(session, AccountWork).values(account_id=account_id, **NEW_WORK | {"wanted": 0})
    as_it_is = {"wanted": col(AccountWork.wanted)}
    await session.exec(row.on_conflict_do_update(index_elements=["account_id"], set_=as_it_is))
