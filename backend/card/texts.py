"""The sentences of notes and tasks: fixed, with named placeholders, in six languages."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "es", "pt", "tr", "id", "ru")


@dataclass(frozen=True)
class Texts:
    language: str
    sentences: dict[str, str]

    def say(self, name: str, **values: str) -> str:
        return self.sentences[name].format(**values)


@cache
def texts(language: str) -> Texts:
    """The sentences of ``language``, or of English where we don't speak it."""
    spoken = language if language in LANGUAGES else "en"
    path = Path(__file__).parent / "i18n" / f"{spoken}.json"
    return Texts(spoken, json.loads(path.read_text(encoding="utf-8")))
