"""When each reminder step of a request is due, and which one is done now. Pure: clock, zone and rows are arguments.

Only the newest due step is done; older ones that were missed (an outage, a late switch-on) are skipped for good, so
that no client gets a burst of messages.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Literal

from backend.automation.reminders.settings import ESCALATED, OVERDUE, Chasing
from backend.automation.sendings.plan import Channel
from backend.core.days import day_at, moment_on


@dataclass(frozen=True, slots=True)
class Step:
    """A step. ``channel``: of a message to the client; '' for a task."""

    name: str
    due_at: float
    channel: Channel | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class Past:
    """The outcome of a step."""

    step: str
    state: str
    decided_at: float


@dataclass(frozen=True, slots=True)
class Decision:
    """``missed``: steps that a newer one overtook; ``act``: the step to do now; ``next_at``: when to check again."""

    missed: tuple[Step, ...]
    act: Step | None
    next: Step | None

    @property
    def next_at(self) -> float | None:
        """When to check again, in epoch seconds; None without further steps."""
        return self.next.due_at if self.next else None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request's data for its steps.

    ``allowed``: returns the first moment from one on at which the account may write to clients.
    """

    due_on: date
    created_at: float
    timezone: str
    allowed: Callable[[float], float]


def steps_of(asked: Asked, chasing: Chasing, since: Mapping[str, float], past: Collection[Past]) -> tuple[Step, ...]:
    """Return the steps still to do, in order of time, without those due before the request or the step was switched on.

    ``since``: step's name → when it was switched on (epoch seconds).
    """
    done = {one.step for one in past}
    planned = _planned(asked, chasing, past)
    wanted = (
        step
        for step in planned
        if step.name not in done and step.due_at > asked.created_at and step.due_at >= since.get(step.name, 0.0)
    )
    return tuple(sorted(wanted, key=lambda step: step.due_at))


def decide(steps: tuple[Step, ...], now: float) -> Decision:
    """Return the decision at ``now`` (epoch seconds): of the due steps only the newest is done. ``steps``: in order of
    time.
    """
    due = [step for step in steps if step.due_at <= now]
    ahead = [step for step in steps if step.due_at > now]
    return Decision(tuple(due[:-1]), due[-1] if due else None, ahead[0] if ahead else None)


def _planned(asked: Asked, chasing: Chasing, past: Collection[Past]) -> Iterator[Step]:
    hour = time(chasing.hour)

    def at(days: int) -> float:
        return moment_on(asked.due_on + timedelta(days=days), hour, asked.timezone)

    for rule in chasing.rules:
        moment = at(rule.days)
        yield Step(rule.step, moment if rule.channel == "task" else asked.allowed(moment), rule.channel)
    if OVERDUE in chasing.steps:
        last = max([0, *(rule.days for rule in chasing.rules)])
        yield Step(OVERDUE, at(last + chasing.overdue_days))
    told = next((one for one in past if one.step == OVERDUE and one.state == "task"), None)
    if ESCALATED in chasing.steps and told is not None:
        told_on = day_at(told.decided_at, asked.timezone)
        yield Step(ESCALATED, moment_on(told_on + timedelta(days=chasing.escalate_days), hour, asked.timezone))
