"""The dates of a payment request: its due date and the last day of its link, from a person, a rule or the account."""

from dataclasses import dataclass
from datetime import date, timedelta

from backend.accounts.options import options_of
from backend.core.days import day_at, end_of_day
from backend.core.errors import FieldInvalid
from backend.storage.models import Account, PaymentRequest

MOST_DAYS = 730
"""The largest distance of a date, in days from today."""


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates of a payment request, as days in the account's time zone; None means no such date.

    ``due_on``: the last day on which a payment is in time. ``valid_until``: the last day on which the link can be paid.
    """

    due_on: date | None = None
    valid_until: date | None = None


def usual_dates(account: Account, now: float) -> Dates:
    """Return the default dates of a request made at ``now`` (epoch seconds), from the account's options."""
    options, today = options_of(account), day_at(now, account.timezone)
    due, valid = ((today + timedelta(days=n)) if n else None for n in (options.due_days, options.valid_days))
    return Dates(due, max(valid, due) if valid and due else valid)


def check_dates(dates: Dates, account: Account, now: float) -> None:
    """Raise ``FieldInvalid`` if a date is past or too far ahead, or if the link would end before the due date.

    Days are those of the account's time zone at ``now`` (epoch seconds).
    """
    today = day_at(now, account.timezone)
    for field, day in (("due_on", dates.due_on), ("valid_until", dates.valid_until)):
        if day is not None and day < today:
            raise FieldInvalid("This day is over. Choose today or a later day.", field=field)
        if day is not None and (day - today).days > MOST_DAYS:
            raise FieldInvalid(f"Choose a day within the next {MOST_DAYS} days.", field=field)
    if dates.due_on and dates.valid_until and dates.valid_until < dates.due_on:
        raise FieldInvalid("The link would end before the payment is due. Choose a later day.", field="valid_until")


def set_dates(row: PaymentRequest, dates: Dates, timezone: str) -> None:
    """Write ``dates`` into a new request, with the end of its last day as epoch seconds in the account's time zone."""
    row.due_on = dates.due_on.isoformat() if dates.due_on else None
    row.remind_at = row.created_at if dates.due_on else None
    row.expires_at = row.end_try_at = end_of_day(dates.valid_until, timezone) if dates.valid_until else None
