"""The JSON of due dates and reminders."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from backend.automation.reminders.card import Chase
from backend.core.clock import as_rfc3339
from backend.core.days import day_at
from backend.payments.dates import usual_dates
from backend.storage.models import Account


class NewDates(BaseModel):
    """Default dates of a new request, and today.

    Days are ISO dates in the account's time zone; None means no such date.
    """

    today: str
    due_on: str | None
    valid_until: str | None


def new_dates(account: Account, now: float) -> NewDates:
    """Return today and the default due date and last day of a new request; ``now`` is epoch seconds."""
    dates = usual_dates(account, now)
    return NewDates(
        today=day_at(now, account.timezone).isoformat(),
        due_on=dates.due_on.isoformat() if dates.due_on else None,
        valid_until=dates.valid_until.isoformat() if dates.valid_until else None,
    )


class StopBody(BaseModel):
    """The body that stops or resumes all reminders of the deal."""

    model_config = ConfigDict(extra="ignore")

    stopped: StrictBool


class StepBody(BaseModel):
    """The body that acts on the next reminder.

    ``step`` is the one that the card shows as next, so a click on an outdated card changes nothing.
    """

    model_config = ConfigDict(extra="ignore")

    step: str = Field(strict=True, max_length=20)


class ComingReminder(BaseModel):
    """The next message to the client about a request.

    ``step``: days from the due date; ``channel``: how it goes out; ``at``: RFC 3339 in UTC.
    """

    request_id: str
    step: str
    channel: str
    at: str


class PastReminder(BaseModel):
    """A reminder that was decided.

    ``state``: sent, task or skipped; ``reason``: a key of the card's texts; ``at``: RFC 3339 in UTC; ``by``: Kommo's id
    of the user who decided, 0 for the product.
    """

    request_id: str
    step: str
    state: str
    reason: str
    at: str
    by: int


class RemindersAnswer(BaseModel):
    """A deal's reminders; ``past`` is newest first."""

    stopped: bool
    coming: list[ComingReminder]
    past: list[PastReminder]


def reminders_answer(chase: Chase) -> RemindersAnswer:
    """Return the JSON of a deal's reminders, with times as RFC 3339; ``by`` is 0 unless a user decided."""

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
