"""What an admin may choose about chasing, checked, and kept with the moment at which each step was switched on."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, ValidationError
from sqlalchemy import update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.lookup import account_of
from backend.core.clock import as_datetime
from backend.core.errors import FieldInvalid
from backend.resources import Resources
from backend.storage.models import Audit, PaymentRequest, ReminderSettings
from backend.storage.repeating import repeated
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import request_work

OVERDUE, ESCALATED = "overdue", "escalated"
MOST_RULES = 3
LONGEST_SECONDS = 280 * 24 * 3600.0
"""From the due date to the last step that can be chosen."""


class Rule(BaseModel):
    """A reminder ``days`` after the due date, before it where they are negative."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: Annotated[StrictInt, Field(ge=-60, le=90)]
    channel: Literal["bot", "chat", "task"]

    @property
    def step(self) -> str:
        return str(self.days)


def _one_a_day(rules: list[Rule]) -> list[Rule]:
    if len({rule.days for rule in rules}) < len(rules):
        raise ValueError("two reminders would go on the same day")
    return sorted(rules, key=lambda rule: rule.days)


class Chasing(BaseModel):
    """``hour`` is the account's own; days are counted: ``overdue_days`` after the last reminder (the due date, where it
    is later), ``escalate_days`` after that. 0: no such task. ``quiet_stages``: no reminder while a deal is there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: Annotated[list[Rule], Field(max_length=MOST_RULES), AfterValidator(_one_a_day)] = []
    hour: Annotated[StrictInt, Field(ge=7, le=20)] = 10
    overdue_days: Annotated[StrictInt, Field(ge=0, le=90)] = 0
    escalate_days: Annotated[StrictInt, Field(ge=0, le=90)] = 0
    escalate_to: Annotated[StrictInt, Field(ge=0, le=2**53 - 1)] = 0
    quiet_stages: Annotated[list[StrictInt], Field(max_length=100)] = []

    @property
    def steps(self) -> tuple[str, ...]:
        """Those that are switched on."""
        overdue = (OVERDUE,) if self.overdue_days else ()
        escalated = (ESCALATED,) if overdue and self.escalate_days and self.escalate_to else ()
        return (*(rule.step for rule in self.rules), *overdue, *escalated)


def check_chasing(given: Mapping[str, Any]) -> Chasing:
    """The given choice, or ``FieldInvalid`` naming what is wrong with it."""
    try:
        return Chasing(**given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        said = first["msg"].removeprefix("Value error, ")
        name = str(first["loc"][0]) if first["loc"] else "rules"
        raise FieldInvalid(f"The reminders' {name!r} can't be kept: {said}.", field=name) from None


async def chasing_of(session: AsyncSession, account_id: int) -> tuple[Chasing, Mapping[str, float]]:
    """The account's choice, and since when each of its steps is switched on."""
    row = await session.get(ReminderSettings, account_id)
    return (Chasing(**row.chosen), row.since) if row else (Chasing(), {})


@repeated
async def put_chasing(
    resources: Resources, account_id: int, given: Mapping[str, Any], *, who: str, keeps_stages: bool = False
) -> Chasing:
    """Keep the whole choice; ``keeps_stages``: but for the quiet stages. A step that is new chases only what becomes
    due from now on."""
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
        said = Audit(at=now, account_id=account_id, who=who, what="reminders", before=before, after=row.chosen)
        session.add(said)
        await request_work(session, account_id)
    resources.work_arrived.set()
    return chosen


def still_chased(now: float) -> tuple[Any, ...]:
    """Of a request: it was due lately or will be, and nobody took it back."""
    return (
        col(PaymentRequest.due_on) >= as_datetime(now - LONGEST_SECONDS).date().isoformat(),
        col(PaymentRequest.cancelled_at).is_(None),
        col(PaymentRequest.replaced_by).is_(None),
    )
