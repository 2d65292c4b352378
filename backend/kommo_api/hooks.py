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
_IN_A_FORM = re.compile(r"leads\[\w+\]\[\d+\](?:\[id\]|\[note\]\[element_id\])|event\[data\]\[id\]")


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


def _in_form(body: bytes) -> Iterator[str]:
    pairs = parse_qsl(body.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS)
    return (value for name, value in pairs if _IN_A_FORM.fullmatch(name))


def _in_json(said: Row) -> Iterator[Any]:
    data = row(row(said.get("event")).get("data"))
    if data.get("element_type", LEAD) in (LEAD, str(LEAD)):
        yield data.get("id")
    claims = _claims(said.get("token"))
    if claims.get("entity_type") in (LEAD, str(LEAD)):
        yield claims.get("entity_id")


def _claims(token: Any) -> dict[str, Any]:
    """Not verified: what it names is looked up in Kommo, and nothing else is believed."""
    try:
        return jwt.decode(token, options={"verify_signature": False}) if isinstance(token, str) else {}
    except (jwt.PyJWTError, RecursionError):
        return {}
