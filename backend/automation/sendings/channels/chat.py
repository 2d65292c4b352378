"""Sending in the deal's open chat: only within a day of the client's last message, or it would not arrive."""

from collections.abc import Mapping, Sequence
from typing import Any

from backend.accounts.tokens.call import with_kommo
from backend.automation.sendings.channels.refusals import refusal_of
from backend.automation.sendings.channels.step import Call, Refusal, Step
from backend.automation.sendings.words import message_of
from backend.kommo_api.chats.api import DEFINITE
from backend.kommo_api.chats.values import Talk
from backend.kommo_api.client import KommoApi
from backend.resources import Resources

WINDOW_SECONDS = 24 * 3600.0
MARGIN_SECONDS = 300.0
"""The message must arrive within the window."""
MOST_TALKS = 5


async def prepare(step: Step) -> Call | Refusal:
    """Return the call that sends the message into the client's open talk, or a refusal without one.

    WhatsApp accepts free text only within a day of the client's last message (docs/facts/kommo-automation.md 4).
    """
    talk_id = await find_talk(step.resources, step.account.id, step.lead.id)
    if isinstance(talk_id, Refusal):
        return talk_id
    words = step.row.text or message_of(step.public_url, step.link, step.row.origin)

    async def make(api: KommoApi) -> Mapping[str, Any]:
        return {"message_id": await api.chats.send_message(talk_id, words)}

    return Call(make, {"talk_id": talk_id, "text": words})


async def find_talk(resources: Resources, account_id: int, lead_id: int) -> int | Refusal:
    """Return the id of the deal's open talk with the client's latest message, if that is within the window; else a
    refusal.
    """
    since = resources.clock() - WINDOW_SECONDS + MARGIN_SECONDS
    try:
        return await with_kommo(resources, account_id, lambda api: _talk(api, lead_id, since))
    except DEFINITE as error:
        return refusal_of("chat", error)


async def _talk(api: KommoApi, lead_id: int, since: float) -> int | Refusal:
    talks = await api.chats.talks_of(lead_id)
    if not talks:
        return Refusal("no_talk")
    newest = await _newest(api, sorted(talks, key=lambda one: one.id, reverse=True)[:MOST_TALKS], since)
    return max(newest)[1] if newest else Refusal("window_closed")


async def _newest(api: KommoApi, talks: Sequence[Talk], since: float) -> list[tuple[float, int]]:
    """Return (time, talk id) of each talk in which the client wrote since."""
    found: list[tuple[float, int]] = []
    for talk in talks:
        incoming = [one.created_at for one in await api.chats.messages_of(talk.id, since) if one.incoming]
        found += [(max(incoming), talk.id)] if incoming else []
    return found
