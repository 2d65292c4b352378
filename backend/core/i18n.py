"""The six languages: fixed sentences with named placeholders, and dates as each language writes them."""

import json
import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_day_names

from backend.core.days import zone_named

LANGUAGES = ("en", "es", "pt", "tr", "id", "ru")


_REGION = re.compile("[A-Z]{2}|419")
"""A country's two letters, or 419 for Latin America. It is bounded because ``_known`` caches its answers."""


_RIGHT_TO_LEFT = ("R", "AL")
_TURNING = re.compile("[\u202a-\u202e\u2066\u2067]")
"""Characters that force a direction on the text behind them."""


@dataclass(frozen=True)
class Texts:
    """The sentences of one language, name → sentence with placeholders."""

    language: str
    sentences: dict[str, str]

    def say(self, name: str, /, **values: str) -> str:
        """Return a sentence with its placeholders filled, each value ``isolated``. Raises ``KeyError`` for an
        unknown name or a missing value."""
        return self.sentences[name].format(**{place: isolated(value) for place, value in values.items()})


def isolated(text: str) -> str:
    """Return a name or description for a sentence of ours: one in Arabic or Hebrew is isolated by two invisible
    characters.

    Without them the amount, the date or the sign next to it would move to its other side.
    """
    own = _TURNING.sub("", text)
    turns = any(unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT for sign in own)
    return f"\N{FIRST STRONG ISOLATE}{own}\N{POP DIRECTIONAL ISOLATE}" if turns else own


def texts_in(folder: Path, language: str) -> Texts:
    """Return the sentences of ``folder`` in a language ("pt", "pt-BR"), or in English if we lack it."""
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
    """Return a locale such as ``"es_MX"``, or the language alone if it is not written in that region."""
    name = f"{language}_{region}"
    return name if _REGION.fullmatch(region) and _known(name) else language


def date_of(at: float, timezone: str, language: str) -> str:
    """Return the day of ``at`` (epoch seconds) in words; an unknown ``timezone`` counts as UTC."""
    return format_date(_in_zone(at, timezone), "long", locale=language)


def written_day(day: date, language: str) -> str:
    """Return a calendar day in words, such as "March 5, 2025" in English."""
    return format_date(day, "long", locale=language)


def moment_of(at: float, timezone: str, language: str) -> str:
    """Return day, minute and zone of ``at`` (epoch seconds) in words."""
    moment = _in_zone(at, timezone)
    day = format_date(moment, "long", locale=language)
    zone = moment.tzname() or "UTC"
    named = zone if zone[0].isalpha() else f"UTC{zone}"  # many zones have no abbreviation
    return f"{day}, {format_time(moment, 'short', locale=language)} ({named})"


def short_moment(at: float, timezone: str, language: str) -> str:
    """Return day and minute of ``at`` (epoch seconds) in ``timezone``, short enough for a table."""
    moment = _in_zone(at, timezone)
    return f"{format_date(moment, 'medium', locale=language)}, {format_time(moment, 'short', locale=language)}"


def month_of(at: float, timezone: str, language: str, *, short: bool = False) -> str:
    """Return the month of ``at`` (epoch seconds) with its year, or with ``short`` the month's name alone."""
    return format_date(_in_zone(at, timezone), "LLL" if short else "LLLL y", locale=language)


def weekdays_of(language: str) -> list[tuple[int, str]]:
    """Return the days of the week with their names, from Monday, which is 1."""
    return [(day + 1, name) for day, name in sorted(get_day_names("wide", "stand-alone", language).items())]


def end_of_minute(at: float) -> float:
    """Return ``at`` (epoch seconds) rounded up to a whole minute."""
    return math.ceil(at / 60) * 60


def _in_zone(at: float, timezone: str) -> datetime:
    return datetime.fromtimestamp(at, zone_named(timezone))
