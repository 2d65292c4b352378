"""Kommo's calls for bots and chats."""

from backend.kommo_api.chats.values import Bot, Message, Talk, bot, message, talk
from backend.kommo_api.errors import KommoForbidden, KommoNotFound, KommoRefused, KommoUnavailable, KommoUnpaid
from backend.kommo_api.responses import read
from backend.kommo_api.scalars import text
from backend.kommo_api.transport import Query, Wire, rows_of

BOTS = "/api/v4/bots"
TALKS = "/api/v4/talks"
QUEUED = 202
MOST_PAGES = 4
MOST_MESSAGES = 250

DEFINITE = (KommoUnpaid, KommoForbidden, KommoNotFound, KommoRefused)
"""Kommo's answers to ``run_bot`` and ``send_message`` after which surely nothing was sent: 402, 403, 404, 400, 422."""


class ChatApi:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def bots(self) -> list[Bot]:
        """The account's Salesbots, in Kommo's order."""
        return [read(bot, one) async for rows in self._wire.pages(BOTS, "items") for one in rows]

    async def run_bot(self, bot_id: int, lead_id: int) -> None:
        """Queue a bot for a deal. Kommo knows no repetition: called twice, it may run twice."""
        status = await self._wire.post_for_status(
            f"{BOTS}/{bot_id}/run", {"entity_id": lead_id, "entity_type": "leads"}
        )
        if status != QUEUED:
            raise KommoUnavailable(f"HTTP {status} is not the answer that a bot was queued", doubtful=True)

    async def talks_of(self, lead_id: int) -> list[Talk]:
        """The deal's open talks. Where Kommo passes over the filter, the talks of others are left out."""
        query: Query = [("filter[entity_id]", lead_id), ("filter[entity_type]", "lead"), ("filter[only_in_work]", 1)]
        found: list[Talk] = []
        pages = 0
        async for rows in self._wire.pages(TALKS, "talks", query):
            talks = [read(talk, one) for one in rows]
            found += [one for one in talks if one.lead_id == lead_id and one.is_open]
            pages += 1
            if pages >= MOST_PAGES:
                break
        return found

    async def messages_of(self, talk_id: int, since: float) -> list[Message]:
        """The talk's messages since the moment, as far as one page holds them; free of Kommo's quota."""
        query: Query = [("filter[created_at][from]", int(since)), ("limit", MOST_MESSAGES)]
        body = await self._wire.get(f"{TALKS}/{talk_id}/messages", query)
        found = [read(message, one) for one in (rows_of(body, "messages") if body else [])]
        return [one for one in found if one.created_at >= int(since)]

    async def send_message(self, talk_id: int, words: str) -> str:
        """The id of the message, which Kommo has accepted and not yet delivered. Sent twice is two messages."""
        body = await self._wire.post(f"{TALKS}/{talk_id}/send_message", {"text": words})
        return text((body or {}).get("id"))
