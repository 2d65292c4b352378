"""Why Kommo's token endpoint refused, by status and hint (docs/facts/kommo-api.md 2)."""

from enum import Enum, auto


class Refusal(Enum):
    """The cause of a refusal. ``KEYS``: a 401 without a hint, as wrong keys get. ``OTHER``: an unknown cause."""

    CLIENT_ID = auto()
    CLIENT_SECRET = auto()
    KEYS = auto()
    REDIRECT_URI = auto()
    ACCOUNT = auto()
    NO_ACCOUNT = auto()
    CODE_EXPIRED = auto()
    CODE_USED = auto()
    CODE_OF_OTHER = auto()
    CODE_UNREADABLE = auto()
    OTHER = auto()


_HINTS = (
    ("client_secret", Refusal.CLIENT_SECRET),
    ("client_id", Refusal.CLIENT_ID),
    ("redirect uri", Refusal.REDIRECT_URI),
    ("redirect_uri", Refusal.REDIRECT_URI),
    ("invalid account", Refusal.ACCOUNT),
    ("not issued to this client", Refusal.CODE_OF_OTHER),
    ("code has expired", Refusal.CODE_EXPIRED),
    ("code has been revoked", Refusal.CODE_USED),
    ("cannot decrypt the authorization code", Refusal.CODE_UNREADABLE),
)
"""Parts of Kommo's hints in lower case. Titles and details are localized, so they are not used."""


def refusal_of(hint: str, status: int) -> Refusal:
    """The cause of a refusal, by Kommo's hint, or by the status if the hint says nothing known."""
    said = hint.lower()
    for part, refusal in _HINTS:
        if part in said:
            return refusal
    if status == 404:
        return Refusal.NO_ACCOUNT
    return Refusal.KEYS if status == 401 and not hint else Refusal.OTHER
