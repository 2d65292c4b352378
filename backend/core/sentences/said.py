"""Sentences of the catalog in ``texts``: English as a string, with the key and the values for any other language.

The API, the command line, the logs and the database get the English string; a page calls ``in_language``.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path

from babel.numbers import format_decimal

from backend.core.i18n import short_moment, texts_in
from backend.core.money import Money, shown

TEXTS = Path(__file__).parent / "texts"
LEAST_LITERAL = 12
"""A template with fewer letters of its own would match sentences that it did not make."""
LONGEST = 2000
_NAME = re.compile(r"\{(\w+)\}")
_END = re.compile(r"(?<=[.!?])\s+")


class Said(str):
    """An English sentence that keeps its ``key`` in the catalog and its ``values``.

    A value is text as it is, another ``Said``, a count (``int``), a ``Money`` or a UTC ``datetime``.
    """

    __slots__ = ("key", "values")

    key: str
    values: Mapping[str, object]


def said(key: str, /, **values: object) -> Said:
    """Return the sentence ``key`` of the catalog with its values. Raises ``KeyError`` for an unknown key or a missing
    value.
    """
    english = texts_in(TEXTS, "en").sentences[key]
    sentence = Said(english.format(**{name: _in_english(value) for name, value in values.items()}))
    sentence.key, sentence.values = key, values
    return sentence


def together(*sentences: str) -> str:
    """Return the sentences in a row, without the empty ones; each keeps its own language."""
    first, *others = [one for one in sentences if one] or [""]
    for one in others:
        first = said("two_sentences", first=first, second=one)
    return first


def in_language(sentence: str, language: str) -> str:
    """Return the sentence in ``language``, with counts, amounts and times as it writes them.

    A plain string, such as one of the database, is compared with the catalog's English sentences; what is in none of
    them, such as an answer of Stripe, stays as it is.
    """
    if isinstance(sentence, Said):
        return _rendered(sentence.key, sentence.values, language)
    return _recognized(sentence[:LONGEST], language) if language != "en" else sentence


def _rendered(key: str, values: Mapping[str, object], language: str) -> str:
    return texts_in(TEXTS, language).say(key, **{name: _written(value, language) for name, value in values.items()})


def _in_english(value: object) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC" if isinstance(value, datetime) else str(value)


def _written(value: object, language: str) -> str:
    if isinstance(value, datetime):
        return f"{short_moment(value.astimezone(UTC).timestamp(), 'UTC', language)} UTC"
    if isinstance(value, Money):
        return shown(value, language)
    return format_decimal(value, locale=language) if isinstance(value, int) else in_language(str_of(value), language)


def str_of(value: object) -> str:
    """Return a value as text, a ``Said`` unchanged."""
    return value if isinstance(value, str) else str(value)


@lru_cache(maxsize=512)
def _recognized(text: str, language: str) -> str:
    """Return the translation of a text of one or more English sentences, part by part from the longest known one."""
    ends = [len(text), *(end.start() for end in reversed(list(_END.finditer(text))))]
    for end in ends:
        for key, pattern in _patterns():
            if found := pattern.fullmatch(text[:end]):
                return _with_rest(_rendered(key, found.groupdict(), language), text[end:], language)
    first = ends[-1]
    return _with_rest(text[:first], text[first:], language)


def _with_rest(done: str, rest: str, language: str) -> str:
    return f"{done} {_recognized(rest.strip(), language)}" if rest.strip() else done


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Return each English sentence as a pattern of its values, the one with the most letters of its own first."""
    known = [(key, text) for key, text in texts_in(TEXTS, "en").sentences.items() if _literal(text) >= LEAST_LITERAL]
    known.sort(key=lambda one: -_literal(one[1]))
    return [(key, re.compile(_NAME.sub(r"(?P<\1>.+?)", _escaped(text)), re.DOTALL)) for key, text in known]


def _literal(text: str) -> int:
    return len(_NAME.sub("", text))


def _escaped(text: str) -> str:
    return re.sub(r"\\\{(\w+)\\\}", r"{\1}", re.escape(text))
