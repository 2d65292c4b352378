"""The hook of a Digital Pipeline action (docs/facts/kommo-automation.md 1.3): unsigned, as JSON or a form."""

import re
from dataclasses import dataclass
from typing import Any

import orjson

from backend.core.ids import usable_number
from backend.kommo_api.automation.brackets import BadBrackets, nested
from backend.kommo_api.hooks import LARGEST_ID, LEAD
from backend.kommo_api.scalars import Row, row

KEY_FIELD = "payment_rule"
"""The setting of the action with the key of our rule."""
LEFT = "went_from_trigger"
INSIDE = ("in_trigger", "went_in_trigger")
_KEY = re.compile("[a-z2-7]{32}")
_LATEST = 253_402_300_799


@dataclass(frozen=True, slots=True)
class StageHook:
    """The content of a hook. ``key`` and ``lead_id`` are looked up; the other values may only make us do less.

    ``stage``: the (pipeline, status) that the deal entered, or None if the event names none or only a part. ``at``:
    Unix seconds, or None. ``left``: the deal has left the stage. ``inside``: it moved between stages that the action
    spans.
    """

    key: str
    lead_id: int
    account_id: int | None
    stage: tuple[int, int] | None
    at: float | None
    left: bool
    inside: bool


def stage_hook(body: bytes) -> StageHook | None:
    """The hook in ``body``, whatever its content type says; None without a rule's key or a deal's id."""
    said = _read(body)
    event, settings = row(said.get("event")), _settings(said)
    data = row(event.get("data"))
    key, lead_id = settings.get(KEY_FIELD), _id(data.get("id"))
    if not isinstance(key, str) or not _KEY.fullmatch(key) or lead_id is None:
        return None
    if data.get("element_type", LEAD) not in (LEAD, str(LEAD)):
        return None
    given = said.get("account_id")
    pipeline, status = _id(data.get("pipeline_id")), _id(data.get("status_id"))
    return StageHook(
        key=key,
        lead_id=lead_id,
        account_id=None if given in (None, "") else _id(given) or 0,
        stage=(pipeline, status) if pipeline and status else None,
        at=_moment(event.get("time")),
        left=data.get("direction_of_movement") == LEFT,
        inside=data.get("direction_of_movement") in INSIDE,
    )


def _read(body: bytes) -> Row:
    try:
        return row(orjson.loads(body)) if body.lstrip()[:1] == b"{" else nested(body)
    except (ValueError, BadBrackets):
        return {}


def _settings(said: Row) -> Row:
    return row(row(row(row(said.get("action")).get("settings")).get("widget")).get("settings"))


def _id(given: Any) -> int | None:
    """The id, from plain digits or a JSON integer; None for anything else."""
    if isinstance(given, bool) or not isinstance(given, int | str):
        return None
    number = usable_number(str(given))
    return number if number is not None and number <= LARGEST_ID else None


def _moment(given: Any) -> float | None:
    number = _id(given)
    return float(number) if number is not None and number <= _LATEST else None
