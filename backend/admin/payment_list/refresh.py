"""Update of the list to the ledger, deal by deal, by the revision that every change of a deal raises.

``Deal.wanted`` grows in the unit of work that changes the ledger; ``Deal.listed`` is the listed revision. The worker
updates the list in each turn, whatever Kommo answers, and a page updates it before it reads: its sums match the ledger,
or it says how many deals are missing.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from time import monotonic
from typing import Any

from sqlalchemy import Table, bindparam, delete, func, insert, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.admin.payment_list.lines import lines_of
from backend.ledger.load import load_deals
from backend.resources import Resources
from backend.storage.db import Database
from backend.storage.models import Account, Deal, LedgerEntry, PaymentLine, PaymentRequest, StripeConnection
from backend.storage.repeating import repeated
from backend.work_queue.lock_order import account_unit

AT_ONCE = 100
"""Deals that are listed together."""
PAGE_SECONDS = 1.5
"""How long a page updates the list before it shows the current one."""
PAUSE_SECONDS = 0.003
"""Between two portions, for other units of work."""
ROWS_AT_ONCE = 500
DEAL: Table = Deal.__table__  # type: ignore[attr-defined]
LINE: Table = PaymentLine.__table__  # type: ignore[attr-defined]


async def bring_up_to_date(resources: Resources, account_id: int, *, seconds: float = PAGE_SECONDS) -> int:
    """Update the list for at most ``seconds`` and return how many deals are still behind; 0 almost always."""
    until = monotonic() + seconds
    while await list_next(resources.database, account_id, resources.clock()):
        if monotonic() > until:
            async with resources.database.read() as session:
                return await deals_behind(session, account_id)
        await asyncio.sleep(PAUSE_SECONDS)
    return 0


@repeated
async def list_next(database: Database, account_id: int, now: float) -> int:
    """List up to ``AT_ONCE`` changed deals again and return how many were read; 0 if the list is complete.

    Ledgers are read as of ``now`` (epoch seconds), before the account is locked, so that webhooks wait only for a few
    writes. Deals that changed in between are left for the next call: their revision says so.
    """
    async with database.read() as session:
        behind = (Deal.account_id == account_id, col(Deal.listed) < col(Deal.wanted))
        next_ones = select(Deal.lead_id, Deal.wanted).where(*behind).order_by(col(Deal.lead_id)).limit(AT_ONCE)
        seen = dict((await session.exec(next_ones)).all())
        lines = await _lines(session, account_id, seen, now) if seen else []
    if seen:
        async with account_unit(database, account_id) as session:
            mine = (Deal.account_id == account_id, col(Deal.lead_id).in_(sorted(seen)))
            current = dict((await session.exec(select(Deal.lead_id, Deal.wanted).where(*mine))).all())
            same = {lead_id: wanted for lead_id, wanted in seen.items() if current.get(lead_id) == wanted}
            await _replace(session, account_id, same, [line for line in lines if line["lead_id"] in same])
    return len(seen)


async def deals_behind(session: AsyncSession, account_id: int) -> int:
    """Return how many deals changed since they were last listed."""
    behind = (Deal.account_id == account_id, col(Deal.listed) < col(Deal.wanted))
    return (await session.exec(select(func.count()).select_from(Deal).where(*behind))).one()


async def _lines(session: AsyncSession, account_id: int, lead_ids: Collection[int], now: float) -> list[dict[str, Any]]:
    """Return the lines of these deals in both modes, from their ledgers."""
    account = await session.get_one(Account, account_id)
    rows = []
    for livemode in sorted({one.livemode for one in await _connections(session, account_id)}):
        ledgers = await load_deals(session, account, sorted(lead_ids), now, livemode=livemode)
        rows += [row for lead_id, ledger in ledgers.items() for row in lines_of(ledger, lead_id)]
    made_by = await _made_by(session, account_id, rows)
    return [row | {"account_id": account_id, "connection_id": made_by.get(row["id"], "")} for row in rows]


async def _replace(
    session: AsyncSession, account_id: int, listed: Mapping[int, int], lines: Iterable[dict[str, Any]]
) -> None:
    """Write the lines that differ. ``listed``: deal → the revision of ``lines``.

    One more payment among thousands is one written row.
    """
    if not listed:
        return
    wanted = {(line["lead_id"], line["id"]): line for line in lines}
    connection = await session.connection()
    mine = (LINE.c.account_id == account_id, LINE.c.lead_id.in_(sorted(listed)))
    rows = (await connection.execute(LINE.select().where(*mine))).mappings()
    known = {(row["lead_id"], row["id"]): dict(row) for row in rows}
    gone = [{"lead": lead, "line": line} for (lead, line), row in known.items() if wanted.get((lead, line)) != row]
    new = [row for key, row in wanted.items() if known.get(key) != row]
    if gone:
        this = (LINE.c.account_id == account_id, LINE.c.lead_id == bindparam("lead"), LINE.c.id == bindparam("line"))
        await connection.execute(delete(LINE).where(*this), gone)
    if new:
        await connection.execute(insert(LINE), new)
    this_deal = (DEAL.c.account_id == account_id, DEAL.c.lead_id == bindparam("lead"))
    marks = [{"lead": lead_id, "revision": revision} for lead_id, revision in sorted(listed.items())]
    await connection.execute(update(DEAL).where(*this_deal).values(listed=bindparam("revision")), marks)


async def _connections(session: AsyncSession, account_id: int) -> Collection[StripeConnection]:
    return (await session.exec(select(StripeConnection).where(StripeConnection.account_id == account_id))).all()


async def _made_by(session: AsyncSession, account_id: int, rows: list[dict[str, object]]) -> dict[str, str]:
    """Return the connection of each payment and request; a payment shared by several deals has one."""
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
