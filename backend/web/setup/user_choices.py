"""Users as checkboxes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.core.sentences.said import said
from backend.kommo_api.values import User

INACTIVE = said("user_inactive")
GONE = said("user_gone")


@dataclass(frozen=True)
class Choice:
    """A user's checkbox."""

    id: str
    name: str
    remark: str
    """Why choosing the user has little effect; '' for most."""
    is_chosen: bool


def choices(users: Sequence[User], ids: str) -> list[Choice]:
    """Return a checkbox for every user: active ones first, at the end chosen ``ids`` that are no users any more.

    ``ids`` are separated by commas. A choice stays until a person unticks it.
    """
    chosen = dict.fromkeys(one for one in ids.replace(",", " ").split() if one.isascii() and one.isdigit())
    shared = Counter(user.name for user in users)
    known = [
        Choice(str(user.id), _name(user, shared), "" if user.is_active else INACTIVE, str(user.id) in chosen)
        for user in sorted(users, key=lambda user: (not user.is_active, user.name.casefold(), user.id))
    ]
    there = {one.id for one in known}
    return known + [Choice(one, one, GONE, is_chosen=True) for one in chosen if one not in there]


def _name(user: User, shared: Counter[str]) -> str:
    """Return the user's name; two users of one name are distinguished by their e-mail addresses."""
    if not user.name:
        return user.email or str(user.id)
    return f"{user.name}, {user.email or user.id}" if shared[user.name] > 1 else user.name


def named(users: Iterable[User], value: object) -> object:
    """Return a list of user ids as names, other entries in words; any other value unchanged."""
    if not isinstance(value, list):
        return value
    names = {user.id: user.name for user in users}
    return ", ".join((isinstance(one, int) and names.get(one)) or _in_words(one) for one in value)


def _in_words(entry: object) -> str:
    """Return a list's entry, such as a reminder's ``{"days": 3, "channel": "bot"}``, as ``days 3 channel bot``."""
    return " ".join(f"{name} {one}" for name, one in entry.items()) if isinstance(entry, dict) else str(entry)
