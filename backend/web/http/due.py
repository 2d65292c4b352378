"""The JSON of due dates and reminders."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from backend.automation.reminders.card import Chase
from backend.core.clock import as_rfc3339
from backend.core.days import day_at
from backend.payments.dates import usual_dates
from backend.storage.models import Account


class NewDates(BaseModel):
    """What a new request gets where nobody chooses, and today: days in the account's time zone."""

    today: str
    due_on: str | None
    valid_until: str | None


def new_dates(account: Account, now: float) -> NewDates:
    dates = usual_dates(account, now)
    return NewDates(
        today=day_at(now, account.timezone).isoformat(),
        due_on=dates.due_on.isoformat() if dates.due_on else None,
        valid_until=dates.valid_until.isoformat() if dates.valid_until else None,
    )


class StopBody(BaseModel):
    """Whether all reminders of the deal are stopped."""

    model_config = ConfigDict(extra="ignore")

    stopped: StrictBool


class StepBody(BaseModel):
    """``step`` is the one that the card shows as the next: a click on an old card does nothing."""

    model_config = ConfigDict(extra="ignore")

    step: str = Field(strict=True, max_length=20)


class ComingReminder(BaseModel):
    """The next message to the client about a request. ``step``: days from the due date."""

    request_id: str
    step: str
    channel: str
    at: str


class PastReminder(BaseModel):
    """``state``: sent, task or skipped; ``reason`` is a word of the card; ``by`` is Kommo's id of a user, 0 for us."""

    request_id: str
    step: str
    state: str
    reason: str
    at: str
    by: int


class RemindersAnswer(BaseModel):
    """``past``: newest first."""

    stopped: bool
    coming: list[ComingReminder]
    past: list[PastReminder]


def reminders_answer(chase: Chase) -> RemindersAnswer:
    def coming(one: Any) -> ComingReminder:
        step = one.step
        return ComingReminder(
            request_id=one.request_id, step=step.name, channel=step.channel, at=as_rfc3339(step.due_at)
        )

    return RemindersAnswer(
        stopped=chase.stopped,
        coming=[coming(one) for one in chase.coming],
        past=[
            PastReminder(
                request_id=row.request_id,
                step=row.step,
                state=row.state,
                reason=row.reason,
                at=as_rfc3339(row.decided_at),
                by=row.user_id if row.reason == "person" else 0,
            )
            for row in chase.past
        ],
    )
