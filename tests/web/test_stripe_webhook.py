"""Stripe's door: what comes in, what stays out, and that the answer follows the commit."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import pytest
import structlog
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from stripe import WebhookSignature

from backend.accounts.stripe.connections import seal_secrets, secrets_of
from backend.storage.models import InboxEvent, StripeConnection
from backend.stripe_api.signature import BadWebhook, read_event
from backend.web.app import create_app
from backend.web.stripe_webhook import REMEMBER_SECONDS
from sandbox.clock import MovableClock
from tests.world import ADMIN_TOKEN, World, open_world

EVENT: dict[str, Any] = {
    "id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "created": 1_800_000_000, "livemode": True,
    "data": {"object": {"id": "pi_1", "status": "succeeded", "amount_received": 100, "currency": "eur"}},
}  # fmt: skip


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/door.db") as running_product:
        yield running_product


class Door:
    def __init__(self, product: World, connection: StripeConnection, secret: str) -> None:
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
async def door(product: World) -> Door:
    return await _door(product)


async def _door(product: World) -> Door:
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


async def test_an_unknown_connection_is_404(product: World) -> None:
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
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/door.db", more=given) as product:
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


async def test_while_the_database_is_away_each_event_is_one_line_of_the_log(door: Door) -> None:
    """Thousands may come meanwhile: with a stack of calls for each, telling would cost more than storing."""
    async with door.product.resources.database.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE inbox_event RENAME TO away")
    with structlog.testing.capture_logs() as lines:
        assert (await door.post(_body())).status_code == 503
    (told,) = [line for line in lines if line["event"] == "webhook store failed"]
    assert told.keys() == {"event", "log_level", "reason"}


async def test_a_new_secret_counts_for_the_next_webhook(door: Door) -> None:
    """Beside a flood of lies, whose reads of the secrets are shared."""
    lies = [asyncio.create_task(door.post(_body(id=f"lie_{n}"), door.sign(_body()))) for n in range(30)]
    async with door.product.resources.database.write() as session:
        connection = await session.get_one(StripeConnection, door.url.rpartition("/")[2])
        sealed = seal_secrets(door.product.resources, connection.id, ["whsec_just_given"])
        connection.given_secrets = [*connection.given_secrets, *sealed]
    body = _body()
    assert (await door.post(body, door.sign(body, secret="whsec_just_given"))).status_code == 200
    assert {(await lie).status_code for lie in lies} == {400}


async def test_a_removed_connection_is_unknown_after_two_seconds(tmp_path: Path) -> None:
    clock = MovableClock()
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/door.db", clock=clock) as product:
        door = await _door(product)
        assert (await door.post(_body(), door.sign(_body(), clock()))).status_code == 200
        async with product.resources.database.write() as session:
            (await session.get_one(StripeConnection, door.url.rpartition("/")[2])).state = "removed"
        clock.advance(REMEMBER_SECONDS)
        assert (await door.post(_body(), door.sign(_body(), clock()))).status_code == 404


@pytest.mark.postgres
async def test_while_one_reads_a_connection_anew_the_others_are_served(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite's reads wait for nobody")
    clock = MovableClock()
    async with open_world(database_url, clock=clock) as product:
        door = await _door(product)
        bodies = [_body(id=f"evt_{number}") for number in range(4)]
        assert (await door.post(bodies[0], door.sign(bodies[0], clock()))).status_code == 200
        await product.quiet()
        clock.advance(REMEMBER_SECONDS)
        async with product.resources.database.write() as session:
            await (await session.connection()).exec_driver_sql("LOCK TABLE stripe_connection")
            reading = asyncio.create_task(door.post(bodies[1], door.sign(bodies[1], clock())))
            await asyncio.sleep(0.5)
            assert not reading.done()
            for body in bodies[2:]:
                assert (await door.post(body, door.sign(body, clock()))).status_code == 200
        assert (await reading).status_code == 200


@pytest.mark.parametrize("path", ["/stripe/webhooks", "/stripe/webhook/a/b", "/stripe/webhook//"])
async def test_an_address_beside_the_door_is_none_of_its(product: World, path: str) -> None:
    assert (await product.http.post(f"{product.url}{path}", content=b"{}")).status_code in {400, 404}


async def test_many_at_once_are_all_stored(door: Door) -> None:
    answers = await asyncio.gather(*(door.post(_body(id=f"evt_{n}")) for n in range(60)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await door.events()) == 60


MUTATED, AT_ONCE = 5000, 50


async def test_no_mutated_delivery_is_ever_accepted_and_none_breaks_us(door: Door) -> None:
    """Through the whole application. Each begins as a true delivery; what changed after signing makes it a lie."""
    random, app = Random(5), create_app(door.product.resources, admin_token=ADMIN_TOKEN)
    statuses = Counter[int]()
    for first in range(0, MUTATED, AT_ONCE):
        lies = [_lie(door, n, random) for n in range(first, first + AT_ONCE)]
        statuses.update(await asyncio.gather(*(_deliver(app, door.url, *lie) for lie in lies)))
    assert statuses == {400: MUTATED}
    assert await door.events() == []
    true = _body(id="evt_true")
    assert await _deliver(app, door.url, true, door.sign(true)["Stripe-Signature"]) == 200


def _lie(door: Door, n: int, random: Random) -> tuple[bytes, str]:
    body = bytearray(_body(id=f"evt_{n}"))
    header = door.sign(bytes(body))["Stripe-Signature"]
    if n % 5 == 0:
        return bytes(body), _mutated_header(header, random)
    _mutate_body(body, random)
    return bytes(body), header


def _mutate_body(body: bytearray, random: Random) -> None:
    place, size = random.randrange(len(body)), random.randint(1, 8)
    match random.choice(("flip", "cut", "insert", "remove", "double", "empty")):
        case "flip":
            body[place] ^= random.randint(1, 255)
        case "cut":
            del body[place:]
        case "insert":
            body[place:place] = random.randbytes(size)
        case "remove":
            del body[place : place + size]
        case "double":
            body += bytes(body)
        case _:
            body.clear()


def _mutated_header(header: str, random: Random) -> str:
    """Another time, another signature, another scheme, or other letters."""
    stamp, _, signature = header.partition(",v1=")
    place = random.randrange(len(header))
    return random.choice(
        (
            f"t={int(stamp[2:]) + random.choice((-1, 1))},v1={signature}",
            f"{stamp},v1={signature[:-1]}{'0' if signature[-1] != '0' else '1'}",
            f"{stamp},v0={signature}",
            f"{stamp},v1={signature[: random.randrange(64)]}",
            header[:place].replace("v1=", "") + chr(random.randrange(33, 256)),
            "",
        )
    )


async def _deliver(app: FastAPI, url: str, body: bytes, header: str) -> int:
    """One request to the application, without a network between; its status."""
    path, said = urlsplit(url).path, list[int]()
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
             "headers": [(b"stripe-signature", header.encode("latin-1"))]}  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            said.append(message["status"])

    await app(scope, receive, send)
    return said[0]


@given(st.binary(max_size=300))
def test_whatever_bytes_come_reading_them_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(BadWebhook):
        read_event(body)
