"""A link as chats and people send it on: with signs around it, in capitals; and opened again and again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.web.client.tokens import MOST_A_MINUTE, tidied
from sandbox.clock import MovableClock
from tests.world import World, open_world
from tests.world.checkout import SESSIONS

TOKEN = "abcdefghijklmnop"
BEHIND = (
    "", ".", ")", ",", "%20", " ", "\u201d", "%E2%80%9D", "%E2%80%8B", "\u200b", "%25E2%2580%258B", "%C2%A0",
    "%EF%BB%BF", "%E2%81%A0", "%0A", "%0D%0A", "%09",
    "!", "%22", "'", "%3E", "%60", "*", "_", ";", ":", "%F0%9F%91%8D", "%E2%9D%A4%EF%B8%8F", ".).",
)  # fmt: skip


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/tokens.db", worker=False, clock=MovableClock()) as world:
        yield world


@pytest.mark.parametrize("text", ["", ".", "\u200b", f"{TOKEN}a.", f"{TOKEN[:-1]}.", f"{TOKEN}\x00", f"a {TOKEN}"])
def test_nothing_but_signs_is_cut_off(text: str) -> None:
    assert tidied(text) != TOKEN


async def test_a_link_with_signs_behind_it_or_in_capitals_opens(shop: World) -> None:
    link = (await shop.rep.create())["url"]
    head, _, token = link.rpartition("/")
    for text in [token.upper(), token.title(), f"%E2%80%9C{token}", f"({token})", *(token + sign for sign in BEHIND)]:
        opened = await shop.open(f"{head}/{text}")
        assert opened.status_code == 303, text
        assert (await shop.open(f"{head}/{text}/thanks")).status_code == 200, text
    assert (await shop.open(f"{head}/{token}%00")).status_code == 404


async def test_an_address_in_capitals_opens(shop: World) -> None:
    """As a QR code for letters and digits has it, and print."""
    await shop.stored.set_options(statement=True)
    token = (await shop.rep.create())["url"].rpartition("/")[2].upper()
    statement = str((await shop.rep.deal())["statement_url"]).rpartition("/")[2].upper()
    assert (await shop.open(f"/P/{token}")).status_code == 303
    assert [(await shop.open(path)).status_code for path in (f"/P/{token}/thanks", f"/D/{statement}/")] == [200, 200]
    assert "No payment at this address" in (await shop.open("/P/AAAAAAAAAAAAAAAA")).text
    assert (await shop.open("/ADMIN")).status_code == 404


async def _asked(shop: World) -> int:
    return len([one for one in shop.stripe.seen if one.path.startswith(f"{SESSIONS}/")])


async def test_stripe_is_asked_once_in_ten_seconds_however_often_a_link_is_opened(shop: World) -> None:
    link = (await shop.rep.create())["url"]
    shop.stripe.advance(61)  # a younger session is still what Stripe said of it
    before = await _asked(shop)
    for _ in range(5):
        assert (await shop.open(link)).status_code == 303
        assert (await shop.open(f"{link}/thanks")).status_code == 200
    assert await _asked(shop) == before + 2  # on the way there and on the way back
    shop.stripe.advance(10.1)
    await shop.open(link)
    assert await _asked(shop) == before + 3


async def test_what_our_database_learns_meanwhile_goes_before_what_stripe_said(shop: World) -> None:
    made = await shop.rep.create()
    shop.stripe.advance(61)
    assert (await shop.open(made["url"])).status_code == 303
    cancelled = await shop.http.post(f"/widget/requests/{made['id']}/cancel", headers=shop.token())
    assert cancelled.status_code == 200
    assert (await shop.open(made["url"])).status_code == 200


async def test_one_link_has_so_many_openings_a_minute_and_others_have_their_own(shop: World) -> None:
    link, other = (await shop.rep.create())["url"], (await shop.rep.create())["url"]
    statuses = [(await shop.open(link)).status_code for _ in range(MOST_A_MINUTE + 1)]
    assert statuses == [303] * MOST_A_MINUTE + [429]
    assert (await shop.open(other)).status_code == 303
    shop.stripe.advance(60)
    assert (await shop.open(link)).status_code == 303
