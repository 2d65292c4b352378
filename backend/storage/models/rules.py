"""Rules of stages, the deals that entered those stages, and bots that wait at a step."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from backend.storage.models.columns import big_int, document, moment, partial_index

OPEN_ENTRY = "state != 'done'"
"""The condition of a partial index. SQLite uses such an index only if the statement repeats the condition."""


class PaymentRule(SQLModel, table=True):
    """The request that an action of Kommo's Digital Pipeline makes. Kommo holds the key; this row has its digest.

    A changed rule is a new row with the same ``root_id``: the key in Kommo's hook decides which of them applies.
    """

    __tablename__ = "payment_rule"
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True)
    root_id: str
    key_digest: str = Field(unique=True)
    settings: dict[str, Any] = document(default_factory=dict)
    user_id: int = big_int()
    created_at: float = moment()
    used_at: float | None = moment(default=None, nullable=True)  # when a hook first used it: from then on it is fixed


class StageEntry(SQLModel, table=True):
    """A hook with a rule's key: stored before it is answered, processed later, kept with the result."""

    __tablename__ = "stage_entry"
    __table_args__ = (
        partial_index("stage_entry_open", OPEN_ENTRY, "account_id", "next_try_at"),
        Index("stage_entry_of_deal", "account_id", "lead_id", "received_at"),
        Index("stage_entry_of_rule", "account_id", "rule_id"),
    )
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True)  # digest of the hook: a repeated hook has the same row
    lead_id: int = big_int()
    rule_id: str
    root_id: str
    pipeline_id: int | None = big_int(default=None, nullable=True)
    status_id: int | None = big_int(default=None, nullable=True)
    inside: bool = False  # a move between the stages that the action spans
    told_at: float | None = moment(default=None, nullable=True)  # the hook's own time
    received_at: float = moment()
    state: str = "new"  # new | decided: the request's uuid and content are fixed | done
    entered_at: float | None = moment(default=None, nullable=True)  # when the deal entered the stage, once known
    request_id: str | None = None
    content: dict[str, Any] = document(default_factory=dict)  # the values for the sentence of its outcome
    outcome: str = ""  # a word of backend/automation/rules/outcomes.py
    attempts: int = 0
    next_try_at: float = moment(default=0.0)


class BotStep(SQLModel, table=True):
    """A Salesbot that waits at a step of ours: stored before its request is answered, kept with our answer."""

    __tablename__ = "bot_step"
    __table_args__ = (
        partial_index("bot_step_open", OPEN_ENTRY, "account_id", "next_try_at"),
        Index("bot_step_of_deal", "account_id", "lead_id"),
    )
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True)  # digest of the path that resumes the bot, which works once
    lead_id: int = big_int()
    step: str  # payment_link | is_it_paid
    rule_id: str = ""  # the rule that defines the payment link
    path: str
    received_at: float = moment()
    wait_until: float | None = moment(default=None, nullable=True)  # it waits for the payment, at most until then
    seen: int = 0  # the deal's revision at the last look of a waiting bot
    state: str = "new"  # new | waiting: for the payment | decided: the answer is fixed | done
    request_id: str | None = None
    answer: dict[str, Any] = document(default_factory=dict)
    outcome: str = ""  # result of the answer: told | unsure | gone | refused | late | removed
    attempts: int = 0
    next_try_at: float = moment(default=0.0)
