"""What is done without a person: rules of stages, and the deals that entered them."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from backend.storage.models.columns import big_int, document, moment, partial_index

OPEN_ENTRY = "state != 'done'"
"""The condition of a partial index. SQLite uses such an index only where the statement repeats the words."""


class PaymentRule(SQLModel, table=True):
    """What an action of Kommo's Digital Pipeline asks for. Kommo holds the key; here is its digest.

    A changed rule is a new row of the same ``root_id``: which of the two holds, Kommo says by the key that it sends.
    """

    __tablename__ = "payment_rule"
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True)
    root_id: str
    key_digest: str = Field(unique=True)
    settings: dict[str, Any] = document(default_factory=dict)
    user_id: int = big_int()
    created_at: float = moment()
    used_at: float | None = moment(default=None, nullable=True)  # when a hook first named it: from then on it is fixed


class StageEntry(SQLModel, table=True):
    """A hook with a rule's key: stored before it is answered, worked on later, kept with what became of it."""

    __tablename__ = "stage_entry"
    __table_args__ = (
        partial_index("stage_entry_open", OPEN_ENTRY, "account_id", "next_try_at"),
        Index("stage_entry_of_deal", "account_id", "lead_id", "received_at"),
    )
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True)  # digest of what Kommo told: the same hook again is the same row
    lead_id: int = big_int()
    rule_id: str
    root_id: str
    pipeline_id: int | None = big_int(default=None, nullable=True)
    status_id: int | None = big_int(default=None, nullable=True)
    inside: bool = False  # told as a move between the stages over which the action is stretched
    told_at: float | None = moment(default=None, nullable=True)  # the hook's own time
    received_at: float = moment()
    state: str = "new"  # new | decided: the request's uuid and content are fixed | done
    entered_at: float | None = moment(default=None, nullable=True)  # when the deal entered the stage, once known
    request_id: str | None = None
    content: dict[str, Any] = document(default_factory=dict)  # what fills the sentence of its outcome
    outcome: str = ""  # a word of backend/automation/rules/outcomes.py
    attempts: int = 0
    next_try_at: float = moment(default=0.0)


class BotStep(SQLModel, table=True):
    """A Salesbot waits at a step of ours: stored before its request is answered, kept with what it was told."""

    __tablename__ = "bot_step"
    __table_args__ = (
        partial_index("bot_step_open", OPEN_ENTRY, "account_id", "next_try_at"),
        Index("bot_step_of_deal", "account_id", "lead_id"),
    )
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True)  # digest of the path at which the bot goes on: it goes on once
    lead_id: int = big_int()
    step: str  # payment_link | is_it_paid
    rule_id: str = ""  # of the rule that says what the link asks for
    path: str
    received_at: float = moment()
    state: str = "new"  # new | decided: the answer is fixed | done
    request_id: str | None = None
    answer: dict[str, Any] = document(default_factory=dict)
    outcome: str = ""  # what became of the answer: told | gone | late
    attempts: int = 0
    next_try_at: float = moment(default=0.0)
