"""Kommo's definite no, as a key of the words."""

from backend.automation.sendings.channels.step import Refusal
from backend.kommo_api.errors import KommoError, KommoForbidden, KommoNotFound, KommoUnpaid

_CHAT = ((KommoUnpaid, "quota"), (KommoForbidden, "scope"), (KommoNotFound, "no_talk"))
_BOT = ((KommoUnpaid, "plan"), (KommoForbidden, "no_right"), (KommoNotFound, "bot_missing"))


def refusal_of(channel: str, error: KommoError) -> Refusal:
    """402, 403 and 404 say why; every other no is *refused*, with Kommo's own sentence beside it."""
    table = {"chat": _CHAT, "bot": _BOT}.get(channel, ())
    why = next((word for kind, word in table if isinstance(error, kind)), "refused")
    if "closed" in error.detail.lower() and channel == "chat":
        why = "talk_closed"
    return Refusal(why, error.detail)
