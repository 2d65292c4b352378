"""A sending with an unknown outcome: read back if Kommo allows it, else a user gets a task."""

from backend.accounts.tokens.call import with_kommo
from backend.automation.sendings.channels.attempt import LOOK_AT_DELIVERY_SECONDS
from backend.automation.sendings.channels.step import Refusal, next_channel
from backend.automation.sendings.store import change
from backend.core.clock import SKEW_SECONDS
from backend.deal_sync.readable import same_letters
from backend.kommo_api.chats.api import DEFINITE
from backend.kommo_api.client import KommoApi
from backend.resources import Resources
from backend.storage.models import Sending
from backend.work_queue.leases import Claim

UNKNOWN = "unknown"
UNSEEN = "unseen"
"""A doubtful task that does not exist: it is created once more, and then never again."""


async def settle(resources: Resources, claim: Claim, row: Sending) -> None:
    """Resolve a row that is *sent* by a process that died, or *doubtful*; an abandoned call has arrived by now or never
    will.

    A message to the client is never sent a second time, whatever is read back.
    """
    if row.channel == "task":
        await _task(resources, claim, row)
        return
    message = await _message(resources, row) if row.channel == "chat" else None
    if message is None:
        await to_a_person(resources, claim, row)
        return
    look = row.sent_at + LOOK_AT_DELIVERY_SECONDS
    await change(resources, claim, row, state="done", message_id=message, delivery="sent", detail="", due_at=look)


async def to_a_person(resources: Resources, claim: Claim, row: Sending) -> None:
    """Order a task that says so instead of another message: this one may have reached the client."""
    said = {"channel": row.channel, "why": UNKNOWN, "detail": row.detail}
    values = {"channels": ["task"], "refusals": [*row.refusals, said], "delivery": UNKNOWN, "channel": ""}
    await change(resources, claim, row, state="waiting", due_at=resources.clock(), **values)


async def _message(resources: Resources, row: Sending) -> str | None:
    async def look(api: KommoApi) -> str | None:
        sent = await api.chats.messages_of(row.talk_id or 0, row.sent_at - SKEW_SECONDS)
        ours = [one.id for one in sent if not one.incoming and same_letters(row.text, one.text)]
        return ours[0] if ours else None

    try:
        return await with_kommo(resources, row.account_id, look)
    except DEFINITE:
        return None


async def _task(resources: Resources, claim: Claim, row: Sending) -> None:
    tasks = await with_kommo(resources, row.account_id, lambda api: api.tasks_of([row.lead_id]))
    found = next((one.id for one in tasks if one.lead_id == row.lead_id and same_letters(row.text, one.text)), None)
    if found is not None:
        await change(resources, claim, row, state="done", task_id=found, due_at=None, detail="")
        return
    is_first = all(one["why"] != UNSEEN for one in row.refusals)
    refusals = [*row.refusals, {"channel": "task", "why": UNSEEN, "detail": row.detail}]
    if is_first:
        again = {"state": "waiting", "channel": "", "due_at": resources.clock(), "refusals": refusals}
        await change(resources, claim, row, **again)
    else:
        await next_channel(resources, claim, row, Refusal(UNSEEN))
