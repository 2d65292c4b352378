"""The six languages that we speak: fixed sentences with named placeholders, and dates as each of them writes them."""

import json
import math
import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_day_names

from backend.core.days import zone_named

LANGUAGES = ("en", "es", "pt", "tr", "id", "ru")


_REGION = re.compile("[A-Z]{2}|419")
"""A country's two letters, or Latin America; bounded, for what is known of each is kept."""


@dataclass(frozen=True)
class Texts:
    language: str
    sentences: dict[str, str]

    def say(self, name: str, **values: str) -> str:
        return self.sentences[name].format(**values)


def texts_in(folder: Path, language: str) -> Texts:
    """The sentences of ``language`` ("pt", "pt-BR"), or of English where we don't speak it; a file for each."""
    named = language.replace("_", "-").partition("-")[0].lower()
    return _texts(folder, named if named in LANGUAGES else "en")


@cache
def _texts(folder: Path, language: str) -> Texts:
    return Texts(language, json.loads((folder / f"{language}.json").read_text(encoding="utf-8")))


@cache
def _known(name: str) -> bool:
    try:
        Locale.parse(name)
    except (UnknownLocaleError, ValueError):
        return False
    return True


def locale_of(language: str, region: str) -> str:
    """``"es_MX"``; the language alone where it is not written in that region, or the region is none."""
    name = f"{language}_{region}"
    return name if _REGION.fullmatch(region) and _known(name) else language


def date_of(at: float, timezone: str, language: str) -> str:
    """``at`` in seconds, as a day in ``timezone`` (UTC where nobody knows that zone)."""
    return format_date(_in_zone(at, timezone), "long", locale=language)


def written_day(day: date, language: str) -> str:
    """A day of the calendar, in words."""
    return format_date(day, "long", locale=language)


def moment_of(at: float, timezone: str, language: str) -> str:
    """The same with the time of the day and the zone: the minute that ``at`` lies in."""
    moment = _in_zone(at, timezone)
    day = format_date(moment, "long", locale=language)
    zone = moment.tzname() or "UTC"
    named = zone if zone[0].isalpha() else f"UTC{zone}"  # many zones have no letters of their own
    return f"{day}, {format_time(moment, 'short', locale=language)} ({named})"


def short_moment(at: float, timezone: str, language: str) -> str:
    """The day and the minute in ``timezone``, short enough for a table."""
    moment = _in_zone(at, timezone)
    return f"{format_date(moment, 'medium', locale=language)}, {format_time(moment, 'short', locale=language)}"


def month_of(at: float, timezone: str, language: str, *, short: bool = False) -> str:
    """The month that ``at`` lies in, with its year; ``short`` is its name alone."""
    return format_date(_in_zone(at, timezone), "LLL" if short else "LLLL y", locale=language)


def weekdays_of(language: str) -> list[tuple[int, str]]:
    """The days of the week from Monday, which is 1, with their names."""
    return [(day + 1, name) for day, name in sorted(get_day_names("wide", "stand-alone", language).items())]


def end_of_minute(at: float) -> float:
    """``at`` rounded up to a whole minute, for a moment to wait for."""
    return math.ceil(at / 60) * 60


def _in_zone(at: float, timezone: str) -> datetime:
    return datetime.fromtimestamp(at, zone_named(timezone))
