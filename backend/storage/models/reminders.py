"""An account's reminders of unpaid requests: settings, and the result of each step."""

from typing import Any

from sqlmodel import Field, SQLModel

from backend.storage.models.columns import big_int, document, moment


class ReminderSettings(SQLModel, table=True):
    """The admin's choice; without a row no reminder is sent.

    ``since``: step → when it was switched on, so that requests due before that are left alone.
    """

    __tablename__ = "reminder_settings"
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    chosen: dict[str, Any] = document(default_factory=dict)
    since: dict[str, float] = document(default_factory=dict)


class Reminder(SQLModel, table=True):
    """The result of one reminder step for a request: written once, before anything is sent."""

    __tablename__ = "reminder"
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    request_id: str = Field(primary_key=True)
    step: str = Field(primary_key=True)  # days from the due date ("-3", "0", "7"), "overdue" or "escalated"
    number: int  # number of this step among the request's steps, from 1
    state: str  # sent (handed to the sendings) | task (for a person instead) | skipped
    reason: str = ""  # why it is a task or was skipped
    user_id: int = big_int(default=0)  # user who skipped or sent it by hand; for an escalated task its assignee
    planned_for: float = moment()
    decided_at: float = moment()
    sending_id: str = ""


class ReminderStop(SQLModel, table=True):
    """A person's decision to stop all reminders of a deal."""

    __tablename__ = "reminder_stop"
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    lead_id: int = big_int(primary_key=True)
    user_id: int = big_int(default=0)
    stopped_at: float = moment()
