"""The days of a request: until when it is paid in time, and the last day of its link. As a person, a rule or the
account's options chose them."""

from dataclasses import dataclass
from datetime import date, timedelta

from backend.accounts.options import options_of
from backend.core.days import day_at, end_of_day
from backend.core.errors import FieldInvalid
from backend.storage.models import Account, PaymentRequest

MOST_DAYS = 730
"""How far ahead a day may lie."""


@dataclass(frozen=True, slots=True)
class Dates:
    """``valid_until``: the last day on which the link can be paid. None: no such day."""

    due_on: date | None = None
    valid_until: date | None = None


def usual_dates(account: Account, now: float) -> Dates:
    """The dates of a request made at ``now``, as the admin chose them for the account."""
    options, today = options_of(account), day_at(now, account.timezone)
    due, valid = ((today + timedelta(days=n)) if n else None for n in (options.due_days, options.valid_days))
    return Dates(due, max(valid, due) if valid and due else valid)


def check_dates(dates: Dates, account: Account, now: float) -> None:
    """Raises ``FieldInvalid`` for a day that is over or too far ahead, and for an end that lies before the due date."""
    today = day_at(now, account.timezone)
    for field, day in (("due_on", dates.due_on), ("valid_until", dates.valid_until)):
        if day is not None and day < today:
            raise FieldInvalid("This day is over. Choose today or a later day.", field=field)
        if day is not None and (day - today).days > MOST_DAYS:
            raise FieldInvalid(f"Choose a day within the next {MOST_DAYS} days.", field=field)
    if dates.due_on and dates.valid_until and dates.valid_until < dates.due_on:
        raise FieldInvalid("The link would end before the payment is due. Choose a later day.", field="valid_until")


def set_dates(row: PaymentRequest, dates: Dates, timezone: str) -> None:
    """Write ``dates`` into a new request."""
    row.due_on = dates.due_on.isoformat() if dates.due_on else None
    row.remind_at = row.created_at if dates.due_on else None
    row.expires_at = row.end_try_at = end_of_day(dates.valid_until, timezone) if dates.valid_until else None
