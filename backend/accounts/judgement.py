"""Whether a user may act on a deal, judged from what Kommo told, told last, or did not tell. Pure values, no I/O.

*Told no* is no. *Not told* is the last word; without one only what the user made may be seen, and a request may be
created. Cancelling, checking and refunding need a yes that was told just now.
"""

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from backend.accounts.visibility import sees, sees_all, sees_any
from backend.kommo_api.values import Lead, User

T = TypeVar("T")
Action = Literal["view", "create", "cancel", "check", "refund"]
Verdict = Literal["yes", "own only", "no", "not told", "disconnected"]


@dataclass(frozen=True, slots=True)
class Word(Generic[T]):
    """What is known of a user or a deal: told within five minutes, Kommo's last word, or nothing.

    A told None does not exist. ``disconnected``: the account's tokens are dead.
    """

    value: T | None
    source: Literal["told", "last", "none"]
    disconnected: bool = False


def judge(action: Action, user: Word[User], lead: Word[Lead], *, disconnected: bool) -> Verdict:
    """The verdict of Kommo's rights; the administrator's own rules come on top."""
    seen = _sees(user, lead.value)
    if seen is False:
        return "no"
    if disconnected:
        return "yes" if seen and action == "view" else "disconnected"
    if seen and user.source == "told" and lead.source == "told":
        return "yes"
    if action in ("cancel", "check", "refund"):
        return "not told"
    return "yes" if seen or action == "create" else "own only"


def may_be_refused(user: Word[User]) -> bool:
    """True for a user who sees no deal at all: the deal need not be asked for."""
    return _sees(user, None) is False


def _sees(user: Word[User], lead: Lead | None) -> bool | None:
    """None where it depends on what was not told."""
    if user.value is None:
        return False if user.source == "told" else None
    if not sees_any(user.value):
        return False
    if lead is not None:
        return sees(user.value, lead)
    return True if sees_all(user.value) else None
