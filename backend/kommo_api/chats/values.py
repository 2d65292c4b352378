"""Bots, talks and messages as values, parsed from Kommo's rows."""

from dataclasses import dataclass
from typing import Any, Literal

from backend.kommo_api.scalars import Row, flag, required, row, text, whole, whole_or

Delivery = Literal["", "sent", "delivered", "read", "failed"]
"""Delivery state of a message; '' if Kommo sends none or an unknown one."""
_DELIVERIES: dict[str, Delivery] = {
    "sent": "sent", "delivered": "delivered", "read": "read", "seen": "read", "error": "failed", "failed": "failed",
}  # fmt: skip
LEADS = ("lead", "leads")


@dataclass(frozen=True, slots=True)
class Bot:
    """A Salesbot of the account."""

    id: int
    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation with a contact. ``lead_id``: the deal it belongs to, or 0."""

    id: int
    lead_id: int
    contact_id: int
    status: str
    origin: str

    @property
    def is_open(self) -> bool:
        """True if the talk is still in work."""
        return self.status == "in_work"


@dataclass(frozen=True, slots=True)
class Message:
    """A chat message; ``created_at`` in Unix seconds. ``reason``: why the delivery failed, or ''."""

    id: str
    incoming: bool
    text: str
    created_at: float
    delivery: Delivery
    reason: str = ""


def bot(given: Row) -> Bot:
    """Parse a Salesbot; one without an ``active`` setting counts as active. Raises ``Unreadable`` without an id."""
    settings = row(given.get("settings"))
    return Bot(whole(required(given, "id")), text(given.get("name")), flag(settings.get("active", True)))


def talk(given: Row) -> Talk:
    """Parse a talk. Raises ``Unreadable`` without an id."""
    is_deal = text(given.get("entity_type")) in LEADS
    return Talk(
        id=whole(required(given, "talk_id")),
        lead_id=whole_or(given.get("entity_id"), 0) if is_deal else 0,
        contact_id=whole_or(given.get("contact_id"), 0),
        status=text(given.get("status")),
        origin=text(given.get("origin")),
    )


def message(given: Row) -> Message:
    """Parse a message; fields that Kommo leaves out are '' or 0. Raises ``Unreadable`` without an id."""
    said, reason = _said(given.get("delivery_status"))
    return Message(
        id=text(required(given, "id")),
        incoming=text(given.get("type")) == "incoming",
        text=text(given.get("text")),
        created_at=float(whole_or(given.get("created_at"), 0)),
        delivery=_DELIVERIES.get(said, ""),
        reason=reason,
    )


def _said(given: Any) -> tuple[str, str]:
    """The delivery word in lower case, and a reason or ''. Kommo sends a word or an object; neither is documented
    in full."""
    if isinstance(given, dict):
        word = next((given[key] for key in ("status", "code", "name") if given.get(key)), "")
        return text(word).lower(), text(given.get("error") or given.get("reason"))
    return text(given).lower(), ""
