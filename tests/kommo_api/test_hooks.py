"""What is taken from a hook of Kommo's: the numbers of deals, from any of its shapes, and nothing from nonsense."""

import json
from urllib.parse import urlencode

import jwt
import pytest

from backend.kommo_api.hooks import MOST_LEADS, hinted_leads

PIPELINE = {"event": {"type": 14, "type_code": "lead_appeared_in_status", "data": {"id": 5, "element_type": 2}}}


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


def bot(**claims: object) -> bytes:
    token = jwt.encode({"entity_id": 6, "entity_type": 2} | claims, "k" * 64, algorithm="HS512")
    return json.dumps({"token": token, "data": {}, "return_url": "https://acme.kommo.com/x"}).encode()


def bot_form(**claims: object) -> bytes:
    return urlencode({**json.loads(bot(**claims)), "data": '{"from": "widget"}'}).encode()


@pytest.mark.parametrize(
    ("body", "leads"),
    [
        (json.dumps(PIPELINE).encode(), [5]),
        (b' {"event": {"data": {"id": "5"}}}', [5]),
        (form(**{"event[data][id]": "5", "event[data][status_id]": "142"}), [5]),
        (form(**{"leads[status][0][id]": "7", "leads[status][0][status_id]": "142", "account[id]": "1"}), [7]),
        (form(**{"leads[add][0][id]": "7", "leads[update][0][id]": "8", "leads[update][1][id]": "7"}), [7, 8]),
        (form(**{"leads[note][0][note][element_id]": "9", "leads[note][0][note][id]": "1"}), [9]),
        (bot(), [6]),
        (bot(entity_type="2", entity_id="6"), [6]),
        (bot_form(), [6]),
        (bot_form(entity_type=12), []),
        (form(**{"event[data][id]": "5", "event[data][element_type]": "1"}), []),
        (form(**{"event[data][id]": "5", "event[data][element_type]": "2", "event[type]": "15"}), [5]),
        (b'{"leads": {"status": [{"id": 1, "status_id": 5}, {"id": "2"}]}}', [1, 2]),
        (b'{"lead": {"status": {"id": 3, "status_id": 5}}}', [3]),
        (form(**{"lead[status][id]": "3"}), [3]),
        (bot(entity_type=12), []),
        (b'{"event": {"data": {"id": 5, "element_type": 1}}}', []),
    ],
)
def test_each_shape_names_its_deals(body: bytes, leads: list[int]) -> None:
    assert hinted_leads(body) == leads


@pytest.mark.parametrize(
    "body",
    [b'{"leads": {"status": [5, null]}, "lead": []}', b'{"lead": {"status": 5}}',
     b"", b"{", b"[]", b"null", b"{}", b'{"event": 5}', b'{"event": {"data": []}}', b'{"event": {"data": {"id": {}}}}',
     b'{"token": 5}', b'{"token": "a.b.c"}', b"\xff\xfe", b"leads[status][0][id]=", b"leads[status][0][id]=-1",
     b"leads[status][0][id]=5.5", b"leads[status][0][id]=" + b"9" * 40, b"leads[status][0][id]=0x5",
     b'{"event": {"data": {"id": true}}}', b"&".join([b"a=1"] * 6000)],
)  # fmt: skip
def test_nonsense_names_none(body: bytes) -> None:
    assert hinted_leads(body) == []


def test_only_so_many_are_taken() -> None:
    many = form(**{f"leads[status][{number}][id]": str(number + 1) for number in range(1000)})
    assert len(hinted_leads(many)) == MOST_LEADS
