"""An admin's reminder settings, validated, and stored with the time at which each step was switched on."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, ValidationError
from sqlalchemy import update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.lookup import account_of
from backend.core.clock import as_datetime
from backend.core.errors import FieldInvalid
from backend.core.sentences.reasons import reason_of
from backend.core.sentences.said import said
from backend.resources import Resources
from backend.storage.models import Audit, PaymentRequest, ReminderSettings
from backend.storage.repeating import repeated
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import request_work

OVERDUE, ESCALATED = "overdue", "escalated"
MOST_RULES = 3
LONGEST_SECONDS = 280 * 24 * 3600.0
"""From the due date to the last possible step."""


class Rule(BaseModel):
    """A reminder ``days`` after the due date; negative is before it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: Annotated[StrictInt, Field(ge=-60, le=90)]
    channel: Literal["bot", "chat", "task"]

    @property
    def step(self) -> str:
        """The step's name: its days from the due date."""
        return str(self.days)


def _one_a_day(rules: list[Rule]) -> list[Rule]:
    if len({rule.days for rule in rules}) < len(rules):
        raise ValueError(said("reason_same_day"))
    return sorted(rules, key=lambda rule: rule.days)


class Chasing(BaseModel):
    """Reminder settings.

    ``hour``: local time of the account. ``overdue_days``: after the last reminder or the due date, whichever is later;
    ``escalate_days``: after that; 0 means no such task. ``quiet_stages``: stages in which no reminder goes to the
    client.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: Annotated[list[Rule], Field(max_length=MOST_RULES), AfterValidator(_one_a_day)] = []
    hour: Annotated[StrictInt, Field(ge=7, le=20)] = 10
    overdue_days: Annotated[StrictInt, Field(ge=0, le=90)] = 0
    escalate_days: Annotated[StrictInt, Field(ge=0, le=90)] = 0
    escalate_to: Annotated[StrictInt, Field(ge=0, le=2**53 - 1)] = 0
    quiet_stages: Annotated[list[StrictInt], Field(max_length=100)] = []

    @property
    def steps(self) -> tuple[str, ...]:
        """The names of the steps that are switched on; () if the account sends no reminders."""
        overdue = (OVERDUE,) if self.overdue_days else ()
        escalated = (ESCALATED,) if overdue and self.escalate_days and self.escalate_to else ()
        return (*(rule.step for rule in self.rules), *overdue, *escalated)


def check_chasing(given: Mapping[str, Any]) -> Chasing:
    """Return the given settings validated. Raises ``FieldInvalid`` with the reason."""
    try:
        return Chasing(**given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "rules"
        raise FieldInvalid(said("reminders_wrong", name=repr(name), reason=reason_of(error)), field=name) from None


async def chasing_of(session: AsyncSession, account_id: int) -> tuple[Chasing, Mapping[str, float]]:
    """Return the account's settings, and step's name → since when it is switched on (epoch seconds).

    An account without a row has the defaults, in which every step is off.
    """
    row = await session.get(ReminderSettings, account_id)
    return (Chasing(**row.chosen), row.since) if row else (Chasing(), {})


@repeated
async def put_chasing(
    resources: Resources, account_id: int, given: Mapping[str, Any], *, who: str, keeps_stages: bool = False
) -> Chasing:
    """Store the settings and return them; ``keeps_stages``: except the quiet stages.

    A new step applies only to what falls due from now on. Raises ``FieldInvalid`` or ``AccountNotFound``.
    """
    chosen, now = check_chasing(given), resources.clock()
    async with account_unit(resources.database, account_id) as session:
        await account_of(session, account_id)
        await session.exec(
            update(PaymentRequest)
            .where(col(PaymentRequest.account_id) == account_id, *still_chased(now))
            .values(remind_at=now)
        )
        row = await session.get(ReminderSettings, account_id) or ReminderSettings(account_id=account_id)
        before = row.chosen
        if keeps_stages:
            chosen = chosen.model_copy(update={"quiet_stages": before.get("quiet_stages", [])})
        row.chosen, row.since = chosen.model_dump(), {step: row.since.get(step, now) for step in chosen.steps}
        session.add(row)
        entry = Audit(at=now, account_id=account_id, who=who, what="reminders", before=before, after=row.chosen)
        session.add(entry)
        await request_work(session, account_id)
    resources.work_arrived.set()
    return chosen


def still_chased(now: float) -> tuple[Any, ...]:
    """Return the SQL conditions of requests that were due lately or will be, and are neither cancelled nor replaced.

    ``now``: epoch seconds.
    """
    return (
        col(PaymentRequest.due_on) >= as_datetime(now - LONGEST_SECONDS).date().isoformat(),
        col(PaymentRequest.cancelled_at).is_(None),
        col(PaymentRequest.replaced_by).is_(None),
    )
