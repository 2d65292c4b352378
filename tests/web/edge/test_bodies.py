"""One request must not stop the service: every route that takes a body, with every kind of body that nobody expects."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import product as every
from pathlib import Path
from time import perf_counter

import httpx
import pytest

from backend.web.app import create_app
from tests.web.edge.raw import connected, head, said
from tests.web.edge.routes import WITH_BODY, Door, doors, everybody, hook_secret, known_values
from tests.world import ADMIN_TOKEN, World, open_world
from tests.world.processes import ANY_REFUSALS, served_web

TYPES = ("multipart/form-data; boundary=b", "application/x-www-form-urlencoded", "application/json", "text/plain")
CHARSETS = ("punycode", "undefined", "unicode_escape", "no-such-charset")
PART = b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n%s\r\n--b--\r\n'
SMALL = PART % (b"token=" + b"a-" * 30_000)  # what takes longest in punycode, within the limit
LARGE = b"token=" + b"x" * 2_000_000
SECONDS = 0.3
"""For a slow body; the product's own ten would make the test slow as well."""
MOST_SECONDS = 5.0
"""Without any other work, on a loaded machine; one form in punycode held everything up for longer than that."""
MOST_MIB = 100
READ_NOTHING = (
    "/stripe/webhook",
    "/logout",
    "/enter/{secret}",
    "/check",
    "/cancel",
    "/preview",
    "/widget/setup",
    "/d/{token}/pay",
    "/move",
    "/admin/login",
)
"""Their answer does not depend on a body: nobody has signed in any more, or there is no such connection."""


@dataclass(frozen=True)
class Sent:
    """One body by one route."""

    door: Door
    content_type: str
    shape: str

    def reads(self) -> bool:
        return self.door.method != "DELETE" and not self.door.path.endswith(READ_NOTHING)


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[World]:
    limits, url = replace(ANY_REFUSALS, seconds=SECONDS), f"sqlite+aiosqlite:///{tmp_path}/doors.db"
    async with open_world(url, worker=False) as world, served_web(world.resources, limits=limits) as http:
        yield replace(world, url=str(http.base_url), http=http)


def _types() -> list[str]:
    """Each type by itself, and each charset with a type of which libraries decode the text."""
    return [*TYPES, "", *(f"{kind}; charset={charset}" for kind, charset in every(TYPES[:2], CHARSETS))]


def _bodied(product: World) -> list[Door]:
    app = create_app(product.resources, admin_token=ADMIN_TOKEN)
    return [door for door in doors(app) if door.method in WITH_BODY]


def _request(sent: Sent, path: str, headers: dict[str, str]) -> bytes:
    named = headers | ({"Content-Type": sent.content_type} if sent.content_type else {})
    if sent.shape == "chunked":
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        return head(sent.door.method, path, named | {"Transfer-Encoding": "chunked"}) + chunk * 30 + b"0\r\n\r\n"
    if sent.shape == "slow":
        return head(sent.door.method, path, named | {"Content-Length": "60000"}) + b"token=slow"
    body = SMALL if sent.shape == "small" else LARGE
    return head(sent.door.method, path, named | {"Content-Length": str(len(body))}) + body


def _is_right(sent: Sent, status: int) -> bool:
    if sent.shape == "large":
        return status == 413
    if sent.shape == "chunked":  # what nobody reads may be cut off
        return status in (408, 413, 415, 429) if sent.reads() else status < 500
    if sent.shape == "slow" and sent.reads():
        return status in (408, 415, 429)  # one user may not call faster than a person can
    return 200 <= status < 500


@asynccontextmanager
async def _pauses() -> AsyncIterator[list[float]]:
    """Seconds between the turns of somebody else in the same process, as long as the block runs."""
    pauses = [0.0]

    async def breathe() -> None:
        while True:
            before = perf_counter()
            await asyncio.sleep(0.01)
            pauses.append(perf_counter() - before)

    breathing = asyncio.create_task(breathe())
    yield pauses
    breathing.cancel()


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.parametrize("shape", ["small", "large", "chunked", "slow"])
async def test_no_body_stops_the_service_at_any_route(product: World, shape: str) -> None:
    values = await known_values(product, await hook_secret(product))
    at_once, peak = asyncio.Semaphore(20), _peak_mib()
    known, leaving = await everybody(product), await everybody(product)
    wrong: list[object] = []

    async def send(sent: Sent) -> None:
        async with at_once:
            headers = leaving if sent.door.path == "/admin/logout" else known
            request = _request(sent, sent.door.filled(values), headers)
            heard = await said(product.url, request, patience=60)
            if not _is_right(sent, heard.status):
                wrong.append((sent, heard))

    found = _bodied(product)
    assert len(found) > 15
    async with _pauses() as pauses:
        await asyncio.gather(*(send(Sent(door, kind, shape)) for door in found for kind in _types()))
    assert wrong == []
    assert max(pauses) < MOST_SECONDS
    assert _peak_mib() - peak < MOST_MIB


async def test_nobody_waits_while_a_form_in_punycode_is_sent(product: World) -> None:
    sent = Sent(Door("POST", "/admin/login"), "multipart/form-data; boundary=b; charset=punycode", "small")
    request = _request(sent, "/admin/login", {"Sec-Fetch-Site": "same-origin"})
    began = perf_counter()
    heard, alive = await asyncio.gather(said(product.url, request), product.http.get(f"{product.url}/healthz"))
    assert (heard.status, alive.status_code) == (415, 200)
    assert perf_counter() - began < MOST_SECONDS


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"token=%ff", 400),
        (b"token=\xff", 400),
        (b"a=1&" * 2001, 400),
        (b"token", 401),
        (b"", 401),
        ("token=ключ".encode(), 401),
    ],
)
async def test_a_form_that_can_not_be_read_is_the_callers_fault(product: World, body: bytes, status: int) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded; charset=utf-7"}
    answer = await product.http.post(f"{product.url}/admin/login", content=body, headers=headers)
    assert answer.status_code == status


async def test_a_stranger_at_a_hook_is_refused_before_the_body_is_read(product: World) -> None:
    request = head("POST", "/kommo/hooks/unknown", {"Content-Length": "500000"}) + b"x"
    assert (await said(product.url, request)).status == 404


async def test_large_bodies_that_never_end_keep_no_small_event_out(product: World) -> None:
    """Sixteen places for large bodies; what fits into 64 KB needs none."""
    values = await known_values(product)
    path = f"/stripe/webhook/{values['connection']}"
    request = head("POST", path, {"Content-Length": "900000"}) + b"x" * 100
    slow = [asyncio.create_task(said(product.url, request)) for _ in range(60)]
    await asyncio.sleep(0.05)
    answer = await product.http.post(product.url + path, content=b"{}", headers={"Stripe-Signature": "t=1,v1=00"})
    assert answer.status_code == 400
    statuses = [heard.status for heard in await asyncio.gather(*slow)]
    assert set(statuses) <= {408, 503}
    again = await product.http.post(product.url + path, content=b"x" * 900_000, headers={"Stripe-Signature": "t=1"})
    assert again.status_code == 400  # the places are free again


async def test_who_hangs_up_in_the_middle_leaves_no_trace(product: World, capsys: pytest.CaptureFixture[str]) -> None:
    headers = (await everybody(product)) | {"Content-Length": "1000", "Content-Type": "application/json"}
    with pytest.raises(TimeoutError):
        await said(product.url, head("POST", "/widget/requests", headers) + b"{", patience=0.05)
    alive = await product.http.get(f"{product.url}/healthz")
    assert isinstance(alive, httpx.Response)
    assert "Traceback" not in capsys.readouterr().out


async def test_who_sends_all_and_hangs_up_at_once_leaves_no_trace(
    product: World, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = (await everybody(product)) | {"Content-Length": "2", "Content-Type": "application/json"}
    for path in ("/widget/requests", "/admin/login"):
        for _ in range(20):
            _reader, writer = await connected(product.url)
            writer.write(head("POST", path, headers) + b"{}")
            writer.transport.abort() if path == "/admin/login" else writer.close()
    assert (await product.http.get(f"{product.url}/healthz")).status_code == 200
    assert "Traceback" not in capsys.readouterr().out
