"""Hours for automatic messages, by the account's own clock: never at night."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from backend.accounts.options import options_of
from backend.storage.models import Account

FARTHEST_DAYS = 8
"""A week has an allowed day, and the first one may be over."""


@dataclass(frozen=True, slots=True)
class Window:
    """Hours from ``begin`` until before ``end`` on these weekdays (Monday = 1), in time zone ``zone``."""

    begin: int
    end: int
    weekdays: frozenset[int]
    zone: ZoneInfo

    def day_of(self, moment: float) -> date:
        """Return the calendar day of a moment (epoch seconds) in the window's time zone."""
        return self._local(moment).date()

    def day_begins(self, moment: float) -> float:
        """Return midnight of the moment's day, in epoch seconds."""
        return self._at(self.day_of(moment), 0)

    def next_allowed(self, moment: float, *, after_its_day: bool = False) -> float:
        """Return the moment if it is allowed, else the next allowed one, both in epoch seconds.

        ``after_its_day``: on a later day than that of the moment.
        """
        today = self.day_of(moment)
        for ahead in range(1 if after_its_day else 0, FARTHEST_DAYS + 1):
            day = today + timedelta(days=ahead)
            if day.isoweekday() not in self.weekdays:
                continue
            begin, end = self._at(day, self.begin), self._at(day, self.end)
            if moment < end and begin < end:
                return max(moment, begin)
        raise AssertionError("a window without a weekday")

    def _local(self, moment: float) -> datetime:
        return datetime.fromtimestamp(moment, UTC).astimezone(self.zone)

    def _at(self, day: date, hour: int) -> float:
        """Return the epoch second; an hour that summer time skips is the moment of the change."""
        whole = day + timedelta(days=hour // 24)
        return datetime(whole.year, whole.month, whole.day, hour % 24, tzinfo=self.zone).timestamp()


def window_of(account: Account) -> Window:
    """Return the account's window. Without a zone it is Kommo's; one that this machine does not know is UTC."""
    options = options_of(account)
    begin, end = options.send_hours
    return Window(begin, end, frozenset(options.send_weekdays), _zone(options.send_time_zone or account.timezone))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return ZoneInfo("UTC")
