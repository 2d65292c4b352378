"""Automation: payment links sent to clients."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from backend.storage.models.columns import big_int, document, moment, partial_index


class Sending(SQLModel, table=True):
    """A payment link sent to a client once; the row is stored before each call.

    ``id`` is a digest of the origin, so the same origin has one row.
    """

    __tablename__ = "sending"
    __table_args__ = (
        partial_index("sending_due", "due_at IS NOT NULL", "account_id", "due_at"),
        Index("sending_of_deal", "account_id", "lead_id"),
        Index("sending_of_contact", "account_id", "contact_id", "reached_at"),
        Index("sending_of_request", "account_id", "request_id"),
    )
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True)
    origin: str  # person | rule | reminder
    origin_key: str
    origin_name: str = ""  # name of the rule or the reminder, as the card shows it
    user_id: int = big_int(default=0)  # the person who pressed Send
    lead_id: int = big_int()
    contact_id: int | None = big_int(default=None, nullable=True)
    request_id: str
    channels: list[str] = document(default_factory=list)  # bot | chat | task: the channels left to try, in this order
    refusals: list[dict[str, Any]] = document(default_factory=list)  # {channel, why} of the channels that failed
    text: str = ""  # text of the chat message; empty = the account's template
    state: str = "waiting"  # waiting | sent: a call is under way | doubtful | done | dropped
    channel: str = ""  # the channel by which it was sent, or may have been
    delivery: str = ""  # delivery of a chat message: sent | delivered | read | failed | unknown
    reason: str = ""  # why it was dropped or not delivered: a key of the card's texts
    detail: str = ""  # the same in Kommo's words, for people
    talk_id: int | None = big_int(default=None, nullable=True)
    message_id: str = ""
    task_id: int | None = big_int(default=None, nullable=True)
    attempts: int = 0
    epoch: int = big_int(default=0)
    created_at: float = moment()
    due_at: float | None = moment(default=None, nullable=True)  # when the next step is due; None = finished
    sent_at: float = moment(default=0.0)  # when the call of ``channel`` began; 0 = no call
    reached_at: float = moment(default=0.0)  # when a message may have reached the client; 0 = certainly not
