"""What Kommo's hooks say about deals (docs/facts/kommo-api.md 12): nobody signs them, so no more than their ids."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import jwt
import orjson

from backend.kommo_api.scalars import Row, Unreadable, row, whole

MOST_LEADS = 250
MOST_FIELDS = 5000
LARGEST_ID = 2**53 - 1
LEAD = 2
"""Kommo's number for deals among its entities."""
_IN_A_FORM = re.compile(
    r"leads\[\w+\]\[\d+\](?:\[id\]|\[note\]\[element_id\])|lead\[\w+\]\[id\]"
    r"|event\[data\](?:\[leads\]\[\w+\]\[\d+\])?\[id\]"
)


def hinted_leads(body: bytes) -> list[int]:
    """The deals that a hook names, in the Digital Pipeline's JSON, a Salesbot's or a form; none where it names none."""
    found = dict.fromkeys(one for one in _numbers(body) if 0 < one <= LARGEST_ID)
    return list(found)[:MOST_LEADS]


def _numbers(body: bytes) -> Iterator[int]:
    try:
        named = list(_in_json(row(orjson.loads(body)))) if body.lstrip()[:1] == b"{" else list(_in_form(body))
    except ValueError:  # of JSON, of a form beyond all reason, and ``Unreadable``
        return
    for one in named:
        try:
            yield whole(one)
        except Unreadable:
            continue


def _in_form(body: bytes) -> Iterator[Any]:
    """A form of account webhooks, of the Digital Pipeline or of a Salesbot, as real accounts send them."""
    pairs = parse_qsl(body.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS)
    said = dict(pairs)
    is_lead = said.get("event[data][element_type]", str(LEAD)) == str(LEAD)
    for name, value in pairs:
        if _IN_A_FORM.fullmatch(name) and (is_lead or not name.startswith("event")):
            yield value
    yield from _in_token(said.get("token"))


def _in_json(said: Row) -> Iterator[Any]:
    data = row(row(said.get("event")).get("data"))
    if data.get("element_type", LEAD) in (LEAD, str(LEAD)):
        yield data.get("id")
    yield from (lead.get("id") for lead in _records(row(said.get("leads"))))
    yield from (lead.get("id") for lead in _records(row(said.get("lead"))))
    yield from _in_token(said.get("token"))


def _records(by_event: Row) -> Iterator[Row]:
    """Of ``{"status": [{…}]}`` and of ``{"status": {…}}``."""
    for given in by_event.values():
        yield from (one for one in (given if isinstance(given, list) else [given]) if isinstance(one, dict))


def _in_token(token: Any) -> Iterator[Any]:
    claims = _claims(token)
    if claims.get("entity_type") in (LEAD, str(LEAD)):
        yield claims.get("entity_id")


def _claims(token: Any) -> dict[str, Any]:
    """Not verified: what it names is looked up in Kommo, and nothing else is believed."""
    try:
        return jwt.decode(token, options={"verify_signature": False}) if isinstance(token, str) else {}
    except (jwt.PyJWTError, RecursionError):
        return {}
