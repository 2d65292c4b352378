"""Whether a user may act on a deal, from Kommo's current or last answer or without any. Pure values, no I/O.

A current *no* is final. Without a current answer the last one counts; without any, a user sees only their own requests
and may create one. Cancelling, checking and refunding need a current *yes*.
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
    """What is known of a user or a deal: Kommo's answer of the last five minutes, its last answer, or nothing.

    A ``value`` of None with source *told* means that it does not exist. ``disconnected``: the account's tokens are
    dead.
    """

    value: T | None
    source: Literal["told", "last", "none"]
    disconnected: bool = False


def judge(action: Action, user: Word[User], lead: Word[Lead], *, disconnected: bool) -> Verdict:
    """The verdict by Kommo's rights (docs/facts/kommo-api.md 11.1); the administrator's own rules are checked
    separately.

    ``disconnected``: the account's tokens are dead, so a user who sees the deal may only view it.
    """
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
    """True for a user who may see no deal at all, so that the deal need not be fetched."""
    return _sees(user, None) is False


def _sees(user: Word[User], lead: Lead | None) -> bool | None:
    """Whether the user sees the deal; None if that depends on an answer we do not have."""
    if user.value is None:
        return False if user.source == "told" else None
    if not sees_any(user.value):
        return False
    if lead is not None:
        return sees(user.value, lead)
    return True if sees_all(user.value) else None
