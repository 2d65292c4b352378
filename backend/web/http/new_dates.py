"""The days that the deal card's form begins with."""

from pydantic import BaseModel

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
