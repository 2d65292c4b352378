"""Whose page it is, and whether its money is real, on every page that a client sees."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.accounts.options import Options, check_options
from backend.core.errors import FieldInvalid
from backend.core.i18n import LANGUAGES
from backend.storage.models import Account, StripeConnection
from backend.web.client.link_pages import texts_of
from sandbox.clock import MovableClock
from tests.world import CONNECTION, World, open_world

BOT = {"user-agent": "WhatsApp/2.23.20.0"}


@pytest.fixture
async def shop(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=MovableClock(), worker=False) as shop:
        yield shop


@pytest.mark.parametrize("language", LANGUAGES)
async def test_test_money_says_so_on_every_page(shop: World, language: str) -> None:
    await shop.stored.set_options(statement=True)
    request = await shop.rep.create()
    statement = (await shop.rep.deal())["statement_url"]
    for address in (f"{request['url']}/back", f"{request['url']}/thanks", statement):
        assert (
            f'<p class="test">{texts_of(language)["test_band"]}</p>'
            in (await shop.open(f"{address}?lang={language}")).text
        )


async def test_a_chat_sees_that_a_link_asks_for_test_money(shop: World) -> None:
    await shop.stored.set_options(statement=True)
    request = await shop.rep.create()
    for address in (request["url"], (await shop.rep.deal())["statement_url"]):
        assert 'property="og:title" content="[TEST] Acme Studio · ' in (await shop.open(address, **BOT)).text


async def test_a_test_payment_is_not_called_money_that_was_received(shop: World) -> None:
    request = await shop.paid()
    page = (await shop.open(f"{request['url']}/thanks")).text
    assert "<h1>A test payment was received</h1>" in page
    assert "It was a test: no money moved." in page
    assert "The payment was received" not in page


async def test_real_money_is_not_called_a_test(shop: World) -> None:
    await shop.stored.set_options(statement=True)
    await _go_live(shop)
    request = await shop.paid()
    pages = [await shop.open(address) for address in (request["url"], (await shop.rep.deal())["statement_url"])]
    assert ["test" in page.text.lower().partition("<body>")[2] for page in pages] == [False, False]
    assert ["[TEST]" in page.text for page in pages] == [False, False]
    assert "Thank you. The payment was received." in pages[0].text


OURS = {
    "business_name": "Bluebird & Daughters",
    "contact_phone": "+52 (55) 1234-5678",
    "contact_whatsapp": "+52 1 55 1234 5678",
    "contact_email": "billing@bluebird.example",
}
ADDRESSES = ("tel:+525512345678", "https://wa.me/5215512345678", "mailto:billing@bluebird.example")


async def test_every_page_begins_with_the_business_and_ends_with_the_way_to_it(shop: World) -> None:
    await shop.stored.set_options(statement=True, **OURS)
    paid = await shop.paid()
    cancelled = await shop.rep.create()
    await shop.rep.post(f"/widget/requests/{cancelled['id']}/cancel")
    open_one = await shop.rep.create()
    statement = (await shop.rep.deal())["statement_url"]
    for address in (paid["url"], cancelled["url"], f"{open_one['url']}/back", f"{open_one['url']}/thanks", statement):
        page = (await shop.open(f"{address}?lang=es")).text
        assert page.index('<p class="merchant"><bdi>Bluebird &amp; Daughters</bdi></p>') < page.index("<h1>")
        assert "Contacte con Bluebird &amp; Daughters" in page
        assert [f'href="{one}"' in page for one in ADDRESSES] == [True] * 3


async def test_a_business_that_gave_no_contact_is_named_as_stripe_names_it(shop: World) -> None:
    page = (await shop.open(f"{(await shop.rep.create())['url']}/back")).text
    assert '<p class="merchant"><bdi>Acme Studio</bdi></p>' in page
    assert "<address>" not in page


async def test_a_chat_sees_business_amount_and_purpose(shop: World) -> None:
    await shop.stored.set_options(**OURS)
    page = (await shop.open((await shop.rep.create())["url"], **BOT)).text
    for name, content in (
        ("site_name", "Bluebird &amp; Daughters"),
        ("title", "[TEST] Bluebird &amp; Daughters · €120.00\xa0EUR"),
        ("description", "Website, first part"),
    ):
        assert f'<meta property="og:{name}" content="{content}">' in page


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("contact_phone", "javascript:alert(1)"),
        ("contact_phone", "1234"),
        ("contact_phone", "٠١٢٣٤٥٦٧٨"),
        ("contact_whatsapp", "55 1234 5678"),
        ("contact_email", "a@b"),
        ("contact_email", "a@b.example?cc=c@d.example"),
        ("business_name", "Bank\u202e of"),
        ("business_name", "Bank\u2067 of"),
        ("business_name", "x" * 81),
        ("business_name", 7),
    ],
)
def test_a_contact_that_nobody_could_use_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(FieldInvalid) as refused:
        check_options({name: value})
    assert refused.value.field == name


@pytest.mark.parametrize("name", ["می\u200cخواهم", "👩\u200d🎨 Studio", "  Acme  "])
def test_a_business_may_have_the_name_that_it_has(name: str) -> None:
    assert check_options({"business_name": name}) == {"business_name": name}
    assert Options(business_name=name).business_name == name.strip()
    assert Options(business_name="\u200d \u200c").business_name == ""


async def test_a_name_from_right_to_left_leaves_what_is_around_it_in_its_place(shop: World) -> None:
    """Else a chat shows the amount on the other side, and "50%" as "%50"."""
    await shop.stored.set_options(statement=True, business_name="متجر الأثاث", contact_phone="+52 55 1234 5678")
    request = await shop.rep.create(description="دفعة أولى 50%")
    name, purpose = "\u2068متجر الأثاث\u2069", "\u2068دفعة أولى 50%\u2069"
    asked = (await shop.open(request["url"], **BOT)).text
    assert f'<meta property="og:title" content="[TEST] {name} · €120.00\xa0EUR">' in asked
    assert f'<meta property="og:description" content="{purpose}">' in asked
    assert f"<p>{name} asks for" in asked
    assert "<dd><bdi>دفعة أولى 50%</bdi></dd>" in asked
    assert '<p class="merchant"><bdi>متجر الأثاث</bdi></p>' in asked
    statement = (await shop.open((await shop.rep.deal())["statement_url"])).text
    assert f"<h2>Questions? Contact {name}</h2>" in statement
    assert f"<dd>{purpose}</dd>" in statement


@pytest.mark.parametrize("given", [OURS, dict.fromkeys(OURS, "")])
def test_a_contact_is_kept_as_it_was_written_or_not_at_all(given: dict[str, str]) -> None:
    assert check_options(given) == given


async def _go_live(shop: World) -> None:
    async with shop.resources.database.write() as session:
        (await session.get_one(StripeConnection, CONNECTION)).livemode = True
        (await session.get_one(Account, shop.account.id)).mode = "live"
