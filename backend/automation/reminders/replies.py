"""Detection of the client's reply after a link was sent: then a user answers, and no reminder is sent."""

from contextlib import suppress
from typing import Any

from sqlmodel import col, func, select

from backend.accounts.tokens.call import with_kommo
from backend.kommo_api.chats.api import DEFINITE
from backend.kommo_api.client import KommoApi
from backend.payments.find import Link
from backend.resources import Resources
from backend.storage.models import PaymentRequest, Sending


async def has_replied(resources: Resources, link: Link) -> bool:
    """Return whether the client wrote since, as far as Kommo tells; False without the right to read chats."""
    since, lead_id = await _sent_at(resources, link), link.request.lead_id

    async def heard(api: KommoApi) -> bool:
        for talk in await api.chats.talks_of(lead_id):
            messages = await api.chats.messages_of(talk.id, since)
            if any(one.incoming and one.created_at > since for one in messages):
                return True
        return False

    with suppress(*DEFINITE):
        return await with_kommo(resources, link.account.id, heard)
    return False


def link_messages(request: PaymentRequest) -> tuple[Any, ...]:
    """Return the SQL conditions of messages that carried the request's link to the client."""
    return (
        col(Sending.account_id) == request.account_id,
        col(Sending.request_id) == request.id,
        col(Sending.channel).in_(("bot", "chat")),
        col(Sending.sent_at) > 0,
    )


async def _sent_at(resources: Resources, link: Link) -> float:
    """Return when the product last sent the link; else when it was created, for a user to send."""
    request = link.request
    newest = select(func.max(Sending.sent_at)).where(*link_messages(request))
    async with resources.database.read() as session:
        sent = (await session.exec(newest)).one()
    return max(request.created_at, sent or 0.0)
