"""Filters of the payments page, read from its query; an unknown choice counts as none."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from backend.admin.payment_list.filters import STATES, WHATS, Filter, words_of
from backend.admin.payment_list.search import LONGEST, deals_named
from backend.core.ids import usable_id, usable_number
from backend.core.money import CURRENCIES
from backend.resources import Resources

NAMES = ("q", "state", "since", "until", "currency", "what", "connection", "pipeline", "responsible")


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters of a request.

    ``typed``: texts that the form shows again; ``silent``: Kommo did not answer, so deal names were not searched.
    """

    typed: dict[str, str]
    wanted: Filter
    silent: bool = False

    @property
    def narrows(self) -> bool:
        """Whether any filter or search is set."""
        return any(self.typed.values())

    @property
    def filters(self) -> bool:
        """Whether a filter besides the search is set."""
        return any(value for name, value in self.typed.items() if name != "q")


async def asked_of(
    resources: Resources, account_id: int, query: Mapping[str, str], *, livemode: bool, timezone: str
) -> Asked:
    """Return the filters of a query; days are those of ``timezone``, an IANA name.

    A search text also asks Kommo for deals of that name; without its answer ``silent`` is set.
    """
    asked = read_asked(query, livemode=livemode, timezone=timezone)
    if not asked.wanted.words:
        return asked
    found = await deals_named(resources, account_id, asked.typed["q"])
    return replace(asked, wanted=asked.wanted.found_by_kommo(found.leads), silent=found.silent)


def read_asked(query: Mapping[str, str], *, livemode: bool, timezone: str) -> Asked:
    """Return the filters of a query without asking Kommo; days begin and end in ``timezone``."""
    typed = {name: query.get(name, "").strip()[:LONGEST].replace("\x00", "") for name in NAMES}
    since, until = _day(typed["since"]), _day(typed["until"])
    wanted = Filter(
        livemode=livemode,
        words=words_of(typed["q"]),
        state=_one_of(STATES, typed["state"]),
        since=_midnight(since, timezone) if since else None,
        until=_midnight(until + timedelta(days=1), timezone) if until else None,
        currency=_one_of(CURRENCIES, typed["currency"].upper()),
        what=_one_of(WHATS, typed["what"]),
        connection=typed["connection"] if usable_id(typed["connection"]) else "",
        pipeline=usable_number(typed["pipeline"]),
        responsible=usable_number(typed["responsible"]),
    )
    return Asked(typed, wanted)


def _one_of(known: object, value: str) -> str:
    return value if value in known else ""  # type: ignore[operator]


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1990 <= day.year <= 2190 else None


def _midnight(day: date, timezone: str) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone_of(timezone)).timestamp()


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone, UTC if the name is unknown."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
