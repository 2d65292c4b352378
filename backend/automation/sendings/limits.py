"""Limits of automatic sendings: the account's switch, its hours, and one message a day."""

from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.options import options_of
from backend.automation.sendings.hours import window_of
from backend.automation.sendings.store import BEYOND_THE_CLIENT, written_to_since
from backend.storage.models import Account, Sending


@dataclass(frozen=True, slots=True)
class Held:
    """Not now. ``until``: when to check again, None for never; ``reason``: a key of the card's texts."""

    reason: str
    until: float | None = None


async def held_back(session: AsyncSession, account: Account, row: Sending, channel: str, now: float) -> Held | None:
    """Return why this channel may not send at ``now`` (epoch seconds); None if it may.

    A user's own sending is never held back, and hours and the daily limit count only for messages to the client.
    """
    if row.origin == "person":
        return None
    options = options_of(account)
    if not options.send_automatically:
        return Held("switched_off")
    if channel not in BEYOND_THE_CLIENT:
        return None
    window = window_of(account)
    allowed = window.next_allowed(now)
    if allowed > now:
        return Held("hours", allowed)
    if options.send_once_a_day and await written_to_since(session, row, window.day_begins(now)):
        return Held("once_a_day", window.next_allowed(now, after_its_day=True))
    return None
