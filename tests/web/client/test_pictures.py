"""The picture of a preview: drawn by us, from our database alone, whatever the merchant is called."""

import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.accounts.branding.logo import checked_logo
from backend.core.i18n import LANGUAGES
from backend.core.money import CURRENCIES, MAXIMUM, Money, shown
from backend.web.client.link_pages import texts_of
from backend.web.client.pictures.card import HEIGHT, WIDTH, card
from backend.web.client.pictures.glyphs import hand, writable
from sandbox.clock import MovableClock
from tests.world import World, open_world

BOT = {"user-agent": "facebookexternalhit/1.1"}


@pytest.fixture
async def shop(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=MovableClock(), worker=False) as shop:
        yield shop


def _rows(png: bytes) -> list[bytes]:
    """The colour numbers of each row."""
    at = png.index(b"IDAT")
    drawn = zlib.decompress(png[at + 4 : at + 4 + int.from_bytes(png[at - 4 : at])])
    return [drawn[row * (WIDTH + 1) + 1 : (row + 1) * (WIDTH + 1)] for row in range(HEIGHT)]


async def test_a_links_picture_is_a_png_of_the_size_that_it_names(shop: World) -> None:
    request = await shop.rep.create()
    before = len(shop.stripe.seen)
    answer = await shop.open(f"{request['url']}/picture.png?lang=es", **BOT)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert (answer.headers["x-robots-tag"], answer.headers["cache-control"]) == (
        "noindex, nofollow",
        "public, max-age=3600",
    )
    assert answer.content == card("Acme Studio", "120,00\xa0€\xa0EUR", texts_of("es")["test_band"])
    assert len(answer.content) < 40_000
    picture = checked_logo(answer.content)
    assert (picture.width, picture.height, len(_rows(answer.content)[0])) == (WIDTH, HEIGHT, WIDTH)
    assert len(shop.stripe.seen) == before


async def test_a_statements_picture_names_no_sum(shop: World) -> None:
    await shop.stored.set_options(statement=True)
    await shop.rep.create()
    address = (await shop.rep.deal())["statement_url"]
    answer = await shop.open(f"{address}/picture.png", **BOT)
    assert answer.content == card("Acme Studio", "Statement", texts_of("en")["test_band"])
    token = address.rpartition("/")[2]
    assert f'/d/{token}/picture.png?lang=en">' in (await shop.open(address, **BOT)).text


async def test_what_is_not_there_has_no_picture_and_guessing_is_slowed(shop: World) -> None:
    answers = [(await shop.open(f"/{kind}/{n:016}/picture.png")).status_code for n in range(16) for kind in "pd"]
    assert (set(answers[:30]), answers[30:]) == ({404}, [429, 429])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_amount_and_every_band_can_be_written(language: str) -> None:
    small = hand("name")
    for currency in CURRENCIES:
        amount = shown(Money(MAXIMUM, currency), language)
        assert writable(amount, small), amount
        assert small.width(writable(amount, small)) < WIDTH - 168, amount
    assert small.can_write(texts_of(language)["test_band"])


@pytest.mark.parametrize(
    "name",
    [
        "",
        "山田商店",
        "متجر",
        "👍",
        "x" * 80,
        "W" * 80,
        "Ünïcödé Şirketi İğ",
        "Ювелирная мастерская",
        "a\u0301\u0300",
        "\ud800",
    ],
)
def test_a_merchant_may_be_called_anything(name: str) -> None:
    rows = _rows(card(name, "$1,200.00\xa0USD"))
    assert all(set(row[-40:]) == {0} for row in rows), "it runs out of the picture"


def test_test_money_has_a_band_and_real_money_has_none() -> None:
    test, live = (_rows(card("Acme", "$1.00\xa0USD", band))[600] for band in ("Test", ""))
    assert (len(set(test)), set(live[24:])) == (1, {0})
