"""What is lost on the way, over a real connection: was it sent, may it have happened?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from backend.kommo_api.client import KommoApi
from backend.kommo_api.errors import KommoConnectionError, KommoError, KommoTooSlow, KommoUnavailable
from backend.kommo_api.transport import LARGEST_ANSWER, send
from backend.kommo_api.values import NewNote
from sandbox.serving import free_port
from tests.kommo_api.conftest import Kommo, at_once, note
from tests.kommo_api.fixed_answer import api


async def failure(kommo: Kommo, fault: str) -> KommoError:
    kommo.world.faults.add(fault, "/notes", method="POST")
    with pytest.raises(KommoError) as caught:
        await kommo.api.post_notes([note(kommo.lead.id)])
    return caught.value


async def test_a_request_to_a_closed_port_was_never_carried_out() -> None:
    async with httpx.AsyncClient() as http:
        api = KommoApi(http, f"http://127.0.0.1:{free_port()}", "t", at_once)
        with pytest.raises(KommoConnectionError) as caught:
            await api.post_notes([note(1)])
    assert not caught.value.doubtful


@pytest.mark.parametrize(
    ("fault", "kind", "happened"),
    [
        ("drop_before", KommoConnectionError, False),
        ("drop_after", KommoConnectionError, True),
        ("cut", KommoConnectionError, True),
        ("504_after", KommoTooSlow, True),
        ("500_json", KommoUnavailable, False),
    ],
)
async def test_after_sending_every_loss_is_a_doubt(
    kommo: Kommo, fault: str, kind: type[KommoError], happened: bool
) -> None:
    error = await failure(kommo, fault)
    assert (type(error), error.doubtful) == (kind, True)
    assert bool(kommo.account.notes_of(kommo.lead.id)) is happened


async def test_a_lost_read_is_no_doubt(kommo: Kommo) -> None:
    kommo.world.faults.add("drop_before", "/account")
    with pytest.raises(KommoConnectionError) as caught:
        await kommo.api.account()
    assert not caught.value.doubtful


async def test_silence_is_a_doubt_for_writes() -> None:
    def silence(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    http = httpx.AsyncClient(transport=httpx.MockTransport(silence))
    with pytest.raises(KommoConnectionError) as caught:
        await KommoApi(http, "http://acme.test", "t", at_once).post_notes([note(1)])
    assert (caught.value.doubtful, str(caught.value)) == (True, f"{KommoTooSlow()} (ReadTimeout)")


async def test_each_request_has_its_turn_and_is_reported(kommo: Kommo) -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def turn() -> AsyncIterator[None]:
        seen.append("turn")
        try:
            yield
        except KommoConnectionError:
            seen.append("failed")
            raise

    token = kommo.world.issue_pair(kommo.integration.client_id, kommo.account.admin.id).access
    api = KommoApi(kommo.http, kommo.base_url, token, turn, on_answer=lambda status, _: seen.append(str(status)))
    await api.account()
    kommo.world.faults.add("drop_before")
    with pytest.raises(KommoConnectionError):
        await api.account()
    assert seen == ["turn", "200", "turn", "None", "failed"]


@pytest.mark.parametrize("is_write", [False, True])
async def test_an_empty_200_is_no_answer(is_write: bool) -> None:
    """Only a 204 says that there is nothing; an empty 200 in its place would bury paid deals."""
    kommo = api(lambda _: httpx.Response(200))
    with pytest.raises(KommoUnavailable) as raised:
        await (kommo.post_notes([NewNote(1, "text", "1", "x")]) if is_write else kommo.leads([1]))
    assert raised.value.doubtful is is_write


async def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 1024 * 1024

    with pytest.raises(KommoUnavailable, match="too large"):
        await api(lambda _: httpx.Response(200, content=endless())).leads([1])
    assert sent * 1024 * 1024 <= LARGEST_ANSWER + 2 * 1024 * 1024


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_answer_that_drips_is_given_up(method: str) -> None:
    async def dripping() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.01)
            yield b" "

    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=dripping())))
    with pytest.raises(KommoTooSlow) as raised:
        await send(http, http.build_request(method, "https://acme.kommo.com/api/v4/leads"), seconds=0.05)
    assert raised.value.doubtful is (method == "POST")


async def test_a_redirect_is_not_followed_with_our_token() -> None:
    def elsewhere(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "acme.test"
        return httpx.Response(302, headers={"Location": "https://evil.test/"})

    http = httpx.AsyncClient(transport=httpx.MockTransport(elsewhere), follow_redirects=True)
    with pytest.raises(KommoUnavailable):
        await KommoApi(http, "http://acme.test", "t", at_once).account()
