"""Deal ids in Kommo's hooks (docs/facts/kommo-api.md 12). Hooks are not signed, so only the ids are used."""

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
"""Kommo's number of the entity type *deal*."""
_IN_A_FORM = re.compile(
    r"leads\[\w+\]\[\d+\](?:\[id\]|\[note\]\[element_id\])|lead\[\w+\]\[id\]"
    r"|event\[data\](?:\[leads\]\[\w+\]\[\d+\])?\[id\]"
)


def hinted_leads(body: bytes) -> list[int]:
    """The ids of at most 250 deals that a hook names, without repetition; empty if it names none.

    Reads the JSON of the Digital Pipeline, a Salesbot's request and a form (docs/facts/kommo-api.md 12). Unsigned: the
    ids are a hint, so the caller fetches the deals from Kommo.
    """
    found = dict.fromkeys(one for one in _numbers(body) if 0 < one <= LARGEST_ID)
    return list(found)[:MOST_LEADS]


def _numbers(body: bytes) -> Iterator[int]:
    try:
        named = list(_in_json(row(orjson.loads(body)))) if body.lstrip()[:1] == b"{" else list(_in_form(body))
    except ValueError:  # bad JSON, a form with too many fields, or ``Unreadable``
        return
    for one in named:
        try:
            yield whole(one)
        except Unreadable:
            continue


def _in_form(body: bytes) -> Iterator[Any]:
    """Ids in a form of account webhooks, the Digital Pipeline or a Salesbot, as real accounts send them."""
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
    """The objects in ``{"status": [{…}]}`` and in ``{"status": {…}}``."""
    for given in by_event.values():
        yield from (one for one in (given if isinstance(given, list) else [given]) if isinstance(one, dict))


def _in_token(token: Any) -> Iterator[Any]:
    claims = _claims(token)
    if claims.get("entity_type") in (LEAD, str(LEAD)):
        yield claims.get("entity_id")


def _claims(token: Any) -> dict[str, Any]:
    """The claims, not verified: the ids in them are looked up in Kommo, and nothing else is trusted."""
    try:
        return jwt.decode(token, options={"verify_signature": False}) if isinstance(token, str) else {}
    except (jwt.PyJWTError, RecursionError):
        return {}
