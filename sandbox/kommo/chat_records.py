"""What an account holds of chats."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Salesbot:
    """``says`` is its one message, with ``{{lead.cf.<field id>}}``; one that ``waits`` runs until it is stopped."""

    id: int
    name: str
    says: str = ""
    active: bool = True
    waits: bool = False
    type_functionality: str = "regular"


@dataclass
class Run:
    """A bot that was started for a deal or a contact. ``ended``: said all it has, stopped, or swallowed by another."""

    bot_id: int
    entity_type: str
    entity_id: int
    at: int
    state: Literal["runs", "ended", "stopped", "swallowed"] = "runs"


@dataclass
class Message:
    """``author``: external is the client, internal a user, bot a bot or the API."""

    id: str
    talk_id: int
    incoming: bool
    text: str
    author: str
    created_at: int
    failed: str = ""


@dataclass
class Talk:
    talk_id: int
    contact_id: int
    chat_id: str
    lead_id: int | None
    origin: str
    created_at: int
    updated_at: int
    status: str = "in_work"


@dataclass
class Chats:
    """``quota``: messages by API that are left this month; None: the plan has none."""

    salesbots: dict[int, Salesbot] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    talks: dict[int, Talk] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    quota: int | None = 500

    def of_talk(self, talk_id: int) -> list[Message]:
        return [one for one in self.messages if one.talk_id == talk_id]

    def of_lead(self, lead_id: int) -> list[Message]:
        """All messages of a deal's talks, as its chat shows them."""
        talks = {talk.talk_id for talk in self.talks.values() if talk.lead_id == lead_id}
        return [one for one in self.messages if one.talk_id in talks]
