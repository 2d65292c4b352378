"""Limits, faults, and the way a request can go wrong; the last ones over a real connection."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.kommo import create_app
from sandbox.kommo.traffic.faults import KINDS, Fault, UnknownFault
from sandbox.serving import serving
from tests.sandbox.kommo.conftest import Kommo

ACCOUNT = "/api/v4/account"


async def statuses(kommo: Kommo, number: int, path: str = ACCOUNT) -> list[int]:
    return [(await kommo.http.get(path)).status_code for _ in range(number)]


class StillClock:
    """Time that stands, so that a second holds as many requests as a test likes."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(kommo: Kommo) -> StillClock:
    still = StillClock()
    kommo.world.limits.clock = still
    kommo.world.limits.rate = 7
    return still


async def test_the_eighth_request_of_a_second_is_429(kommo: Kommo, clock: StillClock) -> None:
    assert await statuses(kommo, 8) == [200] * 7 + [429]
    clock.now += 1
    assert await statuses(kommo, 1) == [200]


async def test_a_429_is_a_page_or_json(kommo: Kommo, clock: StillClock) -> None:
    await statuses(kommo, 7)
    page = await kommo.http.get(ACCOUNT)
    kommo.play(rate_answer="json")
    body = (await kommo.http.get(ACCOUNT)).json()
    assert (page.headers["content-type"], "retry-after" in page.headers) == ("text/html", False)
    assert (body["status"], body["retry_after"]) == (429, 300)


async def test_two_integrations_have_a_rate_each_unless_the_account_or_address_is_counted(
    kommo: Kommo, clock: StillClock
) -> None:
    other = kommo.world.add_integration(kommo.account, "https://other.example.com/cb")
    header = {"Authorization": f"Bearer {kommo.world.issue_pair(other.client_id, kommo.account.admin.id).access}"}
    for reading, expected in (("integration", 200), ("account", 429), ("ip", 429)):
        kommo.play(rate_scope=reading)
        await statuses(kommo, 7)
        assert (await kommo.http.get(ACCOUNT, headers=header)).status_code == expected
        clock.now += 2


async def test_a_caller_who_ignores_429_is_blocked_everywhere_until_the_block_is_lifted(
    kommo: Kommo, clock: StillClock
) -> None:
    await statuses(kommo, 37)
    clock.now += 100
    blocked = await kommo.grant(grant_type="refresh_token", refresh_token="x")
    assert (blocked.status_code, blocked.headers["content-type"]) == (403, "text/html")
    kommo.world.limits.lift()
    assert await statuses(kommo, 1) == [200]


async def test_a_fault_hits_the_next_matching_requests_and_no_other(kommo: Kommo) -> None:
    kommo.world.faults.add("502_html", "/leads", method="PATCH", times=2, skip=1)
    path = f"/api/v4/leads/{kommo.lead.id}"
    seen = [(await kommo.http.patch(path, json={"name": "x"})).status_code for _ in range(4)]
    assert seen == [200, 502, 502, 200]


@pytest.mark.parametrize(
    ("kind", "status", "is_html"),
    [("429_json", 429, False), ("402", 402, False), ("500_json", 500, False), ("404_html", 404, True)],
)
async def test_faults_answer_as_kommo_does(kommo: Kommo, kind: str, status: int, is_html: bool) -> None:
    kommo.world.faults.add(kind)
    answer = await kommo.http.get(ACCOUNT)
    assert (answer.status_code, answer.headers["content-type"] == "text/html") == (status, is_html)


async def test_try_again_is_a_400_that_names_nothing(kommo: Kommo) -> None:
    kommo.world.faults.add("400_try_again")
    answer = await kommo.http.patch("/api/v4/leads", json=[{"id": kommo.lead.id, "name": "x"}])
    assert (answer.status_code, "validation-errors" in answer.json()) == (400, False)
    assert kommo.lead.name == "Website for Ana"


async def test_a_504_may_come_after_the_work_was_done(kommo: Kommo) -> None:
    kommo.world.faults.add("504_after")
    answer = await kommo.http.patch("/api/v4/leads", json=[{"id": kommo.lead.id, "name": "Renamed"}])
    assert (answer.status_code, kommo.lead.name) == (504, "Renamed")


async def test_a_fault_may_hit_every_third_request_for_ever(kommo: Kommo) -> None:
    kommo.world.faults.add("500_json", every=3, times=0)
    assert await statuses(kommo, 6) == [200, 200, 500, 200, 200, 500]


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(UnknownFault):
        Fault("earthquake")
    assert "cut" in KINDS


@pytest.fixture
async def wire(kommo: Kommo) -> AsyncIterator[httpx.AsyncClient]:
    """The same world behind a real port."""
    async with serving(create_app(kommo.world)) as base, httpx.AsyncClient(base_url=base) as http:
        kommo.world.base_url = base
        http.headers["Authorization"] = kommo.http.headers["Authorization"]
        yield http


async def test_a_connection_drops_before_or_after_the_work(kommo: Kommo, wire: httpx.AsyncClient) -> None:
    for kind, name in (("drop_before", "Website for Ana"), ("drop_after", "Renamed")):
        kommo.world.faults.add(kind)
        with pytest.raises(httpx.TransportError):
            await wire.patch(f"/api/v4/leads/{kommo.lead.id}", json={"name": "Renamed"})
        assert kommo.lead.name == name
    assert [asked.status for asked in kommo.world.requests] == [0, 0]
    assert (await wire.get(ACCOUNT)).status_code == 200


async def test_a_cut_answer_is_no_answer(kommo: Kommo, wire: httpx.AsyncClient) -> None:
    kommo.world.faults.add("cut")
    with pytest.raises(httpx.RemoteProtocolError):
        await wire.get(ACCOUNT)


async def test_a_lost_token_answer_has_rotated_the_pair(kommo: Kommo, wire: httpx.AsyncClient) -> None:
    kommo.world.faults.add("drop_after", "/oauth2/access_token")
    body = {
        "grant_type": "refresh_token",
        "refresh_token": kommo.pair.refresh,
        "client_id": kommo.integration.client_id,
        "client_secret": kommo.integration.client_secret,
        "redirect_uri": kommo.integration.redirect_uri,
    }
    with pytest.raises(httpx.TransportError):
        await wire.post("/oauth2/access_token", json=body)
    assert (await wire.post("/oauth2/access_token", json=body)).status_code == 401


async def test_a_slow_kommo_finishes_what_the_caller_gave_up(kommo: Kommo, wire: httpx.AsyncClient) -> None:
    kommo.world.faults.add("delay", seconds=0.3)
    with pytest.raises(httpx.ReadTimeout):
        await wire.patch(f"/api/v4/leads/{kommo.lead.id}", json={"name": "Renamed"}, timeout=0.1)
    assert kommo.lead.name == "Website for Ana"
    await asyncio.sleep(0.4)
    assert kommo.lead.name == "Renamed"


async def test_links_name_the_served_address(kommo: Kommo, wire: httpx.AsyncClient) -> None:
    lead = (await wire.get(f"/api/v4/leads/{kommo.lead.id}")).json()
    assert lead["_links"]["self"]["href"] == f"{kommo.world.base_url}/api/v4/leads/{kommo.lead.id}"
    assert kommo.world.host_of(kommo.account) == kommo.world.base_url.removeprefix("http://")


async def test_nothing_new_is_304_where_that_is_played(kommo: Kommo) -> None:
    header = {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}
    assert (await kommo.http.get("/api/v4/leads", headers=header)).status_code == 200
    kommo.play(not_modified="304")
    assert (await kommo.http.get("/api/v4/leads", headers=header)).status_code == 304


async def test_lists_may_lag_behind_what_was_made(kommo: Kommo) -> None:
    made = await kommo.http.post("/api/v4/leads", json=[{"name": "New"}])
    lead_id = made.json()["_embedded"]["leads"][0]["id"]
    listed, alone = f"/api/v4/leads?filter[id][]={lead_id}", f"/api/v4/leads/{lead_id}"
    assert (await kommo.http.get(listed)).status_code == 200
    kommo.play(list_lag="20_seconds")
    assert [(await kommo.http.get(one)).status_code for one in (listed, alone)] == [204, 200]
    kommo.clock.advance(21)
    assert (await kommo.http.get(listed)).status_code == 200


async def test_a_gateway_may_refuse_a_long_address(kommo: Kommo) -> None:
    address = f"/api/v4/leads?query={'x' * 8192}"
    assert (await kommo.http.get(address)).status_code == 204
    kommo.play(url_limit="8_kb")
    answer = await kommo.http.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (414, "text/html")
