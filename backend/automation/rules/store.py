"""Entries in the database: the due ones and their outcomes. Every outcome is fenced by the lease."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.stripe.connections import connection_for_button
from backend.automation.rules.decide import Facts
from backend.automation.rules.outcomes import Outcome
from backend.automation.rules.settings import RuleSettings
from backend.core.errors import NotConnected
from backend.kommo_api.values import Lead
from backend.ledger.load import load_deals
from backend.ledger.merged_deals import with_merged
from backend.resources import Resources
from backend.storage.models import Account, CardWrite, PaymentRequest, PaymentRule, StageEntry
from backend.storage.models.deals import MAKES_DEAL
from backend.storage.models.rules import OPEN_ENTRY
from backend.work_queue.backoff import wait_after
from backend.work_queue.leases import Claim, fence

IS_OPEN = text(f"stage_entry.{OPEN_ENTRY} AND stage_entry.next_try_at >= 0")
"""The words of the partial index, which SQLite does not use for a condition with a bound value, and a condition on its
next column that is always true: without statistics SQLite would take another index of the account."""
IS_OF_MADE_DEAL = text(f"card_write.{MAKES_DEAL}")


@dataclass(frozen=True)
class Case:
    """A due entry with its rule."""

    entry: StageEntry
    settings: RuleSettings


async def due(session: AsyncSession, account_id: int, now: float, most: int) -> list[Case]:
    """Return at most ``most`` entries due at ``now`` (epoch seconds), longest waiting first.

    Those of a deal thus stay in the order of arrival.
    """
    joined = (col(PaymentRule.account_id) == col(StageEntry.account_id), col(PaymentRule.id) == col(StageEntry.rule_id))
    found = await session.exec(
        select(StageEntry, PaymentRule)
        .join(PaymentRule, joined[0] & joined[1])
        .where(StageEntry.account_id == account_id, IS_OPEN, StageEntry.next_try_at <= now)
        .order_by(col(StageEntry.received_at), col(StageEntry.id))
        .limit(most)
    )
    return [Case(entry, RuleSettings(**rule.settings)) for entry, rule in found.all()]


async def next_due(session: AsyncSession, account_id: int) -> float | None:
    """Return when the next entry may be tried, in epoch seconds; None without one."""
    waiting = (StageEntry.account_id == account_id, IS_OPEN)
    return (await session.exec(select(func.min(StageEntry.next_try_at)).where(*waiting))).one()


async def entries_of(session: AsyncSession, account_id: int, lead_id: int) -> list[StageEntry]:
    """Return all stored entries of the deal, oldest first."""
    mine = select(StageEntry).where(StageEntry.account_id == account_id, StageEntry.lead_id == lead_id)
    return list((await session.exec(mine.order_by(col(StageEntry.received_at), col(StageEntry.id)))).all())


async def requests_of_rule(session: AsyncSession, account_id: int, lead_id: int, root_id: str) -> set[str]:
    """Return the ids of the requests that the rule created or used for the deal, or for one merged into it.

    A deposit that was paid before a merge is thus not requested again.
    """
    leads = await with_merged(session, account_id, lead_id)
    mine = (StageEntry.account_id == account_id, col(StageEntry.lead_id).in_(leads), StageEntry.root_id == root_id)
    found = await session.exec(select(StageEntry.request_id).where(*mine, col(StageEntry.request_id).is_not(None)))
    return {one for one in found.all() if one is not None}


async def our_writes(session: AsyncSession, account_id: int, lead_id: int) -> list[CardWrite]:
    """Return our moves of the deal and, if we created it, the write that did; in no order, whatever their outcome."""
    moved = (col(CardWrite.kind) == "stage", col(CardWrite.lead_id) == lead_id)
    made = (IS_OF_MADE_DEAL, col(CardWrite.kommo_id) == lead_id)
    ours = select(CardWrite).where(CardWrite.account_id == account_id)
    return [write for which in (moved, made) for write in (await session.exec(ours.where(*which))).all()]


async def facts_of(session: AsyncSession, account_id: int, lead: Lead, mine: Collection[str], now: float) -> Facts:
    """Return the data of a decision from our database at ``now`` (epoch seconds).

    ``mine``: ids of the requests that the rule created for the deal before.
    """
    account = await session.get_one(Account, account_id)
    try:
        await connection_for_button(session, account)
        is_connected = True
    except NotConnected:
        is_connected = False
    ledgers = await load_deals(session, account, [lead.id], now)
    return Facts(lead, ledgers[lead.id], account.currency, is_connected, mine)


async def was_made(resources: Resources, account_id: int, request_id: str) -> bool:
    """Return whether Stripe confirmed the request's first session."""
    async with resources.database.read() as session:
        found = await session.get(PaymentRequest, (account_id, request_id))
    return found is not None and found.session_n > 0


async def fix(resources: Resources, claim: Claim, entry: StageEntry, at: float, request_id: str) -> None:
    """Store the time and the uuid before anything is created: a second try creates the same request."""
    entry.state, entry.entered_at, entry.request_id = "decided", at, request_id
    await _put(resources, claim, entry)


async def put_off(resources: Resources, claim: Claim, entry: StageEntry, seconds: float | None = None) -> None:
    """Schedule the entry's next try: after ``seconds``, or by the retry schedule if it is None."""
    wait = wait_after(entry.attempts) if seconds is None else seconds
    entry.attempts, entry.next_try_at = entry.attempts + 1, resources.clock() + wait
    await _put(resources, claim, entry)


def close(entry: StageEntry, outcome: Outcome, request_id: str | None = None) -> None:
    """Set the outcome in ``entry``."""
    entry.state, entry.outcome, entry.content = "done", outcome.word, dict(outcome.values)
    entry.request_id = request_id


async def _put(resources: Resources, claim: Claim, entry: StageEntry) -> None:
    async with resources.database.write() as session:
        await fence(session, claim, resources.clock())
        await session.merge(entry)


def by_deal(cases: Collection[Case]) -> Mapping[int, list[Case]]:
    """Return the cases by Kommo's id of their deal, each deal's in the given order."""
    grouped: dict[int, list[Case]] = defaultdict(list)
    for case in cases:
        grouped[case.entry.lead_id].append(case)
    return grouped
