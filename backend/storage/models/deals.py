"""Deals, and the writes to Kommo that were made or are due."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from backend.storage.models.columns import big_int, document, moment, partial_index

MAKES_DEAL = "kind = 'deal'"


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
    listed: int = 0  # the revision up to which its payments are in the list of all payments
    dirty_since: float | None = moment(default=None, nullable=True)
    next_try_at: float = moment(default=0.0)
    attempts: int = 0
    look_again_at: float | None = moment(default=None, nullable=True)  # when time alone will change its state
    audit_at: float | None = moment(default=None, nullable=True)  # when the written values are verified
    audits: int = 0  # verifications since the last write; the third is the last
    restored: bool = False  # a person's change was reverted since the last new fact; it is not reverted twice
    foreseen: int = 0  # in shadow mode: the revision whose writes were recorded as intended
    state: str = "known"  # known | gone: Kommo has no such deal, or no longer
    problem: str = ""
    missing_since: float | None = moment(default=None, nullable=True)  # gone, and it has payments or requests of ours
    pipeline_id: int | None = big_int(default=None, nullable=True)  # its pipeline at the last fetch
    responsible_id: int | None = big_int(default=None, nullable=True)  # its responsible user at the last fetch


class MergedDeal(SQLModel, table=True):
    """A deal that Kommo merged into another: its requests and payments belong to the survivor. A survivor has no
    row."""

    __tablename__ = "merged_deal"
    __table_args__ = (Index("merged_deal_survivor", "account_id", "survivor_id", "lead_id"),)
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    lead_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    survivor_id: int = big_int()
    proof: str  # event | fields: the evidence of the merge
    found_at: float = moment()


class MergeFeed(SQLModel, table=True):
    """The time up to which Kommo's events feed was read for merges."""

    __tablename__ = "merge_feed"
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    heard_to: float = moment()


class CardWrite(SQLModel, table=True):
    """An outbox row, stored before its effect: one note, task or stage move, once per fact."""

    __tablename__ = "card_write"
    __table_args__ = (
        Index("card_write_open", "account_id", "state"),
        partial_index("card_write_made", MAKES_DEAL, "account_id", "kommo_id"),
    )
    account_id: int = big_int(primary_key=True)
    lead_id: int = big_int(primary_key=True)
    kind: str = Field(primary_key=True)  # note | task | stage | deal (of a renewal) | fields (shadow mode only)
    fact_id: str = Field(primary_key=True)
    content: dict[str, Any] = document(default_factory=dict)
    state: str = "intended"  # intended | sent | doubtful | done | dead
    epoch: int = big_int(default=0)
    sent_at: float = moment(default=0.0)
    attempts: int = 0
    kommo_id: int | None = big_int(default=None, nullable=True)
    error: str = ""


class DealTask(SQLModel, table=True):
    """A task for a deal's responsible user that another room ordered; deal_sync creates it and closes it once
    ``healed``.

    Its state in Kommo is in the ``card_write`` of kind task with the same ``fact_id``.
    """

    __tablename__ = "deal_task"
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    lead_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    fact_id: str = Field(primary_key=True)
    text: str
    due_at: float = moment()
    healed: bool = False
