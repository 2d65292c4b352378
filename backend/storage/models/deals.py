"""What was and will be written to Kommo."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from backend.storage.models.columns import big_int, document, moment, partial_index


class Deal(SQLModel, table=True):
    """A deal is dirty while ``written < wanted``; the writer closes the difference and never clears a flag."""

    __table_args__ = (
        partial_index("deal_dirty", "written < wanted", "account_id", "dirty_since"),
        partial_index("deal_look_again", "look_again_at IS NOT NULL", "account_id", "look_again_at"),
        partial_index("deal_missing", "missing_since IS NOT NULL", "account_id", "missing_since"),
        Index("deal_audit", "account_id", "audit_at"),
        partial_index("deal_unlisted", "listed < wanted", "account_id", "lead_id"),
    )
    account_id: int = big_int(primary_key=True)
    lead_id: int = big_int(primary_key=True)
    wanted: int = 0
    written: int = 0
    listed: int = 0  # up to which revision its payments stand in the list of all payments
    dirty_since: float | None = moment(default=None, nullable=True)
    next_try_at: float = moment(default=0.0)
    attempts: int = 0
    look_again_at: float | None = moment(default=None, nullable=True)  # when time alone will change its state
    audit_at: float | None = moment(default=None, nullable=True)  # when what was written is looked at again
    audits: int = 0  # looks since the last write; after the third it is believed
    restored: bool = False  # what a person changed by hand was put back since the last news; not twice
    foreseen: int = 0  # in shadow mode: the revision whose writes were recorded as intended
    state: str = "known"  # known | gone: Kommo has no such deal (any more)
    problem: str = ""
    missing_since: float | None = moment(default=None, nullable=True)  # gone, and something of ours hangs on it
    pipeline_id: int | None = big_int(default=None, nullable=True)  # where it stood when it was read last
    responsible_id: int | None = big_int(default=None, nullable=True)  # and whose it was


class MergedDeal(SQLModel, table=True):
    """A deal that Kommo merged into another. What is asked or paid for it is the survivor's; a survivor has no row."""

    __tablename__ = "merged_deal"
    __table_args__ = (Index("merged_deal_survivor", "account_id", "survivor_id"),)
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    lead_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    survivor_id: int = big_int()
    proof: str  # event | fields: what showed it
    found_at: float = moment()


class MergeFeed(SQLModel, table=True):
    """Up to which moment Kommo's feed of events was read for merges."""

    __tablename__ = "merge_feed"
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    heard_to: float = moment()


class CardWrite(SQLModel, table=True):
    """An intent before its effect: one note, task or stage move, once per fact."""

    __tablename__ = "card_write"
    __table_args__ = (Index("card_write_open", "account_id", "state"),)
    account_id: int = big_int(primary_key=True)
    lead_id: int = big_int(primary_key=True)
    kind: str = Field(primary_key=True)  # note | task | stage | deal of a period; fields: in shadow mode only
    fact_id: str = Field(primary_key=True)
    content: dict[str, Any] = document(default_factory=dict)
    state: str = "intended"  # intended | sent | doubtful | done | dead
    epoch: int = big_int(default=0)
    sent_at: float = moment(default=0.0)
    attempts: int = 0
    kommo_id: int | None = big_int(default=None, nullable=True)
    error: str = ""


class DealTask(SQLModel, table=True):
    """A task for a deal's responsible user that the ledger does not call for. The writer makes it, and closes it once
    it is ``healed``; what Kommo did with it is the ``card_write`` of kind task with the same ``fact_id``."""

    __tablename__ = "deal_task"
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    lead_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    fact_id: str = Field(primary_key=True)
    text: str
    due_at: float = moment()
    healed: bool = False
