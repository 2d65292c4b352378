"""Sending by a bot: its message contains the placeholder of the link's field, so the field must show this link
first.
"""

from collections.abc import Mapping
from typing import Any

from sqlmodel import select

from backend.accounts.options import options_of
from backend.automation.sendings.channels.step import Call, Later, Refusal, Step
from backend.kommo_api.client import KommoApi
from backend.payments.checkout.params import link_address
from backend.storage.models import Deal

FIELD = "STRIPE_PAYMENT_LINK"
LOOK_AGAIN_SECONDS = 3.0
LONGEST_WAIT_SECONDS = 600.0
"""For the field to be written; a deal that Kommo refuses waits no longer."""


async def prepare(step: Step) -> Call | Refusal | Later:
    """Return the call that starts the bot, a refusal, or ``Later`` while the field is not written."""
    bot_id = options_of(step.account).send_bot
    field_id = int(step.account.fields.get(FIELD, {}).get("id", 0))
    if not bot_id:
        return Refusal("no_bot")
    if not field_id:
        return Refusal("no_field")
    shown = [str(one.value) for one in step.lead.fields.get(field_id, ())]
    if shown != [link_address(step.public_url, step.link.request.link_token)]:
        return await _not_shown(step)

    async def make(api: KommoApi) -> Mapping[str, Any]:
        await api.chats.run_bot(bot_id, step.lead.id)
        return {}

    return Call(make)


async def _not_shown(step: Step) -> Refusal | Later:
    """Return ``Later`` while the field is to be written, or the refusal if it shows another link, which the bot would
    send.
    """
    async with step.resources.database.read() as session:
        is_dirty = (
            await session.exec(
                select(Deal.lead_id).where(
                    Deal.account_id == step.account.id, Deal.lead_id == step.lead.id, Deal.written < Deal.wanted
                )
            )
        ).first()
    waited = step.resources.clock() - step.row.created_at
    if is_dirty is not None and waited < LONGEST_WAIT_SECONDS:
        return Later(LOOK_AGAIN_SECONDS)
    return Refusal("not_written" if is_dirty is not None else "other_link")
