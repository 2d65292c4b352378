"""Load ``DealLedger`` values from the database: the same few queries for one deal or many."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.days import day_at, end_of_day
from backend.core.off_loop import computed
from backend.ledger.build import deal_ledger
from backend.ledger.deal import DealLedger, Request
from backend.ledger.merged_deals import merged_into
from backend.ledger.parts import Chase
from backend.ledger.shares import wanted
from backend.storage.models import (
    Account,
    CardWrite,
    LedgerEntry,
    LedgerLink,
    PaymentRequest,
    Reminder,
    StripeConnection,
)
from backend.storage.reading import all_of


async def load_deals(
    session: AsyncSession, account: Account, lead_ids: Sequence[int], now: float, *, livemode: bool | None = None
) -> dict[int, DealLedger]:
    """Return the ledger of each deal of ``lead_ids``; a deal without money gets an empty one.

    A ledger holds the money of one mode only: ``livemode``, or the account's mode if it
    is None. ``now``: epoch seconds.
    """
    connections = await _connections(session, account)
    livemode = is_live(account, connections) if livemode is None else livemode
    shown = [connection.id for connection in connections if connection.livemode == livemode]
    entries = await _entries(session, account.id, lead_ids, shown)
    beside = await _beside(session, account.id, [one for some in entries.values() for one in some], shown)
    requests = await _requests(session, account, lead_ids, shown)
    merged = await merged_into(session, account.id, lead_ids)
    emptied = await _once_written(session, account.id, set(lead_ids) - entries.keys() - requests.keys())
    ledgers: dict[int, DealLedger] = {}
    for lead_id in lead_ids:
        mine, asked = entries.get(lead_id, ()), requests.get(lead_id, ())
        build = partial(
            deal_ledger,
            mine,
            asked,
            beside=beside,
            account_currency=account.currency,
            livemode=livemode,
            now=now,
            emptied=lead_id in emptied,
            merged=merged.get(lead_id, ()),
        )
        ledgers[lead_id] = await computed(len(mine) + len(asked), build)
    return ledgers


def is_live(account: Account, connections: Iterable[StripeConnection]) -> bool:
    """True if the account shows live money. While no mode is chosen, one live connection makes the account live."""
    if account.mode:
        return account.mode == "live"
    return any(connection.livemode for connection in connections)


async def _connections(session: AsyncSession, account: Account) -> list[StripeConnection]:
    found = await session.exec(select(StripeConnection).where(StripeConnection.account_id == account.id))
    return list(found.all())


async def _entries(
    session: AsyncSession, account_id: int, lead_ids: Collection[int], shown: Collection[str]
) -> dict[int, list[LedgerEntry]]:
    mine = select(LedgerEntry).where(
        LedgerEntry.account_id == account_id,
        col(LedgerEntry.lead_id).in_(lead_ids),
        col(LedgerEntry.connection_id).in_(shown),
    )
    by_lead: dict[int, list[LedgerEntry]] = defaultdict(list)
    for entry in await all_of(session, mine):
        by_lead[entry.lead_id or 0].append(entry)
    return by_lead


async def _beside(
    session: AsyncSession, account_id: int, entries: Sequence[LedgerEntry], shown: Collection[str]
) -> list[LedgerEntry]:
    """Return entries of other deals that share a payment or an invoice with these. They are rare, so most deals cost no
    query."""
    by_lead: dict[int | None, list[LedgerEntry]] = defaultdict(list)
    for entry in entries:
        by_lead[entry.lead_id].append(entry)
    ids = set[str]().union(*(wanted(some) for some in by_lead.values()))
    if not ids:
        return []
    mine = (LedgerEntry.account_id == account_id, col(LedgerEntry.connection_id).in_(shown))
    found = (await session.exec(select(LedgerEntry).where(*mine, col(LedgerEntry.id).in_(ids)))).all()
    parents = {one.id for one in found if one.kind in ("payment", "invoice")}
    more = {invoice for one in found for invoice in one.facts.get("invoice", ())} - ids
    links = select(LedgerLink.child).where(
        col(LedgerLink.connection_id).in_(shown), col(LedgerLink.parent).in_(parents)
    )
    more |= {*(await session.exec(links)).all()} - ids if parents else set()
    rest = (await session.exec(select(LedgerEntry).where(*mine, col(LedgerEntry.id).in_(more)))).all() if more else []
    return sorted((*found, *rest), key=lambda one: (one.id, one.connection_id))


async def _requests(
    session: AsyncSession, account: Account, lead_ids: Collection[int], shown: Collection[str]
) -> dict[int, list[Request]]:
    """Return the requests of the shown connections by deal. A request without a connection never had a session."""
    mine = select(PaymentRequest).where(
        PaymentRequest.account_id == account.id,
        col(PaymentRequest.lead_id).in_(lead_ids),
        col(PaymentRequest.connection_id).in_(shown),
    )
    rows = await all_of(session, mine)
    chases = await _chases(session, account.id, [row.id for row in rows if row.due_on])
    by_lead: dict[int, list[Request]] = defaultdict(list)
    for row in rows:
        by_lead[row.lead_id].append(replace(request_of(row, account.timezone), chases=chases.get(row.id, ())))
    return by_lead


async def _chases(session: AsyncSession, account_id: int, request_ids: Collection[str]) -> dict[str, tuple[Chase, ...]]:
    """Return the reminders about payment requests with a due date that became tasks, by request id."""
    if not request_ids:
        return {}
    mine = (Reminder.account_id == account_id, col(Reminder.request_id).in_(request_ids), Reminder.state == "task")
    found = await session.exec(select(Reminder).where(*mine).order_by(col(Reminder.number)))
    chases: dict[str, tuple[Chase, ...]] = {}
    for row in found.all():
        one = Chase(row.step, row.reason, row.user_id, row.decided_at)
        chases[row.request_id] = (*chases.get(row.request_id, ()), one)
    return chases


async def _once_written(session: AsyncSession, account_id: int, lead_ids: Collection[int]) -> set[int]:
    """Return those deals, of deals without a ledger, on whose card we once wrote a note about money."""
    if not lead_ids:
        return set()
    found = await session.exec(
        select(CardWrite.lead_id)
        .where(
            CardWrite.account_id == account_id,
            CardWrite.kind == "note",
            CardWrite.state != "intended",  # in shadow mode nothing was written
            col(CardWrite.lead_id).in_(lead_ids),
        )
        .distinct()
    )
    return set(found.all())


def request_of(row: PaymentRequest, timezone: str) -> Request:
    """Return the payment request of a row, without its sessions: those come from facts. ``timezone``: an IANA name."""
    due_on = date.fromisoformat(row.due_on) if row.due_on else None
    return Request(
        id=row.id,
        amount=row.amount,
        currency=row.currency,
        description=row.description,
        mode=row.mode,
        kind=row.kind,
        deal_total=row.deal_total,
        created_at=row.created_at,
        created_by=row.user_id,
        expires_at=row.expires_at,
        cancelled=row.cancelled_at is not None,
        replaced_by=row.replaced_by,
        opened=row.opened_at is not None,
        link_token=row.link_token,
        stage_seen=row.stage_seen,
        sessions=(),
        rhythm=(row.interval, row.interval_count or 1) if row.interval else None,
        contact_id=row.contact_id,
        due_on=due_on,
        overdue_at=end_of_day(due_on, timezone) if due_on else None,
        last_day=day_at(row.expires_at - 1, timezone) if row.expires_at is not None else None,
        ended=row.ended_at is not None,
    )
