"""What is done without a person: links sent to clients."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from backend.storage.models.columns import big_int, document, moment, partial_index


class Sending(SQLModel, table=True):
    """A payment link that is sent to the client once: the row comes before each call. ``id`` is a digest of the origin,
    so the same origin has one row."""

    __tablename__ = "sending"
    __table_args__ = (
        partial_index("sending_due", "due_at IS NOT NULL", "account_id", "due_at"),
        Index("sending_of_deal", "account_id", "lead_id"),
        Index("sending_of_contact", "account_id", "contact_id", "reached_at"),
    )
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True)
    origin: str  # person | rule | reminder
    origin_key: str
    origin_name: str = ""  # of the rule or the reminder, as the card names it
    user_id: int = big_int(default=0)  # the person who pressed Send
    lead_id: int = big_int()
    contact_id: int | None = big_int(default=None, nullable=True)
    request_id: str
    channels: list[str] = document(default_factory=list)  # bot | chat | task: what is still to be tried, in this order
    refusals: list[dict[str, Any]] = document(default_factory=list)  # {channel, why} of those that were tried in vain
    text: str = ""  # of the chat message; empty = the account's words
    state: str = "waiting"  # waiting | sent: a call is under way | doubtful | done | dropped
    channel: str = ""  # by which it went, or may have gone
    delivery: str = ""  # of a chat message: sent | delivered | read | failed | unknown
    reason: str = ""  # why it was dropped, or not delivered: a key of the card's words
    detail: str = ""  # the same in Kommo's words, for a person
    talk_id: int | None = big_int(default=None, nullable=True)
    message_id: str = ""
    task_id: int | None = big_int(default=None, nullable=True)
    attempts: int = 0
    epoch: int = big_int(default=0)
    created_at: float = moment()
    due_at: float | None = moment(default=None, nullable=True)  # when something is to be done next; None = all is done
    sent_at: float = moment(default=0.0)  # when the call of ``channel`` began; 0 = there was none
    reached_at: float = moment(default=0.0)  # when the client may have been written to; 0 = surely not
