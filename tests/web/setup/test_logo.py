"""The logo and the preview in the set-up: uploaded by a form without scripts, shown to clients from our own address."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from backend.storage.models import Audit
from sandbox.clock import MovableClock
from tests.accounts.test_logo import jpeg, png, webp
from tests.chromium import chromium
from tests.web.setup.test_pages import OURS, form_of, way_in
from tests.world import World, open_world

NAMED = ("picture.svg", png(64, 32), "image/svg+xml")
"""Neither the name nor the type that the sender gives decides anything."""


@pytest.fixture
async def product(sampled_url: str, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(sampled_url, clock=MovableClock(), worker=False) as found:
        yield found


@pytest.fixture
async def visitor(product: World) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=product.url, timeout=30.0, follow_redirects=True, headers=OURS) as http:
        await http.post((await way_in(product)).json()["url"])
        yield http


def _address(page: str) -> str:
    (address,) = re.findall('<img[^>]* src="(/logo/[0-9a-f]{32})"', page)
    return str(address)


async def test_a_saved_logo_stands_in_the_preview_and_on_the_clients_pages(
    product: World, visitor: httpx.AsyncClient
) -> None:
    saved = await visitor.post(form_of(product, "logo"), files={"logo": NAMED})
    assert "The logo is saved." in saved.text
    link = (await product.rep.create())["url"]
    page = await product.open(f"{link}/back")
    assert _address(page.text) == _address(saved.text)
    assert 'width="64" height="32" alt=""' in page.text
    assert "img-src 'self'" in page.headers["content-security-policy"]
    picture = await product.open(_address(page.text))
    assert (picture.content, picture.headers["content-type"]) == (png(64, 32), "image/png")
    assert picture.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "sandbox" in picture.headers["content-security-policy"]
    assert picture.headers["x-content-type-options"] == "nosniff"
    (told,) = [row for row in await product.rows(Audit) if row.what == "logo"]
    assert told.after["logo"]["digest"] in _address(page.text)


async def test_another_logo_has_another_address_and_a_removed_one_none(
    product: World, visitor: httpx.AsyncClient
) -> None:
    addresses = []
    for data in (png(), jpeg(), webp()):
        addresses.append(_address((await visitor.post(form_of(product, "logo"), files={"logo": ("", data)})).text))
    removed = await visitor.post(form_of(product, "logo/remove"))
    assert "The logo is removed." in removed.text
    assert "<img" not in removed.text
    assert len(set(addresses)) == 3
    assert [(await product.open(one)).status_code for one in addresses] == [404] * 3


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"logo": ("a.png", b"<svg/>")}, "is not a PNG, JPEG or WebP"),
        ({"logo": ("a.png", b"")}, "Choose a picture first"),
        ({"logo": ("a.png", png(2000, 64))}, "2,000 × 64"),
        ({"logo": ("a.png", b"\x89PNG" + b"\0" * 210_000)}, "more than 200 KiB"),
        ({"other": ("a.png", png())}, "could not be read"),
    ],
)
async def test_a_refusal_stands_at_the_field(
    product: World, visitor: httpx.AsyncClient, files: dict[str, tuple[str, bytes]], sentence: str
) -> None:
    answer = await visitor.post(form_of(product, "logo"), files=files)
    assert (answer.status_code in (400, 422), sentence in answer.text) == (True, True)
    assert "<img" not in answer.text


async def test_a_form_of_another_shape_or_size_is_refused(product: World, visitor: httpx.AsyncClient) -> None:
    path = form_of(product, "logo")
    assert (await visitor.post(path, files={"logo": ("a", b"\0" * 300_000)})).status_code == 413
    assert (await visitor.post(path, data={"logo": "x"})).status_code == 415
    for kind in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x"):
        answer = await visitor.post(path, content=b"--y\r\n", headers={"content-type": kind})
        assert answer.status_code in (400, 415), kind


async def test_another_site_and_another_account_change_no_logo(product: World, visitor: httpx.AsyncClient) -> None:
    path, files = form_of(product, "logo"), {"logo": ("a.png", png())}
    assert (await visitor.post(path, files=files, headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403
    assert (await visitor.post("/admin/accounts/1/logo", files=files)).status_code == 403
    assert (await product.http.post(f"{product.url}{path}", files=files, headers=OURS)).status_code == 401


async def test_without_scripts_the_preview_shows_what_is_saved(product: World, visitor: httpx.AsyncClient) -> None:
    await product.stored.set_options(business_name="Bluebird & Daughters", contact_phone="+52 55 1234 5678")
    page = (await visitor.get("/admin/setup/business")).text
    shown = dict(re.findall('data-shows="([^"]+)"[^>]*>([^<]*)<', page))
    assert (shown["business_name"], shown["contact_phone"]) == ("Bluebird &amp; Daughters", "+52 55 1234 5678")
    assert "<li hidden>E-mail" in page


@pytest.mark.browser
async def test_the_preview_follows_what_is_typed(product: World) -> None:
    entered = (await way_in(product)).json()["url"]
    async with chromium() as browser:
        page = await browser.new_page()
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        await page.goto(entered)
        await page.click("button")
        await page.goto(f"{product.url}/admin/setup/business")
        await page.fill("#business_name", "Bluebird <b>")
        await page.fill("#contact_email", "a@b.example")
        assert await page.inner_text(".client bdi >> nth=0") == "Bluebird <b>"
        assert await page.inner_text('[data-shows="contact_email"]') == "a@b.example"
        await page.fill("#business_name", "")
        assert await page.inner_text(".client bdi >> nth=0") == "Acme Studio"
        assert told == []
