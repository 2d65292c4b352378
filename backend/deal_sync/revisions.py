"""Which deals differ from their ledger, and the result of each write. Every unit of work here is fenced."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table, bindparam, func, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.clock import lies_ahead
from backend.core.sentences.said import said
from backend.deal_sync.desired.render import Task
from backend.deal_sync.ordered_tasks import ordered_tasks
from backend.deal_sync.plan import IN_DOUBT
from backend.kommo_api.values import Lead
from backend.ledger.deal import DealLedger
from backend.ledger.load import load_deals
from backend.storage.models import Account, CardWrite, Deal
from backend.storage.reading import all_of
from backend.work_queue.backoff import LONGEST_WAIT_SECONDS, NEVER, gives_up, wait_after

LONGEST_PROBLEM = 500
STUMBLES = said("deal_stumbles")
STUMBLES_SECONDS = 60.0
VANISHED = said("deal_vanished")
SOON_SECONDS = (2.0, 4.0, 8.0)
"""Waits before the first retries: a sales rep waits for this deal, and most faults of Kommo are short."""
DEAL: Table = Deal.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Recheck:
    """A deal that is not as wanted yet is processed again at ``at`` (Unix seconds).

    ``at`` None: Kommo refused it, so the schedule of retries decides. ``problem``: the reason for people, or ''.
    """

    at: float | None
    problem: str = ""


@dataclass(frozen=True)
class Page:
    """Dirty deals with all data that a decision needs, by deal id. ``seen``: deal → the revision that is being
    written."""

    account: Account
    seen: dict[int, int]
    ledgers: dict[int, DealLedger]
    writes: dict[int, list[CardWrite]]
    tasks: dict[int, tuple[Task, ...]] = field(default_factory=dict)
    """Tasks that other rooms ordered, for the deals that have any."""

    def in_doubt(self) -> list[CardWrite]:
        """The writes of all deals whose outcome is unknown."""
        return [write for writes in self.writes.values() for write in writes if write.state in IN_DOUBT]


async def due(
    session: AsyncSession, account_id: int, now: float, without: Collection[int], most: int
) -> dict[int, int]:
    """Deal → its revision, of at most ``most`` deals due at ``now`` (epoch seconds), longest waiting first, without
    ``without``.
    """
    found = await session.exec(_due(select(Deal.lead_id, Deal.wanted), account_id, now, without).limit(most))
    return dict(found.all())


async def is_any_due(session: AsyncSession, account_id: int, now: float, without: Collection[int]) -> bool:
    """True if ``due`` would find a deal once ``touch_expired`` has run. ``now``: epoch seconds."""
    dirty = _due(select(Deal.lead_id), account_id, now, without)
    changing = select(Deal.lead_id).where(*_expired(account_id, now), col(Deal.lead_id).not_in(without))
    expired = changing.order_by(col(Deal.look_again_at))  # so that PostgreSQL uses its index
    return any([(await session.exec(one.limit(1))).first() is not None for one in (dirty, expired)])


def _due(deals: Any, account_id: int, now: float, without: Collection[int]) -> Any:
    """``deals``, a selection of ``Deal``, with the condition that they are the account's and due, in order."""
    return deals.where(
        Deal.account_id == account_id,
        col(Deal.written) < col(Deal.wanted),
        ~lies_ahead(col(Deal.next_try_at), now, LONGEST_WAIT_SECONDS),
        col(Deal.next_try_at) < NEVER,
        col(Deal.lead_id).not_in(without),
    ).order_by(col(Deal.dirty_since))


def _expired(account_id: int, now: float) -> tuple[Any, ...]:
    return (Deal.account_id == account_id, col(Deal.look_again_at) <= now)


async def page_for(session: AsyncSession, account_id: int, lead_ids: Collection[int], now: float) -> Page:
    """The data of these deals for one pass of the writer; deals without a row are left out. ``now``: Unix seconds.

    The revision is read before the ledger, so a fact that arrives between them is at worst written twice, never lost.
    """
    found = await session.exec(select(Deal).where(Deal.account_id == account_id, col(Deal.lead_id).in_(lead_ids)))
    return await page_of(session, account_id, found.all(), now)


async def page_of(session: AsyncSession, account_id: int, deals: Sequence[Deal], now: float) -> Page:
    """The data of these deal rows for one pass of the writer.

    ``now`` in Unix seconds decides which requests are overdue or expired.
    """
    account = await session.get_one(Account, account_id)
    leads = [deal.lead_id for deal in deals]
    ours = select(CardWrite).where(CardWrite.account_id == account_id, col(CardWrite.lead_id).in_(leads))
    writes: dict[int, list[CardWrite]] = {lead: [] for lead in leads}
    for write in await all_of(session, ours):
        writes[write.lead_id].append(write)
    return Page(
        account=account,
        seen={deal.lead_id: deal.wanted for deal in deals},
        ledgers=await load_deals(session, account, leads, now),
        writes=writes,
        tasks=await ordered_tasks(session, account_id, leads),
    )


async def touch_expired(session: AsyncSession, account_id: int, now: float, most: int) -> int:
    """Mark at most ``most`` deals dirty whose state changed by time alone, such as an overdue request; return how many.

    ``now``: epoch seconds. Many requests fall due in one midnight: a unit of work for all of them would stop the
    webhooks, and a fresh payment would wait behind all their deals.
    """
    expired = select(Deal.lead_id).where(*_expired(account_id, now)).order_by(col(Deal.look_again_at)).limit(most)
    touched = await session.exec(
        update(Deal)
        .where(col(Deal.account_id) == account_id, col(Deal.lead_id).in_(expired))
        .values(wanted=Deal.wanted + 1, look_again_at=None, dirty_since=now)
    )
    return int(touched.rowcount)


async def next_due(session: AsyncSession, account_id: int) -> float | None:
    """When the next dirty deal may be tried or time alone changes one, in Unix seconds; None if there is none."""
    mine = col(Deal.account_id) == account_id
    dirty = select(func.min(Deal.next_try_at)).where(mine, col(Deal.written) < col(Deal.wanted))
    changing = select(func.min(Deal.look_again_at)).where(mine, col(Deal.look_again_at).is_not(None))
    moments = [(await session.exec(one)).one() for one in (dirty, changing)]
    return min((moment for moment in moments if moment is not None), default=None)


async def written(session: AsyncSession, page: Page, lead_ids: Iterable[int]) -> None:
    """Record that these deals are as wanted, up to the revision on ``page``; a newer revision stays dirty."""
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
        .values(**values, missing_since=None, written=bindparam("seen"), look_again_at=bindparam("look"))
    )
    await (await session.connection()).execute(closed, rows)


async def note_places(session: AsyncSession, account_id: int, leads: Iterable[Lead]) -> None:
    """Record the pipeline and the responsible user of each deal, by which the list of all payments is filtered."""
    rows = [
        {"lead": lead.id, "pipeline": lead.pipeline_id, "user": lead.responsible_user_id}
        for lead in sorted(leads, key=lambda one: one.id)
    ]
    moved = (
        update(DEAL)
        .where(
            DEAL.c.account_id == account_id,
            DEAL.c.lead_id == bindparam("lead"),
            or_(
                DEAL.c.pipeline_id.is_distinct_from(bindparam("pipeline")),
                DEAL.c.responsible_id.is_distinct_from(bindparam("user")),
            ),
        )
        .values(pipeline_id=bindparam("pipeline"), responsible_id=bindparam("user"))
    )
    if rows:
        await (await session.connection()).execute(moved, rows)


def _unseen(writes: Iterable[CardWrite]) -> str:
    """The problem that remains with a written deal: a note or task that Kommo never showed; '' if there is none."""
    given_up = (write.error for write in writes if write.state == "dead" and write.kind in ("note", "task"))
    return next(given_up, "")[:LONGEST_PROBLEM]


async def audit_at(session: AsyncSession, account_id: int, lead_ids: Iterable[int], at: float) -> None:
    """Schedule the first verification of these deals, which were just written, at ``at`` (Unix seconds)."""
    mine = (col(Deal.account_id) == account_id, col(Deal.lead_id).in_(list(lead_ids)))
    await session.exec(update(Deal).where(*mine).values(audit_at=at, audits=0))


async def postpone(session: AsyncSession, page: Page, lead_id: int, later: Recheck, now: float) -> None:
    """Postpone a deal and store the reason for people. ``now``: epoch seconds.

    A deal refused for thirty days waits for a new fact. A revision newer than ``page`` is not delayed.
    """
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
    """Postpone a deal at which Kommo failed while it was processed alone. ``now``: epoch seconds.

    It is retried three times soon, then once a minute, because each failing try delays the account's other deals.
    """
    deal = await session.get_one(Deal, (account_id, lead_id), populate_existing=True)
    deal.attempts = deal.attempts if deal.problem == STUMBLES else 0
    wait = SOON_SECONDS[deal.attempts] if deal.attempts < len(SOON_SECONDS) else STUMBLES_SECONDS
    deal.next_try_at = max(deal.next_try_at, now + wait)
    deal.attempts += 1
    deal.problem = STUMBLES
    session.add(deal)


async def vanished(session: AsyncSession, account_id: int, lead_id: int, now: float) -> None:
    """Record at ``now`` (epoch seconds) that Kommo refused a write because there is no such deal; the next fetch
    verifies it, at once the first time.
    """
    deal = await session.get_one(Deal, (account_id, lead_id), populate_existing=True)
    deal.next_try_at = now if deal.problem != VANISHED else now + wait_after(deal.attempts)
    deal.attempts += 1
    deal.problem = VANISHED
    session.add(deal)
