"""Options of automatic payment links: channels, hours and days, each checked before it is stored."""

from typing import Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StrictInt, StrictStr

from backend.core.sentences.said import said

LARGEST_ID = 2**63 - 1
T = TypeVar("T")


def _each_once(values: list[T]) -> list[T]:
    if len(set(values)) != len(values):
        raise ValueError(said("reason_once"))
    return values


def _hours(values: list[int]) -> list[int]:
    begin, end = values
    if begin >= end:
        raise ValueError(said("reason_hours"))
    return values


def _zone(name: str) -> str:
    try:
        if name:
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(said("reason_zone")) from None
    return name


Channels = Annotated[list[Literal["bot", "chat", "task"]], Field(min_length=1), AfterValidator(_each_once)]
BotId = Annotated[StrictInt, Field(ge=0, le=LARGEST_ID)]
Hours = Annotated[
    list[Annotated[StrictInt, Field(ge=0, le=24)]], Field(min_length=2, max_length=2), AfterValidator(_hours)
]
Weekdays = Annotated[list[Annotated[StrictInt, Field(ge=1, le=7)]], Field(min_length=1), AfterValidator(_each_once)]
TimeZone = Annotated[StrictStr, Field(max_length=64), AfterValidator(_zone)]
