"""Delivery of a chat message: read back after two minutes, and again after half an hour."""

from backend.accounts.tokens.call import with_kommo
from backend.automation.sendings.channels.step import Refusal, next_channel
from backend.automation.sendings.store import change
from backend.core.clock import SKEW_SECONDS
from backend.deal_sync.readable import same_letters
from backend.kommo_api.chats.api import DEFINITE
from backend.kommo_api.chats.values import Message
from backend.kommo_api.client import KommoApi
from backend.resources import Resources
from backend.storage.models import Sending
from backend.work_queue.leases import Claim

LAST_LOOK_SECONDS = 1800.0


async def look_at_delivery(resources: Resources, claim: Claim, row: Sending) -> None:
    """Store Kommo's delivery state, or *unknown* if Kommo has none; an undelivered message goes by the next channel."""
    message = await _read_back(resources, row)
    if message is not None and message.delivery == "failed":
        await next_channel(resources, claim, row, Refusal("not_delivered", message.reason))
        return
    said = message.delivery if message else ""
    last = row.sent_at + LAST_LOOK_SECONDS
    is_last = said in ("delivered", "read") or resources.clock() >= last
    await change(resources, claim, row, delivery=said or "unknown", due_at=None if is_last else last)


async def _read_back(resources: Resources, row: Sending) -> Message | None:
    async def look(api: KommoApi) -> Message | None:
        sent = await api.chats.messages_of(row.talk_id or 0, row.sent_at - SKEW_SECONDS)
        by_id = [one for one in sent if one.id == row.message_id]
        by_text = [one for one in sent if not one.incoming and same_letters(row.text, one.text)]
        return next(iter([*by_id, *by_text]), None)

    try:
        return await with_kommo(resources, row.account_id, look)
    except DEFINITE:
        return None
