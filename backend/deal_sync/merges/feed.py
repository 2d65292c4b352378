"""Reads Kommo's events feed for merges of deals that no other event would make us fetch."""

from collections.abc import Collection

import structlog
from sqlalchemy import or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.options import options_of
from backend.core.cache import CacheSpec
from backend.core.errors import NotConnected
from backend.core.vault import CannotOpen
from backend.deal_sync.merges.find import REFUSED, merges_since
from backend.kommo_api.errors import KommoError
from backend.kommo_api.values import Merge
from backend.resources import Resources
from backend.storage.db import insert_missing
from backend.storage.models import Account, Deal, MergeFeed
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import mark_dirty

SECONDS, SECONDS_WHILE_MISSING = 600.0, 60.0
MISSING_FOR = 72 * 3600.0
"""A deal that is missing for longer was not merged recently, so it is no reason to read the feed more often."""
LATE_SECONDS = 900.0
"""How late an event may appear in the feed."""
HEARD = CacheSpec[tuple[int, Merge], bool](2 * LATE_SECONDS, most=10_000)

log = structlog.get_logger()


async def look_for_merges(resources: Resources) -> None:
    """Read the new merges of every due account: each minute while one of its deals is missing, otherwise every ten
    minutes.

    Deals named by an event are marked dirty; the worker finds out which are gone. A failing account is logged and
    retried.
    """
    for account_id, heard_to in await _due(resources):
        now = resources.clock()
        if not await _move(resources, account_id, heard_to, now):
            continue
        try:
            await _hear(resources, account_id, heard_to - LATE_SECONDS)
        except (KommoError, NotConnected, CannotOpen) as error:
            log.warning("merge feed read failed", account=account_id, reason=str(error))
            await _move(resources, account_id, now, heard_to)


async def _due(resources: Resources) -> list[tuple[int, float]]:
    """Pairs of a due account and the time (Unix seconds) up to which its feed was read."""
    now = resources.clock()
    async with resources.database.read() as session:
        connected = (await session.exec(select(Account).where(Account.state == "connected"))).all()
        accounts = [account.id for account in connected if account.set_up_at and not options_of(account).shadow]
        feeds = dict((await session.exec(select(MergeFeed.account_id, MergeFeed.heard_to))).all())
        recent = select(Deal.account_id).where(col(Deal.missing_since) > now - MISSING_FOR).distinct()
        missing = set((await session.exec(recent)).all())
    new = [{"account_id": account_id, "heard_to": now} for account_id in accounts if account_id not in feeds]
    if new:
        async with resources.database.write() as session:
            await insert_missing(session, MergeFeed, new)
    waits = {account_id: SECONDS_WHILE_MISSING if account_id in missing else SECONDS for account_id in accounts}
    readable = [one for one in accounts if one in feeds and one not in resources.caches[REFUSED]]
    return [(one, feeds[one]) for one in readable if feeds[one] + waits[one] <= now]


async def _move(resources: Resources, account_id: int, before: float, after: float) -> bool:
    """Move the time up to which an account's feed is read; True for only one of the processes that find it due."""
    async with resources.database.write() as session:
        mine = (col(MergeFeed.account_id) == account_id, col(MergeFeed.heard_to) == before)
        return bool((await session.exec(update(MergeFeed).where(*mine).values(heard_to=after))).rowcount)


async def _hear(resources: Resources, account_id: int, since: float) -> None:
    heard = resources.caches[HEARD]
    merges = [one for one in await merges_since(resources, account_id, since) if (account_id, one) not in heard]
    named = {lead_id for merge in merges for lead_id in merge.leads}
    if named:
        async with account_unit(resources.database, account_id) as session:
            await mark_dirty(session, account_id, await _ours(session, account_id, named), resources.clock())
        resources.work_arrived.set()
    for merge in merges:
        heard.put((account_id, merge), True)


async def _ours(session: AsyncSession, account_id: int, named: Collection[int]) -> list[int]:
    """The named deals that we know, without those whose payments have already moved."""
    mine = (Deal.account_id == account_id, col(Deal.lead_id).in_(named))
    waits = or_(col(Deal.state) == "known", col(Deal.missing_since).is_not(None))
    return list((await session.exec(select(Deal.lead_id).where(*mine, waits))).all())
