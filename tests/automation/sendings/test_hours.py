"""The hours in which something may be sent without a person."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from backend.automation.sendings.hours import Window, window_of
from backend.storage.models import Account

ZONES = ("America/Mexico_City", "America/Sao_Paulo", "Europe/Berlin", "Asia/Jakarta", "Australia/Lord_Howe", "UTC")
DAYTIME = (9, 19, frozenset({1, 2, 3, 4, 5}))


def _at(zone: str, text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def _window(zone: str) -> Window:
    return Window(*DAYTIME, ZoneInfo(zone))


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        ("2026-11-30T12:00", "2026-11-30T12:00"),
        ("2026-11-30T08:59", "2026-11-30T09:00"),
        ("2026-11-30T19:00", "2026-12-01T09:00"),
        ("2026-12-04T18:59", "2026-12-04T18:59"),
        ("2026-12-04T19:00", "2026-12-07T09:00"),
        ("2026-12-06T12:00", "2026-12-07T09:00"),
    ],
)
@pytest.mark.parametrize("zone", ZONES)
def test_what_comes_at_night_or_at_the_weekend_is_moved_to_the_next_morning(zone: str, now: str, allowed: str) -> None:
    assert _window(zone).next_allowed(_at(zone, now)) == _at(zone, allowed)


@pytest.mark.parametrize("zone", ZONES)
def test_each_hour_of_a_year_is_moved_to_a_moment_of_the_day_as_the_clock_shows_it(zone: str) -> None:
    window, begin = _window(zone), _at(zone, "2026-01-01T00:00")
    for hour in range(0, 366 * 24, 5):
        now = begin + hour * 3600
        allowed = datetime.fromtimestamp(window.next_allowed(now), ZoneInfo(zone))
        assert allowed.timestamp() >= now
        assert 9 <= allowed.hour < 19
        assert allowed.isoweekday() <= 5
        assert window.next_allowed(allowed.timestamp()) == allowed.timestamp()


def test_a_later_day_begins_with_its_first_hour() -> None:
    window, now = _window("Europe/Berlin"), _at("Europe/Berlin", "2026-12-03T10:00")
    assert window.next_allowed(now, after_its_day=True) == _at("Europe/Berlin", "2026-12-04T09:00")


def test_a_window_in_an_hour_that_summer_time_leaves_out_moves_to_a_day_that_has_it() -> None:
    """In Berlin there is no hour from two to three on 2026-03-29."""
    window = Window(2, 3, frozenset(range(1, 8)), ZoneInfo("Europe/Berlin"))
    allowed = window.next_allowed(_at("Europe/Berlin", "2026-03-29T00:30"))
    assert allowed in (_at("Europe/Berlin", "2026-03-29T03:00"), _at("Europe/Berlin", "2026-03-30T02:00"))


def test_the_account_s_own_zone_goes_before_kommo_s_and_an_unknown_one_is_utc() -> None:
    account = Account(id=1, base_url="", tokens="", connected_at=0, timezone="Asia/Jakarta")
    assert window_of(account).zone == ZoneInfo("Asia/Jakarta")
    account.options = {"send_time_zone": "Europe/Berlin", "send_hours": [10, 12], "send_weekdays": [6]}
    assert window_of(account) == Window(10, 12, frozenset({6}), ZoneInfo("Europe/Berlin"))
    account.options, account.timezone = {}, "Mars/Olympus"
    assert window_of(account).zone == ZoneInfo("UTC")
