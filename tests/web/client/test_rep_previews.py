"""*Open* in the deal card shows a representative the client's page, and is not taken for the client's opening."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.core.signing import PREVIEW_SECONDS
from sandbox.clock import MovableClock
from tests.world import World, open_world

DAY = 86400


@pytest.fixture
async def shop(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=MovableClock(), worker=False) as shop:
        yield shop


async def _preview(shop: World, request: dict[str, str]) -> str:
    answer = await shop.rep.post(f"/widget/requests/{request['id']}/preview")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["url"])


async def _opened(shop: World) -> bool:
    return bool((await shop.rep.deal())["requests"][0]["opened"])


async def test_a_representative_who_looks_is_not_the_client(shop: World) -> None:
    request = await shop.rep.create()
    answer = await shop.open(await _preview(shop, request))
    assert (answer.status_code, answer.headers["location"]) == (303, shop.checkout.session["url"])
    assert not await _opened(shop)
    assert "has not opened the link" in (await shop.rep.deal())["explanation"]


async def test_the_client_who_opens_right_behind_a_preview_is_counted(shop: World) -> None:
    """Stripe's answer is remembered for ten seconds: not by the client's way, which notes the opening."""
    request = await shop.rep.create()
    await shop.open(await _preview(shop, request))
    await shop.open(request["url"])
    assert await _opened(shop)


@pytest.mark.parametrize("fault", ["old", "changed", "of another link", "empty", "twice the purpose"])
async def test_no_mark_but_a_young_one_of_this_link_hides_an_opening(shop: World, fault: str) -> None:
    other = await _preview(shop, await shop.rep.create())
    request = await shop.rep.create()
    url = await _preview(shop, request)
    mark = url.partition("?preview=")[2]
    if fault == "old":
        shop.clock.advance(PREVIEW_SECONDS + 1)
    state = shop.resources.states.sign({"link": request["url"].rpartition("/")[2]})
    marks = {"changed": mark[:-1], "of another link": other.partition("?preview=")[2], "empty": "",
             "twice the purpose": state}  # fmt: skip
    await shop.open(f"{request['url']}?preview={marks.get(fault, mark)}")
    assert await _opened(shop)


async def test_a_preview_that_waits_for_stripe_stays_one(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.advance(2 * DAY)
    shop.checkout.fault("hang", count=1, seconds=4.0)
    page = await shop.open(await _preview(shop, request))
    assert page.status_code == 200
    while page.status_code == 200:
        page = await shop.open(page.headers["refresh"].rpartition("url=")[2])
    assert page.status_code == 303
    assert not await _opened(shop)


async def test_only_who_may_see_the_deal_gets_a_preview(shop: World) -> None:
    request = await shop.rep.create()
    rep = shop.account.add_salesperson("Rep", "rep@shop.example")
    answer = await shop.rep.post(f"/widget/requests/{request['id']}/preview", user_id=rep.id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")


async def test_while_kommo_is_away_a_rep_previews_own_links_only(shop: World) -> None:
    rep = shop.account.add_salesperson("Rep", "rep@shop.example")
    mine = await shop.rep.post("/widget/requests", shop.rep.order())
    shop.kommo_is_away()
    theirs = await shop.rep.post(f"/widget/requests/{mine.json()['id']}/preview", user_id=rep.id)
    assert theirs.status_code == 404
