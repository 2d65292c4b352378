"""When a reminder is due: at the account's hour, on whichever side of a change of the clocks, and never in a burst."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.automation.reminders.schedule import Asked, Past, Step, decide, steps_of
from backend.automation.reminders.settings import Chasing, check_chasing
from backend.core.days import day_at, end_of_day
from backend.core.errors import FieldInvalid

DAY = 86400.0
ZONES = (
    "America/New_York",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Jakarta",
    "Africa/Casablanca",
)
DAYS = st.dates(date(2026, 1, 1), date(2028, 12, 31))


def chasing(*days: int, **more: int) -> Chasing:
    return Chasing(rules=[{"days": one, "channel": "bot"} for one in days], **more)


def asked(due_on: date, zone: str = "UTC", created_at: float = 0.0) -> Asked:
    return Asked(due_on, created_at, zone, lambda moment: moment)


@given(DAYS, st.sampled_from(ZONES), st.lists(st.integers(-60, 90), min_size=1, max_size=3, unique=True))
def test_a_reminder_is_due_at_the_accounts_hour_whatever_clocks_do(due: date, zone: str, days: list[int]) -> None:
    steps = steps_of(asked(due, zone), chasing(*days, hour=9), {}, [])
    seen = [datetime.fromtimestamp(step.due_at, ZoneInfo(zone)) for step in steps]
    assert [one.date() for one in seen] == [due + timedelta(days=one) for one in sorted(days)]
    assert {one.hour for one in seen} == {9}


@given(DAYS, st.sampled_from(ZONES))
def test_a_day_ends_when_the_next_begins(day: date, zone: str) -> None:
    end = end_of_day(day, zone)
    assert (day_at(end - 1, zone), day_at(end, zone)) == (day, day + timedelta(days=1))


@given(st.lists(st.integers(-20, 60), min_size=1, max_size=3, unique=True), st.lists(st.integers(0, 40), max_size=12))
def test_however_long_nothing_ran_each_step_is_done_once_or_missed_and_never_two_at_a_time(
    days: list[int], gaps: list[int]
) -> None:
    due, now = date(2026, 6, 1), 1_780_000_000.0 - 30 * DAY
    choice, past = chasing(*days, overdue_days=2, escalate_days=3, escalate_to=7), list[Past]()
    for gap in [*gaps, 400, 400]:
        now += gap * DAY
        decision = decide(steps_of(asked(due), choice, {}, past), now)
        past += [Past(step.name, "skipped", now) for step in decision.missed]
        past += [Past(decision.act.name, "task", now)] if decision.act else []
    names = [one.step for one in past]
    assert len(names) == len(set(names))
    assert set(names) == {*map(str, days), "overdue", "escalated"}
    done = [one.decided_at for one in past if one.state == "task"]
    assert len(done) == len(set(done)) or min(gaps, default=1) == 0


def test_what_was_due_before_it_was_asked_for_or_switched_on_is_never_made_up_for() -> None:
    due, choice = date(2026, 6, 10), chasing(-5, 0, 5)
    times = {step.name: step.due_at for step in steps_of(asked(due), choice, {}, [])}
    late = steps_of(asked(due, created_at=times["-5"]), choice, {}, [])
    assert [step.name for step in late] == ["0", "5"]
    assert [s.name for s in steps_of(asked(due), choice, {"0": times["0"] + 1, "-5": 0.0, "5": times["5"]}, [])] == [
        "-5",
        "5",
    ]


def test_a_reminder_waits_for_the_hours_in_which_the_account_writes_to_clients() -> None:
    """Two that a weekend holds back become due at the same moment, so the older of them is not sent."""
    due, monday = date(2026, 6, 6), 1_780_930_800.0
    steps = steps_of(Asked(due, 0.0, "UTC", lambda moment: max(moment, monday)), chasing(0, 1), {}, [])
    assert decide(steps, monday).act == Step("1", monday, "bot")
    assert [step.name for step in decide(steps, monday).missed] == ["0"]


def test_the_second_persons_task_waits_for_the_first_ones() -> None:
    due, choice = date(2026, 6, 1), chasing(3, overdue_days=1, escalate_days=4, escalate_to=7)
    first = steps_of(asked(due), choice, {}, [])
    assert [step.name for step in first] == ["3", "overdue"]
    told = first[1].due_at + 30 * DAY
    after = steps_of(asked(due), choice, {}, [Past("3", "sent", 0.0), Past("overdue", "task", told)])
    assert [(step.name, step.due_at) for step in after] == [("escalated", told + 4 * DAY)]
    assert steps_of(asked(due), choice, {}, [Past("3", "sent", 0.0), Past("overdue", "skipped", told)]) == ()


@pytest.mark.parametrize(
    "given",
    [
        {"rules": [{"days": n, "channel": "bot"} for n in range(4)]},
        {"rules": [{"days": 1, "channel": "bot"}, {"days": 1, "channel": "task"}]},
        {"rules": [{"days": 1, "channel": "fax"}]},
        {"rules": [{"days": 91, "channel": "bot"}]},
        {"hour": 3},
        {"nothing": 1},
    ],
)  # fmt: skip
def test_choices_that_make_no_sense_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(FieldInvalid):
        check_chasing(given)
