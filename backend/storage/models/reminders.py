"""How an account chases what is due, and what was done about each request."""

from typing import Any

from sqlmodel import Field, SQLModel

from backend.storage.models.columns import big_int, document, moment


class ReminderSettings(SQLModel, table=True):
    """The admin's choice; without a row nothing is chased. ``since``: step → when it was switched on, so that what was
    due before that is left alone."""

    __tablename__ = "reminder_settings"
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    chosen: dict[str, Any] = document(default_factory=dict)
    since: dict[str, float] = document(default_factory=dict)


class Reminder(SQLModel, table=True):
    """What a step came to for a request: written once, before anything is sent."""

    __tablename__ = "reminder"
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    request_id: str = Field(primary_key=True)
    step: str = Field(primary_key=True)  # days from the due date ("-3", "0", "7"), "overdue" or "escalated"
    number: int  # how many steps of this request were done before it, and itself
    state: str  # sent: given to the sendings | task: for a person instead | skipped
    reason: str = ""  # why it is a task or was skipped
    user_id: int = big_int(default=0)  # who skipped or sent it by hand; of an escalated task: who is to do it
    planned_for: float = moment()
    decided_at: float = moment()
    sending_id: str = ""


class ReminderStop(SQLModel, table=True):
    """A person stopped all reminders of a deal."""

    __tablename__ = "reminder_stop"
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    lead_id: int = big_int(primary_key=True)
    user_id: int = big_int(default=0)
    stopped_at: float = moment()
