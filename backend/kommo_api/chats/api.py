"""Kommo's API calls for bots and chats (docs/facts/kommo-automation.md 3, 4)."""

from backend.kommo_api.chats.values import Bot, Message, Talk, bot, message, talk
from backend.kommo_api.errors import KommoForbidden, KommoNotFound, KommoRefused, KommoUnavailable, KommoUnpaid
from backend.kommo_api.responses import read
from backend.kommo_api.scalars import required, text
from backend.kommo_api.transport import Query, Wire, rows_found

BOTS = "/api/v4/bots"
TALKS = "/api/v4/talks"
QUEUED = 202
MOST_PAGES = 4
MOST_MESSAGES = 250

DEFINITE = (KommoUnpaid, KommoForbidden, KommoNotFound, KommoRefused)
"""Errors of ``run_bot`` and ``send_message`` that prove nothing was sent: statuses 402, 403, 404, 400, 422."""


class ChatApi:
    """Calls for bots and chats of one account; every method raises ``KommoError``."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def bots(self) -> list[Bot]:
        """The account's Salesbots, in Kommo's order."""
        return [read(bot, one) async for rows in self._wire.pages(BOTS, "items") for one in rows]

    async def run_bot(self, bot_id: int, lead_id: int) -> None:
        """Queue a bot for a deal. Kommo does not de-duplicate: after two calls the bot may run twice.

        Raises a doubtful ``KommoUnavailable`` for a success other than 202 (docs/facts/kommo-automation.md 3).
        """
        status = await self._wire.post_for_status(
            f"{BOTS}/{bot_id}/run", {"entity_id": lead_id, "entity_type": "leads"}
        )
        if status != QUEUED:
            raise KommoUnavailable(f"HTTP {status} is not the answer that a bot was queued", doubtful=True)

    async def talks_of(self, lead_id: int) -> list[Talk]:
        """The deal's open talks, from at most four pages. Kommo may ignore the filter, so other deals' talks are
        dropped."""
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
        """The talk's messages since ``since`` (Unix seconds), at most one page of 250.

        The call does not count against Kommo's quota (docs/facts/kommo-automation.md 4).
        """
        query: Query = [("filter[created_at][from]", int(since)), ("limit", MOST_MESSAGES)]
        body = await self._wire.get(f"{TALKS}/{talk_id}/messages", query)
        found = [read(message, one) for one in rows_found(body, "messages")]
        return [one for one in found if one.created_at >= int(since)]

    async def send_message(self, talk_id: int, words: str) -> str:
        """Send a message to the talk and return its id. A second call sends a second message.

        Kommo has accepted the message then, not yet delivered it (docs/facts/kommo-automation.md 4). Raises a doubtful
        ``KommoUnavailable`` if the answer names no message.
        """
        body = await self._wire.post(f"{TALKS}/{talk_id}/send_message", {"text": words})
        return read(lambda given: text(required(given, "id")), body or {}, is_write=True)
