"""Tasks for the responsible user: rare, so each is a call of its own; one per fact, closed once its cause is
resolved."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import structlog

from backend.accounts.tokens.call import with_kommo
from backend.core.errors import NotConnected
from backend.core.sentences.said import said
from backend.core.telemetry.lines import milliseconds, note
from backend.deal_sync import outbox
from backend.deal_sync.apply.send import may_have_happened
from backend.deal_sync.desired.task import Task
from backend.deal_sync.outbox import State, Write
from backend.deal_sync.plan import Plan
from backend.deal_sync.revisions import Recheck
from backend.kommo_api.client import KommoApi
from backend.kommo_api.errors import KommoError, KommoForbidden, KommoNotFound, KommoRefused
from backend.kommo_api.values import Lead
from backend.resources import Resources
from backend.storage.models import CardWrite
from backend.work_queue.leases import Claim, fence

log = structlog.get_logger()


async def write_tasks(
    resources: Resources, claim: Claim, plans: Iterable[Plan], leads: Mapping[int, Lead]
) -> dict[int, Recheck]:
    """Create and close the tasks of these plans; return a recheck for each deal, by its id, whose task Kommo refused.

    Raises ``NotConnected`` and other ``KommoError``s; a task after a lost answer is *doubtful*.
    """
    refused: dict[int, Recheck] = {}
    for plan in plans:
        try:
            await _write(resources, claim, plan, leads[plan.lead_id])
        except (KommoRefused, KommoForbidden) as refusal:
            refused[plan.lead_id] = Recheck(None, said("task_refused", reason=str(refusal)))
            ids = {"account": claim.account_id, "deal": plan.lead_id}
            note("deal write refused", **ids, what="task", reason=type(refusal).__name__)
    return refused


async def _write(resources: Resources, claim: Claim, plan: Plan, lead: Lead) -> None:
    for task in plan.tasks:
        await _create(resources, claim, lead, task)
    for write in plan.healed:
        await _close(resources, claim, write, plan.results.get(write.fact_id, "Stripe"))


async def _create(resources: Resources, claim: Claim, lead: Lead, task: Task) -> None:
    """Create a task, with a row before the request; after a lost answer it is doubtful until it is read back."""
    write, began = Write(lead.id, "task", task.fact_id, {"text": task.text}, "sent"), resources.clock()
    await outbox.record(resources, claim, write)
    try:
        task_id = await _created(resources, claim, lead, task)
    except (KommoError, NotConnected) as error:
        state: State = "doubtful" if may_have_happened(error) else "intended"
        await outbox.record(resources, claim, replace(write, state=state))
        raise
    await outbox.record(resources, claim, replace(write, state="done", kommo_id=task_id))
    ms = milliseconds(resources.clock() - began)
    note("deal written", account=claim.account_id, deal=lead.id, what="task", ms=ms)


async def _created(resources: Resources, claim: Claim, lead: Lead, task: Task) -> int:
    """The id of the new task for its own user or the deal's responsible user; for the token's user if Kommo refuses
    that one (for example a user who left)."""
    try:
        return await _post(resources, claim, lead, task, task.user_id or lead.responsible_user_id)
    except KommoRefused as refusal:
        if not any(path.endswith("responsible_user_id") for path in refusal.paths):
            raise
    return await _post(resources, claim, lead, task, None)


async def _post(resources: Resources, claim: Claim, lead: Lead, task: Task, user_id: int | None) -> int:
    async def post(api: KommoApi) -> int:
        return await api.create_task(lead.id, task.text, int(task.due_at), user_id, str(lead.id))

    return await with_kommo(resources, claim.account_id, post)


async def _close(resources: Resources, claim: Claim, write: CardWrite, result: str) -> None:
    """Close a task. Closing twice changes nothing, so no row comes first; a deleted task counts as closed."""
    task_id = write.kommo_id or 0
    try:
        await with_kommo(resources, claim.account_id, lambda api: api.close_task(task_id, result))
    except KommoNotFound:
        log.info("task to close missing", account=claim.account_id, deal=write.lead_id)
    except KommoRefused as refusal:
        if "id" not in refusal.paths:
            raise
    async with resources.database.write() as session:
        await fence(session, claim, resources.clock())
        await outbox.close_task(session, write)
