"""Detect that another deal was merged into the one that a rep is viewing, before its payments have been moved."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import union
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.tokens.call import with_kommo
from backend.core.cache import CacheSpec
from backend.core.errors import NotConnected
from backend.kommo_api.errors import KommoError
from backend.kommo_api.values import Lead
from backend.resources import Resources
from backend.storage.answer_memory import Remembered, remembered
from backend.storage.models import Account, Deal, LedgerEntry, PaymentRequest
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import mark_dirty

ALIVE = CacheSpec[tuple[int, int], bool](60.0, most=10_000)
"""Deals that Kommo recently had, by account and deal."""
OTHERS = CacheSpec["Sharing", Remembered[list[int]]](300.0, most=2_000)
MOST_ASKED = 20
"""The number of deals that are looked up in Kommo."""
CARRYING = "STRIPE_PAYMENT_INTENT"
"""The code of the field that holds a payment's id; Kommo may keep it when it merges deals."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """The deal that is looked at, and by what other deals may share something with it."""

    account_id: int
    lead_id: int
    contact_ids: tuple[int, ...]
    payments: tuple[str, ...]


async def is_merging(resources: Resources, account: Account, lead: Lead | None) -> bool:
    """True if a deal of ours has just vanished that shares this one's contact or whose
    payment id is in this one's fields.

    The vanished deal is marked dirty for the worker, which finds its survivor; after that the result is False.
    """
    if lead is None or account.state != "connected":
        return False
    others = await _others(resources, account, lead)
    alive = resources.caches[ALIVE]
    asked = [one for one in others if (account.id, one) not in alive]
    missing = await _missing(resources, account.id, asked) if asked else set()
    for one in set(asked) - missing:
        alive.put((account.id, one), True)
    if missing:
        async with account_unit(resources.database, account.id) as session:
            await mark_dirty(session, account.id, missing, resources.clock())
        resources.work_arrived.set()
    return bool(missing)


async def _missing(resources: Resources, account_id: int, asked: Collection[int]) -> set[int]:
    try:
        there = await with_kommo(resources, account_id, lambda api: api.leads(list(asked)))
    except (KommoError, NotConnected):
        return set()
    return set(asked) - there.keys()


async def _others(resources: Resources, account: Account, lead: Lead) -> list[int]:
    """Return the deals that may have been merged into this one, newest first, except
    those that are known to be gone."""
    field_id = int(account.fields.get(CARRYING, {}).get("id", 0))
    carried = tuple(str(value.value) for value in lead.fields.get(field_id, ()))
    sharing = Sharing(account.id, lead.id, tuple(lead.contact_ids), carried)

    async def find() -> list[int]:
        async with resources.database.look() as session:
            return await _sharing(session, sharing)

    return await remembered(resources.database, resources.caches[OTHERS], sharing, resources.clock(), find)


async def _sharing(session: AsyncSession, one: Sharing) -> list[int]:
    asked = select(PaymentRequest.lead_id).where(
        PaymentRequest.account_id == one.account_id,
        col(PaymentRequest.contact_id).in_(one.contact_ids),
        col(PaymentRequest.session_n) > 0,
    )
    paid = select(LedgerEntry.lead_id).where(
        LedgerEntry.account_id == one.account_id,
        col(LedgerEntry.id).in_(one.payments),
        col(LedgerEntry.lead_id).is_not(None),
    )
    known = select(Deal.lead_id).where(
        Deal.account_id == one.account_id,
        col(Deal.lead_id).in_(union(asked, paid)),  # an OR of the two would read all deals of the account
        col(Deal.lead_id) != one.lead_id,
        col(Deal.state) == "known",
    )
    return list((await session.exec(known.order_by(col(Deal.lead_id).desc()).limit(MOST_ASKED))).all())
