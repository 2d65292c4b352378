"""Connections by hand: two lengths, half a head, half a body that nobody reads, and more than there is room for."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from backend.web.connections import BoundedProtocol
from backend.web.edge import Limits
from tests.web.edge.raw import connected, head, said
from tests.world import ADMIN_TOKEN, World, open_world
from tests.world.processes import served_web


class Impatient(BoundedProtocol):
    head_seconds = 0.3
    body_seconds = 0.6
    most = 40


class Crowded(BoundedProtocol):
    most = 40


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[World]:
    limits, url = Limits(seconds=0.3), f"sqlite+aiosqlite:///{tmp_path}/connections.db"
    async with (
        open_world(url, worker=False, connected=False) as world,
        served_web(world.resources, limits=limits, protocol=Impatient) as http,
    ):
        yield replace(world, url=str(http.base_url), http=http)


SMUGGLED = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("path", ["/admin/login", "/stripe/webhook", "/nowhere", "/healthz"])
@pytest.mark.parametrize("names", [("Content-Length", "Transfer-Encoding"), ("transfer-encoding", "content-length")])
async def test_two_lengths_are_refused_and_the_connection_closed(
    product: World, path: str, names: tuple[str, str]
) -> None:
    values = {"content-length": str(len(SMUGGLED)), "transfer-encoding": "chunked"}
    request = head("POST", path, {name: values[name.lower()] for name in names}) + SMUGGLED
    heard = await said(product.url, request, until_closed=True)
    assert heard.status == 400
    assert heard.text.count("HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "framing",
    [
        {"Content-Length": "5, 6"},
        {"Content-Length": "+5"},
        {"Content-Length": "-5"},
        {"Content-Length": "9" * 30},
        {"Content-Length": "9" * 5000},
        {"Transfer-Encoding": "gzip, chunked"},
        {"Transfer-Encoding": "identity"},
    ],
)
async def test_a_length_that_can_be_read_in_two_ways_is_refused(product: World, framing: dict[str, str]) -> None:
    heard = await said(product.url, head("POST", "/admin/login", framing) + SMUGGLED)
    assert 400 <= heard.status < 500
    assert "ok" not in heard.text


@pytest.mark.parametrize("sent", [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_half_a_head_is_not_waited_for(product: World, sent: bytes) -> None:
    heard = await said(product.url, sent, until_closed=True, patience=5.0)
    assert heard.status == 0


async def test_a_head_that_drips_is_not_waited_for(product: World) -> None:
    reader, writer = await connected(product.url)
    with pytest.raises(ConnectionError):
        await _drip(writer, "GET / HTTP/1.1\r\nX-Slow: " + "x" * 1000)
    assert await _rest(reader) == b""
    writer.close()


async def _drip(writer: asyncio.StreamWriter, text: str) -> None:
    async with asyncio.timeout(10):
        for letter in text:
            writer.write(letter.encode())
            await writer.drain()
            await asyncio.sleep(0.05)


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def test_a_body_that_no_route_reads_is_not_waited_for(product: World) -> None:
    request = head("POST", "/nowhere", {"Content-Length": "50000"}) + b"x"
    heard = await said(product.url, request, until_closed=True, patience=5.0)
    assert heard.status == 404


async def test_the_next_request_of_a_connection_has_its_own_time(product: World) -> None:
    reader, writer = await connected(product.url)
    for _ in range(4):
        writer.write(head("GET", "/healthz", {}))
        assert (await reader.readuntil(b"}}")).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.15)
    writer.close()


async def test_with_too_many_half_sent_requests_whole_ones_are_answered(product: World) -> None:
    async with served_web(product.resources, protocol=Crowded) as http:
        half = [await connected(str(http.base_url)) for _ in range(60)]
        for _, writer in half:
            writer.write(b"GET / HTTP/1.1\r\n")
        answers = [await http.get("/healthz", headers={"Connection": "close"}) for _ in range(5)]
        assert {answer.status_code for answer in answers} == {200}
        assert [await _rest(reader) for reader, _ in half[:15]] == [b""] * 15
        for _, writer in half:
            writer.close()


@pytest.mark.parametrize("line", ["X-Long: " + "x" * 90_000, "\r\n".join(f"X-{n}: {'y' * 50}" for n in range(1_500))])
async def test_a_head_without_end_is_refused(product: World, line: str) -> None:
    heard = await said(product.url, f"GET /healthz HTTP/1.1\r\nHost: x\r\n{line}".encode(), until_closed=True)
    assert heard.status in (431, 0)  # 0: the rest of the head was on its way when we closed
    assert heard.seconds < 5


async def test_requests_that_are_sent_ahead_of_our_answers_have_a_bound(product: World) -> None:
    """Each would hold its place and its body in memory until its turn comes."""
    reader, writer = await connected(product.url)
    with suppress(ConnectionError):
        writer.write(head("GET", "/healthz", {}) * 20_000)
        await writer.drain()
    answers = (await _rest(reader)).count(b"HTTP/1.1 200")
    assert answers < 2_000
    writer.close()


async def test_a_few_requests_sent_ahead_are_answered_in_order(product: World) -> None:
    last = head("GET", "/nowhere", {"Connection": "close"})
    heard = await said(product.url, head("GET", "/healthz", {}) * 3 + last, until_closed=True)
    assert re.findall(r"HTTP/1\.1 (\d+)", heard.text) == ["200", "200", "200", "404"]


@pytest.mark.parametrize(("name", "status"), [("before", 200), ("behind", 401)])
async def test_what_comes_behind_a_body_in_pieces_is_no_header(product: World, name: str, status: int) -> None:
    token = {"Authorization": f"Bearer {ADMIN_TOKEN}"} if name == "before" else {}
    trailer = f"Authorization: Bearer {ADMIN_TOKEN}\r\n" if name == "behind" else ""
    request = head("GET", "/admin/api/accounts", {"Transfer-Encoding": "chunked", "Connection": "close", **token})
    heard = await said(product.url, request + f"0\r\n{trailer}\r\n".encode(), until_closed=True)
    assert heard.status == status


@pytest.mark.parametrize(
    "sent",
    [
        b"GET \xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /p/\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET nowhere HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://other.example/healthy HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT other.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /nowhere HTTP/1.1\r\nHost : x\r\nX: y\r\n\r\n",
    ],
)
async def test_a_head_that_makes_no_sense_is_the_senders_fault(product: World, sent: bytes) -> None:
    heard = await said(product.url, sent)
    assert 400 <= heard.status < 500


@pytest.mark.parametrize("wanted", ["websocket", "h2c", "other"])
async def test_nobody_is_led_on_to_another_protocol(product: World, wanted: str) -> None:
    asked = head("GET", "/healthz", {"Connection": "Upgrade", "Upgrade": wanted, "Sec-WebSocket-Key": "x"})
    heard = await said(product.url, asked + b"\x00" * 5_000, until_closed=True)
    assert heard.status == 200
    assert heard.text.count("HTTP/1.1 ") == 1
