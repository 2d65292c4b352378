"""Which deals differ from their ledger, and what became of them. Every unit of work here is fenced."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Table, bindparam, func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.clock import lies_ahead
from backend.deal_sync.plan import IN_DOUBT
from backend.ledger.deal import DealLedger
from backend.ledger.load import load_deals
from backend.ledger.missing_deals import deal_is_missing
from backend.storage.models import Account, CardWrite, Deal
from backend.work_queue.backoff import LONGEST_WAIT_SECONDS, NEVER, gives_up, wait_after

LONGEST_PROBLEM = 500
STUMBLES = "Kommo had a fault of its own at this deal. It is tried again within a minute or so."
STUMBLES_SECONDS = 60.0
SOON_SECONDS = (2.0, 4.0, 8.0)
"""A representative waits for this deal, and most faults of Kommo are over by then."""
MISSING = "Kommo did not show this deal together with many others. It is looked for again within a minute."
MISSING_SECONDS = 60.0
DEAL: Table = Deal.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Recheck:
    """A deal that is not as wanted yet is looked at again ``at``; None = it was refused: tried on the schedule."""

    at: float | None
    problem: str = ""


@dataclass(frozen=True)
class Page:
    """Dirty deals, with all that deciding needs. ``seen``: lead → the revision that is being written."""

    account: Account
    seen: dict[int, int]
    ledgers: dict[int, DealLedger]
    writes: dict[int, list[CardWrite]]

    def in_doubt(self) -> list[CardWrite]:
        return [write for writes in self.writes.values() for write in writes if write.state in IN_DOUBT]


async def due(
    session: AsyncSession, account_id: int, now: float, without: Collection[int], most: int
) -> dict[int, int]:
    """Lead → its revision, of the dirty deals that have waited longest. ``without``: those that are being written."""
    found = await session.exec(
        select(Deal.lead_id, Deal.wanted)
        .where(
            Deal.account_id == account_id,
            col(Deal.written) < col(Deal.wanted),
            ~lies_ahead(col(Deal.next_try_at), now, LONGEST_WAIT_SECONDS),
            col(Deal.next_try_at) < NEVER,
            col(Deal.lead_id).not_in(without),
        )
        .order_by(col(Deal.dirty_since))
        .limit(most)
    )
    return dict(found.all())


async def page_for(session: AsyncSession, account_id: int, lead_ids: Collection[int], now: float) -> Page:
    """The revision is read first: what is known later than that is at worst written twice."""
    found = await session.exec(select(Deal).where(Deal.account_id == account_id, col(Deal.lead_id).in_(lead_ids)))
    return await page_of(session, account_id, found.all(), now)


async def page_of(session: AsyncSession, account_id: int, deals: Sequence[Deal], now: float) -> Page:
    account = await session.get_one(Account, account_id)
    leads = [deal.lead_id for deal in deals]
    written = await session.exec(
        select(CardWrite).where(CardWrite.account_id == account_id, col(CardWrite.lead_id).in_(leads))
    )
    writes: dict[int, list[CardWrite]] = {lead: [] for lead in leads}
    for write in written.all():
        writes[write.lead_id].append(write)
    return Page(
        account=account,
        seen={deal.lead_id: deal.wanted for deal in deals},
        ledgers=await load_deals(session, account, leads, now),
        writes=writes,
    )


async def touch_expired(session: AsyncSession, account_id: int, now: float) -> None:
    """Deals whose state time alone has changed are dirty again."""
    await session.exec(
        update(Deal)
        .where(col(Deal.account_id) == account_id, col(Deal.look_again_at) <= now)
        .values(wanted=Deal.wanted + 1, look_again_at=None, dirty_since=now)
    )


async def next_due(session: AsyncSession, account_id: int) -> float | None:
    """When the next dirty deal may be tried, or time alone changes one."""
    mine = col(Deal.account_id) == account_id
    dirty = select(func.min(Deal.next_try_at)).where(mine, col(Deal.written) < col(Deal.wanted))
    changing = select(func.min(Deal.look_again_at)).where(mine, col(Deal.look_again_at).is_not(None))
    moments = [(await session.exec(one)).one() for one in (dirty, changing)]
    return min((moment for moment in moments if moment is not None), default=None)


async def written(session: AsyncSession, page: Page, lead_ids: Iterable[int]) -> None:
    """These deals are as wanted, up to the revision that was read; what came since is still dirty."""
    rows = [
        {
            "lead": lead,
            "seen": page.seen[lead],
            "look": page.ledgers[lead].next_change_at,
            "unseen": _unseen(page.writes[lead]),
        }
        for lead in lead_ids
    ]
    if not rows:
        return
    values = {"attempts": 0, "next_try_at": 0.0, "problem": bindparam("unseen"), "state": "known"}
    closed = (
        update(DEAL)
        .where(DEAL.c.account_id == page.account.id, DEAL.c.lead_id == bindparam("lead"))
        .values(**values, written=bindparam("seen"), look_again_at=bindparam("look"))
    )
    await (await session.connection()).execute(closed, rows)


def _unseen(writes: Iterable[CardWrite]) -> str:
    """What stays wrong with a deal that is written: a note or task that Kommo never showed."""
    given_up = (write.error for write in writes if write.state == "dead" and write.kind in ("note", "task"))
    return next(given_up, "")[:LONGEST_PROBLEM]


async def audit_at(session: AsyncSession, account_id: int, lead_ids: Iterable[int], at: float) -> None:
    """Something was written to these deals: it is looked at again then."""
    mine = (col(Deal.account_id) == account_id, col(Deal.lead_id).in_(list(lead_ids)))
    await session.exec(update(Deal).where(*mine).values(audit_at=at, audits=0))


async def postpone(session: AsyncSession, page: Page, lead_id: int, later: Recheck, now: float) -> None:
    """With the reason, for a person to see. What was refused for thirty days waits for news of the deal; what has come
    since ``page`` was read waits for nothing."""
    deal = await session.get_one(Deal, (page.account.id, lead_id), populate_existing=True)
    next_try_at = later.at or now + wait_after(deal.attempts)
    if later.at is None:
        next_try_at = NEVER if gives_up(deal.attempts) else next_try_at
        deal.attempts += 1
    deal.problem = later.problem[:LONGEST_PROBLEM]
    if deal.wanted == page.seen[lead_id]:
        deal.next_try_at = next_try_at
    session.add(deal)


async def note_failure(session: AsyncSession, account_id: int, lead_id: int, now: float) -> None:
    """Kommo had a fault of its own at this deal alone: tried again soon three times, then once a minute, because each
    try that fails holds up the other deals."""
    deal = await session.get_one(Deal, (account_id, lead_id), populate_existing=True)
    deal.attempts = deal.attempts if deal.problem == STUMBLES else 0
    wait = SOON_SECONDS[deal.attempts] if deal.attempts < len(SOON_SECONDS) else STUMBLES_SECONDS
    deal.next_try_at = max(deal.next_try_at, now + wait)
    deal.attempts += 1
    deal.problem = STUMBLES
    session.add(deal)


async def missing_twice(session: AsyncSession, account_id: int, seen: Mapping[int, int], now: float) -> dict[int, int]:
    """Those of many missing deals that were missing a minute ago, too. The others are looked for again: many deals
    that vanish in one moment are more likely a fault of Kommo than a person's work."""
    mine = (col(Deal.account_id) == account_id, col(Deal.lead_id).in_(list(seen)))
    again = await session.exec(select(Deal.lead_id).where(*mine, col(Deal.problem) == MISSING))
    before = set(again.all())
    fresh = [lead_id for lead_id in seen if lead_id not in before]
    await session.exec(
        update(Deal)
        .where(col(Deal.account_id) == account_id, col(Deal.lead_id).in_(fresh))
        .values(problem=MISSING, next_try_at=now + MISSING_SECONDS)
    )
    return {lead_id: revision for lead_id, revision in seen.items() if lead_id in before}


async def gone(session: AsyncSession, account_id: int, seen: Mapping[int, int]) -> None:
    """Kommo has no such deals: they are not asked for again until something new is known; their payments are
    unmatched, and who named them is told so."""
    values = {"state": "gone", "next_try_at": 0.0, "problem": "The deal does not exist in Kommo."}
    for lead_id, revision in seen.items():
        await deal_is_missing(session, account_id, lead_id)
        mine = (col(Deal.account_id) == account_id, col(Deal.lead_id) == lead_id)
        await session.exec(update(Deal).where(*mine).values(written=revision, **values))
