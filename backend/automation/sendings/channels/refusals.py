"""Kommo's definite refusals as keys of our sentences."""

from backend.automation.sendings.channels.step import Refusal
from backend.kommo_api.errors import KommoError, KommoForbidden, KommoNotFound, KommoUnpaid

_CHAT = ((KommoUnpaid, "quota"), (KommoForbidden, "scope"), (KommoNotFound, "no_talk"))
_BOT = ((KommoUnpaid, "plan"), (KommoForbidden, "no_right"), (KommoNotFound, "bot_missing"))


def refusal_of(channel: str, error: KommoError) -> Refusal:
    """Return the refusal: 402, 403 and 404 name the reason; any other is *refused* with Kommo's own sentence."""
    table = {"chat": _CHAT, "bot": _BOT}.get(channel, ())
    why = next((word for kind, word in table if isinstance(error, kind)), "refused")
    if "closed" in error.detail.lower() and channel == "chat":
        why = "talk_closed"
    return Refusal(why, error.detail)
