"""The list is brought up to the ledger deal by deal, by the revision that every change of a deal raises.

``Deal.wanted`` grows in the unit of work that changes the ledger; ``Deal.listed`` is the revision that the list shows.
The worker closes the difference in each of its turns, whatever Kommo says, and a page closes it before it reads: what
a page sums up is the ledger, or it says how many deals are missing.
"""

import asyncio
from collections.abc import Collection
from time import monotonic
from typing import Any

from sqlalchemy import Table, bindparam, delete, func, insert, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.admin.payment_list.lines import lines_of
from backend.ledger.load import load_deals
from backend.resources import Resources
from backend.storage.models import Account, Deal, LedgerEntry, PaymentLine, PaymentRequest, StripeConnection
from backend.storage.repeating import repeated
from backend.work_queue.lock_order import account_unit

AT_ONCE = 100
"""Deals in one unit of work."""
PAGE_SECONDS = 1.5
"""How long a page goes on bringing the list up to date before it shows what there is."""
ROWS_AT_ONCE = 500
LINE: Table = PaymentLine.__table__  # type: ignore[attr-defined]


async def bring_up_to_date(resources: Resources, account_id: int, *, seconds: float = PAGE_SECONDS) -> int:
    """Returns how many deals still are not in the list as the ledger has them; 0 almost always."""
    until = monotonic() + seconds
    while await refresh_some(resources, account_id):
        if monotonic() > until:
            async with resources.database.read() as session:
                return await deals_behind(session, account_id)
        await asyncio.sleep(0)
    return 0


@repeated
async def refresh_some(resources: Resources, account_id: int) -> int:
    """Lists the next deals anew; returns how many that were."""
    async with resources.database.read() as session:
        if not await deals_behind(session, account_id):
            return 0
    async with account_unit(resources.database, account_id) as session:
        return await list_next(session, account_id, resources.clock())


async def list_next(session: AsyncSession, account_id: int, now: float) -> int:
    """Lists up to ``AT_ONCE`` changed deals anew, in the caller's unit of work; returns how many that were."""
    behind = select(Deal.lead_id, Deal.wanted).where(Deal.account_id == account_id, col(Deal.listed) < col(Deal.wanted))
    seen = dict((await session.exec(behind.order_by(col(Deal.lead_id)).limit(AT_ONCE))).all())
    if seen:
        await _list_anew(session, account_id, seen, now)
    return len(seen)


async def deals_behind(session: AsyncSession, account_id: int) -> int:
    """Returns how many deals changed since they were listed last."""
    behind = (Deal.account_id == account_id, col(Deal.listed) < col(Deal.wanted))
    return (await session.exec(select(func.count()).select_from(Deal).where(*behind))).one()


async def _list_anew(session: AsyncSession, account_id: int, seen: dict[int, int], now: float) -> None:
    account = await session.get_one(Account, account_id)
    modes = {one.livemode for one in await _connections(session, account_id)}
    rows = []
    for livemode in sorted(modes):
        ledgers = await load_deals(session, account, sorted(seen), now, livemode=livemode)
        rows += [row for lead_id, ledger in ledgers.items() for row in lines_of(ledger, lead_id)]
    made_by = await _made_by(session, account_id, rows)
    complete = [row | {"account_id": account_id, "connection_id": made_by.get(row["id"], "")} for row in rows]
    await _replace(session, account_id, sorted(seen), {(row["lead_id"], row["id"]): row for row in complete})
    for lead_id, wanted in seen.items():
        this = (col(Deal.account_id) == account_id, col(Deal.lead_id) == lead_id)
        await session.exec(update(Deal).where(*this).values(listed=wanted))


async def _replace(
    session: AsyncSession, account_id: int, lead_ids: list[int], wanted: dict[tuple[int, str], dict[str, Any]]
) -> None:
    """Only what differs is written: one payment more among thousands is one row."""
    mine = (LINE.c.account_id == account_id, LINE.c.lead_id.in_(lead_ids))
    connection = await session.connection()
    known = {
        (row["lead_id"], row["id"]): dict(row)
        for row in (await connection.execute(LINE.select().where(*mine))).mappings()
    }
    gone = [key for key, row in known.items() if wanted.get(key) != row]
    new = [row for key, row in wanted.items() if known.get(key) != row]
    if gone:
        this = (LINE.c.account_id == account_id, LINE.c.lead_id == bindparam("lead"), LINE.c.id == bindparam("line"))
        await connection.execute(delete(LINE).where(*this), [{"lead": lead, "line": line} for lead, line in gone])
    if new:
        await connection.execute(insert(LINE), new)


async def _connections(session: AsyncSession, account_id: int) -> Collection[StripeConnection]:
    return (await session.exec(select(StripeConnection).where(StripeConnection.account_id == account_id))).all()


async def _made_by(session: AsyncSession, account_id: int, rows: list[dict[str, object]]) -> dict[str, str]:
    """The connection of each payment and request; a payment that several deals share belongs to one of them."""
    payments = sorted({str(row["id"]) for row in rows if row["is_payment"]})
    requests = sorted({str(row["id"]) for row in rows if not row["is_payment"]})
    found: dict[str, str] = {}
    for start in range(0, len(payments), ROWS_AT_ONCE):
        ids = payments[start : start + ROWS_AT_ONCE]
        entries = select(LedgerEntry.id, LedgerEntry.connection_id).where(
            LedgerEntry.account_id == account_id, col(LedgerEntry.id).in_(ids)
        )
        found |= dict((await session.exec(entries)).all())
    for start in range(0, len(requests), ROWS_AT_ONCE):
        ids = requests[start : start + ROWS_AT_ONCE]
        asked = select(PaymentRequest.id, PaymentRequest.connection_id).where(
            PaymentRequest.account_id == account_id, col(PaymentRequest.id).in_(ids)
        )
        found |= dict((await session.exec(asked)).all())
    return found
