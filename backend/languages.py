"""The six languages that we speak: fixed sentences with named placeholders, and dates as each of them writes them."""

import json
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date

from backend.clock import as_datetime

LANGUAGES = ("en", "es", "pt", "tr", "id", "ru")


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


def date_of(at: float, timezone: str, language: str) -> str:
    """``at`` in seconds, as a day in ``timezone`` (UTC where nobody knows that zone)."""
    moment = as_datetime(at)
    with suppress(ZoneInfoNotFoundError, ValueError):
        moment = moment.astimezone(ZoneInfo(timezone))
    return format_date(moment, "long", locale=language)
