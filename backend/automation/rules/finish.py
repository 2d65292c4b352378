"""The end of an entry: its outcome and the task for a user, in one unit of work."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.options import options_of
from backend.automation.rules.entry import UNKNOWN, request_id
from backend.automation.rules.outcomes import ASKED, USED_AGAIN, Outcome, sentence, texts
from backend.automation.rules.store import Case, close
from backend.automation.sendings.plan import Origin, plan_sending
from backend.deal_sync.desired.task import Task
from backend.deal_sync.ordered_tasks import heal_task, order_task
from backend.resources import Resources
from backend.storage.models import Account, DealTask, PaymentRequest
from backend.work_queue.leases import Claim, fence

TASK_SECONDS = 24 * 3600.0


async def finish(resources: Resources, claim: Claim, case: Case, outcome: Outcome, asked_id: str | None = None) -> None:
    """Store the outcome and plan the client's message, or order the one task that names the obstacle.

    Raises ``TooManySendings`` and stores nothing if the queue of messages is full.
    """
    entry, now = case.entry, resources.clock()
    close(entry, outcome, asked_id)
    async with resources.database.write() as session:
        await fence(session, claim, now)
        if outcome.needs_a_person:
            account = await session.get_one(Account, claim.account_id)
            await order_task(session, claim.account_id, entry.lead_id, _task(account, case, outcome, now), now)
        if outcome.word in (ASKED, USED_AGAIN):
            await _heal(session, claim.account_id, entry.lead_id, entry.root_id, now)
            await _send(session, case, asked_id or "", now)
        await session.merge(entry)
    resources.work_arrived.set()


async def _send(session: AsyncSession, case: Case, asked_id: str, now: float) -> None:
    """Plan the entry's one message; the link may be one that a user created."""
    entry, channels = case.entry, case.settings.channels
    request = await session.get(PaymentRequest, (entry.account_id, asked_id)) if channels else None
    if request is None:
        return
    key = request_id(entry.account_id, entry.lead_id, entry.root_id, entry.entered_at or UNKNOWN)
    await plan_sending(
        session, request=request, deal_id=entry.lead_id, origin=Origin("rule", key), channels=channels, now=now
    )


def _task(account: Account, case: Case, outcome: Outcome, now: float) -> Task:
    language = options_of(account).note_language
    text = texts(language).say("task", reason=sentence(outcome, language))
    return Task(fact_of(case.entry.root_id, case.entry.id), text, now + TASK_SECONDS, healed=False)


def fact_of(root_id: str, entry_id: str) -> str:
    """Return the name of an entry's task among the deal's tasks."""
    return f"rule:{root_id}:{entry_id}"


async def _heal(session: AsyncSession, account_id: int, lead_id: int, root_id: str, now: float) -> None:
    """Close the tasks about obstacles of this rule that no longer exist."""
    mine = select(DealTask.fact_id).where(DealTask.account_id == account_id, DealTask.lead_id == lead_id)
    these = (col(DealTask.fact_id).startswith(fact_of(root_id, ""), autoescape=True), col(DealTask.healed).is_(False))
    for fact_id in (await session.exec(mine.where(*these))).all():
        await heal_task(session, account_id, lead_id, fact_id, now)
