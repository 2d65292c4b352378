"""One call of one channel: the row first, then the call, then its result."""

from dataclasses import replace

from backend.accounts.tokens.call import with_kommo
from backend.automation.sendings.channels import bot, chat, task
from backend.automation.sendings.channels.refusals import refusal_of
from backend.automation.sendings.channels.step import Call, Later, Refusal, Step, next_channel
from backend.automation.sendings.limits import Held, held_back
from backend.automation.sendings.store import BEYOND_THE_CLIENT, change, change_in
from backend.core.errors import NotConnected
from backend.deal_sync.apply.send import may_have_happened
from backend.kommo_api.chats.api import DEFINITE
from backend.kommo_api.errors import KommoError, KommoUnpaid
from backend.resources import Resources
from backend.storage.models import Account
from backend.work_queue.leases import fence

CHANNELS = {"bot": bot.prepare, "chat": chat.prepare, "task": task.prepare}
LOOK_AT_DELIVERY_SECONDS = 120.0


async def attempt(step: Step) -> None:
    """Try the first remaining channel; after a definite refusal the next one."""
    channel = step.row.channels[0]
    prepared = await CHANNELS[channel](step)
    if isinstance(prepared, Later):
        await change(step.resources, step.claim, step.row, due_at=step.resources.clock() + prepared.seconds)
    elif isinstance(prepared, Refusal):
        await next_channel(step.resources, step.claim, step.row, prepared)
    elif await _begin(step, channel, prepared):
        await _make(step, channel, prepared)


async def _begin(step: Step, channel: str, call: Call) -> bool:
    """Commit that the call is about to be made, with the limits checked in the same unit of work."""
    resources, row = step.resources, step.row
    async with resources.database.write() as session:
        now = resources.clock()
        await fence(session, step.claim, now)
        account = await session.get_one(Account, row.account_id)
        held = await held_back(session, account, row, channel, now)
        if held is not None:
            await change_in(session, row, **held_values(held))
            return False
        return await change_in(
            session,
            row,
            state="sent",
            channel=channel,
            reason="",
            sent_at=now,
            reached_at=now if channel in BEYOND_THE_CLIENT else row.reached_at,
            due_at=now + resources.settle_seconds,
            epoch=step.claim.epoch,
            **call.values,
        )


def held_values(held: Held) -> dict[str, object]:
    """Return the row's new values for a sending that is held back: ``state``, ``reason`` and ``due_at``.

    It waits until ``held.until`` (epoch seconds), or is dropped for good if that is None.
    """
    state = "dropped" if held.until is None else "waiting"
    return {"state": state, "reason": held.reason, "due_at": held.until}


async def _make(step: Step, channel: str, call: Call) -> None:
    resources, claim, row = step.resources, step.claim, step.row
    try:
        made = await with_kommo(_in_whose_turn(step), row.account_id, call.make)
    except DEFINITE as error:
        if channel == "task" and isinstance(error, KommoUnpaid):
            await _put_back(step)
            raise
        await next_channel(resources, claim, row, refusal_of(channel, error))
    except (KommoError, NotConnected) as error:
        if not may_have_happened(error):
            await _put_back(step)
            raise
        await change(resources, claim, row, state="doubtful", detail=str(error))
    else:
        is_chat = channel == "chat"
        later = row.sent_at + LOOK_AT_DELIVERY_SECONDS if is_chat else None
        delivery = "sent" if is_chat else ""
        await change(resources, claim, row, state="done", due_at=later, delivery=delivery, detail="", **made)


async def _put_back(step: Step) -> None:
    """Reset the row: surely nothing was sent, so it is tried again once Kommo can be asked."""
    now = step.resources.clock()
    values = {"state": "waiting", "channel": "", "sent_at": 0.0, "reached_at": 0.0, "due_at": now}
    await change(step.resources, step.claim, step.row, **values)


def _in_whose_turn(step: Step) -> Resources:
    """Return the resources with the call's priority: a user who pressed Send comes before automatic sendings."""
    return replace(step.resources, backlog=step.row.origin != "person")
