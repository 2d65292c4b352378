"""Stripe's door: what comes in, what stays out, and that the answer follows the commit."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stripe import WebhookSignature

from backend.accounts.connections import secrets_of
from backend.models import InboxEvent, StripeConnection
from backend.stripe_api.signature import BadWebhook, read_event, verify
from tests.product import Product, running

EVENT: dict[str, Any] = {
    "id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "created": 1_800_000_000, "livemode": True,
    "data": {"object": {"id": "pi_1", "status": "succeeded", "amount_received": 100, "currency": "eur"}},
}  # fmt: skip


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Product]:
    async with running(f"sqlite+aiosqlite:///{tmp_path}/door.db") as running_product:
        yield running_product


class Door:
    def __init__(self, product: Product, connection: StripeConnection, secret: str) -> None:
        self.product, self.url, self.secret = product, f"{product.url}/stripe/webhook/{connection.id}", secret

    def sign(self, body: bytes, at: float | None = None, secret: str = "") -> dict[str, str]:
        header = WebhookSignature.generate_signature_header(
            body.decode(), secret or self.secret, timestamp=int(at or time.time())
        )
        return {"Stripe-Signature": header}

    async def post(self, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        given = self.sign(body) if headers is None else headers
        return await self.product.http.post(self.url, content=body, headers=given)

    async def events(self) -> list[str]:
        return [event.id for event in await self.product.rows(InboxEvent)]


@pytest.fixture
async def door(product: Product) -> Door:
    (connection,) = await product.rows(StripeConnection)
    return Door(product, connection, secrets_of(product.resources, connection)[0])


def _body(**given: Any) -> bytes:
    return orjson.dumps(EVENT | given)


async def test_a_signed_event_is_stored_before_it_is_answered(door: Door) -> None:
    answer = await door.post(_body())
    assert (answer.status_code, await door.events()) == (200, ["evt_1"])


async def test_a_second_delivery_is_answered_and_changes_nothing(door: Door) -> None:
    await door.post(_body())
    assert (await door.post(_body())).status_code == 200
    assert await door.events() == ["evt_1"]


@pytest.mark.parametrize("seconds", [-301, 301, -86400, 86400])
async def test_a_time_stamp_off_by_more_than_five_minutes_is_refused_both_ways(door: Door, seconds: int) -> None:
    body = _body()
    answer = await door.post(body, door.sign(body, time.time() + seconds))
    assert (answer.status_code, await door.events()) == (400, [])


@pytest.mark.parametrize("seconds", [-290, 290])
async def test_a_clock_a_little_off_is_let_in(door: Door, seconds: int) -> None:
    body = _body()
    assert (await door.post(body, door.sign(body, time.time() + seconds))).status_code == 200


@pytest.mark.parametrize(
    "header",
    [b"", b"t=", b"t=abc,v1=00", b"v1=00", b"t=1,t=2,v1=00", b"t=%d", b"t=%d,v0=00", b"x"],
)
async def test_a_missing_or_malformed_signature_is_refused(door: Door, header: bytes) -> None:
    now = str(int(time.time())).encode()
    headers = [(b"Stripe-Signature", header.replace(b"%d", now))]
    answer = await door.product.http.post(door.url, content=_body(), headers=headers)
    assert (answer.status_code, await door.events()) == (400, [])


async def test_another_secret_is_refused(door: Door) -> None:
    body = _body()
    answer = await door.post(body, door.sign(body, secret="whsec_of_somebody_else"))
    assert (answer.status_code, await door.events()) == (400, [])


async def test_a_changed_body_is_refused(door: Door) -> None:
    headers = door.sign(_body())
    answer = await door.post(_body(id="evt_2"), headers)
    assert (answer.status_code, await door.events()) == (400, [])


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{}", b'{"object":"event"}', b"not json", b'{"object":"v2.core.event","id":"evt_1"}',
     b'{"object":"event","id":"evt_1","type":"x","data":[]}',
     b'{"object":"event","id":5,"type":"x","data":{"object":{}}}',
     b'{"object":"event","id":"a\\u0000b","type":"x","data":{"object":{}}}'],
)  # fmt: skip
async def test_a_true_signature_on_what_is_no_event_is_refused(door: Door, body: bytes) -> None:
    assert ((await door.post(body)).status_code, await door.events()) == (400, [])


async def test_a_body_that_is_not_utf8_is_refused(door: Door) -> None:
    answer = await door.post(b"\xff\xfe", {"Stripe-Signature": f"t={int(time.time())},v1=00"})
    assert answer.status_code == 400


async def test_more_than_a_megabyte_is_refused_by_its_length(door: Door) -> None:
    answer = await door.post(b"x" * 1_000_001, {"Stripe-Signature": "t=1,v1=00"})
    assert (answer.status_code, await door.events()) == (413, [])


async def test_more_than_a_megabyte_is_refused_as_it_streams(door: Door) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100_000

    answer = await door.product.http.post(door.url, content=chunks(), headers={"Stripe-Signature": "t=1,v1=00"})
    assert answer.status_code == 413


async def test_an_unknown_connection_is_404(product: Product) -> None:
    assert (await product.http.post(f"{product.url}/stripe/webhook/nobody", content=b"{}")).status_code == 404


async def test_only_post_is_taken(door: Door) -> None:
    assert (await door.product.http.get(door.url)).status_code == 405


async def test_a_type_that_we_do_not_react_to_is_kept_as_ignored(door: Door) -> None:
    await door.post(_body(type="customer.created"))
    (event,) = await door.product.rows(InboxEvent)
    assert (event.state, event.body) == ("ignored", None)


async def test_an_event_of_the_other_mode_is_kept_as_ignored_and_answered(door: Door) -> None:
    assert (await door.post(_body(livemode=False))).status_code == 200
    (event,) = await door.product.rows(InboxEvent)
    assert event.state == "ignored"


async def test_a_secret_given_by_hand_works_at_the_address_without_an_id(tmp_path: Path) -> None:
    given = {"stripe_webhook_secret": "whsec_first,whsec_second"}
    async with running(f"sqlite+aiosqlite:///{tmp_path}/door.db", more=given) as product:
        body = _body()
        for secret in ("whsec_first", "whsec_second"):
            header = WebhookSignature.generate_signature_header(body.decode(), secret, timestamp=int(time.time()))
            answer = await product.http.post(
                f"{product.url}/stripe/webhook", content=body, headers={"Stripe-Signature": header}
            )
            assert answer.status_code == 200
        assert [event.id for event in await product.rows(InboxEvent)] == ["evt_1"]


async def test_where_nothing_can_be_stored_the_answer_is_no_200(door: Door) -> None:
    async with door.product.resources.database.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE inbox_event RENAME TO away")
    answer = await door.post(_body())
    assert answer.status_code == 503


async def test_many_at_once_are_all_stored(door: Door) -> None:
    answers = await asyncio.gather(*(door.post(_body(id=f"evt_{n}")) for n in range(60)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await door.events()) == 60


SECRET, NOW = "whsec_of_the_tests", 1_800_000_000


@settings(max_examples=5000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_mutated_body_is_ever_accepted(data: st.DataObject) -> None:
    body = bytearray(_body())
    header = WebhookSignature.generate_signature_header(body.decode(), SECRET, timestamp=NOW)
    place = data.draw(st.integers(0, len(body) - 1))
    change = data.draw(st.sampled_from(("flip", "cut", "insert")))
    if change == "flip":
        body[place] ^= data.draw(st.integers(1, 255))
    elif change == "cut":
        del body[place:]
    else:
        body[place:place] = data.draw(st.binary(min_size=1, max_size=5))
    with pytest.raises(BadWebhook):
        verify(bytes(body), header, [SECRET], NOW)


@given(st.binary(max_size=300))
def test_whatever_bytes_come_reading_them_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(BadWebhook):
        read_event(body)
