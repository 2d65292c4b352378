"""A minute's count belongs to the minute after its first call, not to the clock's, and to one caller."""

from itertools import repeat

import pytest
from starlette.requests import HTTPConnection

from backend.web.http.throttle import IN_ALL, LIMIT, MINUTE, MinuteCounter, MissThrottle, address_of
from sandbox.clock import MovableClock


class Moment(MovableClock):
    """Starts half a second before the clock's minute ends."""

    def __init__(self) -> None:
        super().__init__(lambda: 1_800_000_000.0 - 0.5)


def test_a_burst_across_the_end_of_the_clocks_minute_is_counted_as_one() -> None:
    clock = Moment()
    counter = MinuteCounter(clock)
    counter.add("here")
    clock.advance(1)
    assert (counter.add("here"), counter.add("there"), counter.total()) == (2, 1, 3)


def test_a_minute_after_the_first_the_count_starts_at_zero() -> None:
    clock = Moment()
    counter = MinuteCounter(clock)
    counter.add("here")
    clock.advance(MINUTE - 0.1)
    assert counter.add("here") == 2
    clock.advance(0.1)
    assert (counter.total(), counter.add("here")) == (0, 1)


def test_a_clock_that_is_set_right_does_not_hold_the_count_for_hours() -> None:
    clock = Moment()
    counter = MinuteCounter(clock)
    counter.add("here")
    clock.set_back(3600)
    assert counter.add("here") == 1


def test_guesses_are_refused_above_the_limit_of_an_address_and_of_all() -> None:
    throttle = MissThrottle(Moment())
    assert [throttle.miss(address) for address in repeat("here", LIMIT + 1)] == [False] * LIMIT + [True]
    others = [throttle.miss(f"address {number}") for number in range(IN_ALL - LIMIT)]
    assert (others[:-1].count(True), others[-1]) == (0, True)


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::FFFF:cb00:7107", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
        ("x" * 9000, "x" * 64),
    ],
)
def test_callers_are_counted_one_by_one_however_a_proxy_writes_their_addresses(host: str, counted: str) -> None:
    assert address_of(HTTPConnection({"type": "http", "client": (host, 1), "headers": []})) == counted
